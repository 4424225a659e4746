"""The files of faiss's binary indexes that hold plain codes: flat ones, and id maps around them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from struct import Struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..inputs.numbers import MAX_BITS
from ..inputs.paths import as_path
from ..store.container import mapped, read_bytes
from ..store.format import ForeignFileError
from ..support.files import replacing

FLAT, ID_MAP, ID_MAP_2 = "IBxF", "IBMp", "IBM2"
KINDS = (FLAT, ID_MAP, ID_MAP_2)

_OTHERS = {
    "IBwF": "an IndexBinaryIVF; in faiss, after index.make_direct_map(), index.reconstruct_n(0, index.ntotal) has the "
    "codes for an IndexBinaryFlat",
    "IBHf": "an IndexBinaryHNSW; in faiss, write_index_binary(index.storage, path) writes its codes alone",
    "IBHc": "an IndexBinaryHNSWCagra; in faiss, write_index_binary(index.storage, path) writes its codes alone",
    "IBHm": "an IndexBinaryMultiHash; in faiss, write_index_binary(index.storage, path) writes its codes alone",
    "IBHh": "an IndexBinaryHash, which gives no codes back: write the codes that it was made of",
    "IBFf": "an IndexBinaryFromFloat, which holds floats: write the codes that it was made of",
}

_HEADER = Struct("<4siiqBi")  # kind, bits, bytes, how many, whether trained, metric
_COUNT = Struct("<Q")
_L2 = 1  # the metric that faiss writes for every binary index


class Contents(NamedTuple):
    """What a file holds: views of its bytes, read-only."""

    kind: str  # one of KINDS
    codes: NDArray[np.uint8]  # (n, code_size), in the order of the file
    ids: NDArray[np.int64] | None  # (n,), a copy, in that order, also negative or twice; None for 0 to n - 1


def read_contents(path: str | Path, *, mmap: bool = False) -> Contents:
    """Read a file that ``faiss.write_index_binary`` wrote.

    Parameters
    ----------
    path : str or Path
    mmap : bool
        Map the file: the codes are read where they are used. The ids are read.

    Returns
    -------
    Contents

    Raises
    ------
    TypeError
        ``path`` is no path.
    OSError
        The file cannot be read.
    ValueError
        It holds another kind of index, or is damaged; found out from its first bytes and its size.
    """
    path = as_path(path, "path")
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            kind, n, code_size, begin = _layout(file.read(2 * _HEADER.size + _COUNT.size), size)
            data = mapped(file, size) if mmap else read_bytes(file, 0, size)
            end = begin + n * code_size
            codes = data[begin:end].reshape(n, code_size)
            ids = None if kind == FLAT else _ids(data[end:], n)
        except ValueError as error:
            raise type(error)(f"{path}: {error}") from None
    return Contents(kind, codes, ids)


def write_contents(
    path: str | Path, kind: str, code_size: int, ids: NDArray[np.int64], blocks: Iterable[NDArray[np.uint8]]
) -> None:
    """Write codes, given by ``blocks`` (n_block, code_size), as ``faiss.write_index_binary`` would.

    Of ``ids`` (n,) a flat index keeps the number alone. Raises OSError.
    """
    header = [8 * code_size, code_size, len(ids), True, _L2]
    with replacing(path) as new, new.open("wb") as file:
        if kind != FLAT:
            file.write(_HEADER.pack(kind.encode(), *header))
        file.write(_HEADER.pack(FLAT.encode(), *header))
        file.write(_COUNT.pack(len(ids) * code_size))
        for block in blocks:
            file.write(block.data)
        if kind != FLAT:
            file.write(_COUNT.pack(len(ids)))
            file.write(ids.astype("<i8", copy=False).data)


def _layout(head: bytes, size: int) -> tuple[str, int, int, int]:
    """Kind, how many codes of how many bytes, and where they begin, by the first bytes of a file of ``size`` bytes."""
    kind = _kind(head, 0)
    begin = 0 if kind == FLAT else _HEADER.size
    inner = _kind(head, begin)
    if inner != FLAT:
        raise ForeignFileError(f"an id map ({kind}) around an index that is no IndexBinaryFlat: {inner}")
    n_bits, code_size, n = _header(head, begin)
    if begin and _header(head, 0) != (n_bits, code_size, n):
        raise ValueError(
            f"damaged: an id map of {_header(head, 0)} bits, bytes and codes around {n_bits, code_size, n}"
        )
    begin += _HEADER.size + _COUNT.size
    if len(head) < begin:
        raise ValueError(f"cut short: {size:,} bytes")
    (n_bytes,) = _COUNT.unpack_from(head, begin - _COUNT.size)
    if n_bytes != n * code_size:
        raise ValueError(f"damaged: {n_bytes:,} bytes of {n:,} codes of {code_size:,} bytes")
    expected = begin + n_bytes + (0 if kind == FLAT else _COUNT.size + 8 * n)
    if size != expected:
        what = "cut short" if size < expected else "damaged"
        raise ValueError(f"{what}: {size:,} bytes, and {n:,} codes of {code_size:,} bytes make a file of {expected:,}")
    return kind, n, code_size, begin


def _kind(head: bytes, at: int) -> str:
    kind = head[at : at + 4].decode("latin-1")
    if kind in _OTHERS:
        raise ForeignFileError(f"{kind} is {_OTHERS[kind]}")
    if kind not in KINDS:
        seen = f"{kind!r} is another index of faiss" if kind[:1] == "I" and kind.isascii() else f"begins with {kind!r}"
        raise ForeignFileError(f"{seen}; expected a binary one, of kind {', '.join(KINDS)}")
    return kind


def _header(head: bytes, at: int) -> tuple[int, int, int]:
    """Bits, bytes and number of codes; ValueError where they do not fit, or are not what faiss writes."""
    if len(head) < at + _HEADER.size:
        raise ValueError(f"cut short: {len(head)} bytes")
    _, n_bits, code_size, n, trained, metric = _HEADER.unpack_from(head, at)
    if not 0 < n_bits <= MAX_BITS or n_bits != 8 * code_size or n < 0 or (trained, metric) != (1, _L2):
        raise ValueError(f"damaged: {n:,} codes of {n_bits:,} bits in {code_size:,} bytes, {trained=}, {metric=}")
    return n_bits, code_size, n


def _ids(data: NDArray[np.uint8], n: int) -> NDArray[np.int64]:
    (n_ids,) = _COUNT.unpack_from(data.data)
    if n_ids != n:
        raise ValueError(f"damaged: {n_ids:,} ids of {n:,} codes")
    return np.frombuffer(data[_COUNT.size :].tobytes(), "<i8").astype(np.int64, copy=False)
