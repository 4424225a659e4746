"""What a closed index has for a snapshot."""

from __future__ import annotations

from typing import Any


class Closed:
    """Whoever asks it anything is told that the index was closed.

    The index itself must not have a ``__getattr__`` for that: it would slow down all that is there.
    """

    __slots__ = ("_what_next",)

    def __init__(self, what_next: str) -> None:
        self._what_next = what_next

    def __getattr__(self, name: str) -> Any:
        """Called for whatever a snapshot has."""
        raise ValueError(f"the index was closed; {self._what_next}")
