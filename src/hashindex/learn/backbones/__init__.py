"""The networks in front of the hash layer. Any module that maps a batch to (n, width) can take their place."""

from torch import nn

from .alexnet import alexnet
from .resnet import resnet18, resnet50
from .small_resnet import small_resnet
from .tiny import MAX_SIDE, TINY_SIDE, conv_net, mlp

__all__ = ["alexnet", "conv_net", "default_backbone", "is_large", "mlp", "resnet18", "resnet50", "small_resnet"]


def is_large(shape: tuple[int, ...]) -> bool:
    """Return whether items of a shape are images of more than 24 pixels on every side."""
    return len(shape) == 3 and min(shape[1:]) > TINY_SIDE


def default_backbone(shape: tuple[int, ...]) -> nn.Module:
    """Make a network for items of a shape, of any scale.

    Features (n_features,) get `mlp`; images (channels, height, width) with a side above 64 pixels `resnet18`, with both
    sides above 24 `small_resnet`, and smaller ones `conv_net`.

    Raises
    ------
    ValueError
        A side of the image is below 4 pixels: such images need a backbone of their own.
    """
    if len(shape) == 1:
        return mlp(*shape)
    channels, height, width = shape
    if max(height, width) > MAX_SIDE and min(height, width) >= 4:
        return resnet18(channels=channels)
    if is_large(shape):
        return small_resnet((channels, height, width))
    return conv_net((channels, height, width))
