"""The rows of the README: a few cells of the benchmarks, one of them lost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from cells import Cell, Suite, shown

OURS = "hashindex"
ROWS = (  # what it says; the cell's row and case; the peer beside it
    (
        "everything within 2 bits, uniform codes of 64 bits",
        "radius",
        "uniform, 64 bits, 1e6, radius 2",
        "faiss, best exact",
    ),
    ("ten nearest, codes of image patches, 256 bits", "nearest", "patches, 256 bits", "faiss IVF"),
    ("adding a code, one at a time (a call)", "adding", "64 bits, one at a time, to 1e6 codes", "faiss Flat"),
)
BETWEEN = re.compile(r"(<!-- rows by benchmarks/report.py -->\n).*?(<!-- end -->)", re.DOTALL)


def write_rows(isa: str, suites: Sequence[Suite], path: Path) -> None:
    """Put the rows between their marks; nothing if a cell of them was not measured."""
    cells = {(cell.row, cell.case, cell.peer): cell for suite in suites for cell in suite.cells}
    what = f"microseconds a query of large batches, among a million codes, one thread, {isa}"
    lines = [f"| {what} | hashindex | faiss |", "|---|---|---|"]
    for text, row, case, peer in ROWS:
        ours, theirs = cells.get((row, case, OURS)), cells.get((row, case, peer))
        if ours is None or theirs is None:
            return
        lines.append(f"| {text} | {shown(ours.us)} | {shown(theirs.us)}, {kind(theirs)} |")
    rows = "\n".join(lines) + "\n"
    old = path.read_text(encoding="utf-8")
    path.write_text(BETWEEN.sub(lambda marks: marks[1] + rows + marks[2], old), encoding="utf-8")


def kind(cell: Cell) -> str:
    """Which of faiss's indexes, and what it finds if that is not all."""
    if cell.recall < 1:
        return f"{cell.peer.removeprefix('faiss ')} with recall {cell.recall:.3f}"
    return str(cell.info["settings"]).removeprefix("faiss ").split()[0] if "best" in cell.peer else cell.peer[6:]
