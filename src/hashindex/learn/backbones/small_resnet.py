"""A small residual network for small images, trained in minutes on a CPU."""

from torch import Tensor, nn

_STEM = 32  # channels at full size: more cost more time there than they bring


def small_resnet(shape: tuple[int, int, int], widths: tuple[int, ...] = (64, 128, 256)) -> nn.Sequential:
    """Make a residual network for images (n, channels, height, width) of any scale -> (n, widths[-1]).

    Made for 25 to 64 pixels a side. Each width is a stage, which halves the image; on 32 x 32 pixels and with the
    default widths an image takes 0.07 G multiply-adds. The first stage halves by a stride: at full size convolutions of
    few channels run at a fraction of a CPU's speed.

    Raises
    ------
    ValueError
        A side of the image is too short to be halved by every stage.
    """
    channels, height, breadth = shape
    shortest = 2 ** len(widths)
    if min(height, breadth) < shortest:
        raise ValueError(
            f"small_resnet with {len(widths)} stages is for images of at least {shortest} pixels a side, "
            f"got {height} x {breadth}; conv_net is for smaller ones"
        )
    first, *others = widths
    return nn.Sequential(
        nn.BatchNorm2d(channels, affine=False),
        *_block(channels, _STEM),
        *(*_block(_STEM, first, stride=2), Residual(first)),
        *(
            module
            for n_in, n_out in zip(widths, others, strict=False)
            for module in (*_block(n_in, n_out, pool=True), Residual(n_out))
        ),
        *(nn.AdaptiveMaxPool2d(1), nn.Flatten()),
    )


class Residual(nn.Module):
    """x + ReLU(norm(conv(x)))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = nn.Sequential(*_block(width, width))

    def forward(self, x: Tensor) -> Tensor:
        """Add what the block makes of x to x."""
        return x + self.block(x)  # type: ignore[no-any-return]


def _block(n_in: int, n_out: int, *, stride: int = 1, pool: bool = False) -> list[nn.Module]:
    conv = nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=False)  # the norm that follows has the bias
    return [conv, *([nn.MaxPool2d(2)] if pool else []), nn.BatchNorm2d(n_out), nn.ReLU()]
