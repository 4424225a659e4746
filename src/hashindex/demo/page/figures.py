"""The drawings of the demo's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ...pages.code_map import CodeMap, draw
from ...pages.drawing import FIRST, MUTED, SECOND, STYLE, one_axes, plain, svg

if TYPE_CHECKING:
    from ...evaluate import Evaluation
    from ...learn.convergence import Stage
    from ..result import TrainingCourse


def precision_recall(found: Evaluation, radius: int) -> Markup:
    """Precision over recall as the radius grows from 0 to n_bits, the searched radius marked."""
    with mpl.rc_context(STYLE):
        figure, axes = one_axes(height=3.4)
        axes.plot(found.recall, found.precision, color=FIRST, marker="o", markersize=3)
        here = found.recall[radius], found.precision[radius]
        axes.plot(*here, "o", color=SECOND, markersize=8)
        axes.annotate(f"radius {radius}", here, (-10, -16), textcoords="offset points", ha="right")
        axes.axhline(found.chance, color=MUTED, linewidth=1, linestyle="--")
        axes.annotate("random order", (0, found.chance), (2, 4), textcoords="offset points", color=MUTED)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.04), xlabel="recall", ylabel="precision")
        return svg(figure, "precision-recall", "Precision-recall curve over the Hamming radius")


def training(history: TrainingCourse) -> Markup:
    """Loss above, beta below, over the steps; a line at each border of two stages."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 4.2), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
        plain(figure, above, below)
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
        return svg(figure, "training", "Loss and beta over the training steps")


def convergence(stages: tuple[Stage, ...]) -> Markup:
    """Loss on the codes and on tanh above, what keeps them apart below; each stage from its first step to its last."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 4.6), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
        plain(figure, above, below)
        steps = [step for stage in stages for step in (stage.first_step, stage.last_step + 1)]
        ends = steps[1::2]
        for name, colour, dashes in (("binary_loss", FIRST, "-"), ("tanh_loss", SECOND, "--")):
            values = [getattr(stage, f"{name}{when}") for stage in stages for when in ("_before", "")]
            label = "L, on the codes" if name == "binary_loss" else "J, on tanh(beta z)"
            above.plot(steps, values, color=colour, linestyle=dashes, marker="o", markersize=3, label=label)
        for name, colour, label in (
            ("quantisation_gap", SECOND, "mean 1 - |tanh(beta z)|"),
            ("flipped", FIRST, "bits flipped in the stage"),
        ):
            values = [100 * getattr(stage, name) for stage in stages]
            below.plot(ends, values, color=colour, marker="o", markersize=3, label=label)
        for axes in (above, below):
            for end in ends[:-1]:
                axes.axvline(end, color=MUTED, linewidth=0.6, linestyle=":")
            axes.grid(axis="x", visible=False)
            axes.legend(loc="upper right")
        highest = max(max(stage.binary_loss, stage.tanh_loss, stage.tanh_loss_before) for stage in stages)
        above.set(ylabel="loss on the probes", ylim=(0, 1.25 * highest))  # random codes' L may lie far above
        below.set(ylabel="%", xlabel="step (dotted: a stage ends and beta grows)", ylim=(0, None))
        return svg(figure, "convergence", "Loss on codes and on tanh, gap and flipped bits, stage by stage")


def code_map(codes: CodeMap) -> Markup:
    """One point per distinct code, coloured by its class's left digit; every class named in place."""
    left = codes.labels // 10
    names = {label: f"{label:02d}" for label in np.unique(codes.labels).tolist()}
    legend = {digit: f"{digit}x" for digit in np.unique(left).tolist()}
    return draw(codes, left, names, legend=legend, ids="code-map", title="t-SNE map of the distinct codes")


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the last up to 1/40 of all steps."""
    window = max(1, len(values) // 40)
    total = np.concatenate([[0.0], np.cumsum(values)])
    end = np.arange(1, len(values) + 1)
    start = np.maximum(end - window, 0)
    return np.asarray((total[end] - total[start]) / (end - start))
