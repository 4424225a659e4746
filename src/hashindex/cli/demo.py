"""The command ``hashindex demo``."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..inputs.numbers import MAX_BITS, n_threads
from .checks import check_outputs, missing, write_output
from .waiting import wait_passively

NEEDS = ("torch", "sklearn", "faiss", "matplotlib", "jinja2", "tqdm")
MIN_BITS = 4


def describe(parser: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    parser.description = (
        "Train HashNet on images of two handwritten digits, search the codes it makes with every engine, "
        "compare every answer with faiss, measure the speed of both, and write all of it into one HTML page. "
        "Takes 30 to 60 s on 2 cores and downloads nothing. "
        "Exit status: 0 all answers equal, 1 an answer differed, 2 the demo could not run."
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("report.html"),
        metavar="FILE",
        help="the page to write (default: %(default)s)",
    )
    parser.add_argument(
        "--n-bits", type=int, default=32, metavar="N", help="bits of a code, at least 4 (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="fixes data, training and pictures (default: %(default)s)"
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=None,
        metavar="N",
        help="threads of every search, faiss's included (default: HASHINDEX_NUM_THREADS, else all CPUs)",
    )


def run(options: argparse.Namespace) -> int:
    """Check everything that could fail before the work starts, then do it; return 0, or 1 if an answer differed.

    Raises
    ------
    ValueError
        An option cannot be used, or a package is missing.
    """
    if absent := missing(NEEDS):
        raise ValueError(f"{absent} not installed; pip install 'hashindex[demo]'")
    if not MIN_BITS <= options.n_bits <= MAX_BITS:
        raise ValueError(f"--n-bits must be between {MIN_BITS} and {MAX_BITS}, got {options.n_bits}")
    if options.seed < 0:
        raise ValueError(f"--seed must be at least 0, got {options.seed}")
    threads = n_threads(options.threads)
    check_outputs({"--output": options.output})
    wait_passively()

    from ..demo import job
    from ..demo.page.page import render
    from ..demo.summary import listing, summary

    result = job.run(options.n_bits, options.seed, threads, progress=True, say=lambda line: print(line, flush=True))
    write_output("--output", options.output, render(result))
    print(f"\n{listing(summary(result))}\n")
    print(f"{result.seconds:.0f} s; open {options.output.resolve().as_uri()}")
    return 0 if result.all_equal else 1
