"""What an index is made of: its engine, its snapshot, and how it searches."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from .. import engines
from ..engines import Engine
from ..inputs.codes import as_codes
from ..inputs.filters import as_filter
from ..inputs.meta import check_meta
from ..inputs.numbers import check_n_bits, code_size
from ..inputs.numbers import n_threads as threads_to_use
from ..search.filters import restricted
from ..search.searching import Search
from ..segments.snapshot import Snapshot
from ..store.durable import Store
from ..structures import STRUCTURES
from ..support.locks import ForkLock, n_forks
from ..writing.adding import with_codes
from ..writing.merger import Merger
from .closed import Closed

Method = Literal["auto", "scan", "multi-index", "clusters", "folds"]
METHODS: tuple[Method, ...] = get_args(Method)
Ids = Sequence[int] | Sequence[bool] | NDArray[np.integer[Any]] | NDArray[np.bool_]
WORTH_THREADS = 2**21  # bytes compared, below which waking a thread takes longer than the rest


class State:
    """The part of an index that all its methods share."""

    def __init__(
        self,
        n_bits: int | None = None,
        *,
        engine: str | Engine | None = None,
        meta: dict[str, Any] | None = None,
    ) -> None:
        self._engine = engines.load(engine) if engine is None or isinstance(engine, str) else engines.check(engine)
        self._asked = engine is not None
        self._meta = check_meta({} if meta is None else meta)
        self._start(Snapshot.empty(None if n_bits is None else check_n_bits(n_bits)))

    @property
    def n_bits(self) -> int | None:
        """Bits of a code; None until the first add of an index that infers it."""
        return self._snapshot.n_bits

    @property
    def code_size(self) -> int | None:
        """Bytes of a code; None as long as ``n_bits`` is."""
        n_bits = self.n_bits
        return None if n_bits is None else code_size(n_bits)

    @property
    def meta(self) -> dict[str, Any]:
        """A copy of the JSON object that the index was given, kept in files and pickles."""
        return deepcopy(self._meta)

    @property
    def engine_name(self) -> str:
        """The engine in use, as in ``native (avx512)``."""
        return self._engine.description

    def __len__(self) -> int:
        """Count the codes in the index."""
        return self._snapshot.n_codes

    def __repr__(self) -> str:
        if isinstance(self._snapshot, Closed):
            return "HashIndex(closed)"
        return f"HashIndex(n_bits={self.n_bits}, n_codes={len(self)}, engine={self.engine_name!r})"

    def __getstate__(self) -> dict[str, Any]:
        snapshot = self._snapshot
        codes, ids = snapshot.all_codes()
        return {
            "engine": self._engine.name if self._asked else None,
            "n_bits": snapshot.n_bits,
            "codes": codes,
            "ids": ids,
            "next_id": snapshot.next_id,
            "meta": self._meta,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        asked = state["engine"]
        self._asked = asked in engines.available()  # what is not installed here gives way to the best that is
        self._engine = engines.load(asked if self._asked else None)
        self._meta = state.get("meta", {})
        snapshot = Snapshot.empty(state["n_bits"])
        if len(state["ids"]):
            snapshot = with_codes(snapshot, state["n_bits"], state["codes"], state["ids"], self._engine)
        snapshot.next_id = state["next_id"]
        self._start(snapshot)

    def _start(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._store: Store | None = None
        self._batch: int | None = None  # of which of the processes, counted by forks, a batch is open
        self._writing = ForkLock(reentrant=True)  # a batch holds it, and its thread goes on writing
        self._merging: Merger | None = None  # in the background, or why it failed
        self._beginning = ForkLock(reentrant=True)  # held while that begins: searches may ask for it
        self._all_due = False  # whether it is to make one segment of all
        self._searches: dict[tuple[str, int], Search] = {}

    def _only(self, allow: Ids | None, deny: Ids | None) -> Snapshot:
        """What a search sees: all of the index, or what a filter leaves."""
        snapshot = self._snapshot
        if allow is None and deny is None:
            return snapshot
        wanted = None if allow is None else as_filter(allow, "allow")
        unwanted = None if deny is None else as_filter(deny, "deny")
        return restricted(snapshot, wanted, unwanted)

    def _check_open(self) -> None:
        """ValueError once it was closed."""
        len(self)

    @property
    def _in_batch(self) -> bool:
        """Whether a batch is open in this process; a child of a fork has none."""
        return self._batch == n_forks()

    def _how(self, method: str, n_threads: int | None, n_compared: int | None = None) -> Search:
        """How to search; ``n_compared`` bytes at most, of which few are not worth asking for threads."""
        if n_threads is None:
            few = n_compared is not None and n_compared < WORTH_THREADS
            n_threads = 1 if few else threads_to_use()
        known = type(method) is str and type(n_threads) is int
        search = self._searches.get((method, n_threads)) if known else None
        if search is None:
            n_threads = threads_to_use(n_threads)
            if not isinstance(method, str):
                raise TypeError(f"method must be a str, got {method!r}")
            if method != "auto" and method not in STRUCTURES:
                raise ValueError(f"method {method!r} is unknown; expected one of: {', '.join(('auto', *STRUCTURES))}")
            search = self._searches[method, n_threads] = Search(self._engine, method, n_threads)
        return search


def checked_rows(queries: Any, snapshot: Snapshot) -> tuple[NDArray[np.uint8], int]:
    """Checked queries (n, code_size), or one (code_size,), and their bits."""
    given = as_codes(queries, snapshot.n_bits, "queries")
    return (given.codes[0] if given.single else given.codes), given.n_bits
