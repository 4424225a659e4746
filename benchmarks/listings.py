"""Markdown of the suites: cases as rows, peers as columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from cells import Cell, Suite, shown

OURS = "hashindex"
END = "<!-- end of embeddings -->"  # docs/embeddings.md includes what is before it
LOST = 1.5  # times the better method's time
VERSIONS = ("Python", "hashindex", "numpy", "numba", "torch", "faiss-cpu", "usearch", "pynear", "sentence-transformers")


class Listing(NamedTuple):
    """A part of the report: its cases as rows, its peers as columns."""

    title: str
    unit: str
    base: str | None  # the peer that ratios compare with


SUITES = {
    "single": "One call at a time",
    "scan": "Scanning",
    "radius": "Within a radius",
    "nearest": "The nearest",
    "embeddings": "Sentence embeddings",
    "build_and_memory": "Building and memory",
    "keeping": "Files and stores",
    "writing": "Beside writes",
    "scaling": "Sizes and threads",
    "adversarial": "Sets made to be slow",
    "planner": "Choosing a method",
    "postgres": "Beside PostgreSQL",
    "training": "Training and evaluation",
}
LISTINGS = {
    "single": Listing("Lone searches, uniform codes", "us per query", OURS),
    "streaming": Listing("Search for each code, then add it", "s", OURS),
    "adding": Listing("Adding", "us per code", OURS),
    "opening": Listing("From a file to the first answer", "us", OURS + " load, mmap"),
    "size": Listing("What a code takes on the disk", "bytes per code", OURS + " file"),
    "removing": Listing("Removing, one at a time", "us per code", OURS),
    "durable": Listing("Batches that are on the disk when the call returns", "us per batch", OURS + " store"),
    "beside writes": Listing(
        "A search for 20 queries in 1e7 codes of 64 bits, radius 2, beside 100,000 codes per second", "us", "at rest"
    ),
    "aged": Listing("After a thousand adds and removals", "us per query", "fresh"),
    "scan": Listing("k = 10, exhaustive, uniform codes, 1e6, batches of 256", "us per query", OURS),
    "stream": Listing("One query over 536 MB of codes", "GB/s", None),
    "radius": Listing("Everything within a radius", "us per query", OURS),
    "nearest": Listing("k = 10, real codes, 1e6 unless said, batches of 1000", "us per query", OURS),
    "build": Listing("From codes to the first answer by tables", "s", OURS),
    "memory": Listing("Memory of an index, everything included", "bytes per code", OURS),
    "large": Listing("1e8 codes and more", "us per query", None),
    "postgres": Listing("One query at a time, in one process beside a server", "us per query", OURS),
    "pairs": Listing("All pairs", "s", None),
    "threads": Listing("Threads", "us per query", "1 thread"),
    "sizes": Listing("Sizes, uniform codes of 64 bits", "us per query", None),
    "training": Listing("Training, batches of 256", "us per image or item", "bare PyTorch"),
    "evaluation": Listing("Every measure of 10,000 queries among 54,000 codes of 48 bits, all threads", "s", None),
    "adversarial": Listing("Beside the scan", "us per query", "hashindex scan"),
}


def number(cell: Cell, unit: str) -> float:
    """The cell's value in the unit of its listing."""
    if unit == "GB/s":
        return float(cell.info["bytes"]) / cell.seconds / 1e9
    if unit == "bytes per code":
        return float(cell.info["bytes"]) / float(cell.info["n_codes"])
    if cell.row == "large":
        return float(cell.info["batch_s"]) / float(cell.info["n_queries"]) * 1e6
    return cell.seconds if unit == "s" else cell.us


def times(ratio: float) -> str:
    return f"{ratio:,.0f}x" if ratio >= 10 else f"{ratio:.2g}x" if ratio >= 1.05 else f"{ratio:.2f}x"


def notes(cell: Cell) -> str:
    """Recall of what is not exact, settings, build time and peak memory."""
    parts = []
    if cell.recall < 1:
        parts.append(f"recall {cell.recall:.3f}")
    if cell.info.get("settings"):
        parts.append(cell.info["settings"])
    if cell.recall < 1 and (cell.info.get("build_s") or 0) > 10:
        parts.append(f"built in {cell.info['build_s']:.0f} s")
    if cell.row == "large":
        held, peak = (f"{cell.info[name] / 1e9:.1f} GB" for name in ("bytes", "peak_bytes"))
        first = f"{cell.info['first_batch_s']:.1f} s"
        if "nearest_s" in cell.info:
            parts.append(f"{held} on the disk, {peak} of memory at the peak, built in {cell.info['build_s']:.0f} s")
            parts.append(f"first batch {first}, k = 10 in {cell.info['nearest_s'] * 1e3:.0f} ms")
        else:
            parts.append(f"{held} held, {peak} at the peak, first batch with the tables' build {first}")
    return ", ".join(parts)


def rows(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """Markdown of rows below the names of their columns."""
    head = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    return ["", *head, *(f"| {' | '.join(line)} |" for line in lines)]


def listing(name: str, found: Sequence[Cell]) -> list[str]:
    """Markdown of one part; numbers in brackets are times the base's."""
    spec = LISTINGS[name]
    peers = list(dict.fromkeys(cell.peer for cell in found))
    lines = []
    for case in dict.fromkeys(cell.case for cell in found):
        row = {cell.peer: cell for cell in found if cell.case == case}
        base = number(row[spec.base], spec.unit) if spec.base in row else None
        texts = [case]
        for peer in peers:
            if peer not in row:
                texts.append("")
                continue
            value = number(row[peer], spec.unit)
            ratio = f" ({times(value / base)})" if base and peer != spec.base else ""
            remark = notes(row[peer])
            texts.append(shown(value) + ratio + (f"<br>{remark}" if remark else ""))
        lines.append(texts)
    return ["", f"### {spec.title}", *rows([spec.unit, *peers], lines)]


def planner(found: Sequence[Cell]) -> list[str]:
    """How far auto is from the best of the others: in all, and where it is farthest."""
    ratios = sorted(cell.info["to_best"] for cell in found)
    within = sum(ratio <= 1.25 for ratio in ratios) / len(ratios)
    lines = []
    for cell in sorted(found, key=lambda cell: -cell.info["to_best"])[:8]:
        us = cell.info["us"]
        columns = [shown(us[method]) if method in us else "too slow" for method in METHODS]
        lines.append([cell.case, *columns, f"{cell.info['to_best']:.2f}x"])
    return [
        "",
        "### auto beside the best of the others, after a while",
        "",
        f"{len(found)} cases: median {ratios[len(ratios) // 2]:.2f}x, within 1.25x in {within:.0%}, worst "
        f"{ratios[-1]:.2f}x. The worst:",
        *rows(["us per query", *METHODS, "auto / best"], lines),
    ]


def first_queries(found: Sequence[Cell]) -> list[str]:
    """What the first queries of a fresh index take in all: how many cells there are, and those that auto loses."""
    judged: list[dict[str, Any]] = [one for cell in found for one in cell.info["cells"]]
    lost = [one for one in judged if one["to_best"] > LOST and not one["negligible"]]
    lines = []
    for one in sorted(lost, key=lambda one: -float(one["to_best"])):
        ms = one["ms"]
        columns = [shown(ms[method]) if method in ms else "" for method in METHODS]
        lines.append([one["case"], f"{one['n_queries']:,} {one['way']}", *columns, f"{one['to_best']:.2f}x"])
    told = ["", "### The first queries of a fresh index", ""]
    if not lost:
        return [*told, f"{len(judged):,} cells; auto loses none of them to the best method by more than {LOST}x."]
    return [
        *told,
        f"{len(judged):,} cells; auto takes more than {LOST}x of the best method's time, and not just a moment more, "
        f"in {len(lost):,} of them:",
        *rows(["ms in all", "first queries", *METHODS, "auto / best"], lines),
        "",
        "A method without a number was far slower, or has nothing to build of so few codes.",
    ]


def embeddings(found: Sequence[Cell]) -> list[str]:
    """What searches of embeddings find, take and keep: a line each."""
    lines = []
    for cell in found:
        search = ", ".join(part for part in (cell.peer, cell.info["settings"]) if part)
        numbers = cell.us, float(cell.info["lone_us"]), float(cell.info["bytes"]) / float(cell.info["n_codes"])
        lines.append([cell.case, search, f"{cell.recall:.3f}", *map(shown, numbers)])
    n_codes = int(found[0].info["n_codes"])
    return [
        "",
        f"### The ten nearest by float of {n_codes:,} vectors of 384 dimensions",
        *rows(["kept", "search", "recall", "us per query of 1000", "us per query alone", "bytes per vector"], lines),
        "",
        END,
    ]


METHODS = ("auto", "scan", "multi-index", "clusters", "folds")
# Rows that are listed in their own way.
OTHERS = {"planner": planner, "first queries": first_queries, "embeddings": embeddings}


def section(suite: Suite) -> list[str]:
    """Markdown of one suite: the machine, then its listings."""
    found: dict[str, list[Cell]] = {}
    for cell in suite.cells:
        found.setdefault(cell.row, []).append(cell)
    facts = ("processor", "engine", "system", "date", "code")
    machine = [suite.machine[name] for name in facts if name in suite.machine]
    versions = [f"{name} {suite.machine[name]}" for name in VERSIONS if name in suite.machine]
    lines = ["", f"## {SUITES[suite.name]}", "", f"{'; '.join(machine)}. {', '.join(versions)}."]
    for row in [*LISTINGS, *OTHERS]:
        if row in found:
            lines += OTHERS[row](found[row]) if row in OTHERS else listing(row, found[row])
    return lines
