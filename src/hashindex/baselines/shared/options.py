"""Checks of the deep baselines' own options."""

from __future__ import annotations

import math


def check_range(value: float, name: str, *, most: float = math.inf) -> float:
    """Return a number from 0 to below infinity, or to ``most``.

    Raises
    ------
    ValueError
        It is outside.
    """
    if not (0 <= value <= most and value < math.inf):
        wanted = "0 or a positive number" if most == math.inf else f"from 0 to {most:g}"
        raise ValueError(f"{name} must be {wanted}, got {value}")
    return value
