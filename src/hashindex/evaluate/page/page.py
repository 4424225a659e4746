"""The page of ``hashindex eval``: methods beside each other, their curves and maps, and what they retrieve."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from ... import HashIndex
from ...inputs.codes import as_codes
from ...inputs.items import Labels
from ...pages.code_map import code_map
from ...pages.drawing import css, picture
from ...pages.templates import template
from ...support import machine
from ..comparison import Comparison, shown
from ..health import CodeHealth
from ..run_files import IMAGES, RunFiles, read_array
from . import figures
from .retrieved import Pictures, Retrieved, retrieved

K = 10  # nearest neighbours shown of a query
SEED = 0  # of what is drawn at random for the page
BESIDE = "DHN"  # the method whose map stands beside the first's, where there is one of this name
LEAST_RADII = 9  # told of the first method, beginning with 0
HEALTH: dict[str, Callable[[CodeHealth], float | None]] = {  # by its name on the page
    "distinct codes": lambda health: health.n_distinct,
    "in the commonest": lambda health: health.commonest_share,
    "bit balance": lambda health: float(np.minimum(health.ones, 1 - health.ones).mean()),
    "entropy": lambda health: health.mean_entropy,
    "constant bits": lambda health: health.constant_share,
    "mean |r|": lambda health: health.mean_correlation,
    "largest |r|": lambda health: health.max_correlation,
    "mean |z|": lambda health: health.saturation.mean if health.saturation else None,
}


class PrecisionBar(NamedTuple):
    """A method and its precision within the radius."""

    method: str
    percent: float
    text: str
    first: bool


class AtRadius(NamedTuple):
    """What a search with a radius gives, means over queries and runs."""

    radius: int
    recall: float
    precision: float
    empty_share: float
    candidates: float
    chosen: bool


class HealthRow(NamedTuple):
    """The health of one method's codes, as text."""

    method: str
    cells: tuple[str, ...]  # in the order of HEALTH


def render(comparison: Comparison, first_runs: dict[str, RunFiles]) -> str:
    """Return the page as text; ``first_runs`` has the files of each method's first run.

    Raises
    ------
    ValueError
        Images lie beside the first run's codes, and cannot be theirs.
    """
    names = list(comparison.results)
    parts = [name for name in names if re.match(re.escape(comparison.first) + r"($|[ ,+])", name)]
    mapped = [comparison.first, *([BESIDE] if BESIDE in names else names[1:2])]
    first = comparison.results[comparison.first]
    n_bits = first.runs[0].evaluation.n_bits
    curves = figures.curves(comparison, mapped)
    return template("evaluation.html").render(
        comparison=comparison,
        head=comparison.head,
        rows=comparison.rows(),
        n_runs={name: len(result.runs) for name, result in comparison.results.items()},
        evaluation=first.runs[0].evaluation,
        curves=curves,
        css=css,
        precision_recall=figures.precision_recall(comparison, curves),
        bars=_bars(comparison),
        radii=_radii(comparison),
        calibration=first.calibration,
        ablation=figures.ablation(comparison, parts) if len(parts) > 1 else None,
        maps={name: _map(place, name, first_runs[name], n_bits) for place, name in enumerate(mapped)},
        retrieved=_retrieved(comparison, first_runs[comparison.first]),
        picture=picture,
        health_head=list(HEALTH),
        health=[HealthRow(name, _health(comparison, name)) for name in names],
        number=_number,
        seed=SEED,
        machine=machine.describe(),
    )


def _number(value: float) -> str:
    """Four digits after the point, and of a large number all before it."""
    return f"{value:,.4f}" if abs(value) < 10 and value != int(value) else f"{value:,.1f}".removesuffix(".0")


def _bars(comparison: Comparison) -> list[PrecisionBar]:
    found = {name: comparison.precision_within(name) for name in comparison.results}
    ordered = sorted(found.items(), key=lambda each: -each[1].mean)
    return [
        PrecisionBar(
            name,
            100 * interval.mean,
            f"{shown(interval)}; {100 * comparison.empty_share(name):.1f} % empty",
            name == comparison.first,
        )
        for name, interval in ordered
    ]


def _radii(comparison: Comparison) -> list[AtRadius]:
    first = comparison.results[comparison.first]
    choice = first.calibration.choice
    chosen = -1 if choice is None else choice.radius
    curves = ("recall", "precision", "empty_share", "candidates")
    means = [np.mean([getattr(run.evaluation, name) for run in first.runs], axis=0).tolist() for name in curves]
    told = {*range(LEAST_RADII), *([] if choice is None else range(choice.radius - 1, choice.radius + 2))}
    return [
        AtRadius(r, recall, precision, empty, candidates, r == chosen)
        for r, (recall, precision, empty, candidates) in enumerate(zip(*means, strict=True))
        if r in told
    ]


def _health(comparison: Comparison, method: str) -> tuple[str, ...]:
    cells = []
    for name, measure in HEALTH.items():
        values = [measure(run.health) for run in comparison.results[method].runs]
        known = [value for value in values if value is not None]
        digits = 0 if name == "distinct codes" else 3
        cells.append(f"{sum(known) / len(known):,.{digits}f}" if known else "-")
    return tuple(cells)


def _map(place: int, name: str, files: RunFiles, n_bits: int) -> Markup | None:
    codes = as_codes(read_array(files.paths[1]), n_bits, str(files.paths[1])).codes
    labels, classes = _one_class(read_array(files.paths[3]))
    drawn = code_map(codes, labels, SEED)
    return None if drawn is None else figures.code_map(drawn, classes, place, name)


def _one_class(labels: Labels) -> tuple[Labels, list[str]]:
    """Return a class 0, 1, ... per item, of several classes the first since a dot has one colour; and the names."""
    if labels.ndim == 2:
        n_classes = labels.shape[1]
        found = np.where(labels.any(axis=1), labels.argmax(axis=1), n_classes).astype(np.int64)
        return found, [*map(str, range(n_classes)), "none"]
    classes, numbers = np.unique(labels, return_inverse=True)
    return np.asarray(numbers, np.int64), [str(name) for name in classes.tolist()]


def _retrieved(comparison: Comparison, files: RunFiles) -> tuple[Retrieved, ...]:
    paths = [files.beside(name) for name in IMAGES]
    there = [path for path in paths if path.exists()]
    if not there:
        return ()
    if len(there) == 1:
        raise ValueError(f"{there[0]} is there, but no {next(path for path in paths if path not in there)}")
    found = comparison.results[comparison.first].runs[0].evaluation
    images = [read_array(path) for path in paths]
    for path, given, n in zip(paths, images, (found.n_queries, found.n_items), strict=True):
        is_image = given.ndim == 4 and given.shape[1] in (1, 3) and 0 not in given.shape[2:]
        if not is_image or len(given) != n or given.dtype.kind not in "uf":
            raise ValueError(
                f"{path}: must hold an image per code, ({n}, 1 or 3, height, width), of unsigned integers or floats; "
                f"got {given.shape} {given.dtype}"
            )
    query_codes, database_codes, query_labels, database_labels = map(read_array, files.paths)
    index = HashIndex(n_bits=found.n_bits)
    index.add(database_codes)
    near = index.search(query_codes, k=min(K, found.n_items))
    chosen = retrieved(near, Pictures(images[0], query_labels), Pictures(images[1], database_labels), SEED)
    for path, shown_images in zip(
        paths, ([one.image for one in chosen], [each.image for one in chosen for each in one.neighbours]), strict=True
    ):
        if not all(np.isfinite(image).all() for image in shown_images):
            raise ValueError(f"{path}: holds NaN or infinity in an image that the page would show")
    return chosen
