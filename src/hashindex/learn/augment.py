"""Mild augmentation of image batches: what a scanner might have done to the same image."""

import torch
from torch.nn import functional


def jitter(images: torch.Tensor, *, shift: int = 1, noise: float = 0.05, generator: torch.Generator) -> torch.Tensor:
    """Shift each image (n, channels, height, width) by up to `shift` pixels and add Gaussian noise.

    The border repeats the outermost pixels; `noise` is in units of the standard deviation. A new tensor.
    """
    n, _, height, width = images.shape
    device = images.device
    padded = functional.pad(images, (shift,) * 4, mode="replicate")
    offsets = torch.randint(0, 2 * shift + 1, (2, n, 1), generator=generator).to(device)
    rows = offsets[0] + torch.arange(height, device=device)
    columns = offsets[1] + torch.arange(width, device=device)
    item = torch.arange(n, device=device)[:, None, None]
    moved = padded[item, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    grain = torch.randn(moved.shape, generator=generator).to(device)
    return moved + noise * images.std() * grain
