"""The native core, where it was built, for what needs no engine: elsewhere NumPy gives the same answers."""

from __future__ import annotations

try:
    from .. import _core as core
except ImportError:  # the pure wheel
    core = None  # type: ignore[assignment]

__all__ = ["core"]
