"""Mild augmentation of image batches: what a scanner or a camera might have done to the same image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from ..backbones import is_large

if TYPE_CHECKING:
    from typing import Protocol

    class Augment(Protocol):
        """Makes new images (n, channels, height, width) of images, drawing from the generator alone."""

        def __call__(self, images: torch.Tensor, *, generator: torch.Generator) -> torch.Tensor:
            """Leave the images given as they are."""


def augmentation(item_shape: tuple[int, ...]) -> Augment | None:
    """Return what suits items of a shape: `jitter` for tiny images, `crop_and_flip` for others, None for features."""
    if len(item_shape) != 3:
        return None
    return crop_and_flip if is_large(item_shape) else jitter


def jitter(images: torch.Tensor, *, shift: int = 1, noise: float = 0.05, generator: torch.Generator) -> torch.Tensor:
    """Shift each image (n, channels, height, width) by up to `shift` pixels and add Gaussian noise.

    The border repeats the outermost pixels; `noise` is in units of the standard deviation. A new tensor.
    """
    moved = _moved(functional.pad(images, (shift,) * 4, mode="replicate"), shift, flip=False, generator=generator)
    grain = torch.randn(moved.shape, generator=generator)
    return moved + noise * images.std() * grain


def crop_and_flip(images: torch.Tensor, *, generator: torch.Generator) -> torch.Tensor:
    """Shift each image (n, channels, height, width) by up to a 16th of its shorter side and mirror every other one.

    The border mirrors the outermost pixels. A new tensor.
    """
    shift = min(images.shape[2:]) // 16
    return _moved(functional.pad(images, (shift,) * 4, mode="reflect"), shift, flip=True, generator=generator)


def _moved(padded: torch.Tensor, shift: int, *, flip: bool, generator: torch.Generator) -> torch.Tensor:
    """Cut a window out of each image that was padded by ``shift``, mirrored left to right by chance."""
    n, _, height, width = padded.shape
    rows_columns = torch.randint(0, 2 * shift + 1, (2, n, 1), generator=generator)
    rows = rows_columns[0] + torch.arange(height - 2 * shift)
    columns = rows_columns[1] + torch.arange(width - 2 * shift)
    if flip:
        mirrored = torch.rand((n, 1), generator=generator) < 0.5
        columns = torch.where(mirrored, columns.flip(1), columns)
    item = torch.arange(n)[:, None, None]
    return padded[item, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
