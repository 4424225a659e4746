"""How good codes are at retrieval: tie-aware MAP, precision and recall by radius and by list size, code health.

Everything about retrieval is computed from one pass over the codes (`histograms.py`): items and relevant items by
distance. `evaluate` gives all of it at once; `code_health` looks at the codes alone; `calibrate_radius` turns
validation data into a radius to search with.
"""

from .calibrate import RadiusChoice, calibrate_radius
from .evaluation import Evaluation, MeanAveragePrecision, evaluate
from .health import Alarm, CodeHealth, Saturation, code_health, distinct_codes
from .histograms import Histograms, distance_histograms
from .interval import Interval, confidence_interval
from .measures import (
    PrecisionRecall,
    PrecisionWithin,
    mean_average_precision,
    precision_at,
    precision_recall,
    precision_within,
    recall_at,
)

__all__ = [
    "Alarm",
    "CodeHealth",
    "Evaluation",
    "Histograms",
    "Interval",
    "MeanAveragePrecision",
    "PrecisionRecall",
    "PrecisionWithin",
    "RadiusChoice",
    "Saturation",
    "calibrate_radius",
    "code_health",
    "confidence_interval",
    "distance_histograms",
    "distinct_codes",
    "evaluate",
    "mean_average_precision",
    "precision_at",
    "precision_recall",
    "precision_within",
    "recall_at",
]
