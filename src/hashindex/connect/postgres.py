"""PostgreSQL: codes to and from ``bit(n)`` columns by binary COPY, and rows by the ids of what was found.

A table has an id of type ``bigint`` and a code of type ``bit(n)``; the first bit of one is bit 0 of the other, so the
bytes are copied as they are. pgvector is not needed. Connections are those of psycopg 3.
"""

from __future__ import annotations

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


def read(
    connection: Any, table: str, *, id_column: str = "id", code_column: str = "code", into: HashIndex | None = None
) -> HashIndex:
    """Add the codes of a table to an index, under the table's ids; rows without an id or a code are left out.

    Parameters
    ----------
    connection : psycopg.Connection
    table : str
        Its name, as ``schema.table`` if need be.
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
    ValueError
        The columns are no ``bigint`` and ``bit(n)``; the index refuses an id, or has codes of another width.
    ImportError
        There is no psycopg.
    """
    sql = needed("psycopg.sql", "connect.postgres", "postgres")
    columns = [sql.Identifier(id_column), sql.Identifier(code_column)]
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT {}, {} FROM {} LIMIT 0").format(*columns, _table(sql, table)))
        kinds = [column.type_display for column in cursor.description]
        if kinds[0] not in ("bigint", "int8") or not kinds[1].startswith("bit("):
            raise ValueError(f"{table}: expected a bigint and a bit(n), got {kinds[0]} and {kinds[1]}")
        n_bits = int(kinds[1][4:-1])
        index = HashIndex(n_bits) if into is None else into
        if index.n_bits not in (None, n_bits):
            raise ValueError(f"{table}: has codes of {n_bits} bits, the index of {index.n_bits}")
        select = "COPY (SELECT {}, {} FROM {} WHERE {} IS NOT NULL AND {} IS NOT NULL) TO STDOUT (FORMAT BINARY)"
        with cursor.copy(sql.SQL(select).format(*columns, _table(sql, table), *columns)) as copy:
            for rows in _rows(iter(copy.read, b""), n_bits):
                index.add(rows["code"], ids=rows["id"])
    return index


def write(connection: Any, index: HashIndex, table: str, *, id_column: str = "id", code_column: str = "code") -> int:
    """Copy all codes of an index into a table that is there, and return how many.

    Parameters and errors are those of :func:`read`; ValueError, too, for an index that does not know its width yet.
    """
    sql = needed("psycopg.sql", "connect.postgres", "postgres")
    if index.n_bits is None:
        raise ValueError("the index has no width yet, and a column needs one: HashIndex(n_bits=...)")
    into = sql.SQL("COPY {} ({}, {}) FROM STDIN (FORMAT BINARY)")
    statement = into.format(_table(sql, table), sql.Identifier(id_column), sql.Identifier(code_column))
    ids, blocks = index._in_id_order()
    n_sent = 0
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(HEADER)
        for codes in blocks:
            copy.write(_packed(ids[n_sent : n_sent + len(codes)], codes, index.n_bits))
            n_sent += len(codes)
        copy.write(TRAILER)
    return n_sent


def rows_of(connection: Any, table: str, ids: Any, columns: Sequence[str], *, id_column: str = "id") -> list[Any]:
    """Return the rows of ``ids`` (n,), in their order, as tuples of ``columns``; None for an id without a row.

    Raises psycopg.Error for a table or column that is not there, TypeError or ValueError for what are no ids.
    """
    sql = needed("psycopg.sql", "connect.postgres", "postgres")
    wanted = as_ids(ids).tolist()
    key, wanted_columns = sql.Identifier(id_column), sql.SQL(", ").join(map(sql.Identifier, columns))
    select = sql.SQL("SELECT {}, {} FROM {} WHERE {} = ANY(%s)")
    statement = select.format(key, wanted_columns, _table(sql, table), key)
    rows = needed("psycopg.rows", "connect.postgres", "postgres")
    with connection.cursor(row_factory=rows.tuple_row) as cursor:
        found = {row[0]: tuple(row[1:]) for row in cursor.execute(statement, [wanted])}
    return [found.get(one) for one in wanted]


def _table(sql: Any, name: str) -> Any:
    return sql.Identifier(*name.split("."))


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
