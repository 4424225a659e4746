"""ResNet-18 and ResNet-50 as torchvision builds them, without the classifier.

He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", CVPR 2016 (arXiv 1512.03385), table 1; in
ResNet-50 the 3x3 convolution strides, not the 1x1 before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn

from .published import image_input, start


class BasicBlock(nn.Module):
    """x + conv2(conv1(x)): two 3x3 convolutions."""

    expansion = 1

    def __init__(self, n_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv(n_in, width, 3, stride), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = _conv(width, width, 3), nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.downsample = _downsample(n_in, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's maps, (n, width, height / stride, width / stride)."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return self.relu(y + self.downsample(x))  # type: ignore[no-any-return]

    def last_norm(self) -> nn.BatchNorm2d:
        """Return the norm right before the sum."""
        return self.bn2


class Bottleneck(nn.Module):
    """x + conv3(conv2(conv1(x))): a 3x3 convolution between two 1x1 that narrow and widen."""

    expansion = 4

    def __init__(self, n_in: int, width: int, stride: int) -> None:
        super().__init__()
        n_out = self.expansion * width
        self.conv1, self.bn1 = _conv(n_in, width, 1), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = _conv(width, width, 3, stride), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = _conv(width, n_out, 1), nn.BatchNorm2d(n_out)
        self.relu = nn.ReLU()
        self.downsample = _downsample(n_in, n_out, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's maps, (n, 4 * width, height / stride, width / stride)."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return self.relu(y + self.downsample(x))  # type: ignore[no-any-return]

    def last_norm(self) -> nn.BatchNorm2d:
        """Return the norm right before the sum."""
        return self.bn3


class ResNet(nn.Module):
    """Four stages of residual blocks: images (n, channels, height, width) -> (n, 512 * block.expansion)."""

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        depths: Sequence[int],
        weights: str | Path | None,
        channels: int | None,
        *,
        small: bool,
    ) -> None:
        super().__init__()
        if small and weights is not None:
            raise ValueError("published weights are for images of 224 pixels a side: leave out small=True")
        self.input = image_input(weights, channels)
        self.conv1 = _conv(channels or 3, 64, 3) if small else _conv(channels or 3, 64, 7, stride=2)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        wide = block.expansion
        self.layer1 = _stage(block, 64, 64, depths[0], stride=1)
        self.layer2 = _stage(block, 64 * wide, 128, depths[1], stride=2)
        self.layer3 = _stage(block, 128 * wide, 256, depths[2], stride=2)
        self.layer4 = _stage(block, 256 * wide, 512, depths[3], stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        start(self, weights, head="fc")
        if weights is None:
            self._start_as_identity()

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of images, float (n, 512 * expansion)."""
        maps = self.maxpool(self.relu(self.bn1(self.conv1(self.input(images)))))
        maps = self.layer4(self.layer3(self.layer2(self.layer1(maps))))
        return self.avgpool(maps).flatten(1)  # type: ignore[no-any-return]

    def _start_as_identity(self) -> None:
        """Let every block begin as its shortcut (Goyal et al., arXiv 1706.02677, section 5.1)."""
        for module in self.modules():
            if isinstance(module, (BasicBlock, Bottleneck)):
                nn.init.zeros_(module.last_norm().weight)


def resnet18(weights: str | Path | None = None, *, channels: int | None = None, small: bool = False) -> ResNet:
    """Make ResNet-18: images -> (n, 512).

    Parameters
    ----------
    weights
        A file with the state dict torchvision publishes, .pth or .safetensors; its 1000-class layer is left out.
        None starts with random weights.
    channels
        None is the published input: RGB, pixel values 0..255, standardised as ImageNet is. A number is for images of
        that many channels and any scale, standardised by their own statistics; not together with ``weights``.
    small
        Whether the images are small, 32 pixels a side or so: the first stage then sees them at full size, through one
        3x3 convolution, as the same paper has it for CIFAR-10 (section 4.2). Not together with ``weights``.

    Raises
    ------
    OSError
        The file cannot be read.
    ValueError
        The file does not hold this network, or channels or small are given with it.
    """
    return ResNet(BasicBlock, (2, 2, 2, 2), weights, channels, small=small)


def resnet50(weights: str | Path | None = None, *, channels: int | None = None, small: bool = False) -> ResNet:
    """Make ResNet-50: images -> (n, 2048). Parameters and errors are those of `resnet18`."""
    return ResNet(Bottleneck, (3, 4, 6, 3), weights, channels, small=small)


def _stage(block: type[BasicBlock] | type[Bottleneck], n_in: int, width: int, depth: int, stride: int) -> nn.Sequential:
    n_out = block.expansion * width
    return nn.Sequential(block(n_in, width, stride), *(block(n_out, width, 1) for _ in range(depth - 1)))


def _downsample(n_in: int, n_out: int, stride: int) -> nn.Sequential:
    """Make the shortcut: nothing where the shape stays, else a 1x1 convolution."""
    if n_in == n_out and stride == 1:
        return nn.Sequential()
    return nn.Sequential(_conv(n_in, n_out, 1, stride), nn.BatchNorm2d(n_out))


def _conv(n_in: int, n_out: int, size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(n_in, n_out, size, stride, padding=size // 2, bias=False)  # the norm that follows has the bias
