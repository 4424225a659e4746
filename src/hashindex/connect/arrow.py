"""Arrow and Parquet: codes as fixed-size binary, without a copy where Arrow allows it; DuckDB and Polars read the same.

A column of codes goes into an index as it is: ``index.add(table["code"])``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..index import HashIndex
from ..inputs.codes import as_codes
from ..inputs.numbers import MAX_BITS, check_n_bits
from ..inputs.paths import as_path
from ..matches import NearestMatches, RadiusMatches, in_one_row
from ..support.files import replacing
from ..support.lazy import needed

WIDTH = b"hashindex.n_bits"  # of a table's metadata
BLOCK = 2**20  # codes of a row group


def column(codes: NDArray[np.uint8]) -> Any:
    """Codes (n, code_size) as a ``pyarrow.FixedSizeBinaryArray`` on the same memory.

    Raises TypeError or ValueError for what are no packed codes, ImportError without pyarrow.
    """
    arrow, shape = _arrow(), np.shape(codes)
    is_packed = np.asarray(codes).dtype == np.uint8 and len(shape) > 0  # also where all are 0 and 1
    rows = as_codes(codes, check_n_bits(8 * shape[-1]) if is_packed else None, "codes").codes
    return arrow.FixedSizeBinaryArray.from_buffers(
        arrow.binary(rows.shape[1]), len(rows), [None, arrow.py_buffer(rows)]
    )


def table(index: HashIndex) -> Any:
    """All of an index as a ``pyarrow.Table``: ``id``, ``code``, and of a store ``key`` and ``payload`` (JSON text).

    Raises ValueError for an index that does not know its width yet, ImportError without pyarrow.
    """
    ids = index.ids()
    return _table(index, ids, with_notes=_notes(index))


def write_parquet(index: HashIndex, path: str | Path) -> None:
    """Write all of an index to a Parquet file, in the place of what was there, with the columns of :func:`table`.

    Raises
    ------
    TypeError
        ``path`` is no path.
    ValueError
        The index does not know its width yet.
    OSError
        The file cannot be written; the old one is as it was.
    ImportError
        There is no pyarrow.
    """
    parquet, ids, with_notes = needed("pyarrow.parquet", "writing Parquet", "arrow"), index.ids(), _notes(index)
    with replacing(as_path(path, "path")) as new, parquet.ParquetWriter(new, _schema(index, with_notes)) as writer:
        for begin in range(0, len(ids), BLOCK):
            writer.write_table(_table(index, ids[begin : begin + BLOCK], with_notes=with_notes))


def read_parquet(path: str | Path, *, code_column: str = "code", id_column: str | None = None) -> HashIndex:
    """Make an index of a column of a Parquet file: fixed-size binary, or lists of as many uint8.

    Parameters
    ----------
    path : str or Path
    code_column : str
        The column of codes.
    id_column : str, optional
        The column of ids. Default: ``id`` if there is one, else ids count from 0.

    Raises
    ------
    TypeError, ValueError
        The file is no Parquet file, or lacks a column; codes or ids that an index refuses.
    OSError
        It cannot be read.
    ImportError
        There is no pyarrow.
    """
    arrow, parquet = _arrow(), needed("pyarrow.parquet", "reading Parquet", "arrow")
    try:
        file = parquet.ParquetFile(as_path(path, "path"))
    except arrow.ArrowInvalid as error:
        raise ValueError(f"{path}: is no Parquet file: {error}") from None
    with file:
        names = file.schema_arrow.names
        id_column = "id" if id_column is None and "id" in names else id_column
        columns = [code_column, *([] if id_column is None else [id_column])]
        for wanted in columns:
            if wanted not in names:
                raise ValueError(f"{path}: has the columns {', '.join(names)}, none named {wanted!r}")
        index = HashIndex(width_in(file.schema_arrow.metadata, path))
        for batch in file.iter_batches(BLOCK, columns=columns):
            try:
                index.add(batch[code_column], ids=None if id_column is None else _ids(batch[id_column]))
            except (TypeError, ValueError) as error:
                raise type(error)(f"{path}: {error}") from None
    return index


def width_in(metadata: dict[bytes, bytes] | None, path: str | Path) -> int | None:
    """Bits of a code, as a table's metadata have them, None if they have not; ValueError for what is no number."""
    said = (metadata or {}).get(WIDTH)
    if said is None:
        return None
    if not said.isdigit() or not 1 <= int(said) <= MAX_BITS:
        raise ValueError(f"{path}: its metadata say that codes have {said.decode(errors='replace')!r} bits")
    return int(said)


def matches_table(matches: RadiusMatches | NearestMatches) -> Any:
    """Matches of several queries as a ``pyarrow.Table``: a row for each, with ``query``, ``distance`` and ``id``.

    Raises TypeError for those of one query (``search(query[None], ...)`` has tables), ImportError without pyarrow.
    """
    if not isinstance(matches, RadiusMatches | NearestMatches):
        raise TypeError(f"matches must be RadiusMatches or NearestMatches, got {type(matches).__name__}")
    if matches.ids.ndim == 1 and not isinstance(matches, RadiusMatches):
        raise TypeError("the matches are of one query; search(query[None], ...) gives those of several")
    query, distances, ids = in_one_row(matches)
    return _arrow().table({"query": query, "distance": distances, "id": ids})


def _ids(column: Any) -> NDArray[Any]:
    if column.null_count:
        raise ValueError(f"the column of ids has {column.null_count} nulls")
    ids: NDArray[Any] = column.to_numpy(zero_copy_only=False)
    if ids.dtype.kind not in "iu" and len(ids):
        raise TypeError(f"the column of ids holds {column.type}, expected integers")
    return ids


def _arrow() -> Any:
    return needed("pyarrow", "connect.arrow", "arrow")


def _notes(index: HashIndex) -> bool:
    return index._store is not None


def _schema(index: HashIndex, with_notes: bool) -> Any:
    arrow = _arrow()
    if index.code_size is None:
        raise ValueError("the index has no width yet, and a table needs one: HashIndex(n_bits=...)")
    fields = [("id", arrow.int64()), ("code", arrow.binary(index.code_size))]
    fields += [("key", arrow.string()), ("payload", arrow.string())] if with_notes else []
    return arrow.schema(fields, {WIDTH: str(index.n_bits).encode()})


def _table(index: HashIndex, ids: NDArray[np.int64], *, with_notes: bool) -> Any:
    arrow, schema = _arrow(), _schema(index, with_notes)
    rows = column(index.get(ids))
    notes: Iterator[Any] = iter(())
    if with_notes:
        payloads = [None if payload is None else json.dumps(payload) for payload in index.payloads(ids)]
        notes = iter([arrow.array(index.keys(ids), arrow.string()), arrow.array(payloads, arrow.string())])
    return arrow.Table.from_arrays([arrow.array(ids), rows, *notes], schema=schema)
