"""Which radius to search with: found on validation data, for a wanted recall or a budget of candidates."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .evaluation import Evaluation, evaluate


class Wanted(NamedTuple):
    """What a radius must give: as `calibrate_radius` takes it, at least one of the two."""

    recall: float | None = None
    candidates: float | None = None

    def __str__(self) -> str:
        which = "the largest" if self.recall is None else "the least"
        recall = [] if self.recall is None else [f"recall {self.recall:g}"]
        few = [] if self.candidates is None else [f"at most {self.candidates:g} items"]
        return f"{which} with {' and '.join([*recall, *few])}"


class RadiusChoice(NamedTuple):
    """A radius and what a search with it gives, on average over the validation queries."""

    radius: int
    recall: float
    precision: float  # an empty ball counts 0
    candidates: float  # items found per query


def calibrate_radius(
    query_codes: ArrayLike,
    database_codes: ArrayLike,
    query_labels: ArrayLike,
    database_labels: ArrayLike,
    *,
    n_bits: int,
    recall: float | None = None,
    candidates: float | None = None,
) -> RadiusChoice:
    """Choose a radius: the least that reaches `recall`, else the largest that keeps within `candidates`.

    Parameters
    ----------
    query_codes, database_codes, query_labels, database_labels, n_bits
        Validation data, as `distance_histograms` takes it.
    recall
        Wanted mean recall, above 0 and at most 1.
    candidates
        The most items that a query may find on average, above 0. With `recall` it is a condition on the radius
        found.

    Raises
    ------
    TypeError
        As `distance_histograms`, or neither `recall` nor `candidates` was given.
    ValueError
        As `distance_histograms`; a wanted number is out of range; or no radius gives what is wanted: the message
        says what can be reached.
    """
    wanted = check_wanted(Wanted(recall, candidates))
    found = evaluate(query_codes, database_codes, query_labels, database_labels, n_bits=n_bits, list_sizes=())
    return choose_radius(found, wanted)


def check_wanted(wanted: Wanted) -> Wanted:
    """Return it if it can be wanted; raises as `calibrate_radius` does."""
    recall, candidates = wanted
    if recall is None and candidates is None:
        raise TypeError("give recall=, the wanted mean recall, or candidates=, the most items per query, or both")
    if recall is not None and not 0 < recall <= 1:
        raise ValueError(f"recall must be above 0 and at most 1, got {recall}")
    if candidates is not None and not candidates > 0:
        raise ValueError(f"candidates must be above 0, got {candidates}")
    return wanted


def choose_radius(found: Evaluation, wanted: Wanted) -> RadiusChoice:
    """Choose from what an evaluation on validation data found; ValueError where no radius gives what is wanted."""
    recall, candidates = wanted
    n_affordable = found.n_bits + 1
    if candidates is not None:
        n_affordable = int(np.searchsorted(found.candidates, candidates, side="right"))
        if n_affordable == 0:
            raise ValueError(
                f"no radius keeps within {candidates:g} candidates per query: radius 0 finds "
                f"{found.candidates[0]:g} already"
            )
    radius = n_affordable - 1
    if recall is not None:
        radius = int(np.searchsorted(found.recall, recall * (1 - 1e-12)))  # a mean of ones may round to less than 1
        if radius > found.n_bits:
            raise ValueError(
                f"no radius reaches recall {recall:g}: radius {found.n_bits} reaches {found.recall[-1]:g}, since "
                f"{found.without_relevant:.1%} of the queries have no relevant item and count 0"
            )
        if radius >= n_affordable:
            raise ValueError(
                f"recall {recall:g} needs radius {radius} and {found.candidates[radius]:g} candidates per query, more "
                f"than {candidates:g}; within those, radius {n_affordable - 1} reaches recall "
                f"{found.recall[n_affordable - 1]:g}"
            )
    return RadiusChoice(
        radius, float(found.recall[radius]), float(found.precision[radius]), float(found.candidates[radius])
    )
