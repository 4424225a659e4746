"""The paper's theorems: what is told of each stage is what was there, and watching changes nothing."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from clusters import QUICK, clusters, dropout_net  # noqa: E402
from hashindex.learn import Continuation, HashNet, PairWeights, Plateau  # noqa: E402
from hashindex.learn.convergence import Convergence  # noqa: E402
from hashindex.learn.likelihood import WeightedLikelihood  # noqa: E402
from hashindex.learn.training.watch import Watch  # noqa: E402

if TYPE_CHECKING:
    from hashindex.inputs.items import Items
    from hashindex.learn import Objective

SCHEDULES = [True, False, "stages", "released", Plateau([1, 2, 4], patience=2, tolerance=0.9)]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_stages_are_those_of_the_history_and_keep_the_codes(schedule: bool | str | Continuation) -> None:
    x, labels = clusters()
    model = HashNet(continuation=schedule, backbone=dropout_net(), **QUICK).fit(x, labels)
    history, stages = model.history, model.convergence
    assert [row.stage for row in stages] == sorted(set(history.stage))
    for row in stages:
        steps = history.step[history.stage == row.stage]
        assert (row.first_step, row.last_step) == (steps[0], steps[-1])
        assert set(history.beta[history.stage == row.stage]) == {row.beta}
        assert 0 <= row.flipped <= 1
        assert 0 <= row.quantisation_gap <= 1
    assert all(row.kept for row in stages)
    for before, after in pairwise(stages):  # theorem 1: nothing happens to the codes between two stages
        assert after.binary_loss_before == before.binary_loss
        assert after.first_step == before.last_step + 1
    assert stages[-1].binary_loss < stages[0].binary_loss_before  # theorem 2, over the whole of an easy task
    assert any(row.flipped > 0 for row in stages)


def test_a_sign_that_depended_on_beta_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    tanh = torch.tanh
    monkeypatch.setattr(torch, "tanh", lambda x: tanh(x) - 0.3)
    stages = HashNet(**QUICK).fit(*clusters()).convergence
    assert not all(row.kept for row in stages)


def test_a_stage_is_told_as_the_formulas_say() -> None:
    rng = np.random.default_rng(0)
    x, labels = clusters(30, n_classes=3, shape=(4,))
    weights = [rng.standard_normal((6, 4)).astype(np.float32) for _ in range(3)]
    network = nn.Linear(4, 6, bias=False)
    alpha, pair_weights, betas = 0.4, PairWeights(3.0, 1.5), (1.5, 6.0)
    objective = WeightedLikelihood(
        alpha, Continuation(list(betas), [0, 4]), pair_weights, None, by_batch=False, partial=False, soften=1.0
    )
    watch = Convergence(network, objective, x, torch.from_numpy(labels))
    for step in range(9):
        if step in (0, 2, 6):  # the network changes between the looks
            network.load_state_dict({"weight": torch.from_numpy(weights[[0, 2, 6].index(step)])})
        watch(step)
    watch.finish(9)

    def loss(h: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
        total = weight_total = 0.0
        for i in range(30):
            for j in range(30):
                product, similar = alpha * float(h[i] @ h[j]), labels[i] == labels[j]
                weight = pair_weights.similar if similar else pair_weights.dissimilar
                total += weight * (np.log1p(np.exp(product)) - similar * product)
                weight_total += weight
        return total / weight_total

    zs = [x.astype(np.float64) @ w.T for w in weights]
    rows = watch.state_dict()["stages"]
    assert len(rows) == 2
    for stage, (row, before, after, beta) in enumerate(zip(rows, zs, zs[1:], betas, strict=False)):
        assert row[:4] == [stage, beta, 4 * stage, [3, 8][stage]]
        h = np.tanh(beta * after)
        expected = [loss(np.sign(before)), loss(np.sign(after)), loss(np.tanh(beta * before)), loss(h)]
        expected += [float((1 - abs(h)).mean()), float((abs(h) > 0.99).mean())]
        assert row[4:10] == pytest.approx(expected, rel=1e-4)
        assert row[10] == pytest.approx(float(((before > 0) != (after > 0)).mean()))
        assert row[11] is True


@pytest.mark.parametrize("backbone", [None, dropout_net()], ids=["default", "dropout"])
def test_watching_changes_nothing(backbone: nn.Module | None) -> None:
    class Unwatched(HashNet):
        def watch(self, network: nn.Sequential, objective: Objective, items: Items, labels: Tensor) -> Watch:
            return Watch()

    x, labels = clusters()
    watched, unwatched = (kind(backbone=backbone, **QUICK).fit(x, labels) for kind in (HashNet, Unwatched))
    np.testing.assert_array_equal(watched.history, unwatched.history)
    for name, value in watched.network.state_dict().items():
        assert torch.equal(value, unwatched.network.state_dict()[name])
    assert not hasattr(unwatched, "convergence")


def test_probes_are_some_of_many_items_and_encoded_as_usual() -> None:
    x, labels = clusters()
    network = nn.Sequential(dropout_net(), nn.Linear(16, 12)).eval()
    objective = HashNet(**QUICK).objective(torch.from_numpy(labels), 20)
    assert isinstance(objective, WeightedLikelihood)
    watch = Convergence(network, objective, x, torch.from_numpy(labels), n_probes=50)
    watch(0)
    codes = watch.state_dict()["began"][3].numpy()
    model = HashNet(**QUICK).fit(x, labels)
    model.network = network
    known = {row.tobytes() for row in model.project(x) > 0}
    assert codes.shape == (50, 12)
    assert {row.tobytes() for row in codes} <= known
    assert network.training is False
