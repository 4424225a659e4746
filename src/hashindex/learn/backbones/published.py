"""What the networks with published ImageNet weights share: their input, their first weights, reading the files."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from torch import Tensor, nn

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's red, green and blue, as shares of 255
_N_NAMED = 10  # entries named in an error


class ImageNetPixels(nn.Module):
    """Standardise RGB images (n, 3, height, width), pixel values 0..255, as the published weights expect them."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        # Not persistent: the state dict keeps the published names alone.
        self.register_buffer("mean", 255 * torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", 255 * torch.tensor(DEVIATION).view(3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return (x / 255 - mean) / deviation, channel by channel."""
        return (images - self.mean) / self.deviation


def image_input(weights: str | Path | None, channels: int | None) -> nn.Module:
    """Make what stands in front: ImageNet's pixels, or ``channels`` of any scale.

    Raises
    ------
    ValueError
        Weights and channels are both given: published weights are for RGB pixels.
    """
    if channels is None:
        return ImageNetPixels()
    if weights is not None:
        raise ValueError(f"published weights are for RGB pixel values 0..255: leave out channels={channels}")
    return nn.BatchNorm2d(channels, affine=False)


def start(network: nn.Module, weights: str | Path | None, head: str) -> None:
    """Give a network its first weights: those of a file, or random ones by the number of outputs.

    Random weights are normal with variance 2 / fan-out (He et al., "Delving Deep into Rectifiers", ICCV 2015,
    equation 14), biases zero.

    Parameters
    ----------
    network
        Its input module must have no state when there is a file.
    weights
        A state dict, .pth or .safetensors.
    head
        The name of the classifier, whose entries in the file are left out.

    Raises
    ------
    OSError
        The file cannot be read.
    ValueError
        It holds no state dict, or one of another network.
    """
    if weights is not None:
        network.load_state_dict(_fitting(network, Path(weights), head))
        return
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _fitting(network: nn.Module, path: Path, head: str) -> dict[str, Tensor]:
    """Return the file's entries without the head; ValueError unless names and shapes are the network's."""
    found = {name: tensor for name, tensor in _read(path).items() if not name.startswith(f"{head}.")}
    wanted = network.state_dict()
    # Files from before PyTorch 0.4.1 do not count batches; loading starts the count at 0.
    missing = [name for name in wanted.keys() - found.keys() if not name.endswith(".num_batches_tracked")]
    unexpected = found.keys() - wanted.keys()
    shapes = [
        f"{name} {tuple(found[name].shape)} instead of {tuple(tensor.shape)}"
        for name, tensor in wanted.items()
        if name in found and found[name].shape != tensor.shape
    ]
    problems = {"missing": sorted(missing), "unexpected": sorted(unexpected), "of another shape": shapes}
    told = [f"{len(names)} {problem}: {_listed(names)}" for problem, names in problems.items() if names]
    if told:
        raise ValueError(f"{path} does not hold the weights of this {type(network).__name__}: {'; '.join(told)}")
    return found


def _read(path: Path) -> dict[str, Tensor]:
    path.open("rb").close()  # its absence is an OSError with the name
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except SafetensorError as error:
            raise ValueError(f"{path} is no safetensors file: {error}") from None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, EOFError, RuntimeError) as error:
        raise ValueError(f"{path} cannot be read as a file of weights alone: {error}") from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"{path} holds no state dict (names and tensors): save network.state_dict()")
    return state


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _N_NAMED} more" if len(names) > _N_NAMED else ""
    return ", ".join(names[:_N_NAMED]) + more
