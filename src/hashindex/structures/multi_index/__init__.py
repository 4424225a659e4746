"""Multi-index hashing: tables of buckets by substrings of the code."""

from .structure import MultiIndex

__all__ = ["MultiIndex"]
