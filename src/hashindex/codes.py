"""Packed binary codes: making, writing and comparing them. `inputs/` reads what others have written.

A code of ``n_bits`` bits is ``code_size = ceil(n_bits / 8)`` bytes in the order of ``numpy.packbits``: bit 0 is the
most significant bit of byte 0; the bits that pad the last byte are 0. A bit is 1 iff its value is > 0.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .inputs.codes import as_codes, refuse_masked
from .inputs.numbers import check_n_bits
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
        A value is NaN, there are no bits, or integers of which none is negative and one above 1: such bytes are
        packed, and such counts would nearly all become 1.
    """
    refuse_masked(values, "pack")
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
    if array.dtype.kind in "iu" and array.size and array.min() >= 0 and array.max() > 1:
        is_byte = array.dtype == np.uint8
        packed = "packed codes need no call" if is_byte else "of packed bytes np.asarray(values, np.uint8) makes codes"
        raise ValueError(
            f"pack got {array.dtype} of shape {array.shape} with values from {array.min()} to {array.max()}: {packed}; "
            "of counts pack(np.asarray(values) > 0) does, bit = count > 0"
        )
    return np.ascontiguousarray(np.packbits(array > 0, axis=-1))


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


def to_hex(codes: NDArray[np.uint8]) -> list[str]:
    """Write codes (n, code_size) as lower-case hexadecimal text, two digits a byte."""
    if not isinstance(codes, np.ndarray) or codes.dtype != np.uint8 or codes.ndim != 2:
        raise TypeError("to_hex takes a uint8 array of shape (n, code_size)")
    return [row.tobytes().hex() for row in codes]


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
    refuse_masked(a, "hamming")
    refuse_masked(b, "hamming")
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
