"""A map of codes: the distinct ones laid out in the plane so that near codes lie near (t-SNE), and drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from .drawing import COLOURS, INK, STYLE, plain, svg

MAX_CODES = 1500  # a few seconds
FEW_NAMES = 20  # at most so many are written large


@dataclass(frozen=True)
class CodeMap:
    """A plane picture of distinct database codes (t-SNE), one row each."""

    positions: NDArray[np.float64]  # (n, 2)
    labels: NDArray[np.int64]  # (n,), the commonest class among the images with this code
    counts: NDArray[np.int64]  # (n,), images with this code
    n_distinct: int  # before sampling


def code_map(codes: NDArray[np.uint8], labels: NDArray[np.int64], seed: int) -> CodeMap | None:
    """t-SNE of at most ``MAX_CODES`` distinct codes; None when there are fewer than four.

    ``codes`` (n, code_size) packed uint8, ``labels`` (n,). The squared Euclidean distance of two rows of
    bits is their Hamming distance. t-SNE: van der Maaten and Hinton, JMLR 2008.
    """
    from sklearn.manifold import TSNE

    distinct, row, counts = np.unique(codes, axis=0, return_inverse=True, return_counts=True)
    if len(distinct) < 4:
        return None
    kept = np.sort(np.random.default_rng(seed).permutation(len(distinct))[:MAX_CODES])
    place = np.full(len(distinct), -1)
    place[kept] = np.arange(len(kept))
    place = place[row.ravel()]  # of each item's code among those kept
    votes_for, n_labels = labels[place >= 0], int(labels.max()) + 1
    votes = np.bincount(place[place >= 0] * n_labels + votes_for, minlength=len(kept) * n_labels)
    bits = np.unpackbits(distinct[kept], axis=1).astype(np.float32)
    tsne = TSNE(init="pca", perplexity=min(30.0, (len(kept) - 1) / 3), random_state=seed)
    return CodeMap(
        positions=tsne.fit_transform(bits).astype(np.float64),
        labels=votes.reshape(len(kept), n_labels).argmax(axis=1).astype(np.int64),
        counts=counts[kept].astype(np.int64),
        n_distinct=len(distinct),
    )


def draw(
    codes: CodeMap,
    groups: NDArray[np.int64],
    names: Mapping[int, str],
    *,
    legend: Mapping[int, str] | None = None,
    ids: str,
    title: str,
) -> Markup:
    """Draw a point per distinct code, its area by its items, as an SVG element.

    ``groups`` (n,) gives each point its colour, called as ``legend`` says; ``names`` are those of the classes that are
    named, each above the middle of its codes. ``ids`` begins the drawing's ids, ``title`` is read in its place.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 6.2) if legend else (5.2, 5.2), layout="constrained")
        axes = figure.subplots()
        plain(figure, axes)
        axes.set_axis_off()
        axes.set_aspect("equal", adjustable="datalim")
        axes.scatter(
            codes.positions[:, 0],
            codes.positions[:, 1],
            s=9 * np.sqrt(codes.counts),
            c=[COLOURS[group % len(COLOURS)] for group in groups],
            alpha=0.75,
            linewidths=0,
            rasterized=True,  # thousands of paths would be a megabyte
        )
        few = len(names) <= FEW_NAMES
        for label in np.unique(codes.labels).tolist():
            if label not in names:
                continue
            own = codes.positions[codes.labels == label]
            medoid = own[np.abs(own - np.median(own, axis=0)).sum(axis=1).argmin()]
            axes.annotate(
                names[label],
                medoid,
                (0, 6 if few else 4),
                textcoords="offset points",
                ha="center",
                fontsize=12 if few else 8,
                fontweight="bold" if few else "normal",
                color=INK,
                gid=f"halo-{label}",
            )
        handles = [
            Line2D([], [], marker="o", linestyle="", color=COLOURS[group % len(COLOURS)], label=name)
            for group, name in (legend or {}).items()
        ]
        if handles:
            figure.legend(handles=handles, loc="outside lower center", ncols=10, handletextpad=0, columnspacing=0.8)
        return svg(figure, ids, title)
