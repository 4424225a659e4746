"""How good codes are at retrieval: tie-aware MAP, precision within a radius, precision-recall.

Everything is computed from one pass over the codes (`histograms.py`): items and relevant items by distance.
"""

from .histograms import Histograms, distance_histograms
from .measures import (
    MeanAveragePrecision,
    PrecisionRecall,
    PrecisionWithin,
    distinct_codes,
    mean_average_precision,
    precision_recall,
    precision_within,
)

__all__ = [
    "Histograms",
    "MeanAveragePrecision",
    "PrecisionRecall",
    "PrecisionWithin",
    "distance_histograms",
    "distinct_codes",
    "mean_average_precision",
    "precision_recall",
    "precision_within",
]
