"""The command ``hashindex encode``."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..codes import to_hex
from . import listing
from .checks import missing
from .names import readable
from .train import NEEDS
from .waiting import wait_passively


def describe(parser: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    parser.description = (
        "Make a code of each picture below a folder, by a model that train wrote: a row each, the code in "
        "hexadecimal and the path, which build and search take."
    )
    parser.epilog = "example: hashindex encode model.safetensors pictures/ | hashindex build --keys -o store/"
    parser.add_argument("model", type=Path, metavar="MODEL", help="a model, as train writes it")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a folder of pictures, or a .zip file")
    listing.add_options(parser)


def run(options: argparse.Namespace) -> int:
    """Encode, write a row for each picture, and return 0; ValueError for what cannot be used."""
    to = listing.check(options, [options.model, options.folder])
    if absent := missing(NEEDS):
        raise ValueError(f"encoding needs {absent}: pip install 'hashindex[train]'")
    wait_passively()
    from ..learn import HashNet
    from ..learn.data.images import Images

    model = HashNet.load(options.model)
    shape = model.item_shape or ()
    if len(shape) != 3:
        raise ValueError(f"{options.model}: encodes features of shape {shape}, not pictures")
    _, height, width = shape
    images = Images.below(options.folder, size=(height, width))
    rows = zip(to_hex(model.encode(images)), map(readable, images.paths), strict=True)
    listing.write(options.output, to, ("code", "note"), rows)
    return 0
