"""Items (features or images) and their labels, checked at the door: what models learn from and are judged on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .masked import is_masked

BLOCK = 4096  # items looked at at once
FLOAT32_MAX = float(np.finfo(np.float32).max)
_N_NAMED = 10  # offenders named in an error

Labels = NDArray[np.int64]
"""Class numbers (n,), or multi-hot 0/1 (n, n_classes)."""


class Items(Protocol):
    """Features (n, d) or images (n, channels, height, width): an array, or what reads like one piece by piece."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of items and the shape of one."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the values."""

    def __len__(self) -> int: ...
    def __getitem__(self, rows: Any, /) -> Any: ...


def check_items(items: Any, item_shape: tuple[int, ...] | None = None) -> Items:
    """Return features (n, d) or images (n, channels, height, width) if dtype and shape will do, nothing copied.

    Arrays, memory maps, tensors and anything else with ``shape``, ``dtype`` and rows to index will do. With
    ``item_shape`` the items must have that shape. Values are looked at by `as_floats`, block by block.

    Raises
    ------
    TypeError
        The dtype is not bool, integer or float.
    ValueError
        The shape is another.
    """
    if is_masked(items):
        raise TypeError("items: got a masked array; items[~items.mask.any(axis=1)].data drops items with masked values")
    if hasattr(items, "detach") or not all(hasattr(items, name) for name in ("shape", "dtype", "__getitem__")):
        items = as_array(items)
    if np.dtype(items.dtype).kind not in "fiub":
        raise TypeError(f"expected real numbers, got dtype {items.dtype}")
    shape = tuple(items.shape)
    if len(shape) not in (2, 4) or 0 in shape[1:]:
        raise ValueError(
            "expected features (n, n_features) or images (n, channels, height, width), "
            f"got shape {shape}; a single item x is x[None]"
        )
    if item_shape is not None and shape[1:] != item_shape:
        raise ValueError(f"expected items of shape {item_shape} as in fit, got {shape[1:]}")
    return items  # type: ignore[no-any-return]


def as_array(values: Any) -> NDArray[Any]:
    """Return what NumPy makes of the values; of a PyTorch tensor on any device, floats of any kind as float32."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = (values.float() if values.is_floating_point() else values).numpy()
    return np.asarray(values)


def check_finite(items: Items, most: float = FLOAT32_MAX) -> None:
    """Look at every item once, block by block; ValueError that lists those with NaN, infinity or above ``most``.

    Items that can check themselves, as `hashindex.learn.data.Images` can, do so: they list the unreadable.
    """
    check = getattr(items, "check", None)
    if check is not None:
        check()
        return
    dtype = np.dtype(items.dtype)
    if dtype.kind != "f" and (dtype.itemsize < 8 or most >= 2**64):  # no integer of that size is above
        return
    wrong = [_not_finite(as_float32(block), most) + start for start, block in _blocks(items)]
    _refuse(np.concatenate([np.empty(0, np.int64), *wrong]), len(items), most)


@contextmanager
def listing_all(items: Items) -> Iterator[None]:
    """Go through items; where one of them fails, look at the others too and list all that would."""
    try:
        yield
    except ValueError:
        check_finite(items)
        raise


def as_floats(block: Any, start: int = 0) -> NDArray[np.float32]:
    """Return a block of items as a new float32 array.

    ValueError that lists items with NaN or infinity, the first of the block being item ``start``.
    """
    floats = as_float32(block)
    _refuse(_not_finite(floats) + start, len(floats))
    return floats


def as_float32(block: Any) -> NDArray[np.float32]:
    """Return a block of items as a new float32 array; what is too large becomes infinite."""
    with np.errstate(over="ignore"):
        return np.array(block, np.float32)


def check_labels(labels: Any, n: int, name: str = "labels") -> Labels:
    """Return the labels of ``n`` items as int64: class numbers (n,) or multi-hot 0/1 (n, n_classes).

    Raises
    ------
    TypeError
        The labels are not integers, or a masked array.
    ValueError
        The shape is another, a class number is 2**63 or more, or multi-hot labels have values other than 0 and 1.
    """
    if is_masked(labels):
        keep = "~np.ma.getmaskarray(labels)" + (".any(axis=1)" if labels.ndim > 1 else "")
        raise TypeError(
            f"{name}: got a masked array; labels.data[keep] and items[keep] with keep = {keep} drop what is masked"
        )
    if hasattr(labels, "detach"):
        labels = labels.detach().cpu()
    array = np.asarray(labels)
    if array.dtype.kind not in "iub":
        raise TypeError(
            f"{name} must be integers, class numbers (n,) or multi-hot 0/1 (n, n_classes); got {array.dtype}"
        )
    if array.ndim not in (1, 2) or array.shape[1:] in ((0,), (1,)) or len(array) != n:
        raise ValueError(
            f"{name} must have shape ({n},) or ({n}, n_classes) with n_classes > 1, one row per item; got {array.shape}"
        )
    if array.dtype.kind == "u" and array.size and array.max() >= 2**63:
        raise ValueError(f"{name} must be below 2**63, got {array.max()}")
    if array.ndim == 2:
        wrong = np.nonzero(((array != 0) & (array != 1)).any(axis=1))[0]
        if len(wrong):
            raise ValueError(f"{name} with two axes must be multi-hot, 0 or 1 only; not so in rows {_listed(wrong)}")
    return array.astype(np.int64)


def _blocks(items: Items) -> Iterator[tuple[int, Any]]:
    for start in range(0, len(items), BLOCK):
        yield start, items[start : start + BLOCK]


def _not_finite(floats: NDArray[np.float32], most: float = FLOAT32_MAX) -> NDArray[np.int64]:
    finite = (np.abs(floats) <= most).reshape(len(floats), -1).all(axis=1)
    return np.nonzero(~finite)[0]


def _refuse(wrong: NDArray[np.int64], n: int, most: float = FLOAT32_MAX) -> None:
    if len(wrong):
        kind, found = "finite float32 values", "NaN or infinity"
        if most < FLOAT32_MAX:
            kind, found = f"{kind} of at most {most:g}", "NaN, infinity or larger"
        raise ValueError(f"expected {kind}, got {found} in {len(wrong)} of {n} items: {_listed(wrong)}")


def _listed(rows: NDArray[np.int64]) -> str:
    more = f" and {len(rows) - _N_NAMED} more" if len(rows) > _N_NAMED else ""
    return ", ".join(map(str, rows[:_N_NAMED])) + more
