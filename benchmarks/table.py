"""Turn a pytest-benchmark JSON file into a Markdown table: microseconds per query and ratio to faiss.

python benchmarks/table.py benchmarks/results/search.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def main(path: str) -> None:
    report: dict[str, Any] = json.loads(Path(path).read_text())
    cells: dict[tuple[str, int], dict[str, float]] = {}
    for run in report["benchmarks"]:
        info = run["extra_info"]
        microseconds = run["stats"]["median"] / info["n_queries"] * 1e6
        cells.setdefault((info["work"], info["n_bits"]), {})[info["peer"]] = microseconds
    peers = list(dict.fromkeys(peer for row in cells.values() for peer in row))
    print("| us per query | " + " | ".join(peers) + " |")
    print("|---|" + "---|" * len(peers))
    for (work, n_bits), row in sorted(cells.items()):
        base = row["faiss Flat"]
        shown = [f"{row[p]:,.1f} ({base / row[p]:.1f}x)" if p != "faiss Flat" else f"{base:,.1f}" for p in peers]
        print(f"| {work}, {n_bits} bits | " + " | ".join(shown) + " |")
    print("\n" + "; ".join(f"{name}: {value}" for name, value in report["hashindex_machine"].items()))


if __name__ == "__main__":
    main(sys.argv[1])
