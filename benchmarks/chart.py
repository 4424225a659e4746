"""The chart of the report: microseconds per query, one panel per kind of search, shorter is faster."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from report import Cell

PANELS = {
    "scan": "k = 10, exhaustive\nuniform codes, 1e6, batches of 256",
    "radius": "everything within a radius\nexact, faiss in its best setting",
    "nearest": "k = 10, codes of image patches, 1e6\nfaiss Flat and hashindex exact, others at the recall shown",
}
OURS, OURS_TOO, PEERS = "#0b6e4f", "#7fc8a9", ("#3d5a80", "#98a7bd", "#c08552", "#8d6a9f", "#b7b7a4")
BAR = 0.8  # of the height a bar may take


def draw(found: Sequence[Cell], machine: dict[str, str], path: Path) -> None:
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    rows = {row: [cell for cell in found if cell.row == row] for row in PANELS}
    rows = {row: cells for row, cells in rows.items() if cells}
    if not rows:
        return
    tallest = max(len(cells) + len({cell.case for cell in cells}) for cells in rows.values())
    size = (6.6 * len(rows), 1.6 + 0.3 * tallest)
    figure, axes = plt.subplots(1, len(rows), figsize=size, squeeze=False, layout="constrained")
    for axis, (row, cells) in zip(axes[0], rows.items(), strict=True):
        panel(axis, PANELS[row], cells)
    shown = ("hashindex", "faiss-cpu", "usearch", "pynear")
    versions = [f"{name} {machine[name]}" for name in shown if name in machine]
    figure.supxlabel(
        "us per query on one thread, log scale: shorter is faster\n"
        + "\n".join([machine.get("processor", ""), ", ".join([*versions, machine.get("date", "")[:10]])]),
        fontsize=9,
    )
    figure.savefig(path, dpi=130, facecolor="white")
    plt.close(figure)


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
            recall = cell.info.get("recall", 1)
            number = f"{cell.us:,.0f}" if cell.us >= 100 else f"{cell.us:.3g}"
            axis.text(
                cell.us * 1.1, y, number + (f" (recall {recall:.3f})" if recall < 1 else ""), fontsize=8, va="center"
            )
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
