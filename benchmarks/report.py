"""Write the pages of benchmarks, the comparison, and what the README and docs/radius.md show of results.

python benchmarks/report.py [folder of results [folder to write to]]
"""

from __future__ import annotations

import sys
from pathlib import Path

from cells import Suite, read
from chart import draw
from comparison import write_comparison
from listings import SUITES, section
from radii_page import write_radii
from readme import write_rows

ROOT = Path(__file__).parent.parent
ISAS = {  # a folder of results each; the README shows the first that there is
    "avx512": "x86-64 with AVX-512 and VPOPCNTDQ: Ice Lake, Zen 4 and later",
    "avx512bw": "x86-64 with AVX-512, without VPOPCNTDQ: Skylake-X, Cascade Lake",
    "avx2": "x86-64 with AVX2 alone: Zen 3, Haswell, most desktops",
    "popcnt": "x86-64 without AVX2",
    "neon": "AArch64",
    "scalar": "anything else",
}
FRONT = """# Benchmarks

`make bench` measures on the machine it runs on and writes these pages, one for each kind of vector instructions:

{links}

Times are medians, on one thread unless said; first queries are the least of some rounds, and removing and adding to
graphs were measured once. In brackets: the ratio to the reference column, which is the one without brackets. More than
1x is slower or larger than that; less than 1x beside hashindex is a cell that it loses. Answers of searches were
compared with faiss's exhaustive search before they were timed, all or a sample of them. What is not exact shows its
recall. Queries are repeated from round to round, alike for every library. [Another page](comparison.md) has the best of
each library, and the cells among them that hashindex loses.

```{{toctree}}
:hidden:

{names}
```
"""
PAGE = """# Benchmarks: {isa}

{cpus}. How to read the numbers: [benchmarks](../benchmarks.md).

![Microseconds per query of hashindex and its peers](../pictures/{picture})
"""


def page(isa: str, suites: list[Suite], docs: Path) -> None:
    """The page of one ISA, and its picture."""
    picture = f"benchmarks_{isa}.png"
    draw(suites, docs / "pictures" / picture)
    head = PAGE.format(isa=isa, cpus=ISAS[isa], picture=picture)
    text = head + "\n".join(line for suite in suites for line in section(suite)) + "\n"
    (docs / "benchmarks" / f"{isa}.md").write_text(text, encoding="utf-8")


def main(results: Path, docs: Path) -> None:
    for folder in ("pictures", "benchmarks"):
        (docs / folder).mkdir(parents=True, exist_ok=True)
    measured = {
        isa: [read(path) for name in SUITES if (path := results / isa / f"{name}.json").exists()] for isa in ISAS
    }
    measured = {isa: suites for isa, suites in measured.items() if suites}
    for isa, suites in measured.items():
        page(isa, suites, docs)
    links = "\n".join(f"- [{isa}](benchmarks/{isa}.md): {ISAS[isa]}" for isa in measured)
    names = "\n".join(f"benchmarks/{isa}" for isa in measured)
    (docs / "benchmarks.md").write_text(FRONT.format(links=links, names=names), encoding="utf-8")
    write_comparison(measured, docs)
    if (results / "radii.json").exists():
        write_radii(results, docs)
    if (docs.parent / "README.md").exists() and measured:
        write_rows(*next(iter(measured.items())), docs.parent / "README.md")


if __name__ == "__main__":
    given = [Path(argument) for argument in sys.argv[1:]]
    main(*(given + [ROOT / "benchmarks" / "results", ROOT / "docs"][len(given) :]))
