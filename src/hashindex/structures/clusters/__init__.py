"""Clusters: codes around centroids, of each of which a search looks at one run or at nothing."""

from .structure import ClusterStructure

__all__ = ["ClusterStructure"]
