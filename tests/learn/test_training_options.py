"""Each option does what it says, and a wrong one is refused by name."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from clusters import QUICK, clusters, dropout_net, multi_hot  # noqa: E402
from hashindex.learn import HashNet, Training  # noqa: E402
from hashindex.learn.devices import has_bf16  # noqa: E402
from hashindex.learn.training import loop  # noqa: E402
from hashindex.learn.training.options import TrainingOptions  # noqa: E402

IMAGES = clusters(shape=(1, 6, 9))


def test_options_switch_parts_of_the_method() -> None:
    def course(items: Any, labels: Any, **options: Any) -> tuple[float, ...]:
        return tuple(HashNet(**QUICK | {"n_steps": 12} | options).fit(items, labels).history.loss)

    x, labels = clusters()
    variants: list[Any] = [
        {},
        {"weights": None},
        {"weights": "global"},
        {"partial": True},
        {"memory": 20},
        {"alpha": 0.1},
    ]
    variants += [{"continuation": False}, {"backbone_rate": 0.1}, {"bf16": True}, {"learning_rate": 0.1}]
    variants += [{"weight_decay": 0.5}]
    assert len({course(x, multi_hot(labels), **options) for options in variants}) == len(variants)
    assert course(x, labels) != course(x, labels, balanced=False)
    assert course(*IMAGES) != course(*IMAGES, augment=False)
    assert course(x, labels) == course(x, labels, augment=False)  # features never change


def test_bfloat16_reaches_the_network_and_neither_loss_nor_codes() -> None:
    seen: dict[str, set[Any]] = {"fit": set(), "encode": set()}

    class Spy(nn.Linear):
        def forward(self, x: Any) -> Any:
            z = super().forward(x)
            seen["fit" if self.training else "encode"].add(z.dtype)
            return z

    class Spied(HashNet):
        def objective(self, labels: Any, n_steps: int) -> Any:
            objective = super().objective(labels, n_steps)
            objective.register_forward_pre_hook(lambda _, inputs: losses.add(inputs[0].dtype))
            objective.register_forward_hook(lambda _, __, loss: losses.add(loss.dtype))
            return objective

    losses: set[Any] = set()
    model = Spied(backbone=nn.Sequential(nn.Flatten(), Spy(54, 8)), bf16=True, **QUICK).fit(*IMAGES)
    assert model.project(IMAGES[0]).dtype == np.float32
    assert seen == {"fit": {torch.bfloat16}, "encode": {torch.float32}}
    assert losses == {torch.float32}
    assert all(parameter.dtype == torch.float32 for parameter in model.network.parameters())


def test_a_frozen_backbone_stays_as_it_is_bit_for_bit() -> None:
    x, labels = clusters()
    for rate in (0, 0.1):
        backbone = dropout_net()
        trained = HashNet(backbone=backbone, backbone_rate=rate, **QUICK).fit(x, labels).network[0].state_dict()
        same = [torch.equal(value, trained[name]) for name, value in backbone.state_dict().items()]
        assert all(same) if rate == 0 else not any(same)  # weights and the statistics of the norm


@pytest.mark.parametrize(
    ("error", "options"),
    [
        *((ValueError, {"n_bits": n}) for n in (0, -1, 65537)),
        *((ValueError, {name: -1}) for name in ("seed", "n_steps", "memory", "backbone_rate", "weight_decay")),
        *((TypeError, {name: 2.5}) for name in ("n_bits", "seed", "n_steps", "batch_size", "memory")),
        *((ValueError, {name: 0}) for name in ("n_steps", "learning_rate", "alpha")),
        *((ValueError, {name: math.nan}) for name in ("learning_rate", "alpha", "backbone_rate", "weight_decay")),
        *((ValueError, {name: math.inf}) for name in ("learning_rate", "alpha", "backbone_rate", "weight_decay")),
        (ValueError, {"batch_size": 1}),
        (ValueError, {"weights": "class"}),
        (TypeError, {"backbone": dropout_net}),
        (TypeError, {"backbone": "resnet18"}),
        (TypeError, {"weighted": False}),
    ],
    ids=str,
)
def test_bad_options_are_refused(error: Any, options: Any) -> None:
    with pytest.raises(error, match=f"{next(iter(options))}.*"):
        HashNet(**options)


def test_an_unknown_schedule_or_backbone_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"continuation must be True.*plateau; got 'linear'"):
        HashNet(continuation="linear", **QUICK).fit(*IMAGES)
    with pytest.raises(ValueError, match=r"\(1, 1, 6, 9\)"):
        HashNet(backbone=nn.Identity(), **QUICK).fit(*IMAGES)


def test_a_device_may_be_torchs_own() -> None:
    assert Training(device=torch.device("cpu")) == Training(device="cpu")
    with pytest.raises(RuntimeError, match="nowhere"):
        Training(device="nowhere")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_here_is_refused_before_items_are_looked_at() -> None:
    items = np.full((4, 10), np.nan)
    with pytest.raises(RuntimeError, match=r"device 'cuda' cannot be used here: .*; leave device out to take the best"):
        HashNet(**QUICK | {"device": "cuda"}).fit(items, np.arange(4))


def test_bfloat16_is_for_gpus_that_compute_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    majors = {"cuda:0": 8, "cuda:1": 7, "cuda": 8}  # two GPUs, the second of Turing, which only emulates it
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.current_device", lambda: 0)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda including_emulation=True: including_emulation)
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda device: SimpleNamespace(major=majors[str(device)]))
    assert [has_bf16(device) for device in majors] == [True, False, True]
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert not has_bf16("cuda")


def test_the_keywords_of_a_method_are_the_fields_of_its_training() -> None:
    assert TrainingOptions.__annotations__.keys() == Training.__dataclass_fields__.keys()


def test_norms_and_biases_do_not_decay() -> None:
    network = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    groups = loop._groups(
        network, HashNet().objective(torch.arange(4), 10), Training(learning_rate=0.1, weight_decay=0.5)
    )
    decays = {id(parameter): group["weight_decay"] for group in groups for parameter in group["params"]}
    assert [decays[id(parameter)] for parameter in network.parameters()] == [0.5, 0, 0, 0]


def test_alpha_falls_unless_it_is_given() -> None:
    made: list[Any] = [HashNet(alpha=alpha).objective(torch.arange(4), 10) for alpha in (None, 0.3)]
    assert [objective.soften for objective in made] == [0.75, 0]


def test_defaults_suit_the_items() -> None:
    features, large = Training().resolved((10,)), Training(device="cpu").resolved((3, 32, 32))
    assert features.n_steps is not None
    assert large.n_steps is not None
    assert large.n_steps > features.n_steps
    assert features.bf16 is False
    assert Training(device="cpu").resolved((3, 8, 8)) == Training(device="cpu").resolved((10,))
    assert None not in vars(features).values()
    chosen = Training(n_steps=5, learning_rate=0.3, bf16=True, device="cpu")
    assert chosen.resolved((10,)) == chosen
