"""Batches for pairwise training: drawn at random, a batch of 100 classes would hold hardly a similar pair."""

from collections.abc import Iterator
from itertools import chain, cycle, islice, repeat

import torch


def balanced_batches(
    labels: torch.Tensor, batch_size: int, *, min_per_class: int = 4, generator: torch.Generator
) -> Iterator[torch.Tensor]:
    """Yield int64 (batch_size,) index batches without end: P classes with about M items each ("P x M").

    P = min(n_classes, batch_size // min_per_class), but at least 2 where there are 2 classes: one alone has no
    dissimilar pairs. Few items of many classes rather than many of few: classes that are hard to tell apart meet often
    enough to be parted. Classes take turns in random order, and so do the items of each class: none is drawn a second
    time before all others had their turn.
    """
    sizes = torch.unique(labels, return_counts=True)[1].tolist()
    n_chosen = min(len(sizes), max(batch_size // min_per_class, 2))
    by_class = torch.argsort(labels, stable=True).split(sizes)  # type: ignore[no-untyped-call]
    items = [_take_turns(rows, generator) for rows in by_class]
    for chosen in _groups(_take_turns(torch.arange(len(sizes)), generator), n_chosen):
        yield torch.tensor(list(map(next, islice(cycle([items[c] for c in chosen]), batch_size))))


def shuffled_batches(n: int, batch_size: int, *, generator: torch.Generator) -> Iterator[torch.Tensor]:
    """Yield int64 (batch_size,) index batches of 0..n - 1 without end, each once before any comes again."""
    turns = _take_turns(torch.arange(n), generator)
    while True:
        yield torch.tensor(list(islice(turns, batch_size)))


def _groups(turns: Iterator[int], n: int) -> Iterator[list[int]]:
    """Group turns by n different values; one whose next turn comes too early waits for the next group."""
    waiting: list[int] = []
    while True:
        group = waiting
        again: list[int] = []
        while len(group) < n:
            value = next(turns)
            (again if value in group else group).append(value)
        yield group
        waiting = again


def _take_turns(values: torch.Tensor, generator: torch.Generator) -> Iterator[int]:
    orders = (torch.randperm(len(values), generator=generator) for _ in repeat(None))
    return chain.from_iterable(values[order].tolist() for order in orders)
