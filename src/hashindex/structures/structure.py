"""What a search structure is: the one protocol that choosing, searching, explaining and files know.

A structure lives in a module or package of its own, implements this protocol, and is named in the list of
``structures/__init__.py``. What it builds for a segment, its state, is opaque to everybody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..engines import Engine
from ..engines.query import NearestQuery, RadiusQuery
from ..engines.results import NearestRows, RadiusRows
from ..segments.segment import Segment
from .costs import Costs


class Prediction(NamedTuple):
    """What one query is expected to take, by how far it must look: arrays of one shape."""

    lookups: NDArray[np.float64]
    candidates: NDArray[np.float64]
    nanoseconds: NDArray[np.float64]


class Kind(NamedTuple):
    """A kind of search, and what a structure may know of it before it sees the queries."""

    k: int | None  # None: all within the radius
    radius: int  # the largest of the queries'
    n_queries: int  # searched for at once
    n_threads: int
    costs: Costs
    scan_cost: float  # of a query by a scan; infinite where nothing may leave for one
    recall: float = 1.0  # what share of the k nearest is enough, for structures that stop early


class Structure(Protocol):
    """A way to find codes in one segment; the answers of all structures are the same."""

    @property
    def name(self) -> str:
        """The ``method=`` of searches."""

    @property
    def stops_early(self) -> bool:
        """Whether it takes ``kind.recall`` for the word to stop when so much has been found."""

    def may_serve(self, segment: Segment) -> bool:
        """Whether it could ever be the fastest for this segment; it must answer right in any case."""

    def look_cost(self, segment: Segment, costs: Costs) -> float:
        """Nanoseconds of its first prediction, at a sample of the codes; later ones take next to none."""

    def least(self, segment: Segment, limits: NDArray[np.int64], kind: Kind) -> NDArray[np.float64]:
        """Nanoseconds that queries take at the least which must look as far as ``limits`` (n,), whatever the codes.

        Told without a look at them: where that is more than others take, nobody looks.
        """

    def build_cost(self, segment: Segment, costs: Costs) -> float:
        """Nanoseconds that its state takes to build on one thread; 0 if there is none to build."""

    def build(self, segment: Segment, engine: Engine, n_threads: int, parts: Sequence[Segment] = ()) -> Any:
        """Return its state for a segment, which was made of ``parts``, if any: their states may spare work."""

    def predict(self, segment: Segment, state: Any | None, limits: NDArray[np.int64], kind: Kind) -> Prediction:
        """What queries take that must look as far as ``limits`` (n,); without state, if it were built."""

    def radius(self, segment: Segment, state: Any, query: RadiusQuery, kind: Kind, engine: Engine) -> RadiusRows:
        """All rows within ``query.radii[q]`` of each query q."""

    def nearest(self, segment: Segment, state: Any, query: NearestQuery, kind: Kind, engine: Engine) -> NearestRows:
        """The ``query.k`` nearest rows of each query q within ``query.radii[q]``."""

    def step(self, segment: Segment, state: Any, kind: Kind, engine: Engine) -> Any | None:
        """What the engine's whole searches take for it; None sends the search along the readable path."""

    def order(self, segment: Segment, state: Any) -> NDArray[np.integer[Any]] | None:
        """Rows (n_codes,) in an order in which neighbours follow each other, if it has one."""

    def arrays(self, state: Any) -> dict[str, NDArray[Any]]:
        """Its state as arrays by name, for a file and for counting bytes."""

    def restore(self, segment: Segment, arrays: dict[str, NDArray[Any]]) -> Any:
        """Return the state that :meth:`arrays` told; ValueError if they do not fit the segment."""
