"""faiss: an index with the calls of its binary indexes, and its files. faiss itself is not needed."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..engines import Engine
from ..index import HashIndex
from ..inputs.paths import as_path
from ..segments.snapshot import MAX_ID
from ..store.format import ForeignFileError
from ..support.interrupts import interruptible
from .faiss_files import FLAT, ID_MAP_2, KINDS, Contents, read_contents, write_contents
from .faiss_index import FaissBinaryIndex

__all__ = ["FaissBinaryIndex", "read", "read_index_binary", "write"]


def read(path: str | Path, *, mmap: bool = False, engine: str | Engine | None = None) -> HashIndex:
    """Read a file that ``faiss.write_index_binary`` wrote of an ``IndexBinaryFlat``, or of an id map around one.

    Parameters
    ----------
    path : str or Path
    mmap : bool
        Map the file instead of reading it: searches read the codes that they need, and processes share the memory.
        The file must not be truncated or written into meanwhile; writing over it with :func:`write` is safe. The ids
        of an id map are read, and if they do not ascend its codes are copied into the order of the ids all the same.
    engine : str or Engine, optional
        As for :class:`HashIndex`.

    Returns
    -------
    HashIndex
        With the ids of the file; those of a flat index count from 0.

    Raises
    ------
    TypeError
        ``path`` is no path.
    OSError
        The file cannot be read.
    ValueError
        It holds another kind of index, which the message names; it is damaged; its ids are negative, or one is there
        twice.
    """
    return _index_of(path, read_contents(path, mmap=mmap), engine)


def read_index_binary(path: str | Path, *, mmap: bool = False) -> FaissBinaryIndex:
    """Read a file as ``faiss.read_index_binary``: a flat index numbers places, an id map keeps its ids.

    Parameters and errors are those of :func:`read`.
    """
    contents = read_contents(path, mmap=mmap)
    index = FaissBinaryIndex(_index_of(path, contents, None))
    index.is_flat = contents.kind == FLAT
    return index


def write(index: HashIndex | FaissBinaryIndex, path: str | Path, *, kind: str | None = None) -> None:
    """Write a file that ``faiss.read_index_binary`` reads, byte for byte what faiss writes of the codes in id order.

    Parameters
    ----------
    index : HashIndex or FaissBinaryIndex
        Bits that pad its last byte are written as bits of the codes.
    path : str or Path
        The file is written whole, put on the disk and renamed over what was there.
    kind : {"IBxF", "IBMp", "IBM2"}, optional
        An ``IndexBinaryFlat``, which needs ids from 0 on without a gap, an ``IndexBinaryIDMap`` or an
        ``IndexBinaryIDMap2``. Default: what a `FaissBinaryIndex` is; of a `HashIndex` the first if it can be, else the
        last.

    Raises
    ------
    TypeError
        ``index`` is no such index, ``path`` no path.
    ValueError
        The kind is unknown or has no place for the ids; the index does not know its width yet.
    OSError
        The file cannot be written; the old one is as it was.
    """
    if isinstance(index, FaissBinaryIndex):
        kind = kind or (FLAT if index.is_flat else ID_MAP_2)
        index = index.index
    if not isinstance(index, HashIndex):
        raise TypeError(f"index must be a HashIndex or a FaissBinaryIndex, got {type(index).__name__}")
    if kind not in (None, *KINDS):
        raise ValueError(f"kind {kind!r} is unknown; expected one of: {', '.join(KINDS)}")
    if index.code_size is None:
        raise ValueError("the index has no width yet, and a file needs one: HashIndex(n_bits=...)")
    ids, blocks = index._in_id_order()
    is_flat = not len(ids) or (ids[0] == 0 and ids[-1] == len(ids) - 1)
    if kind == FLAT and not is_flat:
        raise ValueError(
            f"a flat index of faiss numbers its {len(ids):,} codes from 0 on, here ids go from {ids[0]} to {ids[-1]}: "
            f'kind="{ID_MAP_2}" keeps them'
        )
    write_contents(as_path(path, "path"), kind or (FLAT if is_flat else ID_MAP_2), index.code_size, ids, blocks)


def _index_of(path: str | Path, contents: Contents, engine: str | Engine | None) -> HashIndex:
    codes, ids = contents.codes, contents.ids
    if ids is not None:
        if not (ids[1:] > ids[:-1]).all():
            codes, ids = interruptible(partial(_in_order, codes, ids), codes.nbytes + 16 * ids.size)
        twice = np.flatnonzero(ids[1:] == ids[:-1])
        if len(twice) or (len(ids) and not 0 <= ids[0] <= ids[-1] <= MAX_ID):
            seen = f"id {ids[twice[0]]} is there twice" if len(twice) else f"ids go from {ids[0]} to {ids[-1]}"
            raise ForeignFileError(
                f"{path}: {seen}; an index has each id once, from 0 to {MAX_ID}: "
                f"hashindex.connect.faiss_files.read_contents(path) has codes and ids, to be numbered anew"
            )
    return HashIndex._holding(codes, ids, engine=engine)


def _in_order(codes: NDArray[np.uint8], ids: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    order = np.argsort(ids)
    return codes[order], ids[order]
