"""ISCC (ISO 24138): units of content codes, which are near where contents look, sound or read alike, as packed codes.

A unit is a header of two bytes, which says what it is of, and 32 to 256 bits. Those of one kind can be compared.
Nothing is needed to read them; ``iscc_core`` makes them.
"""

from __future__ import annotations

from base64 import b32decode, b32encode
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_OF_CONTENT = ("TEXT", "IMAGE", "AUDIO", "VIDEO", "MIXED")
_TYPES = {"META": ("NONE",), "SEMANTIC": _OF_CONTENT, "CONTENT": _OF_CONTENT, "DATA": ("NONE",), "INSTANCE": ("NONE",)}
_MAIN = (*_TYPES, "ISCC", "ID", "FLAKE")
_HEADER = 2  # bytes


class IsccUnits(NamedTuple):
    """Units of one kind."""

    codes: NDArray[np.uint8]  # (n, code_size), or (code_size,) of one
    kind: str  # as iscc_core.iscc_type_id tells it: CONTENT-IMAGE-V0-64


def from_iscc(units: str | Iterable[str], kind: str | None = None) -> IsccUnits:
    """Read ISCC units: base32 text, with or without ``ISCC:``, such as ``ISCC:EEAQAAAAAAAAAAAA``.

    Parameters
    ----------
    units : str or iterable of str
    kind : str, optional
        What they must be, as queries of what is searched; longer ones are cut to its bits, as ISCC compares them.
        Default: that of the first, and all must be of the same length.

    Returns
    -------
    IsccUnits
        ``codes`` and ``kind``; distances between codes are those of ``iscc_core.iscc_distance``.

    Raises
    ------
    TypeError, ValueError
        A text that is no such unit, or of another kind; the message names its row. No units, and no kind.
    """
    if isinstance(units, str):
        codes, kind = from_iscc([units], kind)
        return IsccUnits(codes[0], kind)
    n_bits, bodies = None if kind is None else _n_bits(kind), list[bytes]()
    for i, unit in enumerate(units):
        try:
            found, body = _unit(unit)
        except (TypeError, ValueError) as error:
            raise type(error)(f"row {i}: {error}") from None
        kind = kind or found
        if found != kind:
            if n_bits is None or found.rpartition("-")[0] != kind.rpartition("-")[0] or 8 * len(body) < n_bits:
                cut = "" if n_bits else "; of one type, kind= with the fewest bits of all takes the first bits of each"
                raise ValueError(f"row {i}: {found} among {kind}, and only units of one kind can be compared{cut}")
            body = body[: n_bits // 8]
        bodies.append(body)
    if kind is None:
        raise ValueError("from_iscc got no units: pass kind= for an empty list, as kind='CONTENT-IMAGE-V0-64'")
    codes = np.frombuffer(bytearray(b"".join(bodies)), np.uint8)
    return IsccUnits(codes.reshape(len(bodies), _n_bits(kind) // 8), kind)


def _unit(text: str) -> tuple[str, bytes]:
    """The kind and the bits of a unit."""
    if not isinstance(text, str):
        raise TypeError(f"expected a str of an ISCC unit, got {type(text).__name__}")
    code = text.strip().upper().removeprefix("ISCC:").replace("-", "")
    try:
        data = b32decode(code + "=" * (-len(code) % 8))
    except ValueError:
        data = b""
    if len(data) <= _HEADER or b32encode(data).decode().rstrip("=") != code:
        raise ValueError(f"no ISCC unit in base32: {text[:80]!r}")
    numbers = data[0] >> 4, data[0] & 15, data[1] >> 4, data[1] & 15
    main, sub, version, length = numbers
    name = _MAIN[main] if main < len(_MAIN) else "?"
    if name not in _TYPES or sub >= len(_TYPES[name]) or version > 7 or length > 7:
        advice = "; iscc_core.iscc_decompose(code) has its units" if name == "ISCC" else ""
        raise ValueError(f"{text[:80]!r} has the header {numbers} ({name}), and is no unit to be compared{advice}")
    n_bits, body = 32 * (length + 1), data[_HEADER:]
    if 8 * len(body) != n_bits:
        more = "; iscc_core.iscc_decompose(code) takes units apart" if 8 * len(body) > n_bits else ""
        raise ValueError(f"{text[:80]!r} says that it has {n_bits} bits, and has {8 * len(body)}{more}")
    return f"{name}-{_TYPES[name][sub]}-V{version}-{n_bits}", body


def _n_bits(kind: str) -> int:
    n_bits = kind.rpartition("-")[2]
    if not n_bits.isdecimal() or int(n_bits) not in range(32, 257, 32):
        raise ValueError(f"kind must be as 'CONTENT-IMAGE-V0-64', with 32 to 256 bits, got {kind!r}")
    return int(n_bits)
