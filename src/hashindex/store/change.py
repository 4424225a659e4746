"""What one call changes, as it is told to the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


def _no_ids() -> NDArray[np.int64]:
    return np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Change:
    """Ids that go, then ids that come with their codes. An id may do both: its code is replaced.

    Nothing of it says what becomes of segments: snapshots do.
    """

    removed: NDArray[np.int64] = field(default_factory=_no_ids)  # (m,)
    ids: NDArray[np.int64] = field(default_factory=_no_ids)  # (n,)
    codes: NDArray[np.uint8] | None = None  # (n, code_size)
    keys: Sequence[str | None] | None = None  # of ``ids``
    payloads: Sequence[str | None] | None = None  # of ``ids``, as JSON
    cleared: bool = False  # whether everything goes first


NOTHING = Change()
"""For changes of segments alone: a merge."""
