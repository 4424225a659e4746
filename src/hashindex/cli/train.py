"""The command ``hashindex train``."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from .checks import check_outputs, missing
from .stores import has_bars
from .waiting import wait_passively

NEEDS = ("PIL", "safetensors", "torch")


def describe(parser: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    parser.description = (
        "Train HashNet on pictures: those below FOLDER/CLASS/ are of that class. The model is one file, "
        "which encode takes. On a CPU small pictures take minutes, and large ones a GPU."
    )
    parser.epilog = "example: hashindex train pictures/ -o model.safetensors --n-bits 48 --size 32"
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a folder, or a .zip file, with a folder per class")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", required=True, help="the model to write")
    parser.add_argument("--n-bits", type=int, default=48, metavar="N", help="bits of a code (default: %(default)s)")
    parser.add_argument(
        "--size", type=int, metavar="N", help="pixels a side that pictures are brought to (default: as they are)"
    )
    parser.add_argument("--steps", type=int, metavar="N", help="batches to learn from (default: by the pictures' size)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="fixes everything random (default: 0)")
    parser.add_argument(
        "--checkpoint", type=Path, metavar="FILE", help="kept on the way; there, training goes on from it"
    )


def run(options: argparse.Namespace) -> int:
    """Train, write the model, tell how the training ended, and return 0; ValueError for what cannot be used."""
    check_outputs({"--output": options.output, "--checkpoint": options.checkpoint}, [options.folder])
    if absent := missing(NEEDS):
        raise ValueError(f"training needs {absent}: pip install 'hashindex[train]'")
    wait_passively()
    from ..learn import HashNet
    from ..learn.data.images import Images

    images = Images.below(options.folder, size=options.size)
    names = [path.partition("/")[0] if "/" in path else "" for path in images.paths]
    if "" in names:
        raise ValueError(
            f"{options.folder}: {images.paths[names.index('')]} lies in no folder, which would be its class"
        )
    classes, labels = np.unique(names, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            f"{options.folder}: all pictures are of the class {str(classes[0])!r}; two or more are to be told apart"
        )
    some = {} if options.steps is None else {"n_steps": options.steps}
    model = HashNet(n_bits=options.n_bits, seed=options.seed, **some)
    model.fit(images, labels.astype(np.int64), progress=has_bars(), checkpoint=options.checkpoint)
    model.save(options.output)
    losses = model.history.loss
    print(
        f"{options.output}: codes of {options.n_bits} bits, of {len(images)} pictures of {len(classes)} classes; "
        f"loss {losses[0]:.3f}, at the end {losses[-1]:.3f}"
    )
    return 0
