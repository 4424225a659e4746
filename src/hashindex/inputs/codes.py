"""What is a code, and what to call instead when it is not."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .advice import advice, arrow_advice, words_advice
from .masked import is_masked
from .numbers import check_n_bits, code_size

_UINT8 = np.dtype(np.uint8)


class Given(NamedTuple):
    """Codes as the caller gave them, checked."""

    codes: NDArray[np.uint8]  # (n, code_size), C-contiguous
    n_bits: int
    single: bool  # one code in one dimension fewer


def ready_codes(values: Any, code_size: int, n_bits: int | None) -> NDArray[np.uint8] | None:
    """Return ``values`` if they need no look: packed codes of that size in a plain array, without pad bits.

    Of one dimension fewer for one code. None for anything else, which :func:`as_codes` looks at.
    """
    if (
        type(values) is np.ndarray
        and values.dtype is _UINT8
        and n_bits == 8 * code_size
        and (shape := values.shape)
        and shape[-1] == code_size
        and len(shape) <= 2
        and values.flags.c_contiguous
    ):
        return values
    return None


def as_codes(values: Any, n_bits: int | None, what: str) -> Given:
    """Check codes and bring them to packed uint8 rows.

    Parameters
    ----------
    values : array_like
        Packed uint8 (n, code_size); bool (n, n_bits); uint64 (n,) for 64 bits, most significant bit first; or
        one code with one dimension fewer. NumPy arrays, memory maps, anything with ``__dlpack__`` or
        ``__array__`` on the CPU, Arrow's fixed-size binary or lists of as many uint8.
    n_bits : int or None
        Expected width; None infers it from the values.
    what : str
        Name of the argument, for messages.

    Raises
    ------
    TypeError, ValueError
        Anything that could be misread, with what was seen, what was expected and the helper to call.
    """
    array = _as_array(values, what)
    expected = "packed uint8" if n_bits is None else f"packed uint8 of shape (n, {code_size(n_bits)})"
    if array.dtype == np.bool_:
        return _from_bools(array, n_bits, what)
    if array.dtype.kind == "u" and array.dtype.itemsize == 8:
        return _from_words(array, n_bits, what)
    if array.dtype != np.uint8:
        if not array.size and (isinstance(values, list | tuple) or array.ndim == 1):
            seen = f"array of {array.dtype}" if isinstance(values, np.ndarray) else type(values).__name__
            raise TypeError(f"{what}: got an empty {seen}, of no width; {_none_of(n_bits)} has no codes")
        lone = array.dtype == object and array.ndim == 0  # None, a dict: NumPy reads it as one object
        seen = type(values).__name__ if lone else f"dtype {array.dtype}"
        raise TypeError(f"{what}: got {seen}, expected {expected}{advice(array, n_bits)}")
    if array.ndim not in (1, 2):
        raise ValueError(f"{what}: got shape {array.shape}, expected {expected}")
    width = array.shape[-1]
    if n_bits is None:
        if width > 1 and array.size and array.max() == 1:
            raise ValueError(
                f"{what}: got uint8 of shape {array.shape} with only 0 and 1, which looks like unpacked bits; "
                f"pack() packs them, or give the index n_bits={8 * width} if these are packed bytes"
            )
        n_bits = check_n_bits(8 * width)
    elif width != code_size(n_bits):
        unpacked = array.size and width == n_bits and array.max() <= 1
        hint = "; these look like unpacked bits: pack() packs them" if unpacked else ""
        raise ValueError(
            f"{what}: got uint8 of shape {array.shape}, expected (n, {code_size(n_bits)}) for {n_bits}-bit codes{hint}"
        )
    codes = np.ascontiguousarray(np.atleast_2d(array))
    try:
        check_pad_bits(codes, n_bits)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None
    return Given(codes, n_bits, array.ndim == 1)


def refuse_masked(values: Any, what: str) -> None:
    """Raise TypeError for a masked array."""
    if is_masked(values):
        raise TypeError(f"{what}: got a masked array, whose masked values have no meaning here; .filled(0) clears them")


def _none_of(n_bits: int | None) -> str:
    return f"np.empty((0, {code_size(n_bits) if n_bits else 'code_size'}), np.uint8)"


def check_pad_bits(codes: NDArray[np.uint8], n_bits: int) -> None:
    """Raise ValueError naming the first row whose pad bits are not 0."""
    pad = -n_bits % 8
    if not pad:
        return
    wrong = np.flatnonzero(codes[:, -1] & ((1 << pad) - 1))
    if len(wrong):
        raise ValueError(
            f"row {wrong[0]}: the last {pad} bits of a {n_bits}-bit code pad its last byte and must be 0, got "
            f"byte 0x{codes[wrong[0], -1]:02x}; pack() makes such codes, n_bits={8 * codes.shape[1]} uses all bits"
        )


def _as_array(values: Any, what: str) -> NDArray[Any]:
    refuse_masked(values, what)
    if isinstance(values, np.ndarray):
        return np.asarray(values)
    if hasattr(values, "type") and hasattr(values, "null_count"):
        return _from_arrow(values, what)
    if hasattr(values, "column_names"):
        raise TypeError(f"{what}: got a {type(values).__name__}, expected one column of it: values[name] is one")
    if hasattr(values, "as_py"):
        raise TypeError(f"{what}: got an Arrow scalar; from_bytes(values.as_py()) makes a code of one")
    try:
        device = int(values.__dlpack_device__()[0]) if hasattr(values, "__dlpack_device__") else 1
    except (RuntimeError, ValueError, BufferError) as error:  # of a tensor without memory
        raise TypeError(f"{what}: cannot be read as an array of codes: {error}") from None
    if device != 1:  # kDLCPU
        raise TypeError(f"{what}: the array lies on another device (DLPack type {device}); move it to the CPU")
    try:
        return np.asarray(values) if hasattr(values, "__array__") else _without_array_protocol(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{what}: cannot be read as an array of codes: {error}") from None


def _without_array_protocol(values: Any) -> NDArray[Any]:
    array: NDArray[Any] = np.from_dlpack(values) if hasattr(values, "__dlpack__") else np.asarray(values)
    return array


def _from_arrow(values: Any, what: str) -> NDArray[np.uint8]:
    """Read Arrow's fixed-size binary, or lists of as many uint8: (n, code_size), of one chunk without a copy."""
    is_list = str(values.type).startswith("fixed_size_list<") and str(values.type.value_type) == "uint8"
    if not is_list and not str(values.type).startswith("fixed_size_binary"):
        raise TypeError(
            f"{what}: got an Arrow array of {values.type}, expected fixed_size_binary{arrow_advice(str(values.type))}"
        )
    width = int(values.type.list_size if is_list else values.type.byte_width)
    if not width:
        raise ValueError(f"{what}: got an Arrow array of {values.type}, of no width")
    chunks = [chunk for chunk in (values.chunks if hasattr(values, "chunks") else [values]) if len(chunk)]
    n_nulls = values.null_count + sum(chunk.flatten().null_count for chunk in chunks if is_list)
    if n_nulls:
        raise ValueError(f"{what}: the Arrow array has {n_nulls} nulls; drop them first")
    parts = [
        chunk.flatten().to_numpy()
        if is_list
        else np.frombuffer(chunk.buffers()[1], np.uint8, len(chunk) * width, chunk.offset * width)
        for chunk in chunks
    ]
    flat = parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, np.uint8), *parts])
    return flat.reshape(-1, width)


def _from_bools(array: NDArray[np.bool_], n_bits: int | None, what: str) -> Given:
    if array.ndim not in (1, 2) or array.shape[-1] != (n_bits or max(array.shape[-1], 1)):
        raise ValueError(f"{what}: got bool of shape {array.shape}, expected (n, {n_bits or 'n_bits'})")
    n_bits = check_n_bits(array.shape[-1])
    packed = np.ascontiguousarray(np.packbits(np.atleast_2d(array), axis=-1))  # in the order of the bools otherwise
    return Given(packed, n_bits, array.ndim == 1)


def _from_words(array: NDArray[np.uint64], n_bits: int | None, what: str) -> Given:
    if n_bits not in (None, 64) or array.ndim > 1:
        raise ValueError(f"{what}: got uint64 of shape {array.shape}{words_advice(array, n_bits)}")
    codes = np.atleast_1d(array).astype(">u8").view(np.uint8).reshape(-1, 8)
    return Given(codes, 64, array.ndim == 0)
