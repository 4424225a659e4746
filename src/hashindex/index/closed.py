"""What a closed index has for a snapshot."""

from __future__ import annotations

from typing import Any


class Closed:
    """Whoever asks it anything is told that the index was closed.

    The index itself must not have a ``__getattr__`` for that: it would slow down all that is there.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        """Called for whatever a snapshot has."""
        raise ValueError("the index was closed; HashIndex.open() opens the store again")
