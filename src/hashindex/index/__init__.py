"""``HashIndex``, one file for each kind of thing that it does."""

from .hash_index import HashIndex
from .state import METHODS, Method

__all__ = ["METHODS", "HashIndex", "Method"]
