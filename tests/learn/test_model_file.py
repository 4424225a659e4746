"""Trained models on disk: what is loaded encodes and trains as what was saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from torch import Tensor, nn  # noqa: E402

from clusters import QUICK, clusters, dropout_net, multi_hot  # noqa: E402
from hashindex.learn import Continuation, DeepHash, HashNet, Objective, Plateau  # noqa: E402

SCHEDULE = Continuation([1, 2.5], [0, 7])
OPTIONS: list[dict[str, Any]] = [
    {},
    {"alpha": 0.3, "continuation": SCHEDULE, "weights": None, "partial": True, "memory": 9, "seed": 4},
    {"continuation": Plateau([1, 2], patience=3, tolerance=0.2), "weights": "global", "learning_rate": 0.003},
    {"continuation": "released", "augment": False, "balanced": False, "bf16": True, "backbone_rate": 0.1},
    {"seed": np.int64(3), "batch_size": np.int32(32), "alpha": np.float32(0.5), "weight_decay": np.float64(0.1)},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", [(10,), (3, 6, 9)], ids=str)
def test_a_loaded_model_is_the_saved_one(shape: tuple[int, ...], options: dict[str, Any], tmp_path: Path) -> None:
    x, labels = clusters(60, shape=shape)
    hot = multi_hot(labels)
    saved = HashNet(**QUICK | {"n_steps": 12} | options).fit(x, hot)
    saved.save(tmp_path / "model")
    loaded = HashNet.load(str(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.project(x), saved.project(x))
    assert loaded.item_shape == saved.item_shape == shape
    assert not any(module.training for module in loaded.network.modules())
    assert not any(parameter.requires_grad for parameter in loaded.network.parameters())
    # its options came along: trained again it does as the saved one would
    np.testing.assert_array_equal(loaded.fit(x, hot).project(x), saved.project(x))
    assert list(tmp_path.iterdir()) == [tmp_path / "model"]


def test_a_backbone_of_ones_own_is_given_again(tmp_path: Path) -> None:
    x, labels = clusters(60)
    own, default, path = tmp_path / "own", tmp_path / "default", tmp_path / "none"
    saved = HashNet(backbone=dropout_net(), **QUICK).fit(x, labels)
    saved.save(own)
    HashNet(**QUICK).fit(x, labels).save(default)
    given = dropout_net()
    weights = {name: value.clone() for name, value in given.state_dict().items()}
    np.testing.assert_array_equal(HashNet.load(own, backbone=given).project(x), saved.project(x))
    for name, value in given.state_dict().items():
        assert torch.equal(value, weights[name])  # a copy of it was filled
    with pytest.raises(ValueError, match=r"(?s)own was trained with a backbone of its own.*Dropout.*backbone=\.\.\."):
        HashNet.load(own)
    with pytest.raises(ValueError, match=r"default was trained with its default backbone: load\(path\)"):
        HashNet.load(default, backbone=dropout_net())
    for other in (nn.Linear(10, 16), nn.Sequential(nn.Flatten(), nn.Linear(10, 5), nn.BatchNorm1d(5))):
        with pytest.raises(ValueError, match=r"own was trained with another backbone, Sequential"):
            HashNet.load(own, backbone=other)
    with pytest.raises(FileNotFoundError, match="none"):
        HashNet.load(path)


def test_a_backbone_that_does_something_else_with_the_weights_is_noticed(tmp_path: Path) -> None:
    x, labels = clusters(60)
    HashNet(backbone=nn.Sequential(nn.Linear(10, 8), nn.ReLU()), **QUICK).fit(x, labels).save(tmp_path / "model")
    with pytest.raises(ValueError, match="trained with another backbone, Sequential"):
        HashNet.load(tmp_path / "model", backbone=nn.Sequential(nn.Linear(10, 8), nn.Tanh()))


class Late(nn.Module):
    """A backbone that makes its parameters and a constant when it sees the first items."""

    scale: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.scale is None:
            self.weight = nn.Parameter(torch.randn(x.shape[1], 8) / 3)
            self.scale = torch.linspace(1, 2, 8)
        return x @ self.weight * self.scale


@pytest.mark.parametrize(
    "make", [Late, lambda: nn.Sequential(nn.LazyLinear(8), nn.ReLU())], ids=["made late", "LazyLinear"]
)
def test_a_backbone_that_is_complete_only_after_its_first_items(make: Any, tmp_path: Path) -> None:
    x, labels = clusters(60)
    model = HashNet(backbone=make(), **QUICK).fit(x, labels)
    model.save(tmp_path / "model")
    loaded = HashNet.load(tmp_path / "model", backbone=make())
    np.testing.assert_array_equal(loaded.project(x), model.project(x))
    loaded.network.requires_grad_(True)(torch.from_numpy(x)).sum().backward()  # as somebody may who trains it on


def test_a_damaged_file_is_noticed(tmp_path: Path) -> None:
    x, labels = clusters(60)
    path = tmp_path / "model"
    HashNet(**QUICK).fit(x, labels).save(path)
    content = bytearray(path.read_bytes())
    for place in (-1, -1000, content.index(b"n_bits") + 20):
        damaged = content.copy()
        damaged[place] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="is damaged|is no model file"):
            HashNet.load(path)


class OtherHash(DeepHash):
    """A method beside HashNet: z near 1 for the first class and -1 for others."""

    def __init__(self, n_bits: int = 32, seed: int = 0, *, power: int = 2, **options: Any) -> None:
        super().__init__(n_bits, seed, **options)
        self.power = power

    def objective(self, labels: Tensor, n_steps: int) -> Objective:
        power = self.power

        class Distance(Objective):
            def __init__(self) -> None:
                super().__init__()
                self.centre = nn.Parameter(torch.ones(1))

            def forward(self, z: Any, labels: Any, rows: Any, step: int) -> Any:
                return (z - self.centre * (2.0 * (labels == 0) - 1)[:, None]).pow(power).mean()

        return Distance()

    def hash_layer(self, width: int) -> nn.Module:
        return nn.Linear(width, self.n_bits)


def test_another_method_saves_and_loads_by_its_own_name(tmp_path: Path) -> None:
    x, labels = clusters(60)
    model = OtherHash(power=4, **QUICK).fit(x, labels, checkpoint=tmp_path / "checkpoint")
    model.save(tmp_path / "model")
    for path in (tmp_path / "model", tmp_path / "checkpoint"):
        loaded = OtherHash.load(path)
        assert loaded.power == 4
        np.testing.assert_array_equal(loaded.project(x), model.project(x))
        for kind in (HashNet, DeepHash):
            with pytest.raises(ValueError, match=f"holds a OtherHash, not a {kind.__name__}: call OtherHash.load"):
                kind.load(path)
    assert not hasattr(model, "convergence")
    again = OtherHash(power=4, **QUICK).fit(x, labels, checkpoint=tmp_path / "checkpoint")
    np.testing.assert_array_equal(again.history, model.history)


def test_a_model_that_cannot_be_written_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x, labels = clusters(60)
    model = HashNet(**QUICK)
    path = tmp_path / "model"
    with pytest.raises(RuntimeError, match="call fit"):
        model.save(path)
    model.fit(x, labels).save(path)
    content = path.read_bytes()
    with pytest.raises(FileNotFoundError):
        model.save(tmp_path / "none" / "model")
    with pytest.raises(IsADirectoryError):
        model.save(tmp_path)

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        model.fit(x[::-1], labels).save(path)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_missing_safetensors_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x, labels = clusters(60)
    model = HashNet(**QUICK).fit(x, labels)
    monkeypatch.setitem(__import__("sys").modules, "safetensors.torch", None)
    uses: list[Any] = [
        lambda: model.save(tmp_path / "model"),
        lambda: HashNet.load(tmp_path / "model"),
        lambda: model.fit(x, labels, checkpoint=tmp_path / "x", progress=lambda _: pytest.fail("a step was made")),
    ]
    for use in uses:
        with pytest.raises(ImportError, match=r"safetensors: pip install 'hashindex\[train\]'"):
            use()
    assert not list(tmp_path.iterdir())
