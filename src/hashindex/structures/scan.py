"""The linear scan: every code is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engines import Engine
from ..engines.query import NearestQuery, RadiusQuery
from ..engines.results import NearestRows, RadiusRows
from ..segments.segment import Segment
from .chunks import scans, shares_at
from .costs import Costs
from .structure import Kind, Prediction


class Scan:
    """No state: nothing to build."""

    name = "scan"
    stops_early = False

    def may_serve(self, segment: Segment) -> bool:  # noqa: ARG002
        """Always."""
        return True

    def look_cost(self, segment: Segment, costs: Costs) -> float:  # noqa: ARG002
        """None."""
        return 0.0

    def least(self, segment: Segment, limits: NDArray[np.int64], kind: Kind) -> NDArray[np.float64]:  # noqa: ARG002
        """Nothing need be told."""
        return np.zeros(limits.shape)

    def build_cost(self, segment: Segment, costs: Costs) -> float:  # noqa: ARG002
        """Nothing."""
        return 0.0

    def build(self, segment: Segment, engine: Engine, n_threads: int, parts: Sequence[Segment] = ()) -> tuple[()]:  # noqa: ARG002
        """Nothing."""
        return ()

    def predict(self, segment: Segment, state: Any | None, limits: NDArray[np.int64], kind: Kind) -> Prediction:  # noqa: ARG002
        """The same however far a query looks, but for chunks of wide codes that are not read."""
        takes = scans(segment.codes.shape, kind, limits, lambda: shares_at(segment.learned.spread))
        return Prediction(np.zeros(limits.shape), np.full(limits.shape, float(len(segment.codes))), takes)

    def radius(self, segment: Segment, state: Any, query: RadiusQuery, kind: Kind, engine: Engine) -> RadiusRows:  # noqa: ARG002
        """By the engine."""
        return engine.scan.radius(segment.rows, query)

    def nearest(self, segment: Segment, state: Any, query: NearestQuery, kind: Kind, engine: Engine) -> NearestRows:  # noqa: ARG002
        """By the engine."""
        return engine.scan.nearest(segment.rows, query)

    def step(self, segment: Segment, state: Any, kind: Kind, engine: Engine) -> Any | None:  # noqa: ARG002
        """The engine's."""
        return engine.scan.step()

    def order(self, segment: Segment, state: Any) -> None:
        """As they lie."""

    def arrays(self, state: Any) -> dict[str, NDArray[Any]]:  # noqa: ARG002
        """None."""
        return {}

    def restore(self, segment: Segment, arrays: dict[str, NDArray[Any]]) -> tuple[()]:  # noqa: ARG002
        """Nothing."""
        return ()
