"""What `HashNet` accepts, and what it says about the rest."""

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

Inputs = NDArray[Any] | torch.Tensor


def check_inputs(inputs: Inputs, item_shape: tuple[int, ...] | None = None) -> Inputs:
    """Return features (n, n_features) or images (n, channels, height, width) if dtype and shape will do.

    With `item_shape` the items must have that shape. Values are looked at by `to_tensor`, block by block.

    Raises
    ------
    TypeError
        The dtype is not bool, integer or float.
    ValueError
        The shape is another.
    """
    if not isinstance(inputs, torch.Tensor):
        inputs = np.asarray(inputs)
        is_real = inputs.dtype.kind in "fiub"
    else:
        is_real = not inputs.is_complex()
    if not is_real:
        raise TypeError(f"expected real numbers, got dtype {inputs.dtype}")
    if inputs.ndim not in (2, 4) or 0 in inputs.shape[1:]:
        raise ValueError(
            "expected features (n, n_features) or images (n, channels, height, width), "
            f"got shape {tuple(inputs.shape)}; a single item x is x[None]"
        )
    if item_shape is not None and tuple(inputs.shape[1:]) != item_shape:
        raise ValueError(f"expected items of shape {item_shape} as in fit, got {tuple(inputs.shape[1:])}")
    return inputs


def to_tensor(inputs: Inputs) -> torch.Tensor:
    """Return the inputs as a float32 tensor on the CPU.

    Raises
    ------
    ValueError
        A value is NaN or infinite.
    """
    if isinstance(inputs, torch.Tensor):
        tensor = inputs.detach().to("cpu", torch.float32)
    else:
        tensor = torch.from_numpy(np.array(inputs, np.float32))
    wrong = (~torch.isfinite(tensor)).flatten(1).any(dim=1)
    if wrong.any():
        raise ValueError(
            f"expected finite float32 values, got NaN or infinity in {int(wrong.sum())} of {len(tensor)} items, "
            f"first in item {int(wrong.int().argmax())}"
        )
    return tensor


def to_labels(labels: ArrayLike | torch.Tensor, n: int) -> torch.Tensor:
    """Return the labels of `n` items as int64 on the CPU: class numbers (n,) or multi-hot 0/1 (n, n_classes).

    Raises
    ------
    TypeError
        The labels are not integers.
    ValueError
        The shape is another, or multi-hot labels have values other than 0 and 1.
    """
    array = labels.detach().cpu().numpy() if isinstance(labels, torch.Tensor) else np.asarray(labels)
    if array.dtype.kind not in "iub":
        raise TypeError(
            f"labels must be integers, class numbers (n,) or multi-hot 0/1 (n, n_classes); got {array.dtype}"
        )
    if array.ndim not in (1, 2) or array.shape[1:] == (1,):
        raise ValueError(f"labels must have shape (n,) or (n, n_classes) with n_classes > 1, got {array.shape}")
    if len(array) != n:
        raise ValueError(f"expected one label per item, {n}; got {len(array)}")
    if array.ndim == 2 and ((array != 0) & (array != 1)).any():
        raise ValueError("labels with two axes must be multi-hot, 0 or 1 only; got other values")
    return torch.from_numpy(array.astype(np.int64))
