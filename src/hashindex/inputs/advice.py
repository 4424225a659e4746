"""Which call makes codes of values that are none. A test makes each of these calls, and looks at the codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .numbers import code_size

UNSIGNED = "np.asarray(values, np.int64).view(np.uint64)"


def advice(array: NDArray[Any], n_bits: int | None) -> str:
    """What to call with ``values`` instead, to be put behind a message; empty where nobody knows."""
    kind = array.dtype.kind
    if kind == "f":
        return "; pack(values) makes codes of real numbers (bit = value > 0)"
    if kind in "iu" and array.size:
        return _of_integers(array, n_bits)
    if kind == "S":
        return "; from_bytes(values) makes codes of rows of bytes"
    if kind == "U":
        return _of_texts(array)
    if kind == "O" and array.size:
        return _of_objects(array, n_bits)
    return ""


def words_advice(array: NDArray[np.uint64], n_bits: int | None) -> str:
    """What to call with uint64 that are no 64-bit codes."""
    if array.ndim == 2:
        return (
            "; of codes of some words each, the most significant bit of the first word first, from_words(values) makes "
            "codes; packed bytes that are looked at as words are values.view(np.uint8)"
        )
    if array.ndim > 2:
        return ", expected (n,), a 64-bit code each, or uint8 (n, code_size)"
    return f"; one integer is one 64-bit code, here are codes of {n_bits} bits: from_ints(values, {n_bits}) reads them"


def arrow_advice(kind: str) -> str:
    """What to call with an Arrow array of that type, ``values``."""
    if kind in ("string", "large_string", "string_view"):
        return "; from_hex(values.to_pylist()) reads hexadecimal text"
    if kind in ("binary", "large_binary", "binary_view"):
        return "; from_bytes(values.to_pylist()) makes codes of rows of bytes"
    if kind.startswith("dictionary<"):
        return "; values.cast(values.type.value_type) makes one of what it stands for"
    if kind == "uint64":
        return "; values.to_numpy() has 64-bit codes"
    if kind.startswith(("list<", "large_list<")) and "uint8" in kind:
        return "; np.array(values.to_pylist(), np.uint8) makes codes of lists of bytes"
    return ""


def _of_integers(array: NDArray[Any], n_bits: int | None) -> str:
    low, high = int(array.min()), int(array.max())
    if array.ndim == 2 and low >= -1 and high <= 1 and low < high and n_bits in (None, array.shape[1]):
        return "; pack(values) packs columns of 0 and 1, or of -1 and 1"
    if array.dtype == np.int8:
        return (
            "; of bytes less 128 (sentence-transformers' binary) from_signed(values) makes codes, plain bytes in a "
            "signed type (Java, SQL) are values.view(np.uint8)"
        )
    if array.ndim == 2 and low >= 0 and high <= 255 and (n_bits is None or array.shape[1] == code_size(n_bits)):
        return "; of packed bytes np.asarray(values, np.uint8) makes codes"
    if array.ndim == 2 and array.dtype.itemsize == 8:
        return f"; of codes of some 64-bit words each from_words({UNSIGNED}) makes codes"
    if array.ndim <= 1 and array.dtype == np.int64 and n_bits in (None, 64):
        return f"; 64-bit codes in a signed type, as databases keep them, are {UNSIGNED}"
    return f"; from_ints(values, {n_bits or 'n_bits'}) reads codes written as integers"


def _of_texts(array: NDArray[Any]) -> str:
    if set("".join(array.ravel().tolist())) == {"0", "1"}:
        return "; from_bits(values) reads text of 0 and 1, from_hex(values) hexadecimal text"
    return "; from_hex(values) reads hexadecimal text"


def _of_objects(array: NDArray[Any], n_bits: int | None) -> str:
    first = array.ravel()[0]
    if isinstance(first, Iterator):
        return "; list(values) makes a list of it"
    if isinstance(first, int):
        return f"; from_ints(values, {n_bits or 'n_bits'}) reads codes written as integers"
    if isinstance(first, str) and all(isinstance(one, str) for one in array.ravel()):  # as pandas has them
        return _of_texts(array)
    if isinstance(first, bytes | bytearray | memoryview):
        return "; from_bytes(values) makes codes of rows of bytes"
    if getattr(getattr(first, "hash", None), "dtype", None) == np.bool_:  # of imagehash
        return "; np.array([one.hash.ravel() for one in values]) has their bits"
    return ""
