"""The chart of the report: microseconds per query, a panel per kind of search below the last, shorter is faster."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from cells import Cell, Suite, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS = {
    "scan": "k = 10, exhaustive\nuniform codes, 1e6, batches of 256",
    "radius": "everything within a radius\nexact, faiss in its best setting",
    "nearest": "k = 10, real codes, 1e6 unless said\nfaiss Flat and hashindex exact, others at the recall shown",
}
OURS, OURS_TOO, PEERS = "#0b6e4f", "#7fc8a9", ("#3d5a80", "#98a7bd", "#c08552", "#8d6a9f", "#b7b7a4")
BAR = 0.8  # of the height a bar may take


def draw(suites: Sequence[Suite], path: Path) -> None:
    """Draw the panels that there are cells for; nothing if there are none."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    panels = {
        (suite.name, row): [cell for cell in suite.cells if cell.row == row] for suite in suites for row in PANELS
    }
    panels = {key: cells for key, cells in panels.items() if cells}
    if not panels:
        return
    heights = [len(cells) + len({cell.case for cell in cells}) + 3 for cells in panels.values()]
    size = (8.0, 0.26 * sum(heights) + 0.6)
    figure, axes = plt.subplots(
        len(panels), figsize=size, squeeze=False, layout="constrained", gridspec_kw={"height_ratios": heights}
    )
    for axis, ((_, row), cells) in zip(axes[:, 0], panels.items(), strict=True):
        panel(axis, PANELS[row], cells)
    drawn = {suite for suite, _ in panels}
    machines = [suite.machine for suite in suites if suite.name in drawn]
    notes = dict.fromkeys([*map(described, machines), *map(versions, machines)])
    figure.supxlabel("\n".join(["us per query on one thread, log scale: shorter is faster", *notes]), fontsize=9)
    figure.savefig(path, dpi=110, facecolor="white")
    plt.close(figure)


def described(machine: dict[str, str]) -> str:
    """The machine of a suite in a line."""
    return ", ".join([machine["processor"], machine["engine"], machine["date"][:10]])


def versions(machine: dict[str, str]) -> str:
    """What was measured there, in a line."""
    names = ("hashindex", "faiss-cpu", "usearch", "pynear")
    return ", ".join(f"{name} {machine[name]}" for name in names if name in machine)


def panel(axis: Axes, title: str, cells: Sequence[Cell]) -> None:
    """Bars grouped by case, each with its peer and its number written beside it."""
    peers = [peer for peer in dict.fromkeys(cell.peer for cell in cells) if not peer.startswith("hashindex")]
    colors = dict(zip(peers, PEERS * len(peers), strict=False))
    ticks, labels, y = [], [], 0.0
    least, most = min(cell.us for cell in cells), max(cell.us for cell in cells)
    for case in dict.fromkeys(cell.case for cell in cells):
        axis.text(least / 3, y, case, fontsize=9, fontweight="bold", va="center")
        y += 1
        for cell in (cell for cell in cells if cell.case == case):
            color = OURS if cell.peer == "hashindex" else colors.get(cell.peer, OURS_TOO)
            axis.barh(y, cell.us - least / 3, BAR, left=least / 3, color=color)
            recall = f" (recall {cell.recall:.3f})" if cell.recall < 1 else ""
            axis.text(cell.us * 1.1, y, shown(cell.us) + recall, fontsize=8, va="center")
            ticks.append(y)
            labels.append(cell.peer)
            y += 1
    axis.set(xscale="log", xlim=(least / 3, most * 8), ylim=(y, -1), yticks=ticks)
    axis.set_yticklabels(labels, fontsize=8)
    axis.set_title(title, fontsize=10)
    axis.grid(axis="x", color="#e6e6e6")
    axis.set_axisbelow(True)
    axis.tick_params(length=0)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
