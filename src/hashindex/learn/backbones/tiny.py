"""Networks for features and for tiny images."""

from torch import nn

TINY_SIDE = 24  # pixels; an image with more on both sides is large
MAX_SIDE = 64  # with more, the hidden layer of conv_net would hold nearly all weights


def mlp(n_features: int, *, width: int = 256) -> nn.Sequential:
    """Make two hidden layers for features (n, n_features) of any scale -> (n, width)."""
    return nn.Sequential(
        nn.BatchNorm1d(n_features, affine=False),
        *(nn.Linear(n_features, width), nn.BatchNorm1d(width), nn.ReLU()),
        *(nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU()),
    )


def conv_net(shape: tuple[int, int, int], *, channels: int = 16, width: int = 512) -> nn.Sequential:
    """Make three convolutions and a hidden layer for tiny images (n, channels, height, width) -> (n, width).

    Raises
    ------
    ValueError
        A side of the image is not of 4 to 64 pixels: pass a backbone made for such images.
    """
    depth, height, breadth = shape
    if not (4 <= height <= MAX_SIDE and 4 <= breadth <= MAX_SIDE):
        raise ValueError(
            f"conv_net is for images of 4 to {MAX_SIDE} pixels a side, got {height} x {breadth}; "
            "pass HashNet(backbone=...) for others"
        )
    return nn.Sequential(
        nn.BatchNorm2d(depth, affine=False),
        *(_conv(depth, channels), nn.BatchNorm2d(channels), nn.ReLU()),
        *(_conv(channels, 2 * channels), nn.MaxPool2d(2), nn.BatchNorm2d(2 * channels), nn.ReLU()),
        *(_conv(2 * channels, 2 * channels), nn.MaxPool2d(2), nn.BatchNorm2d(2 * channels), nn.ReLU()),
        nn.Flatten(),
        *(nn.Linear(2 * channels * (height // 4) * (breadth // 4), width), nn.BatchNorm1d(width), nn.ReLU()),
    )


def _conv(n_in: int, n_out: int) -> nn.Conv2d:
    return nn.Conv2d(n_in, n_out, kernel_size=3, padding=1, bias=False)  # the norm that follows has the bias
