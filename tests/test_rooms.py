"""The rooms of the package, from top to bottom: imports go downwards only, and never in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import hashindex

PACKAGE = Path(hashindex.__file__).parent

# Each line may import from the lines below it, and a room from itself. A module at the top of the package is a room.
FLOORS = (
    ("__main__",),
    ("cli",),
    ("demo", "reproduce"),
    ("connect",),
    ("baselines", "evaluate"),
    ("learn",),
    ("__init__",),
    ("index",),
    ("explain",),
    ("writing",),
    ("search",),
    ("store",),
    ("structures",),
    ("segments",),
    ("engines",),
    ("codes", "matches"),
    ("pages",),
    ("inputs",),
    ("support",),
    ("_core",),
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def modules() -> dict[str, Path]:
    """The dotted name, below the package, of every module and stub."""
    files = [*PACKAGE.rglob("*.py"), *PACKAGE.glob("*.pyi")]
    return {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in files}


def imported(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The modules of the package that a module imports, wherever it does: type-only and late imports too."""
    inside = ["hashindex", *name.split(".")[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = inside[: len(inside) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        for full in names:
            parts = full.split(".")
            if parts[0] != "hashindex":
                continue
            for end in range(len(parts), 0, -1):  # the longest part that is a module; the rest is a name in it
                below = ".".join(parts[1:end])
                if below in known or f"{below}.__init__".lstrip(".") in known:
                    yield below if below in known else f"{below}.__init__".lstrip(".")
                    break


def graph() -> dict[str, set[str]]:
    known = modules()
    return {name: {one for one in imported(name, path, known) if one != name} for name, path in known.items()}


def room(module: str) -> str:
    return module.split(".")[0]


def test_every_room_has_a_floor_and_every_floor_a_room() -> None:
    assert {room(name) for name in modules()} == set(FLOOR)


def test_imports_go_downwards_only() -> None:
    upward = [
        f"{name} imports {other}"
        for name, others in graph().items()
        for other in others
        if room(name) != room(other) and FLOOR[room(name)] >= FLOOR[room(other)]
    ]
    assert upward == []


def test_no_imports_go_in_a_circle() -> None:
    try:
        tuple(TopologicalSorter(graph()).static_order())
    except CycleError as error:
        raise AssertionError(f"a circle: {' <- '.join(error.args[1])}") from None
