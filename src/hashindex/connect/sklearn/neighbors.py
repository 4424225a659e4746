"""Neighbours of codes, with the methods and results of scikit-learn's NearestNeighbors and its transformers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...index import HashIndex
from ...inputs.codes import as_codes
from ...inputs.numbers import check_at_least, check_n_bits
from ...matches import NearestMatches, RadiusMatches
from ...support.lazy import needed
from ..others import nearest_others, others_within
from .results import check_bits, check_rows, graph_of, in_rows, share_in_bits

if TYPE_CHECKING:
    from typing import Self

base = needed("sklearn.base", "hashindex.connect.sklearn", "sklearn")
exceptions = needed("sklearn.exceptions", "hashindex.connect.sklearn", "sklearn")
sparse = needed("scipy.sparse", "hashindex.connect.sklearn", "sklearn")

Mode = Literal["distance", "connectivity"]


class HammingNeighbors(base.ClassNamePrefixFeaturesOutMixin, base.TransformerMixin, base.BaseEstimator):  # type: ignore[misc,name-defined]
    """Exact neighbours of packed codes for scikit-learn: a search, and a transformer of codes into a sparse graph.

    Has the methods of ``NearestNeighbors`` and, as a step of a pipeline, does what ``KNeighborsTransformer`` or, given
    a radius, ``RadiusNeighborsTransformer`` does. Rows are ordered by (distance, row of the fitted codes).

    Parameters
    ----------
    n_neighbors : int
        Neighbours of a code, unless a call says otherwise.
    radius : int, optional
        Largest distance, inclusive. If it is given, :meth:`transform` finds everything within it, else the nearest.
    mode : {"distance", "connectivity"}
        What :meth:`transform` writes into the graph: distances, or ones.
    n_bits : int, optional
        Bits of a code. Default: 8 for each byte, or the columns of bools.
    normalize : bool
        Whether distances and radii are shares of the bits, as those of scikit-learn's metric "hamming" are, and not
        numbers of bits.
    n_threads : int, optional
        As for :meth:`hashindex.HashIndex.search`.

    Attributes
    ----------
    index_ : HashIndex
        The fitted codes; their ids are their rows.
    n_features_in_ : int
        Bytes of a code.
    n_samples_fit_ : int
        How many codes were fitted.
    effective_metric_ : str
        "hamming".
    """

    index_: HashIndex
    n_samples_fit_: int

    def __init__(
        self,
        *,
        n_neighbors: int = 5,
        radius: float | None = None,
        mode: Mode = "distance",
        n_bits: int | None = None,
        normalize: bool = False,
        n_threads: int | None = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.radius = radius
        self.mode = mode
        self.n_bits = n_bits
        self.normalize = normalize
        self.n_threads = n_threads

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Index codes and return self.

        Parameters
        ----------
        X : array_like, uint8 (n_samples, code_size) or bool (n_samples, n_bits)
            As the codes of :meth:`hashindex.HashIndex.add`; a copy is kept.
        y
            Not looked at.

        Raises
        ------
        TypeError, ValueError
            Codes that could be misread, one code alone, no codes.
        """
        given = as_codes(_dense(X), None if self.n_bits is None else check_n_bits(self.n_bits), "X")
        check_rows(given.single)
        if not len(given.codes):
            raise ValueError(f"X: got no codes, 0 sample(s) of shape {given.codes.shape}; a minimum of 1 is required")
        self.index_ = HashIndex(n_bits=given.n_bits)
        self.index_.add(given.codes)
        self.n_samples_fit_, self.n_features_in_ = given.codes.shape
        self.effective_metric_ = "hamming"
        return self

    def transform(self, X: Any) -> Any:
        """Return the graph from codes to fitted ones: within ``radius``, if that was given, else to the nearest.

        With distances there is one more than ``n_neighbors``, as of scikit-learn's transformer: a fitted code is its
        own neighbour.

        Takes and raises what :meth:`kneighbors` or :meth:`radius_neighbors` do.

        Returns
        -------
        scipy.sparse.csr_matrix of float64, shape (n_queries, n_samples_fit_)
            Zeros that are distances are stored.
        """
        if self.radius is not None:
            return self.radius_neighbors_graph(X, mode=self.mode)
        n_neighbors = check_at_least(self.n_neighbors, "n_neighbors", 1)
        return self.kneighbors_graph(X, n_neighbors + (self.mode == "distance"), self.mode)

    def kneighbors(
        self, X: Any = None, n_neighbors: int | None = None, return_distance: bool = True
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]] | NDArray[np.int64]:
        """Find the nearest fitted codes.

        Parameters
        ----------
        X : array_like, uint8 (n_queries, code_size) or bool (n_queries, n_bits), optional
            Default: the fitted codes, and then none is its own neighbour.
        n_neighbors : int, optional
        return_distance : bool

        Returns
        -------
        distances : float64 (n_queries, n_neighbors)
            Only with ``return_distance``.
        rows : int64 (n_queries, n_neighbors)

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before :meth:`fit`.
        TypeError, ValueError
            Codes that could be misread, one code alone; n_neighbors is no integer, below 1, or more than there are.
        """
        near = self._nearest(X, n_neighbors)
        return (self._in_units(near.distances), near.ids) if return_distance else near.ids

    def radius_neighbors(
        self,
        X: Any = None,
        radius: float | None = None,
        return_distance: bool = True,
        sort_results: bool = True,  # noqa: ARG002
    ) -> tuple[NDArray[np.object_], NDArray[np.object_]] | NDArray[np.object_]:
        """Find all fitted codes within a radius, inclusive.

        Of many queries :meth:`radius_neighbors_graph` is faster, as it makes no array for each of them.

        Parameters
        ----------
        X
            As for :meth:`kneighbors`.
        radius : int, optional
            Bits; with ``normalize`` a share of them. Default: the one of the constructor.
        return_distance, sort_results : bool
            Rows are sorted, whatever the second is.

        Returns
        -------
        distances : object (n_queries,) of float64 arrays
            Only with ``return_distance``.
        rows : object (n_queries,) of int64 arrays

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before :meth:`fit`.
        TypeError, ValueError
            Codes that could be misread, one code alone; no radius, below 0, or no integer where it counts bits.
        """
        hits = self._within(X, radius)
        if not return_distance:
            return in_rows(hits.offsets, hits.ids)[0]
        distances, rows = in_rows(hits.offsets, self._in_units(hits.distances), hits.ids)
        return distances, rows

    def kneighbors_graph(self, X: Any = None, n_neighbors: int | None = None, mode: Mode = "connectivity") -> Any:
        """Return the graph of :meth:`kneighbors`, as :meth:`transform` does; raises as the first."""
        near = self._nearest(X, n_neighbors)
        offsets = np.arange(0, near.ids.size + 1, near.ids.shape[1])
        return self._graph(offsets, near.distances.ravel(), near.ids.ravel(), mode)

    def radius_neighbors_graph(
        self,
        X: Any = None,
        radius: float | None = None,
        mode: Mode = "connectivity",
        sort_results: bool = True,  # noqa: ARG002
    ) -> Any:
        """Return the graph of :meth:`radius_neighbors`, as :meth:`transform` does; raises as the first."""
        return self._graph(*self._within(X, radius), mode)

    @property
    def _n_features_out(self) -> int:
        return self.n_samples_fit_

    def _index(self) -> HashIndex:
        try:
            return self.index_
        except AttributeError:
            raise exceptions.NotFittedError("these neighbours are not fitted yet: call fit(codes) first") from None

    def _nearest(self, queries: Any, n_neighbors: int | None) -> NearestMatches:
        index = self._index()
        k = check_at_least(self.n_neighbors if n_neighbors is None else n_neighbors, "n_neighbors", 1)
        of_all = queries is None
        if k > self.n_samples_fit_ - of_all:
            have = f"n_samples_fit = {self.n_samples_fit_}" + (", each without itself" if of_all else "")
            raise ValueError(f"n_neighbors = {k} is more than the codes there are: {have}")
        if of_all:
            return nearest_others(index.search(index.get(index.ids()), k + 1, n_threads=self.n_threads))
        near = index.search(_dense(queries), k, n_threads=self.n_threads)
        check_rows(near.ids.ndim == 1)
        return near

    def _within(self, queries: Any, radius: float | None) -> RadiusMatches:
        index = self._index()
        radius = self.radius if radius is None else radius
        if radius is None:
            raise ValueError("no radius: HammingNeighbors(radius=...) or radius= of the call gives one")
        bits = share_in_bits(radius, index.n_bits or 1) if self.normalize else check_bits(radius)
        if queries is None:
            return others_within(index.search(index.get(index.ids()), radius=bits, n_threads=self.n_threads))
        given = as_codes(_dense(queries), index.n_bits, "X")
        check_rows(given.single)
        return index.search(given.codes, radius=bits, n_threads=self.n_threads)

    def _in_units(self, distances: NDArray[np.int32]) -> NDArray[np.float64]:
        return distances / (self.index_.n_bits or 1) if self.normalize else distances.astype(np.float64)

    def _graph(
        self, offsets: NDArray[np.int64], distances: NDArray[np.int32], rows: NDArray[np.int64], mode: Mode
    ) -> Any:
        if mode not in ("distance", "connectivity"):
            raise ValueError(f"mode must be 'distance' or 'connectivity', got {mode!r}")
        values = self._in_units(distances) if mode == "distance" else np.ones(len(rows))
        return graph_of(values, rows, offsets, self.n_samples_fit_)


def _dense(X: Any) -> Any:
    """What it is given; TypeError for a sparse matrix."""
    if sparse.issparse(X):
        raise TypeError("X: got a sparse matrix, and codes are dense; pack(X.toarray()) makes codes of its columns")
    return X
