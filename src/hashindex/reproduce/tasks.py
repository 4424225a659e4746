"""The experiments: which data, how many bits, which methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from ..learn import data
from ..learn.backbones import resnet18
from .methods import (
    ABLATIONS,
    BALANCED_ONLY,
    DEEP,
    DHN,
    DHN_BALANCED,
    FIXED_ALPHA,
    HASHNET,
    MODERN,
    ON_FEATURES,
    ON_PIXELS,
    WITH_PARTIAL,
    WITHOUT_WEIGHTS,
    Method,
)

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Experiment:
    """One listing: every method learns the same task, drawn by the seed, and is judged by the same codes' length."""

    name: str
    title: str
    load: Callable[..., data.Task]  # of seed=
    n_bits: int
    methods: tuple[Method, ...]
    training: dict[str, Any] = field(default_factory=dict)  # options of `Training` for every deep method
    backbone: Callable[[], nn.Module] | None = None  # of every deep method; None is by the shape of the images
    alone: bool = False  # one training at a time with all threads, as its time matters; else one thread each
    needs_gpu: bool = False


def _cifar10_all(*, seed: int) -> data.Task:  # noqa: ARG001 - there is nothing to draw
    return data.cifar10_all()


DIGITS = Experiment(
    "digits",
    "Handwritten digits, 10 classes, 500 training images",
    data.digits,
    16,
    (HASHNET, *ABLATIONS, DHN, *ON_PIXELS, *ON_FEATURES),
)
TWO_DIGITS = Experiment(
    "two-digits",
    "Two digits side by side, 100 classes, 1 % similar pairs, 3,000 training images",
    data.two_digits,
    32,
    (HASHNET, *ABLATIONS, BALANCED_ONLY, FIXED_ALPHA, DHN, DHN_BALANCED, *DEEP, *MODERN, *ON_PIXELS, *ON_FEATURES),
)
COLLAGE = Experiment(
    "collage",
    "2 x 2 digits, several labels, half of all pairs similar",
    data.collage,
    32,
    (HASHNET, *ABLATIONS, WITH_PARTIAL, DHN, *ON_PIXELS, *ON_FEATURES),
    {"n_steps": 300},
)
LONG_TAIL = Experiment(
    "long-tail",
    "Handwritten digits, 120 training images of one class down to 8 of another",
    data.long_tailed_digits,
    16,
    (HASHNET, WITHOUT_WEIGHTS, DHN, DHN_BALANCED, *ON_PIXELS, *ON_FEATURES),
)
EMBEDDED = (DIGITS, TWO_DIGITS, COLLAGE, LONG_TAIL)

CIFAR10_ALL = Experiment(
    "cifar10-all",
    "CIFAR-10-JPEG from scratch: 50,000 training images = database, 10,000 queries",
    _cifar10_all,
    48,
    (HASHNET,),
    alone=True,
)
CIFAR10_FEW = Experiment(
    "cifar10-few",
    "CIFAR-10-JPEG from scratch: 5,000 training images, 59,000 in the database, 1,000 queries",
    data.cifar10_few,
    48,
    (HASHNET, *ABLATIONS, DHN, DHN_BALANCED, *ON_FEATURES),
    {"n_steps": 1000, "batch_size": 128},  # 26 times every training image
)
CIFAR10_RESNET18 = tuple(
    Experiment(
        f"cifar10-resnet18-{n_bits}",
        "CIFAR-10-JPEG by ResNet-18 from scratch on a GPU: 50,000 training images = database, 10,000 queries",
        _cifar10_all,
        n_bits,
        (HASHNET,),
        {"n_steps": 12_000},  # 61 times every training image
        backbone=partial(resnet18, channels=3, small=True),
        alone=True,
        needs_gpu=True,
    )
    for n_bits in (16, 32, 48, 64)
)
CIFAR10 = (CIFAR10_ALL, CIFAR10_FEW, *CIFAR10_RESNET18)
