"""Items to codes, block by block: constant memory, and the same bits for an item whatever comes along with it."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from ..codes import pack
from ..inputs.items import as_floats, check_items, listing_all
from .devices import to_device

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray
    from torch import nn

    from ..index import HashIndex
    from ..inputs.items import Items

# Items computed at once. Each block is filled up to this size, so that every item meets the same arithmetic.
BLOCK = 64


class Encoder:
    """A network and the codes it makes: the signs of z.

    Attributes
    ----------
    n_bits
        Length of the codes.
    network
        The trained module, items -> z (n, n_bits): a sequence of the backbone and the hash layer.
    item_shape
        Shape of one item, (n_features,) or (channels, height, width); None before training.
    """

    n_bits: int
    network: nn.Sequential
    item_shape: tuple[int, ...] | None = None

    def encode(self, items: Items | ArrayLike | torch.Tensor) -> NDArray[np.uint8]:
        """Return the packed codes, uint8 (n, ceil(n_bits / 8)), bit = 1 iff z > 0.

        An item's code does not depend on what is encoded along with it. Beside the codes, memory is that of one block
        of items.

        Raises
        ------
        RuntimeError
            Before `fit`.
        TypeError, ValueError
            Items of another kind or shape than in `fit`, values that are NaN or infinite, or of which the network makes
            NaN.
        """
        items = check_items(items, self._shape())
        codes = np.empty((len(items), (self.n_bits + 7) // 8), np.uint8)
        start = 0
        with listing_all(items):
            for z in self._blocks(blocks_of(items)):
                codes[start : start + len(z)] = pack(z)
                start += len(z)
        return codes

    def project(self, items: Items | ArrayLike | torch.Tensor) -> NDArray[np.float32]:
        """Return the values z whose signs are the code, float32 (n, n_bits). Raises as `encode` does."""
        items = check_items(items, self._shape())
        with listing_all(items):
            return np.concatenate([np.empty((0, self.n_bits), np.float32), *self._blocks(blocks_of(items))])

    def stream(self, items: Iterable[ArrayLike | torch.Tensor]) -> Iterator[NDArray[np.uint8]]:
        """Return packed codes (m, code_size) block by block, in order, for items that come one by one or in batches.

        Any iterable will do, endless ones too: a generator, a PyTorch DataLoader (of items alone). Memory is that of
        one block. Each item gets the same code as from `encode`; raises as that does, at the item in question.
        """
        return map(pack, self._blocks(items))

    def encode_into(self, index: HashIndex, items: Iterable[ArrayLike | torch.Tensor]) -> NDArray[np.int64]:
        """Add the codes of a stream of items to an index and return their ids, int64 (n,).

        Raises as `stream` does, or ValueError if the index is for codes of another length; what was added before a
        bad item is removed again.
        """
        added: list[NDArray[np.int64]] = []
        try:
            for z in self._blocks(items):
                added.append(index.add(z > 0))  # bools, which tell a new index n_bits
        except BaseException:
            for ids in added:
                index.remove(ids)
            raise
        return np.concatenate([np.empty(0, np.int64), *added])

    def export(self, path: str | Path, *, dtype: Literal["float32", "uint8"] = "float32") -> None:
        """Write the model as an ONNX file, items of a ``dtype`` -> codes: see `hashindex.learn.export.to_onnx`."""
        item_shape = self._shape()
        from .export import to_onnx

        to_onnx(self.network, self.n_bits, item_shape, path, dtype=dtype)

    def _blocks(self, items: Iterable[Any]) -> Iterator[NDArray[np.float32]]:
        item_shape = self._shape()
        if isinstance(items, (str, PathLike)):
            raise TypeError(f"expected items, got the path {items!s}; Images.below(path) has the images of a folder")
        if hasattr(items, "shape"):  # one array, or what reads like one: by blocks, not by items
            items = blocks_of(check_items(items, item_shape))
        return _without_nan(project(self.network, items, item_shape))

    def _shape(self) -> tuple[int, ...]:
        if self.item_shape is None:
            raise RuntimeError(f"this {type(self).__name__} has not been trained yet: call fit(items, labels) first")
        return self.item_shape

    def _set_network(self, network: nn.Sequential, item_shape: tuple[int, ...]) -> None:
        self.network = network.eval().requires_grad_(False)
        self.item_shape = item_shape


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


def _without_nan(blocks: Iterator[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    n_seen = 0
    for z in blocks:
        wrong = np.nonzero(np.isnan(z).any(axis=1))[0]
        if len(wrong):
            what = f"item {n_seen + int(wrong[0])}, whose own values are finite"
            raise ValueError(f"the network makes NaN of {what}: too large for it, perhaps; scale them as in fit")
        n_seen += len(z)
        yield z


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
    with torch.no_grad():  # inference mode would spoil what a backbone keeps of a call for its training
        z: NDArray[np.float32] = network(to_device(torch.from_numpy(filled), device)).float().cpu().numpy()
    return z
