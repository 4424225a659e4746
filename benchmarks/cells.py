"""What the suites measured, as read from their JSON files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple


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
        return self.seconds / float(self.info.get("n_queries", 1)) * 1e6

    @property
    def recall(self) -> float:
        """Share of the neighbours found; 1 for all that is exact."""
        recall = self.info.get("recall")
        return 1.0 if recall is None else float(recall)


class Suite(NamedTuple):
    """The cells of one file, and the machine that they come from."""

    name: str
    machine: dict[str, str]
    cells: list[Cell]


def read(path: Path) -> Suite:
    """Read the file of one suite; cells without a row are none of the report's."""
    report = json.loads(path.read_text(encoding="utf-8"))
    cells = []
    for run in report["benchmarks"]:
        info = run["extra_info"]
        if "row" not in info:
            continue
        if "us" in info and "peer" not in info:  # several peers, timed in turns
            cells += [
                Cell(info["row"], info["case"], peer, us / 1e6, of_peer(info, peer)) for peer, us in info["us"].items()
            ]
        else:
            cells.append(Cell(info["row"], info["case"], info["peer"], run["stats"]["median"], info))
    return Suite(path.stem, {**report["hashindex_machine"], "code": code(report["commit_info"])}, cells)


def code(commit: dict[str, Any]) -> str:
    """Which code was measured."""
    return f"commit {commit['id'][:7]}" + (" with changes" if commit["dirty"] else "")


def of_peer(info: dict[str, Any], peer: str) -> dict[str, Any]:
    """What is said of one of several peers: recall and settings may be given by peer."""
    own = {name: info[name].get(peer) for name in ("recall", "settings") if isinstance(info.get(name), dict)}
    return info | own


def shown(value: float) -> str:
    """Three digits that matter."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
