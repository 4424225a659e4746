"""Packed binary codes: making, reading and comparing them.

A code of ``n_bits`` bits is ``code_size = ceil(n_bits / 8)`` bytes in the order of ``numpy.packbits``: bit 0 is the
most significant bit of byte 0; the bits that pad the last byte are 0. A bit is 1 iff its value is > 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from operator import index as as_int
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .inputs.codes import as_codes, check_pad_bits
from .inputs.numbers import check_n_bits, code_size
from .support.interrupts import interruptible


def pack(values: ArrayLike) -> NDArray[np.uint8]:
    """Pack values into codes: bit = 1 iff value > 0, so that sgn(0) = -1.

    Parameters
    ----------
    values : array_like, bool or real, shape (n, n_bits) or (n_bits,)

    Returns
    -------
    uint8 array of shape (n, code_size) or (code_size,)

    Raises
    ------
    TypeError
        The values are not bool or real numbers.
    ValueError
        A value is NaN, or there are no bits.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"pack takes bool or real numbers, got dtype {array.dtype}")
    if array.ndim not in (1, 2) or array.shape[-1] == 0:
        raise ValueError(f"pack takes shape (n, n_bits) or (n_bits,) with n_bits >= 1, got {array.shape}")
    return interruptible(lambda: _packed(array), array.nbytes)


def _packed(array: NDArray[Any]) -> NDArray[np.uint8]:
    if array.dtype.kind == "f" and np.isnan(array).any():
        row = int(np.argwhere(np.isnan(array))[0, 0]) if array.ndim == 2 else 0
        raise ValueError(f"pack got NaN in row {row}: its sign is undefined")
    return np.packbits(array > 0, axis=-1)


def unpack(codes: NDArray[np.uint8], n_bits: int) -> NDArray[np.bool_]:
    """Unpack codes into bits: the inverse of :func:`pack`.

    Parameters
    ----------
    codes : uint8 array of shape (n, code_size) or (code_size,)
    n_bits : int

    Returns
    -------
    bool array of shape (n, n_bits) or (n_bits,)

    Raises
    ------
    TypeError, ValueError
        As for codes given to an index: wrong dtype or width, non-zero pad bits.
    """
    given = as_codes(codes, check_n_bits(n_bits), "codes")
    bits: NDArray[np.bool_] = interruptible(
        lambda: np.unpackbits(given.codes, axis=-1, count=n_bits).view(np.bool_), 8 * given.codes.nbytes
    )
    return bits[0] if given.single else bits


def from_hex(texts: str | Iterable[str], n_bits: int | None = None) -> NDArray[np.uint8]:
    """Read codes written in hexadecimal, two digits a byte, upper or lower case.

    Parameters
    ----------
    texts : str or iterable of str
    n_bits : int, optional
        Default: four bits per digit of the first text.

    Returns
    -------
    uint8 array of shape (n, code_size), or (code_size,) for one str

    Raises
    ------
    TypeError, ValueError
        A text that is no str, has the wrong length or other characters; the message names its row.
    """
    if isinstance(texts, str):
        return from_hex([texts], n_bits).reshape(-1)
    rows = list(texts)
    if n_bits is None:
        if not rows:
            raise ValueError("from_hex got no texts: pass n_bits= for an empty list")
        n_bits = 4 * len(rows[0])
    width = code_size(check_n_bits(n_bits))
    codes = np.empty((len(rows), width), np.uint8)
    for i, text in enumerate(rows):
        if not isinstance(text, str):
            raise TypeError(f"row {i}: expected a hexadecimal str, got {type(text).__name__}")
        if len(text) != 2 * width:
            raise ValueError(f"row {i}: {n_bits} bits take {2 * width} hexadecimal digits, got {len(text)}")
        try:
            # int() would take "0x" and "_", bytes.fromhex() white space.
            if not text.isalnum():
                raise ValueError
            codes[i] = np.frombuffer(bytes.fromhex(text), np.uint8)
        except ValueError:
            raise ValueError(f"row {i}: not hexadecimal: {text[:40]!r}") from None
    check_pad_bits(codes, n_bits)
    return codes


def to_hex(codes: NDArray[np.uint8]) -> list[str]:
    """Write codes (n, code_size) as lower-case hexadecimal text, two digits a byte."""
    if not isinstance(codes, np.ndarray) or codes.dtype != np.uint8 or codes.ndim != 2:
        raise TypeError("to_hex takes a uint8 array of shape (n, code_size)")
    return [row.tobytes().hex() for row in codes]


def from_ints(values: Sequence[int] | NDArray[np.integer], n_bits: int) -> NDArray[np.uint8]:
    """Read codes written as integers; the most significant of the ``n_bits`` bits becomes bit 0.

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
    width = code_size(check_n_bits(n_bits))
    pad = 8 * width - n_bits
    codes = np.empty((len(values), width), np.uint8)
    for i, value in enumerate(values):
        if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
            raise TypeError(f"row {i}: expected an integer, got {type(value).__name__}")
        number = as_int(value)
        if number < 0:
            raise ValueError(f"row {i}: {number} is negative; two's complement is value % 2**{n_bits}")
        if number >> n_bits:
            raise ValueError(f"row {i}: {number} does not fit {n_bits} bits")
        codes[i] = np.frombuffer((number << pad).to_bytes(width, "big"), np.uint8)
    return codes


def from_signed(codes: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Convert signed binary embeddings (int8, each byte minus 128) to packed codes of the same shape.

    This is what sentence-transformers calls precision ``binary``; its ``ubinary`` needs no conversion.
    """
    array = np.asarray(codes)
    if array.dtype != np.int8:
        raise TypeError(f"from_signed takes int8, got dtype {array.dtype}")
    return array.view(np.uint8) ^ np.uint8(0x80)


def hamming(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Count differing bits between codes, with NumPy broadcasting over all axes but the last.

    Parameters
    ----------
    a, b : uint8 arrays of shapes (..., code_size)

    Returns
    -------
    int32 array of the broadcast shape without its last axis: ``hamming(a, b)`` of two (n, code_size) arrays is
    (n,), ``hamming(a[:, None], b)`` is the matrix of all pairs.

    Raises
    ------
    TypeError
        The codes are not uint8; :func:`pack`, :func:`from_signed` and :func:`from_ints` make them.
    ValueError
        The widths or shapes do not fit.
    """
    a, b = np.asarray(a), np.asarray(b)
    for name, array in (("a", a), ("b", b)):
        if array.dtype != np.uint8:
            raise TypeError(f"hamming takes packed uint8 codes, got dtype {array.dtype} for {name}; see pack()")
    if a.ndim == 0 or b.ndim == 0 or a.shape[-1] != b.shape[-1]:
        raise ValueError(f"hamming takes codes of one width, got shapes {a.shape} and {b.shape}")
    shape = np.broadcast_shapes(a.shape, b.shape)

    def count() -> NDArray[np.int32]:
        counts: NDArray[np.int32] = np.bitwise_count(a ^ b).sum(axis=-1, dtype=np.int32)
        return counts

    return interruptible(count, prod(shape))
