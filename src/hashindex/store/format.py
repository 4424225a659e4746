"""Names and layout of the container: ``docs/format.md`` is the specification."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MAGIC = b"\x89HXF\r\n\x1a\n"
VERSION = 1
INDEX, SEGMENT = "hxi", "hxs"  # kinds, and the endings of the names
ALIGNMENT = 64
BLOCK = 2**20  # bytes under one checksum
MOST_TABLE = 2**21  # bytes of JSON
MOST_AXES = 4
CHECKSUMS = "checksums"
DTYPES = ("|u1", "<u2", "<u4", "<u8", "|i1", "<i2", "<i4", "<i8", "<f4", "<f8")

_HEADER = struct.Struct("<8sI4sQQI24sI")
HEADER_SIZE = _HEADER.size
_PADDING = b"\0" * 24
_DIGITS = 4300  # of an integer in JSON: more take quadratic time


class ForeignFileError(ValueError):
    """A file that is not damaged as far as can be seen, but of something else, of another kind or of a newer format."""


class NewerFormatError(ForeignFileError):
    """A file that a newer version of hashindex may read."""


class Header(NamedTuple):
    """What the first bytes of a file say."""

    kind: str
    size: int  # of the file
    table: int  # offset
    table_crc: int


class Section(NamedTuple):
    """Where an array lies."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    size: int

    @property
    def end(self) -> int:
        """Offset behind the last byte."""
        return self.offset + self.size


class FileLayout(NamedTuple):
    """A file before any of its arrays is written."""

    header: bytes
    sections: tuple[Section, ...]  # the last one is the checksums
    table: bytes


def lay_out(kind: str, head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> FileLayout:
    """Say where everything will be; ValueError if there is more to say than a table takes."""
    sections: list[Section] = []
    for name, array in arrays.items():
        sections.append(Section(name, array.dtype.str, array.shape, next_offset(sections), array.nbytes))
    offset = next_offset(sections)
    n_blocks = n_blocks_of(offset)
    sections.append(Section(CHECKSUMS, "<u4", (n_blocks,), offset, 4 * n_blocks))
    text = json.dumps({"head": head, "sections": [one._asdict() for one in sections]}, allow_nan=False)
    table = text.encode("ascii")
    if len(table) > MOST_TABLE:
        raise ValueError(f"a file says at most {MOST_TABLE:,} bytes of what is in it; this takes {len(table):,}")
    return FileLayout(
        _header(Header(kind, sections[-1].end + len(table), sections[-1].end, zlib.crc32(table))), (*sections,), table
    )


def next_offset(sections: list[Section]) -> int:
    """Where the section behind these begins."""
    return -(-sections[-1].end // ALIGNMENT) * ALIGNMENT if sections else HEADER_SIZE


def n_blocks_of(checksums: int) -> int:
    """How many blocks lie between the header and the checksums at that offset."""
    return -(-(checksums - HEADER_SIZE) // BLOCK)


def _header(header: Header) -> bytes:
    kind = header.kind.encode("ascii").ljust(4, b"\0")
    data = _HEADER.pack(MAGIC, VERSION, kind, header.size, header.table, header.table_crc, _PADDING, 0)[:-4]
    return data + struct.pack("<I", zlib.crc32(data))


def read_header(data: bytes, size: int) -> Header:
    """What the first ``HEADER_SIZE`` bytes of a file of ``size`` bytes say; ValueError says what is wrong."""
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        raise ForeignFileError(f"no file of hashindex: it begins with {data[:8]!r}")
    if len(data) < HEADER_SIZE:
        raise ValueError(f"cut short: {size} bytes are less than a header")
    _, version, kind, told_size, table, table_crc, padding, crc = _HEADER.unpack(data)
    if version > VERSION:
        raise NewerFormatError(
            f"format version {version}, and this hashindex reads up to {VERSION}: a newer one may read it"
        )
    if version < 1 or padding != _PADDING or crc != zlib.crc32(data[:-4]):
        raise ValueError("damaged: the header is not what was written")
    if told_size != size:
        raise ValueError(f"{size:,} bytes long where its header says {told_size:,}: cut short or added to")
    if not HEADER_SIZE <= table <= size or size - table > MOST_TABLE:
        raise ValueError(f"damaged: a table from {table:,} to {size:,}")
    return Header(kind.rstrip(b"\0").decode("ascii", "replace"), size, table, table_crc)


def read_table(data: bytes, header: Header) -> tuple[dict[str, Any], tuple[Section, ...]]:
    """The head, and the sections in the order of their offsets; ValueError says what is wrong."""
    if zlib.crc32(data) != header.table_crc:
        raise ValueError("damaged: the table is not what was written")
    try:
        table = json.loads(data.decode("ascii"), parse_int=_integer, parse_constant=_constant)
    except (ValueError, RecursionError):
        raise ValueError("damaged: the table is no JSON that hashindex writes") from None
    if type(table) is not dict or type(table.get("head")) is not dict or type(table.get("sections")) is not list:
        raise ValueError("damaged: the table lacks a head or sections")
    sections: list[Section] = []
    for told in table["sections"]:
        sections.append(_section(told, next_offset(sections)))
    if len({one.name for one in sections}) != len(sections):
        raise ValueError("damaged: two sections of one name")
    last = sections[-1] if sections else None
    if last is None or last.name != CHECKSUMS or last.end != header.table:
        raise ValueError("damaged: the table must follow the checksums")
    if (last.dtype, last.shape) != ("<u4", (n_blocks_of(last.offset),)):
        raise ValueError(f"damaged: checksums of shape {last.shape}")
    return table["head"], tuple(sections)


def _section(told: Any, offset: int) -> Section:
    """One section, which must begin at ``offset``."""
    if type(told) is not dict or not set(Section._fields) <= set(told):
        raise ValueError("damaged: a section must have a name, dtype, shape, offset and size")
    name, dtype, shape = told["name"], told["dtype"], told["shape"]
    if type(name) is not str or type(dtype) is not str or dtype not in DTYPES:
        raise ValueError(f"damaged: a section {str(name)[:80]!r} of dtype {str(dtype)[:80]!r}")
    if type(shape) is not list or not 1 <= len(shape) <= MOST_AXES or not all(_is_count(n) for n in shape):
        raise ValueError(f"damaged: section {name[:80]!r} has shape {str(shape)[:80]}")
    if not _is_count(told["size"]) or told["size"] != prod(shape) * np.dtype(dtype).itemsize:
        raise ValueError(f"damaged: section {name[:80]!r} of shape {shape} has {str(told['size'])[:80]} bytes")
    if told["offset"] != offset or type(told["offset"]) is not int:
        raise ValueError(f"damaged: section {name[:80]!r} begins at {str(told['offset'])[:80]}, not at {offset}")
    return Section(name, dtype, tuple(shape), offset, told["size"])


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _integer(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError("an integer of too many digits")
    return int(digits)


def _constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
