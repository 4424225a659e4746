"""The networks in front of the hash layer: those of the literature, by their published names; which is the default."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from hashindex.learn.backbones import (  # noqa: E402
    alexnet,
    conv_net,
    default_backbone,
    mlp,
    resnet18,
    resnet50,
    small_resnet,
)
from hashindex.learn.backbones.small_resnet import Residual  # noqa: E402

Entries = dict[str, Tensor]

# name: (make, width, parameters with a classifier of 1000 classes, digest of names and shapes without it, features)
# The digests, and features 1 to 3 and the sum of all with `known_weights`, are those of torchvision 0.29.2.
PUBLISHED: dict[str, tuple[Callable[..., nn.Module], int, int, str, list[float]]] = {
    "alexnet": (alexnet, 4096, 61_100_840, "1a04e9904c4c58f7", [1.649077, 2.042757, 2.075456, 4012.243]),
    "resnet18": (resnet18, 512, 11_689_512, "504739f3083bec5e", [7.574618, 47.15234, 15.33575, 9776.560]),
    "resnet50": (resnet50, 2048, 25_557_032, "c1f7fd3808aa49e7", [10.18122, 265.7067, 133.4645, 599310.8]),
}


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


def known_weights(state: Entries) -> Entries:
    """Values for the entries of a state dict: kernels of unit gain, the rest in 0..1."""
    rng = np.random.default_rng(0)
    known = {}
    for name in sorted(state):
        shape = tuple(state[name].shape)
        values = torch.from_numpy(rng.random(shape or (1,), np.float32)).reshape(shape)
        known[name] = (values - 0.5) * (12 / values[0].numel()) ** 0.5 if values.ndim > 1 else values
    return known


def pixels(n: int = 1, side: int = 64) -> Tensor:
    values = np.random.default_rng(1).integers(0, 256, (n, 3, side, side)).astype(np.float32)
    images: Tensor = torch.from_numpy(values)
    return images


def features(network: nn.Module, images: Tensor) -> Tensor:
    with torch.inference_mode():
        result: Tensor = network.eval()(images)
        return result


def spread(network: nn.Module) -> nn.Module:
    """Give norms that start at zero another value, as training does."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d) and module.affine:
            nn.init.uniform_(module.weight, 0.5, 1.5)
    return network


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_networks_have_the_published_names_and_compute_the_same(name: str) -> None:
    make, width, n_parameters, digest, expected = PUBLISHED[name]
    network = make()
    assert sum(p.numel() for p in network.parameters()) + 1000 * width + 1000 == n_parameters
    state = network.state_dict()
    told = "\n".join(f"{name} {tuple(tensor.shape)}" for name, tensor in sorted(state.items()))
    assert hashlib.sha256(told.encode()).hexdigest()[:16] == digest
    network.load_state_dict(known_weights(state))
    found = features(network, pixels())
    assert found.shape == (1, width)
    assert [*found[0, 1:4].tolist(), float(found.sum())] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("make", [resnet18, resnet50, lambda: small_resnet((3, 64, 64)), lambda: conv_net((3, 64, 64))])
def test_every_parameter_learns(make: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    network = spread(make()).train()
    out = network(pixels(4))
    (out * torch.randn_like(out)).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.isfinite().all()), name
        assert float(parameter.grad.abs().max()) > 0, name


def test_random_weights_are_scaled_by_fan_out_and_blocks_begin_as_their_shortcut() -> None:
    torch.manual_seed(0)
    network: Any = resnet18()
    kernel = network.layer2[0].conv1.weight  # 128 x 64 x 3 x 3
    assert float(kernel.detach().std()) == pytest.approx((2 / (128 * 9)) ** 0.5, rel=0.02)
    x = torch.rand(2, 64, 8, 8)
    torch.testing.assert_close(network.layer1.eval()(x), x)


def test_small_images_are_seen_at_full_size() -> None:
    network = resnet18(channels=3, small=True)
    assert sum(p.numel() for p in network.parameters()) == 11_689_512 - 513_000 - 64 * 3 * (7 * 7 - 3 * 3)
    first = network.maxpool(network.relu(network.bn1(network.conv1(torch.rand(2, 3, 32, 32)))))
    assert first.shape == (2, 64, 32, 32)
    assert network(torch.rand(2, 3, 32, 32)).shape == (2, 512)


@pytest.fixture(scope="module")
def resnet18_file() -> Entries:
    """What a published file holds: also a classifier, and (the old ones) no count of batches."""
    known = known_weights(resnet18().state_dict())
    counted = {name: tensor for name, tensor in known.items() if not name.endswith("num_batches_tracked")}
    return {**counted, "fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
def test_weights_are_read_from_files(tmp_path: Path, resnet18_file: Entries, name: str) -> None:
    save(resnet18_file, tmp_path / name)
    network = resnet18(tmp_path / name)
    found = network.state_dict()
    for name in resnet18_file.keys() - {"fc.weight", "fc.bias"}:
        assert torch.equal(found[name], resnet18_file[name]), name


def save(entries: Entries, path: Path) -> None:
    if path.suffix == ".pth":
        torch.save(entries, path)
    else:
        pytest.importorskip("safetensors.torch").save_file(entries, path)


def test_an_unfit_file_is_told_entry_by_entry(tmp_path: Path, resnet18_file: Entries) -> None:
    path = tmp_path / "weights.pth"
    entries = {**resnet18_file, "conv1.weight": torch.zeros(64, 1, 7, 7), "head.bias": torch.zeros(3)}
    del entries["bn1.bias"]
    save(entries, path)
    with pytest.raises(ValueError, match="of this ResNet") as error:
        resnet18(path)
    told = str(error.value)
    assert str(path) in told
    assert "1 missing: bn1.bias; 1 unexpected: head.bias; 1 of another shape: conv1.weight (64, 1, 7, 7)" in told
    assert "instead of (64, 3, 7, 7)" in told
    assert "fc." not in told
    with pytest.raises(ValueError, match="of this AlexNet: 14 missing: .* and 4 more; 102 unexpected"):
        alexnet(path)


class Trap:
    """Makes a folder when it is unpickled."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("trapped",)


@pytest.mark.parametrize("content", [{"conv1.weight": Trap()}, [torch.zeros(2)], {"conv1.weight": 3.0}])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(content, "weights.pth")
    with pytest.raises(ValueError, match="weights.pth (cannot be read as a file of weights|holds no state dict)"):
        resnet18("weights.pth")
    assert not Path("trapped").exists()


def test_files_that_are_damaged_or_absent_are_refused(tmp_path: Path) -> None:
    for name, message in (("a.pth", "cannot be read"), ("a.safetensors", "no safetensors file")):
        with pytest.raises(FileNotFoundError, match=name):
            resnet18(tmp_path / name)
        for content in (b"", b"not a file of weights"):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(ValueError, match=message):
                resnet18(tmp_path / name)
    with pytest.raises(ValueError, match="leave out channels=1"):
        resnet18(tmp_path / "a.pth", channels=1)
    with pytest.raises(ValueError, match="leave out small=True"):
        resnet18(tmp_path / "a.pth", small=True)


@pytest.mark.parametrize(
    ("shape", "like"),
    [
        ((10,), mlp(10)),
        ((1, 4, 24), conv_net((1, 4, 24))),
        ((2, 64, 24), conv_net((2, 64, 24))),
        ((3, 25, 64), small_resnet((3, 25, 64))),
        ((2, 65, 30), resnet18(channels=2)),
        ((1, 4, 65), resnet18(channels=1)),
    ],
)
def test_the_default_is_chosen_by_shape_and_takes_any_scale(shape: tuple[int, ...], like: nn.Module) -> None:
    torch.manual_seed(0)
    network = default_backbone(shape)
    assert repr(network) == repr(like)
    items = torch.from_numpy(np.random.default_rng(0).random((8, *shape), np.float32))
    found = network.train()(items)
    assert found.ndim == 2
    assert len(features(network, items)) == 8
    torch.testing.assert_close(network.train()(1000 * items - 300), found, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("shape", [(3, 3, 10), (3, 3, 100), (1, 100, 3)])
def test_images_too_small_for_any_default_need_another_backbone(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=rf"4 to 64 pixels a side, got {shape[1]} x {shape[2]}; .*backbone="):
        default_backbone(shape)


def test_small_resnet_adds_what_its_blocks_make() -> None:
    torch.manual_seed(0)
    network: Any = small_resnet((3, 33, 40), widths=(8, 16))
    assert features(network, pixels(2, 40)[:, :, :33]).shape == (2, 16)
    residuals = [module for module in network if isinstance(module, Residual)]
    assert len(residuals) == 2
    for residual in residuals:
        nn.init.zeros_(dict(residual.block.named_parameters())["1.weight"])
    plain = nn.Sequential(*(module for module in network if not isinstance(module, Residual)))
    assert torch.equal(features(network, pixels(2)), features(plain, pixels(2)))
    with pytest.raises(ValueError, match="2 stages is for images of at least 4 pixels a side, got 3 x 9"):
        small_resnet((1, 3, 9), widths=(8, 16))
