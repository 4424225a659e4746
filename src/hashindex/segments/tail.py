"""The room for what was added last, which is scanned until there is enough of it for a segment."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engines import Engine
from ..engines.engine import PartArrays

SOON = 2**16  # bytes that are copied without letting go of the GIL, as NumPy would: getting it back takes longer


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

    def put(self, begin: int, codes: NDArray[np.uint8], ids: NDArray[np.int64]) -> None:
        """Write codes (n, code_size), or one, and ids (n,) from row ``begin`` on."""
        end = begin + len(ids)
        if len(ids) == 1:  # which NumPy does in half the time
            self.codes[begin], self.ids[begin] = codes, ids[0]
        elif codes.nbytes > SOON:
            self.codes[begin:end], self.ids[begin:end] = codes, ids
        else:
            size = self.codes.shape[1]
            self.codes.data.cast("B")[begin * size : end * size] = codes.data.cast("B")
            self.ids.data[begin:end] = ids.data

    def part(self, engine: Engine) -> Any:
        """The whole buffer in the form that the engine's whole searches take."""
        part = self._parts.get(engine)
        if part is None:
            part = self._parts[engine] = engine.part(PartArrays(self.codes, 0, self.ids))
        return part
