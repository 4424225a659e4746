"""PyTorch Metric Learning: exact neighbours of binary embeddings for its accuracies and its inference.

>>> calculator = AccuracyCalculator(knn_func=HammingKNN())  # doctest: +SKIP
>>> model = InferenceModel(network, knn_func=HammingKNN())  # doctest: +SKIP
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..index import HashIndex
from ..inputs.numbers import check_k
from ..support.lazy import needed
from .others import nearest_others

if TYPE_CHECKING:
    import torch
else:
    torch = needed("torch", "hashindex.connect.metric_learning", "metric-learning")


class HammingKNN:
    """The k nearest embeddings by the Hamming distance of their signs, bit = 1 iff value > 0.

    Takes the place of ``FaissKNN``. Embeddings are tensors or arrays: real numbers (n, n_bits), bool (n, n_bits), or
    packed uint8 (n, code_size). Those on the CPU are not copied before they are packed, nor packed ones before they are
    compared. Equally near ones come in the order of their rows.

    Attributes
    ----------
    index : HashIndex or None
        What :meth:`train` and :meth:`add` were given.
    """

    def __init__(self) -> None:
        self.index: HashIndex | None = None

    def __call__(
        self, query: torch.Tensor, k: int, reference: torch.Tensor | None = None, ref_includes_query: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Find the k nearest of each query.

        Parameters
        ----------
        query : tensor (n_queries, n_bits) or (n_queries, code_size)
        k : int
        reference : tensor, optional
            Where to look. Default: what :meth:`train` and :meth:`add` were given.
        ref_includes_query : bool
            Whether the first rows of the reference are the queries; then none is its own neighbour.

        Returns
        -------
        distances : int32 tensor (n_queries, k)
        rows : int64 tensor (n_queries, k)
            Both on the device of the queries.

        Raises
        ------
        TypeError, ValueError
            Embeddings that could be misread, as packed codes that were turned into floats; NaN; no reference; k above
            the number of embeddings to be found.
        """
        index = self.index if reference is None else _indexed(reference)
        if index is None:
            raise ValueError("nothing to search in: give a reference, or call train(embeddings) before")
        if ref_includes_query and len(query) > len(index):
            raise ValueError(f"the first rows of a reference are its queries, but it has {len(index)} for {len(query)}")
        n_own = int(ref_includes_query)
        if check_k(k) > len(index) - n_own:
            besides = ", of which one is the query itself" if n_own else ""
            raise ValueError(f"k = {k} is more than there are: {len(index)} embeddings{besides}")
        near = index.search(_codes(query), k + n_own)
        if ref_includes_query:
            near = nearest_others(near)
        distances, rows = torch.from_numpy(near.distances), torch.from_numpy(near.ids)
        if not isinstance(query, torch.Tensor) or query.is_cpu:
            return distances, rows
        return distances.to(query.device), rows.to(query.device)

    def train(self, embeddings: torch.Tensor) -> None:
        """Forget what was added before, and add; nothing is learned. Raises as :meth:`add`."""
        self.index = _indexed(embeddings)

    def add(self, embeddings: torch.Tensor) -> None:
        """Add embeddings to search in.

        Raises
        ------
        TypeError, ValueError
            Embeddings that could be misread, or of another width.
        """
        if self.index is None:
            self.train(embeddings)
        else:
            self.index.add(_codes(embeddings))

    def save(self, filename: str | Path) -> None:
        """Write what was added as :meth:`hashindex.HashIndex.save` does; ValueError if there is nothing."""
        if self.index is None:
            raise ValueError("nothing to save: call train(embeddings) before")
        self.index.save(filename)

    def load(self, filename: str | Path) -> None:
        """Read what :meth:`save` wrote; raises as :meth:`hashindex.HashIndex.load`."""
        self.index = HashIndex.load(filename)

    def reset(self) -> None:
        """Forget what was added."""
        self.index = None


def _indexed(embeddings: Any) -> HashIndex:
    index = HashIndex()
    index.add(_codes(embeddings))
    return index


def _codes(embeddings: Any) -> NDArray[Any]:
    """Signs of real numbers as bools (n, n_bits); anything else as it is, for the index to look at."""
    if isinstance(embeddings, torch.Tensor):
        embeddings = (embeddings.float() if embeddings.dtype is torch.bfloat16 else embeddings).numpy(force=True)
    array: NDArray[Any] = np.asanyarray(embeddings)  # masked ones are refused by the index
    if array.ndim != 2:
        raise ValueError(f"embeddings: got shape {array.shape}, expected (n, n_bits) or packed uint8 (n, code_size)")
    if array.dtype.kind != "f":
        return array
    if array.size and not array.min() < 0:  # NaN, or perhaps packed codes
        _check(array)
    signs: NDArray[np.bool_] = array > 0
    return signs


def _check(array: NDArray[Any]) -> None:
    least, most = array.min(), array.max()
    if np.isnan(least):
        raise ValueError(f"embeddings: got NaN in row {np.argwhere(np.isnan(array))[0, 0]}: its sign is undefined")
    if most > 1 and (array == np.floor(array)).all():
        raise ValueError(
            f"embeddings: got whole numbers from {least:g} to {most:g}, which look like packed codes that became "
            "floats, as AccuracyCalculator makes them; unpack(codes, n_bits) are bits that it may do so with"
        )
