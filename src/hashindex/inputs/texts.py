"""Codes written as text: hexadecimal, or a digit for each bit."""

from __future__ import annotations

from collections.abc import Iterable
from string import hexdigits
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .codes import check_pad_bits
from .numbers import code_size
from .reading import Bytes, known_width

Align = Literal["left", "right"]


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
    if n_bits is None and all(set(row) <= {"0", "1"} for row in rows) and "1" in "".join(rows):
        n = len(rows[0])
        raise ValueError(
            f"from_hex got digits 0 and 1 alone, which can be read in two ways: from_bits(texts) makes codes of "
            f"{n} bits of them, from_hex(texts, {4 * n}) codes of {4 * n} bits"
        )
    n_bits = known_width(n_bits, rows, 4, "from_hex got no texts")
    fewest, most = (n_bits + 3) // 4, 2 * code_size(n_bits)
    whole = _read_whole(rows, most) if n_bits == 4 * most else None
    if whole is not None:
        return whole
    codes = np.empty((len(rows), code_size(n_bits)), np.uint8)
    for i, row in enumerate(rows):
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
    n_bits = known_width(n_bits, rows, 1, "from_bits got no texts")
    for i, row in enumerate(rows):
        if len(row) != n_bits:
            raise ValueError(f"row {i}: {n_bits} bits take {n_bits} digits 0 or 1, got {len(row)}")
        if row.strip("01"):
            advice = "; from_hex(texts) reads hexadecimal text" if set(row) <= set(hexdigits) else ""
            raise ValueError(f"row {i}: not digits 0 and 1: {row[:40]!r}{advice}")
    bits = np.frombuffer("".join(rows).encode(), np.uint8).reshape(-1, n_bits)
    return np.packbits(bits == ord("1"), axis=-1)


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
