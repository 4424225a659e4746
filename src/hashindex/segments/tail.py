"""The room for what was added last, which is scanned until there is enough of it for a segment."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engines import Engine
from ..engines.engine import PartArrays


class TailBuffer:
    """Codes (capacity, code_size) and ids (capacity,), filled from the front in id order.

    Only the newest snapshot's successor writes, behind the last row of every snapshot; no snapshot looks there.
    """

    __slots__ = ("_parts", "codes", "ids")

    def __init__(self, codes: NDArray[np.uint8], ids: NDArray[np.int64]) -> None:
        self.codes, self.ids = codes, ids
        self._parts: dict[Engine, Any] = {}  # in the form of an engine

    @classmethod
    def empty(cls, capacity: int, code_size: int) -> TailBuffer:
        """Room for so many codes."""
        return cls(np.empty((capacity, code_size), np.uint8), np.empty(capacity, np.int64))

    def part(self, engine: Engine) -> Any:
        """The whole buffer in the form that the engine's whole searches take."""
        part = self._parts.get(engine)
        if part is None:
            part = self._parts[engine] = engine.part(PartArrays(self.codes, 0, self.ids))
        return part
