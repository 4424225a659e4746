"""The training loop: batch -> network -> objective -> step. What it needs to go on can be kept at any step.

Everything random is a function of (seed, step), and the learning rate, beta and the batches are functions of the
step: a training that was cut goes on from a checkpoint as if nothing had happened, bit for bit on the CPU.
"""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch import nn

from ..devices import to_device
from .augment import augmentation
from .progress import History, Step
from .sampler import balanced_batches, shuffled_batches
from .seeding import step_generator, step_seeds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from ...inputs.items import Items
    from ..losses.objective import Objective
    from .checkpoint import Checkpoint
    from .options import Training
    from .watch import Watch

_T = TypeVar("_T")


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
    return lambda rows: torch.from_numpy(_rows_of(items, rows.numpy()))


def _rows_of(items: Items, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Read each row once and in ascending order: HDF5 takes no other, and a file on disk is faster so."""
    ascending, places = np.unique(rows, return_inverse=True)
    return np.asarray(items[ascending], np.float32)[places]


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
