"""Codes as others keep them: bytes, integers, words, signed bytes; `texts.py` reads text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import index as as_int
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from .codes import check_pad_bits, refuse_masked
from .numbers import check_n_bits, code_size

Bytes = bytes | bytearray | memoryview


def known_width(n_bits: int | None, rows: Sequence[str | bytes], of_each: int, none: str) -> int:
    """Return ``n_bits``, checked, or by default ``of_each`` for each character or byte of the first row.

    ValueError that begins with ``none`` where there is no row either.
    """
    if n_bits is None:
        if not rows:
            raise ValueError(f"{none}: pass n_bits= for an empty list")
        n_bits = of_each * len(rows[0])
    return check_n_bits(n_bits)


def from_bytes(rows: Bytes | Iterable[Bytes], n_bits: int | None = None) -> NDArray[np.uint8]:
    """Read codes that are bytes objects, as databases give them back; bit 0 is the highest of the first byte.

    Parameters
    ----------
    rows : bytes, or iterable of bytes, bytearray or memoryview
    n_bits : int, optional
        Default: eight per byte of the first row.

    Returns
    -------
    uint8 array of shape (n, code_size), or (code_size,) for one bytes object

    Raises
    ------
    TypeError, ValueError
        A row that is no bytes, has the wrong length or pad bits that are not 0; the message names it.
    """
    if isinstance(rows, Bytes):
        return from_bytes([bytes(rows)], n_bits).reshape(-1)
    if isinstance(rows, np.ndarray) and rows.dtype.kind == "S" and rows.ndim == 1:  # whose items lose zeros at the end
        width = rows.dtype.itemsize
        rows = [row.tobytes() for row in np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), width)]
    if not isinstance(rows, Iterable):
        raise TypeError(f"from_bytes takes bytes, or several of them, got {type(rows).__name__}")
    given = list(rows)
    for i, row in enumerate(given):
        if not isinstance(row, Bytes):
            advice = "; from_hex(rows) reads hexadecimal text, from_bits(rows) 0 and 1" if isinstance(row, str) else ""
            raise TypeError(f"row {i}: expected bytes, got {type(row).__name__}{advice}")
    whole = [bytes(row) for row in given]
    n_bits = known_width(n_bits, whole, 8, "from_bytes got no rows")
    width = code_size(n_bits)
    for i, row in enumerate(whole):
        if len(row) != width:
            raise ValueError(f"row {i}: {n_bits} bits take {width} bytes, got {len(row)}")
    codes = np.frombuffer(bytearray(b"".join(whole)), np.uint8).reshape(-1, width)
    check_pad_bits(codes, n_bits)
    return codes


def from_ints(values: SupportsIndex | Iterable[SupportsIndex], n_bits: int) -> NDArray[np.uint8]:
    """Read codes written as integers, of any size; the most significant of the ``n_bits`` bits becomes bit 0.

    Parameters
    ----------
    values : int, or iterable of int, 0 <= value < 2**n_bits
    n_bits : int

    Returns
    -------
    uint8 array of shape (n, code_size), or (code_size,) for one integer

    Raises
    ------
    TypeError, ValueError
        A value that is no integer or does not fit; the message names its row.
    """
    refuse_masked(values, "from_ints")
    width = code_size(check_n_bits(n_bits))
    if not getattr(values, "shape", ()) and hasattr(values, "__index__"):
        return from_ints(np.asarray(values).reshape(1), n_bits).reshape(-1)
    if isinstance(values, str | Bytes) or not isinstance(values, Iterable):
        advice = "; from_hex reads text, from_bytes bytes" if isinstance(values, str | Bytes) else ""
        raise TypeError(f"from_ints takes an integer, or several of them, got {type(values).__name__}{advice}")
    given = list(values)
    pad = 8 * width - n_bits
    codes = np.empty((len(given), width), np.uint8)
    for i, value in enumerate(given):
        if isinstance(value, bool | np.bool_ | np.ndarray) or not hasattr(value, "__index__"):
            raise TypeError(f"row {i}: expected an integer, got {type(value).__name__}")
        number = as_int(value)
        if number < 0:
            signed = n_bits == 64 and isinstance(values, np.ndarray) and values.dtype == np.int64
            plain = f"from_ints([int(value) % 2**{n_bits} for value in values], {n_bits})"
            advice = "values.view(np.uint64)" if signed else plain
            raise ValueError(f"row {i}: {number} is negative; two's complement is read by {advice}")
        if number >> n_bits:
            raise ValueError(f"row {i}: {number} does not fit {n_bits} bits")
        codes[i] = np.frombuffer((number << pad).to_bytes(width, "big"), np.uint8)
    return codes


def from_words(words: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Read codes of some 64-bit words each; the most significant bit of the first word becomes bit 0.

    Bytes that are merely looked at as words (``codes.view(np.uint64)``) go back by ``words.view(np.uint8)``.

    Parameters
    ----------
    words : uint64 array of shape (n, n_words)

    Returns
    -------
    uint8 array of shape (n, 8 * n_words)

    Raises
    ------
    TypeError, ValueError
        The words are not uint64, or of another shape.
    """
    refuse_masked(words, "from_words")
    array = np.asarray(words)
    if array.dtype.kind != "u" or array.dtype.itemsize != 8:
        signed = array.dtype.kind == "i" and array.dtype.itemsize == 8
        advice = "; from_words(words.view(np.uint64)) reads the same bits" if signed else ""
        raise TypeError(f"from_words takes uint64, got dtype {array.dtype}{advice}")
    if array.ndim != 2 or array.shape[1] == 0:
        raise ValueError(f"from_words takes shape (n, n_words), got {array.shape}")
    return np.ascontiguousarray(array.astype(">u8")).view(np.uint8)


def from_signed(codes: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Convert signed binary embeddings (int8, each byte minus 128) to packed codes of the same shape.

    This is what sentence-transformers calls precision ``binary``; its ``ubinary`` needs no conversion.

    Raises
    ------
    TypeError
        The codes are not int8.
    ValueError
        They are -1, 0 and 1 alone: bits in columns, which :func:`pack` packs.
    """
    refuse_masked(codes, "from_signed")
    array = np.asarray(codes)
    if array.dtype != np.int8:
        raise TypeError(f"from_signed takes int8, got dtype {array.dtype}")
    if looks_unpacked(array):
        raise ValueError(
            f"from_signed got int8 of shape {array.shape} with -1, 0 and 1 alone, which looks like a column per bit: "
            "pack(codes) packs them"
        )
    return array.view(np.uint8) ^ np.uint8(0x80)


def looks_unpacked(array: NDArray[Any]) -> bool:
    """Whether integers (..., n_bits) are two or three of -1, 0 and 1, so many that they are hardly packed bytes."""
    if array.ndim == 0 or array.shape[-1] < 8 or array.size == 0:
        return False
    return bool(array.min() >= -1 and array.max() <= 1 and array.min() != array.max())
