"""Writing and reading the container: a head of JSON, and arrays by name."""

from __future__ import annotations

import mmap as system
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..support.files import replacing
from . import format as layout

STEP = 2**24  # bytes read at once: Ctrl-C waits for no more

Source = str | os.PathLike[str] | bytes | bytearray | memoryview
Buffer = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Container:
    """What a file holds. The arrays are read-only views of ``data``: memory of its own, or the mapped file."""

    name: str  # of the file, for messages
    kind: str
    head: dict[str, Any]
    arrays: dict[str, NDArray[Any]]
    data: Buffer  # the whole file
    checksums: layout.Section

    def verify(self) -> None:
        """Compare all data with its checksums; ValueError that names the file and says where they differ."""
        checksums = _view(self.data, self.checksums).tolist()
        for i, checksum in enumerate(checksums):
            begin = layout.HEADER_SIZE + i * layout.BLOCK
            end = min(begin + layout.BLOCK, self.checksums.offset)
            if zlib.crc32(self.data[begin:end].data) != checksum:
                raise ValueError(f"{self.name} is damaged: bytes {begin:,} to {end:,} are not what was written")


def write_container(path: str | Path, kind: str, head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a file whole, in place of what was there, and onto the disk.

    Whatever goes wrong leaves the old file as it was, and nothing else.

    Parameters
    ----------
    kind : {"hxi", "hxs"}
    head : mapping
        A JSON object.
    arrays : mapping of str to array
        Of the dtypes of ``format.DTYPES``, one to four axes.

    Raises
    ------
    OSError
        The file cannot be written.
    ValueError
        The head and the names take more than 2 MiB of JSON.
    """
    plan = _prepared(kind, head, arrays)
    with replacing(path) as new, new.open("wb") as file:
        for piece in _pieces(*plan):
            file.write(piece)


def to_bytes(kind: str, head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The bytes of the file that :func:`write_container` would write."""
    return b"".join(_pieces(*_prepared(kind, head, arrays)))


def read_container(source: Source, kind: str, *, mmap: bool = False) -> Container:
    """Read a file, or the bytes of one.

    Parameters
    ----------
    source : path or bytes-like
    kind : {"hxi", "hxs"}
        That it must be of.
    mmap : bool
        Map the file: nothing but header and table is read, and checksums of the data are not verified. Else all is
        read into memory and verified.

    Raises
    ------
    OSError
        The file cannot be read.
    ValueError
        It is no such file, damaged, or of a newer version; the message names the file and says what was seen.
    """
    name = "the data" if isinstance(source, (bytes, bytearray, memoryview)) else os.fspath(source)
    with _opened(source) as file:
        size = file.seek(0, os.SEEK_END)
        try:
            header = layout.read_header(read_bytes(file, 0, min(size, layout.HEADER_SIZE)).tobytes(), size)
            if header.kind != kind:
                raise layout.ForeignFileError(_OTHER_KIND.get(header.kind, f"of kind {header.kind!r}, not {kind!r}"))
            head, sections = layout.read_table(read_bytes(file, header.table, size).tobytes(), header)
            data = mapped(file, size) if mmap and not isinstance(file, BytesIO) else read_bytes(file, 0, size)
            arrays = {section.name: _view(data, section) for section in sections[:-1]}
        except ValueError as error:
            raise type(error)(f"{name} is {error}") from None
    container = Container(name, kind, head, arrays, data, sections[-1])
    if not mmap:
        container.verify()
    return container


_OTHER_KIND = {
    layout.SEGMENT: "a segment of a store, not an index: HashIndex.open() opens the store's folder",
    layout.INDEX: "a saved index, not a segment of a store: HashIndex.load() loads it",
}

_Plan = tuple[layout.FileLayout, list[NDArray[Any]]]


def _prepared(kind: str, head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> _Plan:
    ready = {name: np.asarray(array, array.dtype.newbyteorder("<"), order="C") for name, array in arrays.items()}
    for name, array in ready.items():
        if array.dtype.str not in layout.DTYPES or not 1 <= array.ndim <= layout.MOST_AXES:
            raise TypeError(f"no file holds an array like {name!r}: {array.dtype}, {array.shape}")
    return layout.lay_out(kind, head, ready), list(ready.values())


def _pieces(plan: layout.FileLayout, arrays: list[NDArray[Any]]) -> Iterator[bytes | memoryview]:
    """The bytes of a file, in order."""
    yield plan.header
    checksums, begun, crc = list[int](), 0, 0  # of whole blocks; bytes of the one that is begun, and its CRC32 so far
    for piece in _data(plan, arrays):
        for part in _parts(piece, begun):
            yield part
            crc, begun = zlib.crc32(part, crc), begun + len(part)
            if begun == layout.BLOCK:
                checksums.append(crc)
                begun = crc = 0
    if begun:
        checksums.append(crc)
    yield np.array(checksums, "<u4").tobytes()
    yield plan.table


def _data(plan: layout.FileLayout, arrays: list[NDArray[Any]]) -> Iterator[memoryview]:
    """The arrays as they lie in memory, each followed by what aligns the next."""
    for section, following, array in zip(plan.sections, plan.sections[1:], arrays, strict=False):
        if array.size:
            yield array.reshape(-1).view(np.uint8).data
        yield memoryview(bytes(following.offset - section.end))


def _parts(piece: memoryview, begun: int) -> Iterator[memoryview]:
    """A piece cut where blocks end, ``begun`` bytes of one having gone before."""
    at = 0
    while at < len(piece):
        end = min(at + layout.BLOCK - begun, len(piece))
        yield piece[at:end]
        at, begun = end, 0


@contextmanager
def _opened(source: Source) -> Iterator[BinaryIO]:
    if isinstance(source, (bytes, bytearray, memoryview)):
        yield BytesIO(source)
        return
    with Path(source).open("rb", buffering=0) as file:
        yield file


def read_bytes(file: BinaryIO, begin: int, end: int) -> Buffer:
    """Bytes of a file as an array of its own; ValueError if there are fewer."""
    data = np.empty(end - begin, np.uint8)
    file.seek(begin)
    for at in range(0, len(data), STEP):
        part = data[at : at + STEP].data
        while len(part):
            n = file.readinto(part)  # type: ignore[attr-defined]
            if not n:
                raise ValueError("cut short while it was read")
            part = part[n:]
    data.flags.writeable = False
    return data


def mapped(file: BinaryIO, size: int) -> Buffer:
    """A read-only map of a file of ``size`` bytes; ValueError if there are fewer."""
    try:
        return np.frombuffer(system.mmap(file.fileno(), size, access=system.ACCESS_READ), np.uint8)
    except ValueError:
        raise ValueError("cut short while it was read") from None


def _view(data: Buffer, section: layout.Section) -> NDArray[Any]:
    dtype = np.dtype(section.dtype)
    array = data[section.offset : section.end].view(dtype).reshape(section.shape)
    return array.astype(dtype.newbyteorder("="), copy=False)
