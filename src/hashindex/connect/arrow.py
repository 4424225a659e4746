"""Arrow and Parquet: codes as fixed-size binary, without a copy where Arrow allows it; DuckDB and Polars read the same.

A column of codes goes into an index as it is: ``index.add(table["code"])``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..index import HashIndex
from ..inputs.codes import as_codes
from ..inputs.numbers import MAX_BITS, check_n_bits
from ..inputs.paths import as_path
from ..matches import NearestMatches, RadiusMatches, in_one_row
from ..store import items as noted
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

    Ids and codes are of one state, even while other threads add or remove; keys and payloads are those of the moment.
    Raises ValueError for an index that does not know its width yet, ImportError without pyarrow.
    """
    _schema(index)
    ids, blocks = index._in_id_order()
    codes = np.empty((len(ids), index.code_size or 0), np.uint8)
    begin = 0
    for block in blocks:
        codes[begin : begin + len(block)] = block
        begin += len(block)
    return _table(index, ids, codes)


def write_parquet(index: HashIndex, path: str | Path) -> None:
    """Write all of an index to a Parquet file, in the place of what was there, with the columns of :func:`table`.

    As there, ids and codes are of one state.

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
    parquet, schema = needed("pyarrow.parquet", "writing Parquet", "arrow"), _schema(index)
    ids, blocks = index._in_id_order()
    with replacing(as_path(path, "path")) as new, parquet.ParquetWriter(new, schema) as writer:
        begin = 0
        for codes in _groups(blocks):
            writer.write_table(_table(index, ids[begin : begin + len(codes)], codes))
            begin += len(codes)


def read_parquet(
    path: str | Path, *, code_column: str = "code", id_column: str | Literal[False] | None = None
) -> HashIndex:
    """Make an index of a column of a Parquet file: fixed-size binary, or lists of as many uint8.

    Parameters
    ----------
    path : str or Path
    code_column : str
        The column of codes.
    id_column : str or False, optional
        The column of ids. Default: ``id`` if there is one. False, or without one: ids count from 0.

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
        by_default = "id" if "id" in names else None
        of_ids = by_default if id_column is None else None if id_column is False else id_column
        columns = [code_column, *([] if of_ids is None else [of_ids])]
        for wanted in columns:
            if wanted not in names:
                raise ValueError(f"{path}: has the columns {', '.join(names)}, none named {wanted!r}")
        index = HashIndex(width_in(file.schema_arrow.metadata, path))
        for batch in file.iter_batches(BLOCK, columns=columns):
            try:
                index.add(batch[code_column], ids=None if of_ids is None else _ids(batch[of_ids], of_ids))
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


def _ids(column: Any, name: str) -> NDArray[Any]:
    routes = "id_column= names another, and with id_column=False ids count from 0"
    if column.null_count:
        raise ValueError(f"the column {name!r}, of ids, has {column.null_count} nulls; {routes}")
    ids: NDArray[Any] = column.to_numpy(zero_copy_only=False)
    if ids.dtype.kind not in "iu" and len(ids):
        raise TypeError(f"the column {name!r}, of ids, holds {column.type}, expected integers; {routes}")
    return ids


def _arrow() -> Any:
    return needed("pyarrow", "connect.arrow", "arrow")


def _schema(index: HashIndex) -> Any:
    arrow = _arrow()
    if index.code_size is None:
        raise ValueError("the index has no width yet, and a table needs one: HashIndex(n_bits=...)")
    fields = [("id", arrow.int64()), ("code", arrow.binary(index.code_size))]
    fields += [("key", arrow.string()), ("payload", arrow.string())] if index._store is not None else []
    return arrow.schema(fields, {WIDTH: str(index.n_bits).encode()})


def _groups(blocks: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    """Blocks of codes put together to at least ``BLOCK`` each, but for the last."""
    held: list[NDArray[np.uint8]] = []
    for block in blocks:
        held.append(block)
        if sum(map(len, held)) >= BLOCK:
            yield np.concatenate(held)
            held = []
    if held:
        yield np.concatenate(held)


def _table(index: HashIndex, ids: NDArray[np.int64], codes: NDArray[np.uint8]) -> Any:
    """Codes of an index with their ids, and what its store notes of these now."""
    arrow, store = _arrow(), index._store
    notes: list[Any] = []
    if store is not None:
        items = store.ask(lambda manifest: noted.of(manifest, ids))
        payloads = [None if payload is None else json.dumps(payload) for _, payload in items]
        notes = [arrow.array([key for key, _ in items], arrow.string()), arrow.array(payloads, arrow.string())]
    return arrow.Table.from_arrays([arrow.array(ids), column(codes), *notes], schema=_schema(index))
