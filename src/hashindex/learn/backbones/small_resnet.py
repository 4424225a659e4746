"""A small residual network for small images, trained in minutes on a CPU."""

from torch import Tensor, nn


def small_resnet(shape: tuple[int, int, int], widths: tuple[int, ...] = (64, 128, 256)) -> nn.Sequential:
    """Make a residual network for images (n, channels, height, width) of any scale -> (n, widths[-1]).

    Made for 25 to 64 pixels a side. Each width is a stage, which halves the image.

    Raises
    ------
    ValueError
        A side of the image is too short to be halved by every stage.
    """
    channels, height, breadth = shape
    shortest = 2 ** len(widths) + 1
    if min(height, breadth) < shortest:
        raise ValueError(
            f"small_resnet with {len(widths)} stages is for images of at least {shortest} pixels a side, "
            f"got {height} x {breadth}; conv_net is for smaller ones"
        )
    n_colours = 24
    stages = zip((n_colours, *widths), widths, strict=False)
    return nn.Sequential(
        nn.BatchNorm2d(channels, affine=False),
        *(nn.Conv2d(channels, n_colours, kernel_size=2), nn.ReLU()),
        *(_stage(n_in, n_out) for n_in, n_out in stages),
        *(nn.AdaptiveMaxPool2d(1), nn.Flatten()),
    )


class Residual(nn.Module):
    """x + block(x)."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        """Add what the block makes of x to x."""
        return x + self.block(x)  # type: ignore[no-any-return]


def _stage(n_in: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(
        *(_conv(n_in, n_out), nn.MaxPool2d(2), nn.BatchNorm2d(n_out), nn.ReLU()),
        Residual(nn.Sequential(_conv(n_out, n_out), nn.BatchNorm2d(n_out), nn.ReLU())),
    )


def _conv(n_in: int, n_out: int) -> nn.Conv2d:
    return nn.Conv2d(n_in, n_out, kernel_size=3, padding=1, bias=False)  # the norm that follows has the bias
