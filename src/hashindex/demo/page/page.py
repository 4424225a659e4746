"""One self-contained HTML file from the data of a demo run: no script, nothing loaded from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...pages.drawing import picture
from ...pages.templates import template
from ..summary import summary
from . import figures

if TYPE_CHECKING:
    from ..result import DemoResult, Speed


class SpeedBar(NamedTuple):
    """A contender and its queries per second."""

    contender: str
    queries_per_second: float
    percent: float  # of the longest bar
    rival: bool  # not ours


def render(result: DemoResult) -> str:
    """The page as text."""
    stages = result.training.convergence
    return template("demo.html").render(
        result=result,
        lines=summary(result),
        n_stages=len(np.unique(result.training.stage)),
        bars=bars(result.speeds),
        picture=picture,
        precision_recall=figures.precision_recall(result.evaluation, result.settings.radius),
        training=figures.training(result.training),
        convergence=figures.convergence(stages),
        n_fallen=sum(stage.binary_loss < stage.binary_loss_before for stage in stages),
        code_map=figures.code_map(result.code_map) if result.code_map else None,
    )


def bars(speeds: tuple[Speed, ...]) -> dict[str, list[SpeedBar]]:
    """The speeds by kind of search, in the order given."""
    groups: dict[str, list[SpeedBar]] = {}
    for speed in speeds:
        longest = max(one.queries_per_second for one in speeds if one.search == speed.search)
        percent = 100 * speed.queries_per_second / longest
        groups.setdefault(speed.search, []).append(
            SpeedBar(speed.contender, speed.queries_per_second, percent, speed.contender.startswith("faiss"))
        )
    return groups
