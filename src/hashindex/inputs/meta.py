"""What may be noted with an index: a JSON object."""

from __future__ import annotations

import json
import math
from typing import Any

MOST_META = 2**20  # bytes of JSON
MOST_DEPTH = 64  # objects and lists in each other


def check_meta(meta: Any) -> dict[str, Any]:
    """Return a copy of ``meta``, tuples as lists.

    Raises
    ------
    TypeError
        It is no dict, or holds what JSON has no form for.
    ValueError
        NaN or infinity, more than 64 levels deep, more than 1 MiB of JSON.
    """
    if not isinstance(meta, dict):
        raise TypeError(f"meta must be a dict such as {{'encoder': 'name'}}, got {type(meta).__name__}")
    copy: dict[str, Any] = _copied(meta, "meta", 0)
    try:
        size = len(json.dumps(copy))
    except ValueError as error:  # an integer of thousands of digits
        raise ValueError(f"meta: {error}") from None
    if size > MOST_META:
        raise ValueError(f"meta takes {size:,} bytes of JSON, and at most {MOST_META:,} are kept")
    return copy


def same_meta(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """ValueError that shows both where two indexes were given different ``meta``; an empty one fits any."""
    if ours and theirs and ours != theirs:
        raise ValueError(
            f"the indexes differ in meta, so their codes may not be comparable: {_shown(ours)} here, "
            f"{_shown(theirs)} there; if they are, give both the same HashIndex(meta=...)"
        )


def _copied(value: Any, where: str, depth: int) -> Any:
    if depth > MOST_DEPTH:
        raise ValueError(f"meta is more than {MOST_DEPTH} levels deep")
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        if not math.isfinite(value):
            raise ValueError(f"{where} is {value}, for which JSON has no form")
        return value
    if isinstance(value, (list, tuple)):
        return [_copied(one, f"{where}[{i}]", depth + 1) for i, one in enumerate(value)]
    if isinstance(value, dict):
        for key in value:
            if type(key) is not str:
                raise TypeError(f"{where} has the key {key!r}; keys of JSON are str")
        return {key: _copied(one, f"{where}[{key!r}]", depth + 1) for key, one in value.items()}
    raise TypeError(f"{where} is a {type(value).__name__}, for which JSON has no form")


def _shown(meta: dict[str, Any]) -> str:
    text = json.dumps(meta, sort_keys=True)
    return text if len(text) <= 500 else f"{text[:500]}..."
