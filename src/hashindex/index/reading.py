"""What an index holds: ids, and the codes under them."""

from __future__ import annotations

from operator import index as as_int
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..inputs.ids import as_some_ids
from ..support.interrupts import interruptible
from .state import State

LOOKUP = 4  # times as long as reading an id is looking for it, at least


class Reading(State):
    """Codes back."""

    def ids(self) -> NDArray[np.int64]:
        """Return the ids of all codes, ascending, int64 (n_codes,)."""
        return self._snapshot.all_ids()

    def __contains__(self, item: object) -> bool:
        """Whether a code has this id; of many at once :meth:`ids` tells."""
        try:
            number = as_int(item)  # type: ignore[arg-type]
        except TypeError:
            return False
        return 0 <= number < 2**63 and bool(self._snapshot.contains(np.array([number]))[0])

    def get(self, ids: Any) -> NDArray[np.uint8]:
        """Return the codes under ``ids``, as they were added, packed.

        Parameters
        ----------
        ids : int, or array_like of int, shape (n,)
            In any order, also more than once.

        Returns
        -------
        uint8 array of shape (n, code_size), or (code_size,) for one id
            A copy.

        Raises
        ------
        TypeError, ValueError
            Ids that are no integers.
        KeyError
            An id that is not in the index.
        """
        snapshot, (wanted, single) = self._snapshot, as_some_ids(ids)
        codes = interruptible(lambda: snapshot.codes_of(wanted), wanted.nbytes * LOOKUP)
        return codes.reshape(-1) if single else codes
