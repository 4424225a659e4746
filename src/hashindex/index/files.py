"""Saving and loading an index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..engines import Engine
from ..inputs.paths import as_path
from ..segments.segment import Segment
from ..segments.snapshot import Snapshot
from ..segments.tail import TailBuffer
from ..store import index_file
from ..store.container import Container, read_container, to_bytes, write_container
from ..store.format import INDEX
from ..support.interrupts import interruptible
from .state import State

Index = TypeVar("Index", bound="Files")
STEP = 2**22  # bytes of codes that leave the index at once


class Files(State):
    """Files of a whole index, and bytes that are the same."""

    def save(self, path: str | Path) -> None:
        """Write the index to a file, with what was built for searching it.

        The file is written whole, put on the disk and renamed over what was there. It is one consistent state, even
        while other threads add or remove.

        Parameters
        ----------
        path : str or Path
            ``.hxi`` is the usual ending. May be the very file that this index maps.

        Raises
        ------
        TypeError
            ``path`` is no path.
        OSError
            The file cannot be written; the old one is as it was.
        """
        write_container(as_path(path, "path"), INDEX, *index_file.told(self._snapshot, self._meta))

    @classmethod
    def load(cls: type[Index], path: str | Path, *, mmap: bool = False, engine: str | Engine | None = None) -> Index:
        """Read an index that :meth:`save` wrote. It can be searched, changed and saved like any other.

        Parameters
        ----------
        path : str or Path
        mmap : bool
            Map the file instead of reading and verifying it: the index is there at once, searches read what they
            need, and processes share the memory. The file must not be truncated or written into meanwhile; saving
            over it is safe.
        engine : str or Engine, optional
            As for `HashIndex`.

        Raises
        ------
        TypeError
            ``path`` is no path.
        OSError
            The file cannot be read.
        ValueError
            It is no such file, damaged, or of a newer version; the message names it and says what was seen.
        """
        return cls._of(read_container(as_path(path, "path"), INDEX, mmap=mmap), engine, everything=not mmap)

    def to_bytes(self) -> bytes:
        """The bytes of the file that :meth:`save` would write."""
        return to_bytes(INDEX, *index_file.told(self._snapshot, self._meta))

    @classmethod
    def from_bytes(
        cls: type[Index], data: bytes | bytearray | memoryview, *, engine: str | Engine | None = None
    ) -> Index:
        """Make an index of what :meth:`to_bytes` gave, which is copied and verified.

        Raises
        ------
        TypeError
            ``data`` is no bytes-like object.
        ValueError
            It is damaged, or of a newer version.
        """
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"from_bytes needs bytes, got {type(data).__name__}; load() reads a file")
        return cls._of(read_container(data, INDEX), engine, everything=True)

    @classmethod
    def _of(cls: type[Index], container: Container, engine: str | Engine | None, *, everything: bool) -> Index:
        snapshot, meta = index_file.restored(container, everything=everything)
        index = cls(snapshot.n_bits, engine=engine, meta=meta)
        index._start(snapshot)
        return index

    @classmethod
    def _holding(
        cls: type[Index],
        codes: NDArray[np.uint8],
        ids: NDArray[np.int64] | None,
        *,
        engine: str | Engine | None = None,
    ) -> Index:
        """An index on codes (n, code_size) of 8 bits a byte that nobody changes any more; nothing is copied.

        Under ``ids`` (n,) that ascend, None for 0 to n - 1. Of codes in a map of a file nothing is read.
        """
        n, n_bits = len(codes), 8 * codes.shape[1]
        index = cls(n_bits, engine=engine)
        if n:
            segment = Segment(n_bits, codes, n, 0, None, n) if ids is None else Segment.of(n_bits, codes, ids)
            segment = segment if segment.is_mapped else interruptible(segment.collapsed, codes.nbytes)
            next_id = n if ids is None else int(ids[-1]) + 1
            index._start(Snapshot(n_bits, (segment,), TailBuffer.empty(0, codes.shape[1]), 0, next_id))
        return index

    def _in_id_order(self) -> tuple[NDArray[np.int64], Iterator[NDArray[np.uint8]]]:
        """All ids (n,) ascending, and their codes by blocks, (n_block, code_size): of one consistent state."""
        snapshot = self._snapshot
        ids = interruptible(snapshot.all_ids, 8 * snapshot.n_codes)
        step = max(1, STEP // max(1, snapshot.code_size))
        return ids, (snapshot.codes_of(ids[begin : begin + step]) for begin in range(0, len(ids), step))
