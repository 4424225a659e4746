"""docs/comparison.md: the best of each library in every case that was measured, lost ones first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from abilities import ABILITIES, CHECKED, READ
from cells import Cell, Suite, shown
from listings import LISTINGS, OURS, number, rows, times

ENOUGH = 0.98  # recall of what counts as found
APPROXIMATE = ("hashindex recall", "IVF", "HNSW", "pynear MIH")  # of the nearest, by what their names say
EXPECTED = {  # by listing: whose cells a full run has, as tests/connect/test_peers.py checks
    "radius": ("faiss, best exact", "pynear, best exact"),
    "nearest": (
        *("faiss Flat", "faiss IVF", "faiss HNSW", "usearch HNSW"),
        *("pynear MIH", "pynear IVF", "pynear HNSW", "pynear VPTree"),
    ),
}
COLUMNS = ("faiss", "usearch", "pynear", "pgvector", "PostgreSQL", "SQLite", "NumPy")
PAGE = """# Beside faiss, usearch, pynear and pgvector

The fastest of each library's indexes and settings that were tried and do the same work, from the same runs as [the
benchmarks](benchmarks.md), which list them. Times are medians, on one thread. In brackets: the time divided by
hashindex's. Less than 1x is a cell that hashindex loses, and those come first. A case begins with the instructions of
its run, and its machine stands above each table; all that was measured, and the versions: {pages}.

{links}
"""
LOST = "Where hashindex loses"
WORDS = """
Not compared: threads, GPUs, floats. usearch has no search within a radius: its `radius=` changes nothing.{missing}"""
BEYOND = "What others can, and hashindex cannot"


class Kind(NamedTuple):
    """Work that can be compared: where it is measured, and what may miss some of the nearest (None: whatever does)."""

    title: str
    listings: tuple[str, ...]
    ours_may_miss: bool = False
    others_may_miss: bool | None = False


KINDS = (
    Kind("Within a radius", ("radius",)),
    Kind("Exact k nearest", ("nearest", "scan")),
    Kind("Exact k nearest beside approximate peers at recall 0.98", ("nearest",), others_may_miss=True),
    Kind("Approximate k nearest on both sides, at recall 0.98", ("nearest",), ours_may_miss=True, others_may_miss=True),
    Kind("One query at a time", ("single", "streaming")),
    Kind("Building, adding and removing", ("build", "adding", "removing"), others_may_miss=None),
    Kind("Memory", ("memory",), others_may_miss=None),
    Kind("Files", ("opening", "size", "durable"), others_may_miss=None),
    Kind("Rows of PostgreSQL", ("postgres",), others_may_miss=None),
)


class Row(NamedTuple):
    """One case on one machine: ours, and the best cell of every other library."""

    kind: Kind
    listing: str
    isa: str
    case: str
    machine: str
    ours: Cell
    best: dict[str, Cell]

    @property
    def work(self) -> str:
        """What is done, where the title of the kind does not say it."""
        return LISTINGS[self.listing].title if self.kind.others_may_miss is None else self.kind.title

    def value(self, cell: Cell) -> float:
        return number(cell, LISTINGS[self.listing].unit)

    def ratio(self, cell: Cell) -> float:
        return self.value(cell) / self.value(self.ours)


def page(measured: dict[str, list[Suite]]) -> str:
    """Markdown of what was measured, by instructions."""
    found = [row for kind in KINDS for row in compared(kind, measured)]
    lines = lost(found, missing(measured))
    for kind in KINDS:
        of_kind = [row for row in found if row.kind == kind]
        if of_kind:
            lines += ["", f"## {kind.title}"]
        for name in kind.listings:
            of_name = [row for row in of_kind if row.listing == name]
            lines += table(of_name, list(measured), titled=len(kind.listings) > 1)
    titles = [LOST, *(kind.title for kind in KINDS if any(row.kind == kind for row in found)), BEYOND]
    links = "\n".join(f"- [{title}](#{anchor(title)})" for title in titles)
    pages = ", ".join(f"[{isa}](benchmarks/{isa}.md)" for isa in measured)
    return PAGE.format(pages=pages, links=links) + "\n".join([*lines, *abilities()]) + "\n"


def anchor(title: str) -> str:
    """What a heading is linked by."""
    return "".join(one for one in title.lower().replace(" ", "-") if one.isalnum() or one == "-")


def compared(kind: Kind, measured: dict[str, list[Suite]]) -> Iterator[Row]:
    """The rows of one kind of work, of all machines; those with nobody beside us are left out."""
    for name in kind.listings:
        for isa, suites in measured.items():
            cells = [cell for suite in suites for cell in suite.cells if cell.row == name]
            machine = "; ".join(described(suite.machine) for suite in suites if any(c.row == name for c in suite.cells))
            for case in dict.fromkeys(cell.case for cell in cells):
                of_case = [cell for cell in cells if cell.case == case]
                ours = mine(kind, LISTINGS[name].base, of_case)
                best = {library: one for library in COLUMNS if (one := best_of(kind, library, of_case))}
                if ours and best:
                    yield Row(kind, name, isa, case, machine, ours, best)


def mine(kind: Kind, base: str | None, cells: Sequence[Cell]) -> Cell | None:
    wanted = f"{OURS} recall" if kind.ours_may_miss else base
    return next((cell for cell in cells if cell.peer == wanted), None)


def best_of(kind: Kind, library: str, cells: Sequence[Cell]) -> Cell | None:
    """The fastest that finds enough; where none does, the one that finds most."""
    fit = [
        cell
        for cell in cells
        if cell.peer.split()[0].rstrip(",") == library and kind.others_may_miss in (None, may_miss(cell))
    ]
    enough = [cell for cell in fit if cell.recall >= ENOUGH]
    if enough:
        unit = LISTINGS[enough[0].row].unit
        return min(enough, key=lambda cell: number(cell, unit))
    return max(fit, key=lambda cell: cell.recall, default=None)


def may_miss(cell: Cell) -> bool:
    """Whether what was measured may miss some of the nearest."""
    return cell.row == "nearest" and any(name in cell.peer for name in APPROXIMATE)


def described(machine: dict[str, str]) -> str:
    """A machine and the day of its run, in a few words."""
    return f"{machine['processor']}, {machine['date'][:10]}"


def missing(measured: dict[str, list[Suite]]) -> str:
    """Whose cells a full run has and the runs at hand have not, as a list; nothing if there are none."""
    lines = []
    for isa, suites in measured.items():
        for name, peers in EXPECTED.items():
            there = {cell.peer for suite in suites for cell in suite.cells if cell.row == name}
            absent = [peer for peer in peers if peer not in there]
            if absent:
                lines.append(f"- {isa}, {LISTINGS[name].title}: {'; '.join(absent) if there else 'nothing measured'}")
    return "\n".join(["", "", "Not measured yet:", "", *lines]) if lines else ""


def lost(found: Sequence[Row], absent: str) -> list[str]:
    """Every cell of less than ours, the worst first."""
    worse = [
        (row, cell) for row in found for cell in row.best.values() if cell.recall >= ENOUGH and row.ratio(cell) < 1
    ]
    worse.sort(key=lambda one: one[0].ratio(one[1]))
    lines = [
        [
            row.work,
            f"{row.isa}: {row.case}",
            f"{shown(row.value(row.ours))} {LISTINGS[row.listing].unit}",
            f"{shown(row.value(cell))}, {named(cell)}",
            times(row.ratio(cell)),
        ]
        for row, cell in worse
    ]
    head = f"{len(worse)} of {sum(len(row.best) for row in found)} cells: less time or fewer bytes elsewhere."
    columns = ["work", "case", OURS, "other", "times"]
    return ["", f"## {LOST}", "", head, *rows(columns, lines), *WORDS.format(missing=absent).split("\n")]


def named(cell: Cell) -> str:
    """Which index, its settings, and what it finds if that is not all."""
    settings = str(cell.info.get("settings") or "")
    known = "best" in cell.peer or settings.startswith("recall=")  # then the settings name it
    parts = [settings] if known else [cell.peer, settings]
    if cell.recall < 1:
        parts.append(f"recall {cell.recall:.3f}")
    return ", ".join(part for part in parts if part)


def runs(found: Sequence[Row], isas: Sequence[str]) -> str:
    """The machines of these rows, and the instructions with which nothing of the kind was measured."""
    told = [f"{isa}: {machine}" for isa, machine in dict.fromkeys((row.isa, row.machine) for row in found)]
    without = [isa for isa in isas if all(row.isa != isa for row in found)]
    return ". ".join(told + ([f"Not measured: {', '.join(without)}"] if without else [])) + "."


def table(found: Sequence[Row], isas: Sequence[str], *, titled: bool) -> list[str]:
    """One listing: a row for each case, a column for each library that was measured in some."""
    if not found:
        return []
    spec = LISTINGS[found[0].listing]
    libraries = [name for name in COLUMNS if any(name in row.best for row in found)]
    lines = []
    for row in found:
        line = [f"{row.isa}: {row.case}", shown(row.value(row.ours)) + below(row.ours, OURS)]
        for name in libraries:
            cell = row.best.get(name)
            line.append(f"{shown(row.value(cell))} ({times(row.ratio(cell))}){below(cell, name)}" if cell else "")
        lines.append(line)
    head = ["", f"### {spec.title}"] if titled else []
    return [*head, "", runs(found, isas), *rows([spec.unit, OURS, *libraries], lines)]


def below(cell: Cell, library: str) -> str:
    """What stands below a number: the index by its name, without that of the library."""
    text = named(cell).removeprefix(library).strip(" ,")
    return f"<br>{text}" if text else ""


def abilities() -> list[str]:
    """What others can, from `abilities.py`."""
    versions = ", ".join(f"{name} {version}" for name, version in CHECKED.items())
    columns = ["", *list(dict.fromkeys(library for ability in ABILITIES for library in ability.who))]
    lines = [[ability.what, *(ability.who.get(name, "") for name in columns[1:])] for ability in ABILITIES]
    told = f"Tried with {versions}. The last {len(READ)} rows were read in the packages and on PyPI."
    return ["", f"## {BEYOND}", "", told, *rows(columns, lines)]


def write_comparison(measured: dict[str, list[Suite]], docs: Path) -> None:
    (docs / "comparison.md").write_text(page(measured), encoding="utf-8")
