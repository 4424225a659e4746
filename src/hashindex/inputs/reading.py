"""Codes as others write them: text, bytes, integers, words, signed bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import index as as_int
from string import hexdigits
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .codes import check_pad_bits, refuse_masked
from .numbers import check_n_bits, code_size

Align = Literal["left", "right"]
Bytes = bytes | bytearray | memoryview


def from_hex(texts: str | Iterable[str], n_bits: int | None = None, *, align: Align | None = None) -> NDArray[np.uint8]:
    """Read codes written in hexadecimal, upper or lower case; white space around a text, as of a line, is left out.

    Parameters
    ----------
    texts : str or iterable of str
    n_bits : int, optional
        Default: four bits per digit of the first text.
    align : {"left", "right"}, optional
        Where ``n_bits`` is no multiple of 4, or not of 8 and whole bytes are written, digits can be read in two ways.
        "left": the first digit is bits 0 to 3, and zeros pad the end, as :func:`to_hex` writes them. "right": all
        digits are one number whose last ``n_bits`` bits are the code, as ``imagehash`` writes it.

    Returns
    -------
    uint8 array of shape (n, code_size), or (code_size,) for one str

    Raises
    ------
    TypeError, ValueError
        A text that is no str, is blank, has the wrong length or other characters, which the message tells with its
        row; a width that can be read in two ways.
    """
    if isinstance(texts, str):
        return from_hex([texts], n_bits, align=align).reshape(-1)
    if align not in (None, "left", "right"):
        raise ValueError(f"align must be 'left' or 'right', got {align!r}")
    rows = _lines(texts, "from_hex", "hexadecimal")
    if n_bits is None:
        if not rows:
            raise ValueError("from_hex got no texts: pass n_bits= for an empty list")
        if rows[0] and all(set(row) <= {"0", "1"} for row in rows) and "1" in "".join(rows):
            n = len(rows[0])
            raise ValueError(
                f"from_hex got digits 0 and 1 alone, which can be read in two ways: from_bits(texts) makes codes of "
                f"{n} bits of them, from_hex(texts, {4 * n}) codes of {4 * n} bits"
            )
        n_bits = 4 * len(rows[0])
    width = code_size(check_n_bits(n_bits))
    codes = np.empty((len(rows), width), np.uint8)
    fewest, most = (n_bits + 3) // 4, 2 * width
    whole = _read_whole(rows, most) if n_bits == 4 * most else None
    for i, row in enumerate(() if whole is not None else rows):
        if len(row) not in (fewest, most):
            takes = f"{most}" if fewest == most else f"{fewest} or {most}"
            raise ValueError(f"row {i}: {n_bits} bits take {takes} hexadecimal digits, got {len(row)}")
        if align is None and 4 * len(row) != n_bits:
            raise ValueError(
                f"row {i}: {len(row)} digits of {n_bits} bits can be read in two ways: "
                f"from_hex(texts, {n_bits}, align='left') takes the first bits, as to_hex() writes them, align='right' "
                "the last, as imagehash does"
            )
        try:
            # int() would take "0x" and "_", bytes.fromhex() white space.
            if not row.isalnum():
                raise ValueError
            digits = row.rjust(most, "0") if align == "right" else row.ljust(most, "0")
            codes[i] = np.frombuffer(bytes.fromhex(digits), np.uint8)
        except ValueError:
            raise ValueError(f"row {i}: not hexadecimal: {row[:40]!r}") from None
    if whole is not None:
        return whole
    if align == "right":
        return _moved_left(codes, n_bits)
    check_pad_bits(codes, n_bits)
    return codes


def from_bits(texts: str | Iterable[str], n_bits: int | None = None) -> NDArray[np.uint8]:
    """Read codes written as digits 0 and 1, one a bit, as PostgreSQL writes ``bit(n)``; the first is bit 0.

    White space around a text, as of a line, is left out.

    Parameters
    ----------
    texts : str or iterable of str
    n_bits : int, optional
        Default: the digits of the first text.

    Returns
    -------
    uint8 array of shape (n, code_size), or (code_size,) for one str

    Raises
    ------
    TypeError, ValueError
        A text that is no str, is blank, has the wrong length or other characters; the message names its row.
    """
    if isinstance(texts, str):
        return from_bits([texts], n_bits).reshape(-1)
    rows = _lines(texts, "from_bits", "0 and 1")
    if n_bits is None:
        if not rows:
            raise ValueError("from_bits got no texts: pass n_bits= for an empty list")
        n_bits = len(rows[0])
    check_n_bits(n_bits)
    for i, row in enumerate(rows):
        if len(row) != n_bits:
            raise ValueError(f"row {i}: {n_bits} bits take {n_bits} digits 0 or 1, got {len(row)}")
        if row.strip("01"):
            advice = "; from_hex(texts) reads hexadecimal text" if set(row) <= set(hexdigits) else ""
            raise ValueError(f"row {i}: not digits 0 and 1: {row[:40]!r}{advice}")
    bits = np.frombuffer("".join(rows).encode(), np.uint8).reshape(-1, n_bits)
    return np.packbits(bits == ord("1"), axis=-1)


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
        rows = [row.tobytes() for row in np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), -1)]
    given = list(rows)
    for i, row in enumerate(given):
        if not isinstance(row, Bytes):
            advice = "; from_hex(rows) reads hexadecimal text, from_bits(rows) 0 and 1" if isinstance(row, str) else ""
            raise TypeError(f"row {i}: expected bytes, got {type(row).__name__}{advice}")
    whole = [bytes(row) for row in given]
    if n_bits is None:
        if not whole:
            raise ValueError("from_bytes got no rows: pass n_bits= for an empty list")
        n_bits = 8 * len(whole[0])
    width = code_size(check_n_bits(n_bits))
    for i, row in enumerate(whole):
        if len(row) != width:
            raise ValueError(f"row {i}: {n_bits} bits take {width} bytes, got {len(row)}")
    codes = np.frombuffer(bytearray(b"".join(whole)), np.uint8).reshape(-1, width)
    check_pad_bits(codes, n_bits)
    return codes


def from_ints(values: Sequence[int] | NDArray[np.integer], n_bits: int) -> NDArray[np.uint8]:
    """Read codes written as integers, of any size; the most significant of the ``n_bits`` bits becomes bit 0.

    Parameters
    ----------
    values : sequence of int, 0 <= value < 2**n_bits
    n_bits : int

    Returns
    -------
    uint8 array of shape (n, code_size)

    Raises
    ------
    TypeError, ValueError
        A value that is no integer or does not fit; the message names its row.
    """
    refuse_masked(values, "from_ints")
    width = code_size(check_n_bits(n_bits))
    pad = 8 * width - n_bits
    codes = np.empty((len(values), width), np.uint8)
    for i, value in enumerate(values):
        if isinstance(value, bool | np.bool_ | np.ndarray) or not hasattr(value, "__index__"):
            raise TypeError(f"row {i}: expected an integer, got {type(value).__name__}")
        number = as_int(value)
        if number < 0:
            signed = n_bits == 64 and getattr(values, "dtype", None) == np.int64
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


def _lines(texts: Iterable[Any], reader: str, what: str) -> list[str]:
    """Texts without the white space around them; TypeError for what is none, ValueError for a blank one."""
    if isinstance(texts, Bytes) or not isinstance(texts, Iterable):
        raise TypeError(f"{reader} takes a str of {what}, or several of them, got {type(texts).__name__}")
    rows = []
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            advice = "; from_bytes(texts) reads bytes" if isinstance(text, Bytes) else ""
            raise TypeError(f"row {i}: expected a str of {what}, got {type(text).__name__}{advice}")
        row = text.strip()
        if not row:
            raise ValueError(
                f"row {i} is blank; {reader}([text for text in texts if text.strip()]) leaves such rows out"
            )
        rows.append(row)
    return rows


def _read_whole(rows: list[str], n_digits: int) -> NDArray[np.uint8] | None:
    """Rows of so many digits each in one step; None where one must be told."""
    text = "".join(rows)
    if any(len(row) != n_digits for row in rows) or not (text.isalnum() and text.isascii()):
        return None
    try:
        return np.frombuffer(bytearray.fromhex(text), np.uint8).reshape(-1, n_digits // 2)
    except ValueError:
        return None


def _moved_left(codes: NDArray[np.uint8], n_bits: int) -> NDArray[np.uint8]:
    """Numbers (n, code_size) of ``n_bits`` bits, aligned to the right, as codes; ValueError where one is too large."""
    pad = -n_bits % 8
    if not pad:
        return codes
    wrong = np.flatnonzero(codes[:, 0] >> (8 - pad))
    if len(wrong):
        raise ValueError(f"row {wrong[0]}: {codes[wrong[0]].tobytes().hex()} does not fit {n_bits} bits")
    left = codes << np.uint8(pad)
    left[:, :-1] |= codes[:, 1:] >> np.uint8(8 - pad)
    return left
