"""Saving and loading an index."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from ..engines import Engine
from ..inputs.paths import as_path
from ..store import index_file
from ..store.container import Container, read_container, to_bytes, write_container
from ..store.format import INDEX
from .state import State

Index = TypeVar("Index", bound="Files")


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
