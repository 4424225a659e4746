"""What a training tells of its course: each step as it happens, and the history afterwards."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Step(NamedTuple):
    """What a progress callback is told after a training step."""

    step: int
    stage: int
    beta: float
    loss: float


class History(NamedTuple):
    """One entry per training step: step and stage int64, beta and loss float64, all (n_steps,)."""

    step: NDArray[np.int64]
    stage: NDArray[np.int64]
    beta: NDArray[np.float64]
    loss: NDArray[np.float64]


@contextmanager
def reporter(progress: bool | Callable[[Step], None], name: str, n_steps: int) -> Iterator[Callable[[Step], None]]:
    """Yield what to call after each step: the callback, a tqdm bar with the method's name, or nothing."""
    if callable(progress):
        yield progress
        return
    bar_class = _tqdm() if progress else None
    if bar_class is None:
        yield lambda _: None
        return
    with bar_class(total=n_steps, desc=name, unit="step") as bar:

        def show(step: Step) -> None:
            if step.step > bar.n:  # the training goes on from a checkpoint
                bar.initial = bar.n = step.step
            bar.set_postfix(stage=step.stage, beta=f"{step.beta:.2f}", loss=f"{step.loss:.4f}", refresh=False)
            bar.update()

        yield show


def _tqdm() -> Any:
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm
