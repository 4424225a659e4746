"""Features to packed codes, as a step of a scikit-learn pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ... import baselines, learn
from ...inputs.items import check_labels
from ...support.lazy import needed

if TYPE_CHECKING:
    from typing import Self

base = needed("sklearn.base", "hashindex.connect.sklearn", "sklearn")
multiclass = needed("sklearn.utils.multiclass", "hashindex.connect.sklearn", "sklearn")
validation = needed("sklearn.utils.validation", "hashindex.connect.sklearn", "sklearn")

METHODS = (*sorted(baselines.__all__), "HashNet")


class HashEncoder(base.ClassNamePrefixFeaturesOutMixin, base.TransformerMixin, base.BaseEstimator):  # type: ignore[misc,name-defined]
    """Learns a hashing method and transforms features into its packed codes.

    >>> make_pipeline(HashEncoder("ITQ", n_bits=128), HammingNeighbors(radius=8), DBSCAN(8, metric="precomputed"))
    ... # doctest: +SKIP

    Parameters
    ----------
    method : str
        "ITQ", "LSH" or "SH", which need no labels; "HashNet", or another of :mod:`hashindex.baselines`, which learn
        from them. Networks need PyTorch.
    n_bits : int
        Length of the codes.
    seed : int
        Fixes everything random.
    options : dict, optional
        Further arguments of the method, as ``{"n_steps": 200}`` of HashNet.

    Attributes
    ----------
    model_ : object
        The fitted method.
    n_features_in_ : int
        Columns of the features.
    """

    def __init__(
        self, method: str = "ITQ", n_bits: int = 64, *, seed: int = 0, options: dict[str, Any] | None = None
    ) -> None:
        self.method = method
        self.n_bits = n_bits
        self.seed = seed
        self.options = options

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from features and, where the method does so, from labels, and return self.

        Parameters
        ----------
        X : array_like of float (n_samples, n_features), or images (n_samples, channels, height, width)
        y : array_like (n_samples,), or of 0 and 1 (n_samples, n_classes), optional
            Classes of any kind that sort; or which of several classes a sample has.

        Raises
        ------
        TypeError, ValueError
            An unknown method, wrong ``n_bits``, ``seed`` or options; features that are not real numbers or not finite;
            no labels for a method that learns from them.
        ImportError
            The method needs PyTorch, which is not installed.
        """
        method = _method(self.method)
        if method is None:
            raise ValueError(f"method must be one of {', '.join(METHODS)}; got {self.method!r}")
        items = validation.validate_data(self, X, allow_nd=True)
        if not isinstance(self.options, dict | None):
            raise TypeError(f"options must be a dict of arguments of {self.method}, got {self.options!r:.80}")
        model = method(self.n_bits, self.seed, **(self.options or {}))
        if not _needs_labels(method):
            self.model_ = model.fit(items)
        elif y is None:
            raise ValueError(
                f"{self.method} requires y to be passed, but the target y is None; ITQ, LSH and SH need none"
            )
        else:
            self.model_ = model.fit(items, _classes(y, len(items)))
        return self

    def transform(self, X: Any) -> NDArray[np.uint8]:
        """Return the packed codes of features, uint8 (n_samples, ceil(n_bits / 8)), bit = 1 iff the value > 0.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before :meth:`fit`.
        TypeError, ValueError
            Features of another shape than in ``fit``, or not finite.
        """
        validation.check_is_fitted(self)
        codes: NDArray[np.uint8] = self.model_.encode(validation.validate_data(self, X, reset=False, allow_nd=True))
        return codes

    def __sklearn_tags__(self) -> Any:
        """Say that labels are needed, where they are, and that codes come out whatever comes in."""
        tags = super().__sklearn_tags__()
        method = _method(self.method)
        tags.target_tags.required = method is not None and _needs_labels(method)
        tags.transformer_tags.preserves_dtype = []
        return tags

    @property
    def _n_features_out(self) -> int:
        return int(self.model_.n_bits + 7) // 8


def _method(name: str) -> Any:
    """The class of that name; None if there is none."""
    if name not in METHODS:
        return None
    return getattr(learn if name == "HashNet" else baselines, name)


def _needs_labels(method: Any) -> bool:
    return bool(getattr(method, "needs_labels", True))  # networks learn from nothing else


def _classes(y: Any, n: int) -> NDArray[np.int64]:
    """Class numbers (n,) of labels of any kind; multi-hot labels as they are."""
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] > 1:
        return check_labels(labels, n, "y")
    labels = validation.column_or_1d(labels, warn=True)
    validation.check_consistent_length(labels, np.empty(n))
    validation.assert_all_finite(labels)
    multiclass.check_classification_targets(labels)
    return np.unique(labels, return_inverse=True)[1]
