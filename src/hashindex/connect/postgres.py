"""PostgreSQL: codes to and from ``bit(n)`` columns by binary COPY, and rows by the ids of what was found.

A table has an id of type ``bigint`` (any integer, if it is only read) and a code of type ``bit(n)``. The first bit of
one is bit 0 of the other, so the bytes are copied as they are. pgvector is not needed; connections are of psycopg 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..index import HashIndex
from ..inputs.ids import as_ids
from ..inputs.numbers import check_n_bits, code_size
from ..support.lazy import needed

SIGNATURE = b"PGCOPY\n\xff\r\n\0"  # PostgreSQL's documentation, COPY, "Binary Format"
HEADER, TRAILER = SIGNATURE + bytes(8), b"\xff\xff"
READ = 2**22  # bytes that are read at once
INTEGERS = ("int8", "int4", "int2")  # types that hold ids


def read(
    connection: Any,
    table: str | Sequence[str],
    *,
    id_column: str = "id",
    code_column: str = "code",
    into: HashIndex | None = None,
) -> HashIndex:
    """Add the codes of a table to an index, under the table's ids; rows without an id or a code are left out.

    Parameters
    ----------
    connection : psycopg.Connection
    table : str or sequence of str
        Its name, as ``schema.table`` if need be; or the parts of it, which may then have dots in them.
    id_column, code_column : str
        The columns.
    into : HashIndex, optional
        Where to add them, all or none of a block of some megabytes. Default: a new index.

    Returns
    -------
    HashIndex

    Raises
    ------
    psycopg.Error
        There is no such table or column.
    TypeError
        Something else than a synchronous connection, a name or an index.
    ValueError
        The columns are no integer and ``bit(n)``; the index refuses an id, or has codes of another width; the
        connection is in a pipeline.
    ImportError
        There is no psycopg.
    """
    sql = needed("psycopg.sql", "connect.postgres", "postgres")
    columns = [sql.Identifier(id_column), sql.Identifier(code_column)]
    if not isinstance(into, HashIndex | None):
        raise TypeError(f"into must be a HashIndex, got {type(into).__name__}")
    with _cursor(connection) as cursor:
        n_bits = _width(cursor, sql, table, columns, INTEGERS)
        index = HashIndex(n_bits) if into is None else into
        if index.n_bits not in (None, n_bits):
            raise ValueError(f"{table}: has codes of {n_bits} bits, the index of {index.n_bits}")
        select = "COPY (SELECT {}::int8, {} FROM {} WHERE {} IS NOT NULL AND {} IS NOT NULL) TO STDOUT (FORMAT BINARY)"
        with cursor.copy(sql.SQL(select).format(*columns, _table(sql, table), *columns)) as copy:
            for rows in _rows(iter(copy.read, b""), n_bits):
                index.add(rows["code"], ids=rows["id"])
    return index


def write(
    connection: Any, index: HashIndex, table: str | Sequence[str], *, id_column: str = "id", code_column: str = "code"
) -> int:
    """Copy all codes of an index into a table that is there, and return how many.

    Parameters and errors are those of :func:`read`; ValueError, too, for an index that does not know its width yet, and
    for a table whose ids are no ``bigint`` or whose codes have another width.
    """
    if not isinstance(index, HashIndex):
        raise TypeError(f"index must be a HashIndex, got {type(index).__name__}")
    sql = needed("psycopg.sql", "connect.postgres", "postgres")
    if index.n_bits is None:
        raise ValueError("the index has no width yet, and a column needs one: HashIndex(n_bits=...)")
    into = sql.SQL("COPY {} ({}, {}) FROM STDIN (FORMAT BINARY)")
    columns = [sql.Identifier(id_column), sql.Identifier(code_column)]
    statement = into.format(_table(sql, table), *columns)
    n_sent = 0
    with _cursor(connection) as cursor:
        n_bits = _width(cursor, sql, table, columns, INTEGERS[:1])
        if index.n_bits != n_bits:
            raise ValueError(f"{table}: has codes of {n_bits} bits, the index of {index.n_bits}")
        ids, blocks = index._in_id_order()
        with cursor.copy(statement) as copy:
            copy.write(HEADER)
            for codes in blocks:
                copy.write(_packed(ids[n_sent : n_sent + len(codes)], codes, n_bits))
                n_sent += len(codes)
            copy.write(TRAILER)
    return n_sent


def rows_of(
    connection: Any, table: str | Sequence[str], ids: Any, columns: Sequence[str], *, id_column: str = "id"
) -> list[Any]:
    """Return the rows of ``ids`` (n,), in their order, as tuples of ``columns``; None for an id without a row, and -1.

    Raises psycopg.Error for a table or column that is not there, TypeError or ValueError for what are no ids.
    """
    sql = needed("psycopg.sql", "connect.postgres", "postgres")
    if isinstance(columns, str):
        raise TypeError(f"columns is a str, whose characters would be names; [{columns!r}] is one column")
    found_ids = np.asarray(ids)
    is_missing = found_ids == -1 if found_ids.dtype.kind == "i" and found_ids.ndim == 1 else np.empty(0, np.bool_)
    known = as_ids(found_ids[~is_missing] if is_missing.any() else ids).tolist()
    key = sql.Identifier(id_column)
    selected = sql.SQL(", ").join([key, *map(sql.Identifier, columns)])
    statement = sql.SQL("SELECT {} FROM {} WHERE {} = ANY(%s)").format(selected, _table(sql, table), key)
    rows = needed("psycopg.rows", "connect.postgres", "postgres")
    with _cursor(connection, row_factory=rows.tuple_row) as cursor:
        found = {row[0]: tuple(row[1:]) for row in cursor.execute(statement, [known])}
    return [found.get(one) for one in found_ids.tolist()]


def _cursor(connection: Any, **options: Any) -> Any:
    """A cursor of a connection; TypeError for what has none that waits."""
    if not hasattr(connection, "cursor") or hasattr(connection, "__aenter__"):
        raise TypeError(f"connection must be a psycopg.Connection, got {type(connection).__name__}")
    return connection.cursor(**options)


def _table(sql: Any, name: str | Sequence[str]) -> Any:
    parts = name.split(".") if isinstance(name, str) else name
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) and part for part in parts) or not parts:
        raise TypeError(f"table must be a name, as 'schema.table', or the parts of one, got {name!r:.80}")
    return sql.Identifier(*parts)


def _width(cursor: Any, sql: Any, table: str | Sequence[str], columns: list[Any], ids: tuple[str, ...]) -> int:
    """Bits of the codes of a table; ValueError unless its columns are of types for ``ids`` and for codes."""
    cursor.execute(sql.SQL("SELECT {}, {} FROM {} LIMIT 0").format(*columns, _table(sql, table)))
    if cursor.description is None:
        raise ValueError("the connection is in a pipeline, in which nothing is copied: leave its block before")
    kinds = [column.type_display for column in cursor.description]
    bits = re.fullmatch(r"bit\((\d+)\)", kinds[1])
    if kinds[0] not in ids or bits is None:
        expected = "an integer" if len(ids) > 1 else "a bigint"
        raise ValueError(f"{table}: expected {expected} and a bit(n), got {kinds[0]} and {kinds[1]}")
    return int(bits[1])


def _layout(n_bits: int) -> np.dtype[Any]:
    """A row of two fields, of bytes each, as binary COPY has it."""
    size = code_size(check_n_bits(n_bits))
    number = ("n_id", ">i4"), ("id", ">i8")
    return np.dtype([("n_fields", ">i2"), *number, ("n_code", ">i4"), ("n_bits", ">i4"), ("code", np.uint8, (size,))])


def _packed(ids: NDArray[np.int64], codes: NDArray[np.uint8], n_bits: int) -> bytes:
    rows = np.empty(len(ids), _layout(n_bits))
    rows["n_fields"], rows["n_id"], rows["id"] = 2, 8, ids
    rows["n_code"], rows["n_bits"], rows["code"] = 4 + codes.shape[1], n_bits, codes
    return rows.tobytes()


def _rows(pieces: Iterator[Any], n_bits: int) -> Iterator[NDArray[Any]]:
    """Whole rows of what the server sends, some megabytes at a time."""
    layout, data = _layout(n_bits), bytearray()
    for piece in pieces:
        data += piece
        if len(data) < READ:
            continue
        data = _without_header(data)
        n = len(data) // layout.itemsize - 1  # what follows may be the trailer
        yield np.frombuffer(bytes(data[: n * layout.itemsize]), layout)
        del data[: n * layout.itemsize]
    data = _without_header(data)
    yield np.frombuffer(bytes(data[: -len(TRAILER)]), layout)


def _without_header(data: bytearray) -> bytearray:
    return data[len(HEADER) :] if data.startswith(SIGNATURE) else data
