"""The report's drawings as inline SVG that follows the page's light or dark colours, and its pictures as PNG."""

from __future__ import annotations

import io
import re
from base64 import b64encode
from typing import Any

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imsave
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ..demo.result import CodeMap, Quality, Training

# Colours drawn with here, and the CSS variable of template.html that takes their place in the SVG.
INK, MUTED, LINE, PAPER, FIRST, SECOND = (f"#01020{i}" for i in range(6))
CSS_NAMES = {INK: "ink", MUTED: "muted", LINE: "line", PAPER: "paper", FIRST: "first", SECOND: "second"}
DIGIT_COLOURS = [
    "#4878d0",
    "#ee854a",
    "#4fae5f",
    "#d65f5f",
    "#956cb4",
    "#a5744f",
    "#dc7ec0",
    "#8a8a8a",
    "#b5a430",
    "#35b5c4",
]  # readable on white and on near-black
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": LINE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}


def precision_recall(quality: Quality, radius: int) -> Markup:
    """Precision over recall as the radius grows from 0 to n_bits, the searched radius marked."""
    with mpl.rc_context(STYLE):
        figure, axes = _axes(height=3.4)
        axes.plot(quality.recall, quality.precision, color=FIRST, marker="o", markersize=3)
        radius = min(radius, len(quality.recall) - 1)
        here = quality.recall[radius], quality.precision[radius]
        axes.plot(*here, "o", color=SECOND, markersize=8)
        axes.annotate(f"radius {radius}", here, (-10, -16), textcoords="offset points", ha="right")
        axes.axhline(quality.map_chance, color=MUTED, linewidth=1, linestyle="--")
        axes.annotate("random order", (0, quality.map_chance), (2, 4), textcoords="offset points", color=MUTED)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.04), xlabel="recall", ylabel="precision")
        return _svg(figure, "precision-recall", "Precision-recall curve over the Hamming radius")


def training(history: Training) -> Markup:
    """Loss above, beta below, over the steps; a line at each border of two stages."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 4.2), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
        _plain(figure, above, below)
        above.plot(history.step, history.loss, color=FIRST, linewidth=0.7, alpha=0.35, label="each step")
        above.plot(history.step, _smooth(history.loss), color=FIRST, label="running mean")
        below.plot(history.step, history.beta, color=SECOND, drawstyle="steps-post")
        borders = history.step[1:][np.diff(history.stage) != 0]
        for axes in (above, below):
            for border in borders:
                axes.axvline(float(border), color=MUTED, linewidth=0.6, linestyle=":")
            axes.grid(axis="x", visible=False)
        above.set(ylabel="loss", ylim=(0, None))
        above.legend(loc="upper right")
        below.set(ylabel="beta", xlabel="step (dotted: a stage ends and beta grows)", ylim=(0, None))
        return _svg(figure, "training", "Loss and beta over the training steps")


def code_map(codes: CodeMap) -> Markup:
    """One point per distinct code, coloured by left digit, the area by its images; classes named in place."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 6.2), layout="constrained")
        axes = figure.subplots()
        _plain(figure, axes)
        axes.set_axis_off()
        axes.set_aspect("equal", adjustable="datalim")
        left = codes.labels // 10
        for digit in np.unique(left):
            chosen = left == digit
            axes.scatter(
                codes.positions[chosen, 0],
                codes.positions[chosen, 1],
                s=9 * np.sqrt(codes.counts[chosen]),
                color=DIGIT_COLOURS[digit],
                alpha=0.75,
                linewidths=0,
                rasterized=True,  # thousands of paths would be a megabyte
            )
        for label in np.unique(codes.labels):
            own = codes.positions[codes.labels == label]
            medoid = own[np.abs(own - np.median(own, axis=0)).sum(axis=1).argmin()]
            axes.annotate(
                f"{label:02d}",
                medoid,
                (0, 4),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                gid=f"halo-{label}",
            )
        handles = [
            Line2D([], [], marker="o", linestyle="", color=DIGIT_COLOURS[digit], label=f"{digit}x")
            for digit in np.unique(left)
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=10, handletextpad=0, columnspacing=0.8)
        return _svg(figure, "code-map", "t-SNE map of the distinct codes")


def picture(image: NDArray[np.float32]) -> str:
    """A grey image (height, width), values 0..1 with ink high, as the data URI of a PNG: ink dark on white."""
    buffer = io.BytesIO()
    imsave(buffer, image, cmap="gray_r", vmin=0, vmax=1, format="png")
    return "data:image/png;base64," + b64encode(buffer.getvalue()).decode()


def _axes(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.4, height), layout="constrained")
    axes = figure.subplots()
    _plain(figure, axes)
    return figure, axes


def _plain(figure: Figure, *axes: Axes) -> None:
    """Nothing painted behind the drawing: the page shows through."""
    figure.patch.set_visible(False)
    for one in axes:
        one.patch.set_visible(False)


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the last up to 1/40 of all steps."""
    window = max(1, len(values) // 40)
    total = np.concatenate([[0.0], np.cumsum(values)])
    end = np.arange(1, len(values) + 1)
    start = np.maximum(end - window, 0)
    return np.asarray((total[end] - total[start]) / (end - start))


def _svg(figure: Figure, name: str, title: str) -> Markup:
    """The figure as one <svg> element whose ids all begin with ``name``: ids are shared by the whole page."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=nothing, dpi=216)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'href="#', f'href="#{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    for colour, css_name in CSS_NAMES.items():
        text = text.replace(colour, f"var(--{css_name})")
    return Markup(text.replace("<svg", f'<svg role="img" aria-label="{title}"', 1))
