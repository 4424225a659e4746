"""The command ``hashindex reproduce``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..inputs.numbers import n_threads
from .checks import check_outputs, write_output
from .waiting import wait_passively

if TYPE_CHECKING:
    from ..reproduce.findings import Trial

SEEDS = 3


def describe(parser: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    parser.description = (
        "Train HashNet, HashNet without its parts, and every baseline; judge all of them by the same "
        "measures, with several seeds and confidence intervals. 'embedded' uses handwritten digits that come with "
        "scikit-learn and takes minutes on 2 cores; 'cifar10' trains from scratch on CIFAR-10-JPEG, which the folder "
        "named by HASHINDEX_DATA must hold, and takes an hour and more; its ResNet-18 part runs where there is a GPU."
    )
    parser.add_argument("which", choices=["embedded", "cifar10"], help="the experiments")
    parser.add_argument(
        "--seeds", type=int, default=SEEDS, metavar="N", help="seeds 0, 1, ... N - 1 (default: %(default)s)"
    )
    parser.add_argument("--only", metavar="NAME", help="one experiment of them")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every number to this file")
    parser.add_argument("--table", type=Path, metavar="FILE", help="write the listings to this file too, as Markdown")
    parser.add_argument(
        "--codes", type=Path, metavar="FOLDER", help="keep codes and labels there, for 'hashindex eval'"
    )


def run(options: argparse.Namespace) -> int:
    """Train and judge, print each trial as it ends and the listings at last; return 0.

    Raises
    ------
    ValueError
        An option cannot be used, or the data is not there.
    ImportError
        A package is missing.
    """
    if options.seeds < 1:
        raise ValueError(f"--seeds must be at least 1, got {options.seeds}")
    check_outputs({"--json": options.json, "--table": options.table})
    threads = n_threads()
    if options.codes is not None and options.codes.exists() and not options.codes.is_dir():
        raise ValueError(f"--codes {options.codes} is a file; name a folder")
    wait_passively()

    import torch

    from ..reproduce.experiment import run_all
    from ..reproduce.findings import Findings
    from ..reproduce.listing import listings
    from ..reproduce.tasks import CIFAR10, EMBEDDED
    from ..support.machine import describe

    experiments = list({"embedded": EMBEDDED, "cifar10": CIFAR10}[options.which])
    if options.only is not None:
        experiments = [one for one in experiments if one.name == options.only]
        if not experiments:
            raise ValueError(f"--only {options.only}: no such experiment in {options.which}")
    doable = [one for one in experiments if not one.needs_gpu or torch.cuda.is_available()]
    if not doable:
        raise ValueError(f"--only {options.only}: this experiment needs a GPU, and PyTorch finds none")
    found: list[Trial] = []
    try:
        for one in doable:
            n_processes, of_each = (1, threads) if one.alone else (threads, 1)
            found += run_all(
                [one], range(options.seeds), n_processes=n_processes, n_threads=of_each, folder=options.codes, say=_say
            )
    except FileNotFoundError as error:
        raise ValueError(error) from None
    only = "" if options.only is None else f" --only {options.only}"
    findings = Findings(
        title={"embedded": "HashNet on handwritten digits", "cifar10": "HashNet on CIFAR-10-JPEG"}[options.which],
        command=f"hashindex reproduce {options.which} --seeds {options.seeds}{only}",
        machine=describe(),
        n_threads=threads,
        titles={one.name: one.title for one in experiments},
        findings=tuple(found),
    )
    text = listings(findings)
    if options.json is not None:
        write_output("--json", options.json, findings.to_json())
    write_output("--table", options.table, f"# {findings.title}\n\n{text}\n")
    print(f"\n{text}")
    return 0


def _say(trial: Trial) -> None:
    print(
        f"{trial.experiment:<12} {trial.method:<28} seed {trial.seed}  MAP {trial.mean_average_precision:.4f}  "
        f"P@H<=2 {trial.precision_within_2:.4f}  {trial.train_seconds:.0f} s",
        flush=True,
    )
