"""Where randomness comes from: the seed and the step, never what ran before; and none of it gets out."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def own_random_state(seed: int) -> Iterator[None]:
    """Seed the global generators, which draw initial weights, and put back their states afterwards."""
    gpus = list(range(torch.cuda.device_count()))
    with torch.random.fork_rng(devices=gpus):
        torch.default_generator.manual_seed(seed)
        if gpus:
            torch.cuda.manual_seed_all(seed)
        yield


def step_seeds(seed: int) -> Iterator[int]:
    """Yield the seeds of steps 0, 1, 2, ..."""
    for step in count():
        yield int(np.random.SeedSequence((seed, step)).generate_state(1, np.uint64)[0] >> 1)


def step_generator(step_seed: int) -> torch.Generator:
    """What is random in one step: its own generator for augmentation, and the global one for dropout."""
    torch.default_generator.manual_seed(step_seed)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]  # else torch keeps a call and its stack per step
        torch.cuda.manual_seed_all(step_seed)
    return torch.Generator().manual_seed(step_seed)
