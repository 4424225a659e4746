"""What the trainer costs beside a bare PyTorch loop, what bfloat16 gains, and how long an evaluation takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hashindex.evaluate import evaluate
from hashindex.learn import HashNet
from hashindex.learn.backbones import default_backbone
from hashindex.support.threads import usable_cpus

pytestmark = pytest.mark.all_threads
BATCH, ROUNDS = 256, 7
SHAPES = {"images of 3 x 32 x 32, small_resnet": (3, 32, 32), "features of 512, mlp": (512,)}
STEPS = {3: 12, 1: 700}  # by the axes of an item: of images a glimpse, of features a whole training


def items(shape: tuple[int, ...]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 256, (4096, *shape), np.uint8)
    return values if len(shape) == 3 else values.astype(np.float32), rng.integers(0, 10, 4096)


def step_seconds(train: Callable[[Callable[[object], None]], object]) -> float:
    """Mean seconds from one step to the next."""
    ends: list[float] = []
    train(lambda _: ends.append(time.perf_counter()))
    return (ends[-1] - ends[0]) / (len(ends) - 1)


def hashnet(shape: tuple[int, ...], *, bf16: bool) -> Callable[[Callable[[object], None]], object]:
    x, labels = items(shape)
    # A glimpse has one stage: looking at the probes between ten would be in every step of a training so short.
    n_steps = STEPS[len(shape)]
    options: dict[str, Any] = {"continuation": n_steps > 100, "n_steps": n_steps, "bf16": bf16, "device": "cpu"}
    return lambda told: HashNet(48, **options).fit(x, labels, progress=told)


def cross_entropy(z: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The cheapest loss there is: ten of the outputs are logits."""
    return nn.functional.cross_entropy(z[:, :10], labels)


def pairwise(z: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """HashNet's loss of the first stage, in plain lines."""
    h = torch.tanh(z)
    logits = 10 / z.shape[1] * h @ h.T
    similar = labels[:, None] == labels
    weight = torch.where(similar, similar.numel() / similar.sum(), similar.numel() / (~similar).sum())
    losses = nn.functional.softplus(logits) - similar * logits
    return (weight * losses).sum() / weight.sum()


def bare(
    shape: tuple[int, ...], loss_of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], *, bf16: bool
) -> Callable[[Callable[[object], None]], object]:
    """The same network and optimiser, batches drawn at random, no augmentation."""
    x, labels = (torch.from_numpy(values) for values in items(shape))

    def train(told: Callable[[object], None]) -> None:
        backbone = default_backbone(shape).eval()
        width = backbone(torch.zeros(1, *shape)).shape[1]
        network = nn.Sequential(backbone, nn.Linear(width, 48), nn.BatchNorm1d(48, affine=False))
        if len(shape) == 3:
            network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        network.train()
        optimiser = torch.optim.AdamW(network.parameters(), lr=0.001)
        for step in range(STEPS[len(shape)]):
            if step % (len(x) // BATCH) == 0:
                batches = torch.split(torch.randperm(len(x)), BATCH)
            rows = batches[step % len(batches)]
            batch = x[rows].float()
            if len(shape) == 3:
                batch = batch.contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                z = network(batch)
            loss = loss_of(z.float(), labels[rows])
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            loss.item()
            told(step)

    return train


@pytest.mark.parametrize("case", SHAPES)
def test_training(benchmark: Any, case: str) -> None:
    shape = SHAPES[case]
    works = {}
    for bf16 in (False, True) if len(shape) == 3 else (False,):
        kind = ", bf16" if bf16 else ""
        works[f"bare PyTorch{kind}"] = bare(shape, pairwise, bf16=bf16)
        works[f"bare PyTorch, cross-entropy{kind}"] = bare(shape, cross_entropy, bf16=bf16)
        works[f"hashindex{kind}"] = hashnet(shape, bf16=bf16)
    before = torch.get_num_threads()
    torch.set_num_threads(usable_cpus())
    try:
        seconds: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(ROUNDS):  # in turns, so that a noisy moment hits all of them alike
            for name, work in works.items():
                seconds[name].append(step_seconds(work))
        us = {name: median(taken) / BATCH * 1e6 for name, taken in seconds.items()}
        threads = f"{usable_cpus()} threads"
        benchmark.extra_info.update(row="training", case=f"{case}, {threads}", us=us)
        benchmark.pedantic(works["hashindex"], args=(lambda _: None,), rounds=1)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("labels", ["10 classes", "100 classes", "80 classes, several each"])
def test_evaluation(benchmark: Any, labels: str) -> None:
    """Every measure of 10,000 queries and 54,000 codes of 48 bits; all threads."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 256, (64_000, 6), np.uint8)
    kinds = rng.random((64_000, 80)) < 0.03 if "several" in labels else rng.integers(0, int(labels.split()[0]), 64_000)
    parts = codes[:10_000], codes[10_000:], kinds[:10_000], kinds[10_000:]
    benchmark.extra_info.update(row="evaluation", case=labels, peer="hashindex")
    benchmark.pedantic(lambda: evaluate(*parts, n_bits=48), rounds=5, warmup_rounds=1)
