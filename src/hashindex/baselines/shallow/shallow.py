"""What the methods without a network share: fit on centred rows, encode block by block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...codes import pack
from ...inputs.items import as_floats, check_finite, check_items, check_labels, listing_all
from ...inputs.numbers import check_at_least, check_n_bits, code_size
from ..shared.classes import indicators, n_classes

if TYPE_CHECKING:
    from typing import Self

    from ...inputs.items import Items

Floats = NDArray[np.float64]

# Items computed at once. Each block is filled up to this size, so that every item meets the same arithmetic.
BLOCK = 64

# Values that fit holds of the items, of the classes and of the features made of them, each: 256 MiB.
MAX_VALUES = 2**25


class Projected(NamedTuple):
    """What a fit finds."""

    projection: Callable[[Floats], Floats]
    """Centred items (n, d) -> values (n, n_bits) whose signs are the code, row by row."""
    losses: Floats
    """The objective after each step, where the method has one."""


class Shallow(ABC):
    """A method that learns a projection of items and encodes with its signs. A subclass says how it learns.

    Attributes
    ----------
    item_shape
        The shape of one item, None before `fit`.
    losses
        The method's objective after each step of the last `fit`, float64 (n_steps,); empty where there is none.
    max_items
        Rows that `fit` learns from at most; of more items it draws that many, and fewer where rows are wide: 2**25
        values in all.
    """

    max_items: ClassVar[int] = 2**16
    needs_labels: ClassVar[bool] = False

    item_shape: tuple[int, ...] | None = None
    losses: Floats
    _mean: Floats
    _projection: Callable[[Floats], Floats]

    def __init__(self, n_bits: int = 32, seed: int = 0) -> None:
        self.n_bits = check_n_bits(n_bits)
        self.seed = check_at_least(seed, "seed", 0)

    @abstractmethod
    def learn(self, x: Floats, classes: Floats, rng: np.random.Generator) -> Projected:
        """Learn from centred items (n, d) and 0/1 classes (n, n_classes), (n, 0) where no labels are needed."""

    def fit(self, x: Any, labels: Any = None) -> Self:
        """Learn from items and return self; a fit that fails leaves the model as it was.

        Parameters
        ----------
        x
            Features (n, d) or images (n, channels, height, width), real numbers: an array, a memory map, a tensor.
        labels
            Class numbers, int (n,), or multi-hot 0/1 (n, n_classes): then one class in common makes a pair similar.
            LSH, SH and ITQ do not look at them.

        Raises
        ------
        TypeError
            Items are not real numbers, or labels not integers.
        ValueError
            Another shape, no items, values that are NaN or infinite, no labels for a method that learns from them.
        """
        items = check_items(x)
        if self.needs_labels and labels is None:
            raise ValueError(
                f"{type(self).__name__} learns from labels: call fit(x, labels) with class numbers (n,) or multi-hot "
                "0/1 (n, n_classes); LSH, SH and ITQ need none"
            )
        if not len(items):
            raise ValueError("expected at least 1 item to learn from, got none")
        known = check_labels(labels, len(items)) if self.needs_labels else np.zeros((len(items), 0), np.int64)
        check_finite(items)
        rng = np.random.default_rng(self.seed)
        width = max(int(np.prod(items.shape[1:])), n_classes(known))
        rows = _rows(len(items), min(self.max_items, max(MAX_VALUES // width, 2)), rng)
        values = as_floats(items[rows]).reshape(len(rows), -1).astype(np.float64)
        mean = values.mean(axis=0)
        values -= mean
        learned = self.learn(values, indicators(known[rows]), rng)
        self.item_shape = tuple(items.shape[1:])
        self._mean = mean
        self._projection, self.losses = learned
        return self

    def encode(self, x: Any) -> NDArray[np.uint8]:
        """Return the packed codes, uint8 (n, ceil(n_bits / 8)), bit = 1 iff the projected value > 0.

        An item's code does not depend on what is encoded along with it. Beside the codes, memory is that of one block
        of items.

        Raises
        ------
        RuntimeError
            Before `fit`.
        TypeError, ValueError
            Items of another kind or shape than in `fit`, values that are NaN or infinite.
        """
        items = check_items(x, self._shape())
        with listing_all(items):
            blocks = [np.empty((0, code_size(self.n_bits)), np.uint8), *map(pack, self._project(items))]
        return np.concatenate(blocks)

    def project(self, x: Any) -> Floats:
        """Return the values whose signs are the code, float64 (n, n_bits). Raises as `encode` does."""
        items = check_items(x, self._shape())
        with listing_all(items):
            return np.concatenate([np.empty((0, self.n_bits)), *self._project(items)])

    def _project(self, items: Items) -> Iterator[Floats]:
        filled = np.zeros((BLOCK, len(self._mean)))
        for start in range(0, len(items), BLOCK):
            block = as_floats(items[start : start + BLOCK], start)
            filled[: len(block)] = block.reshape(len(block), -1)
            yield self._projection(filled - self._mean)[: len(block)]

    def _shape(self) -> tuple[int, ...]:
        if self.item_shape is None:
            raise RuntimeError(f"this {type(self).__name__} has not been fitted yet: call fit(x, labels) first")
        return self.item_shape


def _rows(n: int, at_most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return np.arange(n) if n <= at_most else np.sort(rng.choice(n, at_most, replace=False))
