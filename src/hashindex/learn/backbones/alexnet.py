"""AlexNet as torchvision builds it, up to fc7.

Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014 (arXiv 1404.5997): the network of
2012 without its two columns and its normalisation across channels.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from .published import image_input, start


class AlexNet(nn.Module):
    """Five convolutions and two hidden layers: images (n, channels, height, width) -> (n, 4096)."""

    def __init__(self, weights: str | Path | None, channels: int | None) -> None:
        super().__init__()
        self.input = image_input(weights, channels)
        self.features = nn.Sequential(
            *(nn.Conv2d(channels or 3, 64, kernel_size=11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, stride=2)),
            *(nn.Conv2d(64, 192, kernel_size=5, padding=2), nn.ReLU(), nn.MaxPool2d(3, stride=2)),
            *(nn.Conv2d(192, 384, kernel_size=3, padding=1), nn.ReLU()),
            *(nn.Conv2d(384, 256, kernel_size=3, padding=1), nn.ReLU()),
            *(nn.Conv2d(256, 256, kernel_size=3, padding=1), nn.ReLU(), nn.MaxPool2d(3, stride=2)),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(6)
        self.classifier = nn.Sequential(
            *(nn.Dropout(), nn.Linear(256 * 6 * 6, 4096), nn.ReLU()),
            *(nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU()),
        )
        start(self, weights, head="classifier.6")

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of images, float (n, 4096)."""
        maps = self.avgpool(self.features(self.input(images)))
        return self.classifier(maps.flatten(1))  # type: ignore[no-any-return]


def alexnet(weights: str | Path | None = None, *, channels: int | None = None) -> AlexNet:
    """Make AlexNet from conv1 to fc7: images of at least 63 pixels a side -> (n, 4096).

    Parameters
    ----------
    weights
        A file with the state dict torchvision publishes, .pth or .safetensors; its 1000-class layer is left out.
        None starts with random weights.
    channels
        None is the published input: RGB, pixel values 0..255, standardised as ImageNet is. A number is for images of
        that many channels and any scale, standardised by their own statistics; not together with ``weights``.

    Raises
    ------
    OSError
        The file cannot be read.
    ValueError
        The file does not hold this network, or channels are given with it.
    """
    return AlexNet(weights, channels)
