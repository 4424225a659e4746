"""A whole index, as one snapshot of it and its ``meta``, as named arrays and a head in JSON, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..inputs.meta import check_meta
from ..inputs.numbers import MAX_BITS, code_size
from ..segments.snapshot import MAX_ID, Snapshot
from ..segments.tail import TailBuffer
from . import segment_file
from .container import Container
from .contents import check_codes, check_ids


def told(snapshot: Snapshot, meta: dict[str, Any]) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the head and the arrays by name, nothing copied."""
    described: list[dict[str, Any]] = []
    arrays: dict[str, NDArray[Any]] = {}
    for i, segment in enumerate(snapshot.segments):
        about, named = segment_file.told(segment)
        described.append(about)
        arrays |= {f"segments/{i}/{name}": array for name, array in named.items()}
    if snapshot.n_tail:
        arrays["tail/codes"], arrays["tail/ids"] = snapshot.tail_codes, snapshot.tail_ids
    head = {"n_bits": snapshot.n_bits, "next_id": snapshot.next_id, "meta": meta, "segments": described}
    return head, arrays


def restored(container: Container, *, everything: bool) -> tuple[Snapshot, dict[str, Any]]:
    """Return the snapshot and the ``meta`` that :func:`told` told of; ValueError names the file that does not fit."""
    try:
        return _snapshot(container, everything), check_meta(container.head.get("meta"))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{container.name} is damaged: {error}") from None


def _snapshot(container: Container, everything: bool) -> Snapshot:
    head = container.head
    described = head.get("segments")
    if type(described) is not list:
        raise ValueError("segments are not described")
    next_id = segment_file.checked_count(head, "next_id", 0, MAX_ID + 1)
    if head.get("n_bits") is None:
        if container.arrays:
            raise ValueError("there are codes, but n_bits is missing")
        return Snapshot.empty(None)
    n_bits = segment_file.checked_count(head, "n_bits", 1, MAX_BITS)
    named: list[dict[str, NDArray[Any]]] = [{} for _ in described]
    tail = TailBuffer.empty(0, code_size(n_bits))
    for name, array in container.arrays.items():
        room, _, rest = name.partition("/")
        number, _, field = rest.partition("/")
        if room == "segments" and number.isascii() and number.isdigit() and int(number[:9]) < len(named):
            named[int(number[:9])][field] = array
    segments = tuple(
        segment_file.restored(about, arrays, n_bits, everything=everything)
        for about, arrays in zip(described, named, strict=True)
    )
    if "tail/ids" in container.arrays:
        tail = _tail(container, n_bits, everything)
    last_ids = [int(one.ids_of(np.array([one.n_rows - 1]))[0]) for one in segments] + tail.ids[-1:].tolist()
    if max(last_ids, default=-1) >= next_id:
        raise ValueError(f"next_id is {next_id}, but there is an id {max(last_ids)}")
    return Snapshot(n_bits, segments, tail, len(tail.ids), next_id)


def _tail(container: Container, n_bits: int, everything: bool) -> TailBuffer:
    ids, codes = container.arrays["tail/ids"], container.arrays.get("tail/codes")
    if ids.dtype != np.int64 or ids.ndim != 1:
        raise ValueError(f"tail/ids is {ids.dtype} of shape {ids.shape}, not int64 of (n,)")
    if codes is None or codes.dtype != np.uint8 or codes.shape != (len(ids), code_size(n_bits)):
        raise ValueError(f"tail/codes do not fit {len(ids)} ids of {n_bits}-bit codes")
    check_ids(ids)
    if everything:
        check_codes(codes, n_bits)
    return TailBuffer(codes, ids)
