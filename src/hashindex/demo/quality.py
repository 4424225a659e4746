"""Judge how well the codes retrieve."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..evaluate import distinct_codes, mean_average_precision, precision_recall, precision_within
from .result import Quality

Codes = NDArray[np.uint8]
Labels = NDArray[np.int64]


def quality(
    queries: Codes, codes: Codes, query_labels: Labels, labels: Labels, n_bits: int, radius: int, n_hits: int
) -> Quality:
    """All measures of packed codes (n, code_size) and labels (n,); ``n_hits`` were found within ``radius``."""
    data = (queries, codes, query_labels, labels)
    mean_ap = mean_average_precision(*data, n_bits=n_bits)
    within = precision_within(*data, n_bits=n_bits, radius=radius)
    curve = precision_recall(*data, n_bits=n_bits)
    n_per_class = np.bincount(labels, minlength=int(query_labels.max()) + 1)
    return Quality(
        mean_average_precision=mean_ap.value,
        map_worst=mean_ap.worst,
        map_best=mean_ap.best,
        map_chance=float(n_per_class[query_labels].mean() / len(labels)),
        precision_within=within.value,
        empty_share=within.empty_share,
        mean_ball=n_hits / len(queries),
        n_distinct=distinct_codes(codes),
        precision=curve.precision,
        recall=curve.recall,
    )
