"""A segment as named arrays and a description in JSON, and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engines.removed import Removed
from ..inputs.numbers import MAX_BITS, code_size
from ..segments.postings import Postings
from ..segments.segment import MOST_COLLAPSED, Segment
from ..segments.snapshot import MAX_ID
from ..segments.spread import Spread
from ..structures import STRUCTURES
from .container import Source, read_container, write_container
from .contents import check_bare, check_codes, check_ids, check_postings, check_removed
from .format import SEGMENT, ForeignFileError, NewerFormatError

Arrays = Mapping[str, NDArray[Any]]

MOST_ROWS = 2**40 - 1  # that searches can number
MOST_SPREAD = 64  # rows, and columns


def write_segment(path: str | Path, segment: Segment, head: Mapping[str, Any] | None = None) -> None:
    """Write a file of one segment, with what else the ``head`` should tell. Raises OSError."""
    about, arrays = told(segment)
    write_container(path, SEGMENT, {**(head or {}), "n_bits": segment.n_bits, "segment": about}, arrays)


def read_segment(source: Source, *, mmap: bool = False) -> tuple[Segment, dict[str, Any]]:
    """Read what :func:`write_segment` wrote: the segment and the head.

    With ``mmap`` the arrays are a map of the file, of which little is read and verified. Raises OSError, ValueError; a
    file of another kind is damage, since a store names it.
    """
    try:
        container = read_container(source, SEGMENT, mmap=mmap)
    except NewerFormatError:
        raise
    except ForeignFileError as error:
        raise ValueError(str(error)) from None
    try:
        n_bits = checked_count(container.head, "n_bits", 1, MAX_BITS)
        segment = restored(container.head.get("segment"), container.arrays, n_bits, everything=not mmap)
    except ValueError as error:
        raise ValueError(f"{container.name} is damaged: {error}") from None
    return segment, container.head


def mapped_again(path: str | Path, segment: Segment) -> Segment:
    """The segment that was written to ``path``, as a map of that file: the system may take its memory back."""
    mapped, _ = read_segment(path, mmap=True)
    mapped.learned.thought, mapped.learned.apart = segment.learned.thought, segment.learned.apart
    return mapped


def told(segment: Segment) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return a segment's description and arrays by name, nothing copied but marks."""
    about: dict[str, Any] = {
        "n_rows": segment.n_rows,
        "first_id": segment.first_id,
        "n_distinct": segment.n_distinct,
        "n_removed": segment.n_removed,
    }
    arrays: dict[str, NDArray[Any]] = {"codes": segment.codes}
    if segment.ids is not None:
        arrays["ids"] = segment.ids
    if segment.removed is not None:
        arrays["removed"] = segment.removed.flat()
    if segment.bare is not None:
        arrays["bare"] = segment.bare.flat()
    if segment.postings is not None:
        arrays["postings/starts"], arrays["postings/rows"] = segment.postings
    if segment.learned.spread is not None:
        arrays["spread"], about["spread_share"] = segment.learned.spread.distances, segment.learned.spread.share
    for name, state in list(segment.learned.states.items()):
        for field, array in STRUCTURES[name].arrays(state).items():
            arrays[f"structure/{name}/{field}"] = array
    return about, arrays


def restored(about: Any, arrays: Arrays, n_bits: int, *, everything: bool) -> Segment:
    """Return the segment of codes of ``n_bits`` that :func:`told` told of.

    Looks at shapes and a few values; at ``everything`` if wanted. ValueError says what does not fit.
    """
    if type(about) is not dict:
        raise ValueError("a segment is not described")
    n_rows = checked_count(about, "n_rows", 1, MOST_ROWS)
    n_removed = checked_count(about, "n_removed", 0, n_rows - 1)
    first_id = checked_count(about, "first_id", 0, MAX_ID)
    codes = _array(arrays, "codes", "u1", (None, code_size(n_bits)))
    ids = _array(arrays, "ids", "i8", (n_rows,)) if "ids" in arrays else None
    removed = _array(arrays, "removed", "u1", (-(-n_rows // 8),)) if n_removed else None
    postings = _postings(arrays, n_rows, len(codes)) if "postings/starts" in arrays else None
    if postings is None and len(codes) != n_rows:
        raise ValueError(f"{len(codes):,} codes do not fit {n_rows:,} rows")
    marked = removed is not None and postings is not None and "bare" in arrays
    bare = _array(arrays, "bare", "u1", (-(-len(codes) // 8),)) if marked else None
    if ids is None and first_id + n_rows - 1 > MAX_ID:
        raise ValueError(f"ids from {first_id} on are too large")
    if everything:
        check_codes(codes, n_bits)
        if ids is not None:
            check_ids(ids, first_id)
        if removed is not None:
            check_removed(removed, n_rows, n_removed)
        if postings is not None:
            check_postings(postings)
            if removed is not None:
                check_bare(bare, removed, postings)
    n_distinct = checked_count(about, "n_distinct", 1, n_rows)
    gone = None if removed is None else Removed.of(removed, n_rows)
    empty = None if bare is None else Removed.of(bare, len(codes))
    segment = Segment(n_bits, codes, n_rows, first_id, ids, n_distinct, postings, gone, empty, n_removed)
    segment.learned.spread = _spread(about, arrays)
    for name, structure in STRUCTURES.items():
        prefix = f"structure/{name}/"
        fields = {key.removeprefix(prefix): array for key, array in arrays.items() if key.startswith(prefix)}
        if fields:
            segment.learned.states[name] = structure.restore(segment, fields)
    return segment


def checked_count(about: Mapping[str, Any], name: str, least: int, most: int) -> int:
    """The integer of that name; ValueError if it is none, or outside of ``least`` to ``most``."""
    value = about.get(name)
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{name} is {str(value)[:80]}, not an integer from {least} to {most}")
    return value


def _array(arrays: Arrays, name: str, dtype: str, shape: tuple[int | None, ...]) -> NDArray[Any]:
    array = arrays.get(name)
    if array is None:
        raise ValueError(f"{name} is missing")
    fits = array.ndim == len(shape) and all(n in (None, m) for n, m in zip(shape, array.shape, strict=True))
    if array.dtype != np.dtype(dtype) or not fits:
        wanted = tuple("n" if n is None else n for n in shape)
        raise ValueError(f"{name} is {array.dtype} of shape {array.shape}, not {np.dtype(dtype)} of {wanted}")
    return array


def _postings(arrays: Arrays, n_rows: int, n_codes: int) -> Postings:
    starts = _array(arrays, "postings/starts", "i8", (n_codes + 1,))
    rows = _array(arrays, "postings/rows", "u4", (n_rows,))
    if n_rows > MOST_COLLAPSED or not 1 <= n_codes <= n_rows or starts[0] != 0 or starts[-1] != n_rows:
        raise ValueError(f"postings from {starts[0]} to {starts[-1]} do not fit {n_rows:,} rows")
    return Postings(starts, rows)


def _spread(about: Mapping[str, Any], arrays: Arrays) -> Spread | None:
    if "spread" not in arrays:
        return None
    distances, share = _array(arrays, "spread", "f8", (None, None)).copy(), about.get("spread_share")
    small = distances.size > 0 and max(distances.shape) <= MOST_SPREAD
    if not small or not ((distances >= 0) & (distances <= MAX_BITS + 1)).all():
        raise ValueError(f"spread of shape {distances.shape} has distances that cannot be")
    if type(share) is not float or not 0 < share <= 1:
        raise ValueError(f"spread_share is {str(share)[:80]}, not a number above 0 and at most 1")
    return Spread(distances, share)
