"""The tables and the picture of docs/radius.md, of what ``radii.py`` measured."""

from __future__ import annotations

import json
from math import comb
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from listings import rows
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZES = (10_000, 1_000_000, 100_000_000)  # of collections
RADII = {64: (0, 2, 4, 6, 8, 10, 12, 14, 16), 256: (0, 8, 16, 24, 31, 40, 48, 64, 80)}
SHARES = (0.5, 0.9, 0.99)
SAME, MORE, DIFFERENT, UNIFORM = "#0b6e4f", "#7fc8a9", "#3d5a80", "#8a8a8a"
NEGLIGIBLE = 0.01  # matches


class Hashes(NamedTuple):
    """Pairs of hashes of one kind at each distance, from 0 to n_bits."""

    name: str
    n_bits: int
    n_codes: int
    altered: dict[str, NDArray[np.int64]]  # one picture and what was made of it
    different: NDArray[np.int64]  # pictures
    more: tuple[str, ...]  # of the alterations those that are more than saving anew

    def together(self, *, more: bool) -> NDArray[np.int64]:
        """Pairs of one picture, of the alterations of one sort."""
        total: NDArray[np.int64] = sum(
            (counts for name, counts in self.altered.items() if (name in self.more) == more),
            start=np.zeros(self.n_bits + 1, np.int64),
        )
        return total

    def by_chance(self, n_codes: int, *, uniform: bool) -> NDArray[np.float64]:
        """Codes of other pictures within each radius of one, among so many."""
        if not uniform:
            return n_codes * within(self.different)
        ways = np.array([comb(self.n_bits, distance) for distance in range(self.n_bits + 1)], np.float64)
        return n_codes * within(ways)


def within(counts: NDArray[Any]) -> NDArray[np.float64]:
    """The share within each radius."""
    shares: NDArray[np.float64] = np.cumsum(counts, dtype=np.float64) / counts.sum(dtype=np.float64)
    return shares


def read_hashes(path: Path) -> list[Hashes]:
    found = json.loads(path.read_text(encoding="utf-8"))
    more = tuple(found["more"])
    return [
        Hashes(
            one["name"],
            one["n_bits"],
            one["n_codes"],
            {name: np.array(counts, np.int64) for name, counts in one["altered"].items()},
            np.array(one["different"], np.int64),
            more,
        )
        for one in found["sets"]
    ]


def tables(hashes: list[Hashes]) -> str:
    """Markdown of all sets."""
    return "\n".join(line for one in hashes for line in table(one)).lstrip("\n") + "\n"


def table(hashes: Hashes) -> list[str]:
    """By radius, what is found of one picture, and what else is; then how far each alteration goes."""
    found = [within(hashes.together(more=more)) for more in (False, True)]
    lines = []
    for radius in RADII[hashes.n_bits]:
        line = [str(radius), *(share(of[radius]) for of in found)]
        for uniform in (True, False):
            for n_codes in SIZES:
                least = NEGLIGIBLE if uniform else max(NEGLIGIBLE, n_codes / float(hashes.different.sum()))
                line.append(matches(float(hashes.by_chance(n_codes, uniform=uniform)[radius]), least))
        lines.append(line)
    sizes = [f"{n_codes:.0e}".replace("e+0", "e") for n_codes in SIZES]
    columns = ["radius", "same picture found", "changed more found"]
    columns += [f"{which}, {size}" for which in ("uniform", "measured") for size in sizes]
    alterations = [
        [name, f"{counts.sum():,}", *(str(int(np.searchsorted(within(counts), one))) for one in SHARES)]
        for name, counts in hashes.altered.items()
    ]
    return [
        "",
        f"## {hashes.name}",
        *rows(columns, lines),
        *rows(["what was done", "pairs", *(f"{one * 100:.0f} % within" for one in SHARES)], alterations),
    ]


def share(value: float) -> str:
    """In per cent, never rounded up to all."""
    percent = value * 100
    return "100 %" if value == 1 else f"{min(percent, 99.9):.1f} %" if percent > 90 else f"{percent:.0f} %"


def matches(value: float, least: float) -> str:
    """Two digits; what is below ``least`` cannot be told from 0, or need not be."""
    if value < least:
        return f"< {least:.2g}"
    return f"{value:.2g}" if value < 10 else f"{value:,.0f}" if value < 1e5 else f"{value:.1e}".replace("e+0", "e")


def draw(hashes: list[Hashes], path: Path) -> None:
    """Distances on the left; on the right what is found by chance."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(len(hashes), 2, figsize=(8.0, 2.1 * len(hashes) + 0.6), layout="constrained")
    for (left, right), one in zip(axes, hashes, strict=True):
        distances(left, one)
        chance(right, one)
        for axis in (left, right):
            axis.grid(color="#e6e6e6")
            axis.set_axisbelow(True)
            axis.tick_params(length=0, labelsize=8)
            axis.set_xlim(0, one.n_bits * 0.7)
            for side in ("top", "right", "left"):
                axis.spines[side].set_visible(False)
    axes[-1, 0].set_xlabel("distance, in bits", fontsize=9)
    axes[-1, 1].set_xlabel("radius, in bits", fontsize=9)
    axes[0, 0].legend(fontsize=8, frameon=False, loc="upper right")
    axes[0, 1].legend(fontsize=8, frameon=False, loc="lower right")
    figure.savefig(path, dpi=110, facecolor="white")
    plt.close(figure)


def distances(axis: Axes, hashes: Hashes) -> None:
    """Shares of the pairs by distance, some distances together: of some hashes all are even."""
    step = hashes.n_bits // 64 if hashes.n_bits > 64 else 2
    for label, counts, color in (
        ("same picture", hashes.together(more=False), SAME),
        ("changed more", hashes.together(more=True), MORE),
        ("different pictures", hashes.different, DIFFERENT),
    ):
        begins = np.arange(0, len(counts), step)
        shares = np.add.reduceat(counts, begins) / counts.sum()
        axis.fill_between(begins, shares, step="post", color=color, alpha=0.75, linewidth=0, label=label)
    axis.set_ylim(bottom=0)
    axis.set_yticks([])
    axis.set_title(f"{hashes.name}: shares of the pairs", fontsize=9, loc="left")


def chance(axis: Axes, hashes: Hashes) -> None:
    """Other pictures found among a million."""
    radii = np.arange(hashes.n_bits + 1)
    for label, uniform, style, color in (
        ("of these pictures", False, "-", DIFFERENT),
        ("of uniform codes", True, "--", UNIFORM),
    ):
        found = hashes.by_chance(1_000_000, uniform=uniform)
        axis.plot(radii[found > 0], found[found > 0], style, color=color, label=label, drawstyle="steps-post")
    all_found = int(np.searchsorted(within(hashes.together(more=False)), 0.99))
    axis.axvline(all_found, color=SAME, linewidth=1)
    axis.text(all_found, 1e5, f" {all_found}: 99 % of the same", fontsize=8, color=SAME, va="bottom")
    axis.set(yscale="log", ylim=(1e-4, 2e6), yticks=[1e-3, 1, 1e3, 1e6])
    axis.set_title("other pictures found, among a million", fontsize=9, loc="left")


def write_radii(results: Path, docs: Path) -> None:
    """The tables beside the results, the picture among those of the documentation."""
    hashes = read_hashes(results / "radii.json")
    (results / "radii.md").write_text(tables(hashes), encoding="utf-8")
    draw(hashes, docs / "pictures" / "radii.png")
