"""Turn the suites' JSON files into Markdown tables and a chart.

python benchmarks/report.py [folder of results]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

OURS = "hashindex"
SUITES = ("scan", "radius", "nearest", "build_and_memory", "scaling", "adversarial", "planner", "training")


class Cell(NamedTuple):
    """One measured peer in one case."""

    row: str
    case: str
    peer: str
    seconds: float
    info: dict[str, Any]

    @property
    def us(self) -> float:
        """Microseconds per query."""
        return self.seconds / self.info.get("n_queries", 1) * 1e6


class Table(NamedTuple):
    """A section of the report: its cases as rows, its peers as columns."""

    title: str
    unit: str
    base: str | None  # the peer that ratios compare with


TABLES = {
    "scan": Table("k = 10, exhaustive, uniform codes, 1e6, batches of 256", "us per query", OURS),
    "stream": Table("One query over 536 MB of codes", "GB/s", None),
    "radius": Table("Everything within a radius", "us per query", OURS),
    "nearest": Table("k = 10, codes of image patches, 1e6, batches of 1000", "us per query", OURS),
    "build": Table("From codes to the first answer by tables", "s", OURS),
    "memory": Table("Memory of an index, everything included", "bytes per code", OURS),
    "large": Table("1e8 codes", "us per query", None),
    "pairs": Table("All pairs", "s", None),
    "threads": Table("Threads", "us per query", "1 thread"),
    "sizes": Table("Sizes, uniform codes of 64 bits", "us per query", None),
    "training": Table("Training, batches of 256", "us per image or item", "bare PyTorch"),
    "evaluation": Table("Every measure of 10,000 queries among 54,000 codes of 48 bits, all threads", "s", None),
    "adversarial": Table("Sets made to be slow", "us per query", "hashindex scan"),
}


def cells(folder: Path) -> tuple[list[Cell], dict[str, str]]:
    """All cells, and the machine that the newest of them came from."""
    found, machines = [], []
    for suite in SUITES:
        path = folder / f"{suite}.json"
        if not path.exists():
            continue
        report = json.loads(path.read_text())
        machines.append(report["hashindex_machine"])
        for run in report["benchmarks"]:
            info = run["extra_info"]
            if "row" not in info:
                continue
            if "us" in info and "peer" not in info:  # several peers, timed in turns
                found += [Cell(info["row"], info["case"], peer, us / 1e6, info) for peer, us in info["us"].items()]
            else:
                found.append(Cell(info["row"], info["case"], info["peer"], run["stats"]["median"], info))
    return found, max(machines, key=lambda machine: machine["date"], default={})


def number(cell: Cell, unit: str) -> float:
    """The cell's value in the unit of its table."""
    if unit == "GB/s":
        return cell.info["bytes"] / cell.seconds / 1e9
    if unit == "bytes per code":
        return cell.info["bytes"] / cell.info["n_codes"]
    if cell.row == "large":
        return cell.info["batch_s"] / cell.info["n_queries"] * 1e6
    return cell.seconds if unit == "s" else cell.us


def shown(value: float) -> str:
    """Three digits that matter."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def times(ratio: float) -> str:
    return f"{ratio:,.0f}x" if ratio >= 10 else f"{ratio:.2g}x" if ratio >= 1 else f"{ratio:.2f}x"


def notes(cell: Cell) -> str:
    """Recall of what is not exact, settings, build time and peak memory."""
    parts = []
    recall = cell.info.get("recall", 1)
    if recall < 1:
        parts.append(f"recall {recall:.3f}")
    if cell.info.get("settings"):
        parts.append(cell.info["settings"])
    if recall < 1 and (cell.info.get("build_s") or 0) > 10:
        parts.append(f"built in {cell.info['build_s']:.0f} s")
    if cell.row == "large":
        gigabytes = (cell.info["bytes"] / 1e9, cell.info["peak_bytes"] / 1e9)
        parts.append(
            f"{gigabytes[0]:.1f} GB held, {gigabytes[1]:.1f} GB at the peak, first batch with the tables' "
            f"build {cell.info['first_batch_s']:.1f} s"
        )
    return ", ".join(parts)


def table(name: str, found: list[Cell]) -> list[str]:
    """Markdown of one section; numbers in brackets are times the base's."""
    spec = TABLES[name]
    peers = list(dict.fromkeys(cell.peer for cell in found))
    lines = [f"### {spec.title}", "", f"| {spec.unit} | " + " | ".join(peers) + " |", "|---" * (len(peers) + 1) + "|"]
    for case in dict.fromkeys(cell.case for cell in found):
        row = {cell.peer: cell for cell in found if cell.case == case}
        base = number(row[spec.base], spec.unit) if spec.base in row else None
        texts = []
        for peer in peers:
            if peer not in row:
                texts.append("")
                continue
            value = number(row[peer], spec.unit)
            ratio = f" ({times(value / base)})" if base and peer != spec.base else ""
            remark = notes(row[peer])
            texts.append(shown(value) + ratio + (f"<br>{remark}" if remark else ""))
        lines.append(f"| {case} | " + " | ".join(texts) + " |")
    return [*lines, ""]


def planner_table(found: list[Cell]) -> list[str]:
    """How far auto is from the better method: in all, and where it is farthest."""
    if not found:
        return []
    ratios = sorted(cell.info["to_best"] for cell in found)
    worst = sorted(found, key=lambda cell: -cell.info["to_best"])[:8]
    lines = [
        "### auto beside the better method",
        "",
        f"{len(found)} cases: median {ratios[len(ratios) // 2]:.2f}x, within 1.25x in "
        f"{sum(ratio <= 1.25 for ratio in ratios) / len(ratios):.0%}, worst {ratios[-1]:.2f}x. The worst:",
        "",
        "| us per query | auto | scan | multi-index | auto / better |",
        "|---|---|---|---|---|",
    ]
    for cell in worst:
        us = cell.info["us"]
        columns = [shown(us[method]) if method in us else "too slow" for method in ("auto", "scan", "multi-index")]
        lines.append(f"| {cell.case} | {' | '.join(columns)} | {cell.info['to_best']:.2f}x |")
    return [*lines, ""]


def markdown(found: list[Cell], machine: dict[str, str]) -> str:
    lines = [
        "# Measured",
        "",
        "Medians; one thread unless said. In brackets: times hashindex's (or the column that has no brackets), so more "
        "than 1x is slower or larger than it. Every answer was compared with faiss's exhaustive one before it was "
        "timed; what is not exact shows its recall.",
        "",
    ]
    for name in TABLES:
        section = [cell for cell in found if cell.row == name]
        lines += table(name, section) if section else []
    lines += planner_table([cell for cell in found if cell.row == "planner"])
    lines.append("; ".join(f"{name}: {value}" for name, value in machine.items()))
    return "\n".join(lines) + "\n"


def main(folder: Path) -> None:
    found, machine = cells(folder)
    text = markdown(found, machine)
    (folder / "table.md").write_text(text)
    print(text)
    from chart import draw

    draw(found, machine, folder / "chart.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "results")
