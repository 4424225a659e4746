"""Keys and payloads: which file, or which row of somebody else's table, a code is of."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..inputs.ids import as_ids
from ..store import items as noted
from ..store.durable import Store
from ..support.interrupts import interruptible
from .publishing import Publishing
from .reading import LOOKUP


class Noting(Publishing):
    """What a store notes with its codes."""

    def find(self, keys: Any) -> NDArray[np.int64]:
        """Return the ids of ``keys``, -1 for one that is not in the index.

        Parameters
        ----------
        keys : sequence of str, length n

        Returns
        -------
        int64 array of shape (n,)

        Raises
        ------
        TypeError, ValueError
            Keys that are no text; an index that is no store.
        """
        snapshot, store = self._snapshot, self._noting()
        given = [keys] if isinstance(keys, str) else list(keys)
        found = store.ask(lambda manifest: noted.find(manifest, given))
        found[~snapshot.contains(found)] = -1  # what a writer has added since
        return found

    def keys(self, ids: Any) -> list[str | None]:
        """Return the key of each of ``ids`` (n,), None for a code without one.

        Raises
        ------
        TypeError, ValueError
            Ids that are no integers; an index that is no store.
        KeyError
            An id that is not in the index.
        """
        return [key for key, _ in self._items(ids)]

    def payloads(self, ids: Any) -> list[Any]:
        """Return the payload of each of ``ids`` (n,), None for a code without one.

        Raises
        ------
        TypeError, ValueError
            Ids that are no integers; an index that is no store.
        KeyError
            An id that is not in the index.
        """
        return [payload for _, payload in self._items(ids)]

    def items(self) -> Iterator[tuple[int, str | None, Any]]:
        """Iterate over id, key and payload of all codes that have a key or a payload, by id.

        Changes meanwhile may or may not be seen. Raises ValueError for an index that is no store.
        """
        last = -1
        while block := self._noting().ask(partial(noted.block, after=last)):
            here = self._snapshot.contains(np.array([one for one, _, _ in block], np.int64))
            yield from (item for item, known in zip(block, here.tolist(), strict=True) if known)
            last = block[-1][0]

    def _items(self, ids: Any) -> list[tuple[str | None, Any]]:
        snapshot, store, wanted = self._snapshot, self._noting(), as_ids(ids)
        here = interruptible(lambda: snapshot.contains(wanted), wanted.nbytes * LOOKUP)
        if not here.all():
            raise KeyError(f"id {wanted[~here][0]} is not in the index")
        return store.ask(lambda manifest: noted.of(manifest, wanted))

    def _noted(self, keys: Any, payloads: Any, ids: NDArray[np.int64], *, are_free: bool) -> noted.Noted:
        """Checked keys and payloads of codes to be added; ``are_free`` says that no other code has the keys."""
        if keys is None and payloads is None:
            return noted.Noted(None, None)
        store = self._noting()
        store.check_writable()
        texts = None if keys is None else noted.as_keys(keys, len(ids))
        values = None if payloads is None else noted.as_payloads(payloads, len(ids))
        if texts is not None and not are_free:
            store.ask(lambda manifest: noted.check_free(manifest, texts, ids))
        return noted.Noted(texts, values)

    def _replaced(self, keys: Any, n: int) -> tuple[list[str | None], NDArray[np.int64]]:
        """Checked keys of ``n`` codes to be added, and the ids of the codes that have them."""
        self._noting()
        texts = noted.as_keys(keys, n)
        found = self.find([text for text in texts if text is not None])
        return texts, found[found >= 0]

    def _ids_of(self, keys: Any, missing: Literal["raise", "ignore"]) -> NDArray[np.int64]:
        given = [keys] if isinstance(keys, str) else list(keys)
        found = self.find(given)
        unknown = np.flatnonzero(found < 0)
        if len(unknown) and missing == "raise":
            raise KeyError(f"key {given[unknown[0]]!r} is not in the index; nothing was changed")
        return found[found >= 0]

    def _noting(self) -> Store:
        self._check_open()
        if self._store is None:
            raise ValueError("keys and payloads are kept by a store: HashIndex.open(folder) makes one")
        return self._store
