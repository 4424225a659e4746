"""Items to z, block by block: constant memory, and the same bits for an item whatever comes along with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from ..inputs.items import as_floats, check_items
from .training.loop import to_device

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import ArrayLike, NDArray
    from torch import nn

    from ..inputs.items import Items

# Items computed at once. Each block is filled up to this size, so that every item meets the same arithmetic.
BLOCK = 64


def blocks_of(items: Items) -> Iterator[NDArray[np.float32]]:
    """Cut items into blocks."""
    for start in range(0, len(items), BLOCK):
        yield items[start : start + BLOCK]


def project(
    network: nn.Module, pieces: Iterable[ArrayLike | torch.Tensor], item_shape: tuple[int, ...]
) -> Iterator[NDArray[np.float32]]:
    """Yield z, float32 (m, n_bits), m <= BLOCK, for pieces that are items or batches of items, in order.

    Raises
    ------
    TypeError, ValueError
        A piece has another shape or dtype, or values that are NaN or infinite.
    """
    device = next(network.parameters()).device
    filled = np.zeros((BLOCK, *item_shape), np.float32)
    n = n_seen = 0
    for piece in pieces:
        for part in _parts(piece, item_shape, BLOCK - n):
            filled[n : n + len(part)] = as_floats(part, n_seen)
            n += len(part)
            n_seen += len(part)
            if n == BLOCK:
                yield _z(network, filled, device)
                n = 0
    if n:
        yield _z(network, filled, device)[:n]


def _parts(piece: ArrayLike | torch.Tensor, item_shape: tuple[int, ...], first: int) -> Iterator[Items]:
    """Check a piece and cut it: ``first`` items, then whole blocks."""
    items = _as_batch(piece, item_shape)
    start, stop = 0, first
    while start < len(items):
        yield items[start:stop]
        start, stop = stop, stop + BLOCK


def _as_batch(piece: ArrayLike | torch.Tensor, item_shape: tuple[int, ...]) -> Items:
    shape = getattr(piece, "shape", None)
    if shape is None:
        if isinstance(piece, (list, tuple)) and len(piece) == 1 and hasattr(piece[0], "shape"):
            return _as_batch(piece[0], item_shape)  # what a DataLoader makes of a data set of items alone
        try:
            piece = np.asarray(piece)
        except ValueError:
            message = "expected items or batches of items, got arrays of several shapes; leave out labels"
            raise ValueError(message) from None
        shape = piece.shape
    is_one = len(shape) == len(item_shape)
    return check_items(piece[None] if is_one else piece, item_shape)  # type: ignore[call-overload,index]


def _z(network: nn.Module, filled: NDArray[np.float32], device: torch.device) -> NDArray[np.float32]:
    with torch.inference_mode():
        z: NDArray[np.float32] = network(to_device(torch.from_numpy(filled), device)).float().cpu().numpy()
    return z
