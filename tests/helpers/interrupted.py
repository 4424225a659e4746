"""Trainings of every kind, and a process in which each is killed half-way: `python interrupted.py FOLDER`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from clusters import clusters, dropout_net, multi_hot
from hashindex.learn import Continuation, HashNet, Plateau, Step

N_STEPS, EVERY, KILLED = 18, 5, 12  # steps in all, between checkpoints, before the death


def _conv() -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        convs = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 16, 3, stride=4)
    return nn.Sequential(convs[0], nn.BatchNorm2d(8), nn.ReLU(), convs[1], nn.Dropout2d(0.2), nn.Flatten())


FEATURES, IMAGES = clusters(60), clusters(60, shape=(3, 9, 8))
PHOTOS = clusters(60, shape=(3, 26, 27))
CASES: dict[str, tuple[NDArray[np.float32], NDArray[np.int64], dict[str, Any]]] = {
    "dropout": (*FEATURES, {"backbone": dropout_net()}),
    "jittered images and a memory bank": (*IMAGES, {"memory": 50}),
    "cropped images in bfloat16": (*PHOTOS, {"backbone": _conv(), "bf16": True, "backbone_rate": 0.3}),
    "multi-hot, plateau, global weights": (
        FEATURES[0],
        multi_hot(FEATURES[1]),
        {"continuation": Plateau([1, 2, 3, 5], patience=2, tolerance=0.9), "weights": "global", "memory": 20}
        | {"partial": True, "backbone": dropout_net()},
    ),
    "written schedule, frozen backbone": (
        *FEATURES,
        {"continuation": Continuation([0.5, 2], [0, 13]), "backbone": dropout_net(), "backbone_rate": 0, "seed": 8},
    ),
}


def fit(name: str, checkpoint: Path | None = None, progress: bool | Callable[[Step], None] = False) -> HashNet:
    """Train as a case says."""
    items, labels, options = CASES[name]
    model = HashNet(12, n_steps=N_STEPS, batch_size=16, device="cpu", **options)
    return model.fit(items, labels, checkpoint=checkpoint, checkpoint_every=EVERY, progress=progress)


def path_of(name: str, folder: Path) -> Path:
    """Return where the checkpoint of a case lies."""
    return folder / f"{name}.safetensors"


def die(*_: object) -> None:
    """End at once, as in a power cut."""
    os.kill(os.getpid(), signal.SIGKILL)


def _killed(train: Callable[[], object]) -> None:
    """Run something in a child that does not survive it."""
    child = os.fork()
    if child == 0:
        train()
        os._exit(0)  # still alive
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


def _kill_while_writing(path: Path) -> None:
    """Die in the second writing, when the new file is complete but for its name."""

    def progress(step: Step) -> None:
        if step.step == EVERY:
            os.fsync = die  # type: ignore[assignment]

    fit("dropout", path, progress)


def main(folder: Path) -> None:
    """Kill every training after `KILLED` steps, and one more while it writes."""
    torch.set_num_threads(1)
    fit("dropout")  # what PyTorch imports at the first step is then there for all
    for name in CASES:
        _killed(lambda name=name: fit(name, path_of(name, folder), lambda step: die() if step.step == KILLED else None))  # type: ignore[misc]
    _killed(lambda: _kill_while_writing(folder / "writing"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
