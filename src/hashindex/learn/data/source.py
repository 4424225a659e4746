"""Where images lie: in a folder or inside a .zip file, read by name from any thread or process."""

from __future__ import annotations

import os
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

N_NAMED = 10  # offenders named in an error


class Folder:
    """Files of a folder, by paths relative to it (an absolute path stays what it is)."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __contains__(self, name: str) -> bool:
        return os.path.isfile(os.path.join(self.path, name))  # noqa: PTH113, PTH118 (four times as fast)

    def names(self) -> list[str]:
        """Name all files, those of folders in it too."""
        return [path.relative_to(self.path).as_posix() for path in self.path.rglob("*") if path.is_file()]

    def read(self, name: str) -> bytes:
        """Return the bytes of a file; OSError if it cannot be read."""
        return (self.path / name).read_bytes()


class Archive:
    """Members of a .zip file, by names relative to the folder `inside` it.

    The file is opened anew for every read: nothing is shared by threads, forked children or pickled copies.

    Raises
    ------
    ValueError
        The file is not a .zip file.
    """

    def __init__(self, path: Path, inside: str = "") -> None:
        self.path = path
        self.inside = inside
        seen = path.stat()
        self._members = _members(path, seen.st_mtime_ns, seen.st_size)

    def __contains__(self, name: str) -> bool:
        return self._full(name) in self._members

    def __reduce__(self) -> tuple[type[Archive], tuple[Path, str]]:
        return Archive, (self.path, self.inside)

    def names(self) -> list[str]:
        """Name all files below the folder."""
        below = f"{self.inside}/" if self.inside else ""
        return [name[len(below) :] for name in self._members if name.startswith(below)]

    def read(self, name: str) -> bytes:
        """Return the bytes of a member; OSError if there is none, ValueError if it is damaged or encrypted."""
        try:
            offset, size, method, flags, crc = self._members[self._full(name)]
        except KeyError:
            raise FileNotFoundError(f"no {self._full(name)!r} in {self.path}") from None
        if flags & 1 or method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("encrypted or compressed by another method than deflate")
        with self.path.open("rb") as file:
            file.seek(offset + 26)  # in the local header: lengths of the name and of the extra field
            file.seek(sum(struct.unpack("<HH", file.read(4))), os.SEEK_CUR)
            data = file.read(size)
        try:
            data = zlib.decompress(data, -zlib.MAX_WBITS) if method == zipfile.ZIP_DEFLATED else data
        except zlib.error as error:
            raise ValueError(f"{self._full(name)!r} in {self.path} is damaged: {error}") from None
        if zlib.crc32(data) != crc:
            raise ValueError(f"{self._full(name)!r} in {self.path} is damaged: its checksum is wrong")
        return data

    def _full(self, name: str) -> str:
        return posixpath.normpath(posixpath.join(self.inside, name))


Source = Folder | Archive


@lru_cache(2)  # lists and images of one file follow each other, and 60,000 names take half a second
def _members(path: Path, _modified: int, _size: int) -> dict[str, tuple[int, int, int, int, int]]:
    """Return where in the file each member begins, its size there, method, flags and checksum."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {
                info.filename: (info.header_offset, info.compress_size, info.compress_type, info.flag_bits, info.CRC)
                for info in archive.infolist()
                if not info.is_dir()
            }
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path} is not a .zip file: {error}") from None


def source_at(root: str | os.PathLike[str]) -> Source:
    """Return the folder `root`, or the .zip file, or the folder inside one (``images.zip/part``).

    Raises
    ------
    FileNotFoundError
        There is neither.
    ValueError
        The file is not a .zip file.
    """
    root = Path(root)
    if root.is_dir():
        return Folder(root)
    for path in (root, *root.parents):
        if path.is_file():
            return Archive(path, "" if path == root else root.relative_to(path).as_posix())
    raise FileNotFoundError(f"no folder and no .zip file at {root}")


def listed(offenders: Sequence[str]) -> str:
    """Join the first ten, and say how many more there are."""
    more = f"; and {len(offenders) - N_NAMED:,} more" if len(offenders) > N_NAMED else ""
    return "; ".join(offenders[:N_NAMED]) + more
