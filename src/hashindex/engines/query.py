"""What is searched for, checked."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .rows import Codes


class RadiusQuery(NamedTuple):
    """All codes within a radius of each query."""

    codes: Codes  # (n_queries, code_size)
    radii: NDArray[np.int32]  # (n_queries,) inclusive, 0 <= radius <= 8 * code_size
    n_threads: int = 1
    most_hits: int = 0  # with several queries, TooManyHits is raised soon after more have been found; 0 = no bound


class NearestQuery(NamedTuple):
    """The k nearest codes of each query, within a radius of it."""

    codes: Codes  # (n_queries, code_size)
    k: int  # 1 <= k <= number of codes
    radii: NDArray[np.int32]  # (n_queries,)
    n_threads: int = 1


class Relevance(NamedTuple):
    """Which codes are relevant to which queries, told by label words."""

    queries: NDArray[np.uint32]  # (n_queries, n_words)
    codes: NDArray[np.uint32]  # (n_words, n_codes)
    shared: bool  # relevant are those with a bit in common; else those whose words are all equal
