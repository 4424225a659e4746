"""The C++ engine."""

from .engine import NativeEngine, available_isas

__all__ = ["NativeEngine", "available_isas"]
