"""How a network is trained: the options that every method takes beside its own."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TypedDict

import torch

from ...inputs.numbers import check_at_least
from ..backbones import is_large
from ..devices import has_bf16


class TrainingOptions(TypedDict, total=False):
    """The fields of `Training`, as the keywords of every deep method."""

    n_steps: int | None
    batch_size: int
    learning_rate: float
    backbone_rate: float
    weight_decay: float
    balanced: bool
    augment: bool
    bf16: bool | None
    compile: bool
    device: str | torch.device | None


@dataclass(frozen=True)
class Training:
    """How a network is trained, whatever it learns by.

    Parameters
    ----------
    n_steps
        Training steps; None is 700 for features and tiny images, and 2,000 for images of 25 pixels a side and more.
    batch_size
        Items per step; all batch_size**2 pairs of a batch enter a pairwise loss.
    learning_rate
        The highest rate (AdamW); it rises for a tenth of the steps and then falls to zero along a cosine.
    backbone_rate
        Share of the learning rate for the backbone: 0 freezes it, 0.1 is usual for published weights.
    weight_decay
        Of matrices and kernels; norms and biases have none.
    balanced
        Whether a batch holds P classes with M items each, at least 4; multi-hot labels are always drawn at random.
    augment
        Whether training images are shifted and noised (tiny ones) or cropped and flipped. Features never change.
    bf16
        Whether the network computes in bfloat16 while it learns; None is where the CPU or GPU has it, for images of
        25 pixels a side and more. Losses and encoding stay in float32.
    compile
        Whether torch.compile is used; it needs a C++ compiler.
    device
        Where to compute, "cpu", "cuda" or a torch.device; None is the GPU if there is one. On devices of other kinds
        the seed does not fix dropout, whose random state is that of the device.

    Raises
    ------
    RuntimeError
        No kind of device has that name; `fit` and `load` raise it too where the device cannot be used.
    TypeError
        n_steps or batch_size is no integer.
    ValueError
        n_steps < 1, batch_size < 2, or a rate is not positive.
    """

    n_steps: int | None = None
    batch_size: int = 256
    learning_rate: float = 0.005
    backbone_rate: float = 1.0
    weight_decay: float = 0.05
    balanced: bool = True
    augment: bool = True
    bf16: bool | None = None
    compile: bool = False
    device: str | torch.device | None = None  # kept as a string

    def __post_init__(self) -> None:
        if self.device is not None:
            object.__setattr__(self, "device", str(torch.device(self.device)))
        for name, least in (("n_steps", 1), ("batch_size", 2)):
            value = getattr(self, name)
            if value is not None:
                check_at_least(value, name, least)
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate must be a positive number, got {self.learning_rate}")
        for name in ("backbone_rate", "weight_decay"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be 0 or a positive number, got {getattr(self, name)}")

    def resolved(self, item_shape: tuple[int, ...]) -> Training:
        """Return the same with every None replaced by what suits items of this shape here.

        RuntimeError if the device cannot be used here.
        """
        large = is_large(item_shape)
        device = str(self.device) if self.device else ("cuda" if torch.cuda.is_available() else "cpu")
        try:
            torch.empty(0, device=device)
        except (AssertionError, RuntimeError) as error:  # AssertionError where PyTorch is built without it
            why = str(error).partition("\n")[0]
            message = f"device {device!r} cannot be used here: {why}; leave device out to take the best there is"
            raise RuntimeError(message) from None
        return replace(
            self,
            n_steps=self.n_steps or (2000 if large else 700),
            bf16=large and has_bf16(device) if self.bf16 is None else self.bf16,
            device=device,
        )
