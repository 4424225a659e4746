"""scikit-learn: neighbours of codes as its own estimators have them, and features to codes in a pipeline.

>>> graph = HammingNeighbors(radius=8).fit_transform(codes)  # doctest: +SKIP
>>> labels = DBSCAN(eps=8, metric="precomputed").fit_predict(graph)  # doctest: +SKIP
"""

from .encoder import HashEncoder
from .neighbors import HammingNeighbors

__all__ = ["HammingNeighbors", "HashEncoder"]
