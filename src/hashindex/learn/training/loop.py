"""The training loop: batch -> network -> objective -> step. What it needs to go on can be kept at any step.

Everything random is a function of (seed, step), and the learning rate, beta and the batches are functions of the
step: a training that was cut goes on from a checkpoint as if nothing had happened, bit for bit on the CPU.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch import nn

from ...inputs.numbers import check_at_least
from ..backbones import is_large
from .augment import augmentation
from .progress import History, Step
from .sampler import balanced_batches, shuffled_batches
from .seeding import step_generator, step_seeds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...inputs.items import Items
    from ..losses.objective import Objective
    from .checkpoint import Checkpoint
    from .watch import Watch

_T = TypeVar("_T")


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
        Where to compute, "cpu", "cuda" or a torch.device; None is the GPU if there is one.

    Raises
    ------
    RuntimeError
        There is no such device.
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
    device: str | None = None

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
        """Return the same with every None replaced by what suits items of this shape here."""
        large = is_large(item_shape)
        device = self.device or ("cuda" if torch.cuda.is_available() else "cpu")
        return Training(
            **{
                **vars(self),
                "n_steps": self.n_steps or (2000 if large else 700),
                "bf16": large and _has_bf16(device) if self.bf16 is None else self.bf16,
                "device": device,
            }
        )


def train(
    network: nn.Sequential,
    objective: Objective,
    items: Items,
    labels: torch.Tensor,
    training: Training,
    seed: int,
    *,
    report: Callable[[Step], None],
    watch: Watch,
    checkpoint: Checkpoint | None,
) -> History:
    """Train ``network`` (backbone, hash layer) in place and return the course of it.

    ``training`` is resolved. ``watch`` looks before every step and at the end. With a ``checkpoint`` the training
    goes on where that was written, and is written there now and then.

    Raises
    ------
    ArithmeticError
        The loss is no longer a number.
    """
    n_steps = training.n_steps or 0
    device = torch.device(training.device or "cpu")
    network.train()
    if training.backbone_rate == 0:
        network[0].requires_grad_(False).eval()
    optimiser = torch.optim.AdamW(_groups(network, objective, training), lr=training.learning_rate)
    rates = [group["lr"] for group in optimiser.param_groups]
    rise = 0.1 if n_steps != 10 else 0.2  # OneCycleLR divides by zero if the rise ends with the very first step
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rates, n_steps, pct_start=rise)
    parts = {
        "network": network,
        "objective": objective,
        "optimiser": optimiser,
        "schedule": schedule,
        "watch": watch,
    }
    steps: list[Step] = checkpoint.resume(parts) if checkpoint else []
    forward: Any = torch.compile(network) if training.compile else network
    read = _reader(items)
    augment = augmentation(tuple(items.shape[1:])) if training.augment else None
    draws = islice(_ahead(zip(_batches(labels, training, seed), step_seeds(seed), strict=True)), len(steps), n_steps)
    for step, (rows, step_seed) in enumerate(draws, len(steps)):
        watch(step)
        inputs = read(rows)
        generator = step_generator(step_seed)
        if augment:
            inputs = augment(inputs, generator=generator)
        with torch.autocast(device.type, torch.bfloat16, enabled=bool(training.bf16)):
            z = forward(to_device(inputs, device))
        loss = objective(z.float(), labels[rows].to(device), rows, step)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
        value = loss.item()
        if not math.isfinite(value):
            raise ArithmeticError(f"the loss became {value} at step {step}; a lower learning_rate may help")
        steps.append(Step(step, *objective.describe(step), value))
        objective.observe(step, value)
        report(steps[-1])
        if checkpoint:
            checkpoint.keep(parts, steps, last=step == n_steps - 1)
    watch.finish(n_steps)
    return History(*(np.array(column) for column in zip(*steps, strict=True)))


def to_device(inputs: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Bring items to a device; images with their channels last, which convolutions read fastest."""
    if inputs.ndim == 4:
        return inputs.to(device, memory_format=torch.channels_last)
    return inputs.to(device)


def _batches(labels: torch.Tensor, training: Training, seed: int) -> Iterator[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    if labels.ndim == 1 and training.balanced:
        return balanced_batches(labels, training.batch_size, generator=generator)
    return shuffled_batches(len(labels), training.batch_size, generator=generator)


def _reader(items: Items) -> Callable[[torch.Tensor], torch.Tensor]:
    """Make what reads rows as new float32 items, which were all looked at before; floats in memory in all threads."""
    if (
        isinstance(items, np.ndarray)
        and items.dtype == np.float32
        and items.flags.writeable
        and items.flags.c_contiguous
    ):
        return torch.from_numpy(items).__getitem__
    return lambda rows: torch.from_numpy(np.asarray(items[rows.numpy()], np.float32))


def _ahead(draws: Iterator[_T], n: int = 32) -> Iterator[_T]:
    """Draw ``n`` at a time: between training steps, which empty the caches, each would take five times as long."""
    while block := list(islice(draws, n)):
        yield from block


def _groups(network: nn.Sequential, objective: Objective, training: Training) -> list[dict[str, Any]]:
    """Parameters by learning rate and weight decay."""
    backbone, *head = network
    groups: dict[tuple[float, float], list[torch.Tensor]] = {}
    for modules, share in (([backbone], training.backbone_rate), ([*head, objective], 1.0)):
        for parameter in (p for module in modules for p in module.parameters() if p.requires_grad):
            decay = training.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((share * training.learning_rate, decay), []).append(parameter)
    return [{"params": each, "lr": rate, "weight_decay": decay} for (rate, decay), each in groups.items()]


def _has_bf16(device: str) -> bool:
    """Whether bfloat16 is fast there: GPUs that compute in it, CPUs with AVX512-BF16 or AMX."""
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported())
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return device == "cpu" and any(getattr(torch.cpu, name, lambda: False)() for name in names)
