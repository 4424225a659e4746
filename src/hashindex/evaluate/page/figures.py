"""The drawings of the page of ``hashindex eval``."""

from __future__ import annotations

import textwrap
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from markupsafe import Markup

from ...pages.code_map import CodeMap, draw
from ...pages.drawing import COLOURS, FIRST, MUTED, SECOND, STYLE, one_axes, svg
from ..comparison import Comparison

MOST_NAMED = 20  # classes whose names are written into a map
OTHERS = COLOURS[2:]  # the first two are much like FIRST and SECOND
DASHES = ((), (4, 1.5), (1.2, 1.2), (4, 1.2, 1.2, 1.2))  # of curves that share a colour


class Curve(NamedTuple):
    """How one method is drawn, in the plot and in its legend."""

    method: str
    colour: str
    dashes: tuple[float, ...]
    bold: bool


def curves(comparison: Comparison, bold: list[str]) -> list[Curve]:
    """Give each method a colour or dashes of its own, the two ``bold`` ones colours that stand out; best MAP first."""
    names = sorted(comparison.results, key=lambda name: -comparison.mean_average_precision(name).mean)
    others = [name for name in names if name not in bold]
    drawn = {name: Curve(name, colour, (), True) for name, colour in zip(bold, (FIRST, SECOND), strict=False)}
    for place, name in enumerate(others):
        dashes = DASHES[place // len(OTHERS) % len(DASHES)]
        drawn[name] = Curve(name, OTHERS[place % len(OTHERS)], dashes, False)
    return [drawn[name] for name in names]


def precision_recall(comparison: Comparison, drawn: list[Curve]) -> Markup:
    """Draw a curve per method, mean over its runs, radius by radius; the bold ones above the others."""
    with mpl.rc_context(STYLE):
        figure, axes = one_axes(height=4.2)
        for curve in drawn:
            recall, precision = (
                np.mean([getattr(run.evaluation, measure) for run in comparison.results[curve.method].runs], axis=0)
                for measure in ("recall", "precision")
            )
            axes.plot(
                recall,
                precision,
                color=curve.colour,
                linestyle=(0, curve.dashes) if curve.dashes else "-",
                linewidth=2.2 if curve.bold else 1.1,
                marker="o" if curve.bold else None,
                markersize=3.5,
                zorder=3 if curve.bold else 2,
            )
        chance = comparison.results[comparison.first].runs[0].evaluation.chance
        axes.axhline(chance, color=MUTED, linewidth=1, linestyle="--")
        axes.annotate("random order", (0, chance), (2, 4), textcoords="offset points", color=MUTED, fontsize=9)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.04), xlabel="recall", ylabel="precision")
        return svg(figure, "precision-recall", "Precision over recall, radius by radius, for every method")


def ablation(comparison: Comparison, names: list[str]) -> Markup:
    """Draw the MAP of a method with and without its parts, with confidence intervals."""
    with mpl.rc_context(STYLE):
        figure, axes = one_axes(height=0.9 + 0.42 * len(names))
        for place, name in enumerate(reversed(names)):
            found = comparison.mean_average_precision(name)
            axes.barh(place, found.mean, height=0.6, color=FIRST if name == comparison.first else MUTED)
            if found.half_width is not None:
                axes.errorbar(found.mean, place, xerr=found.half_width, color=SECOND, capsize=4, linewidth=1.5)
        axes.set_yticks(range(len(names)), [wrapped(name) for name in reversed(names)])
        axes.set(xlim=(0, 1.02), xlabel=comparison.measure)
        axes.grid(axis="y", visible=False)
        return svg(figure, "ablation", "Mean average precision with and without each part")


def wrapped(name: str) -> str:
    """Break a long name into lines; what is left of a very long one is its beginning."""
    return textwrap.fill(name, 30, max_lines=3, placeholder=" ...")


def code_map(codes: CodeMap, classes: list[str], place: int, name: str) -> Markup:
    """Draw a method's map, coloured by class; the classes are named where they are few.

    ``classes`` names the classes, ``place`` tells this map's ids from those of others on the page.
    """
    present = np.unique(codes.labels).tolist()
    names = {label: classes[label] for label in present} if len(present) <= MOST_NAMED else {}
    return draw(codes, codes.labels, names, ids=f"map-{place}", title=f"t-SNE map of the codes of {name}")
