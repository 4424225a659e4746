"""The memory bank: what was seen last, and a loss that is that of comparing with it by hand."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hashindex.learn import Continuation, PairWeights, pairwise_loss, similarity  # noqa: E402
from hashindex.learn.likelihood import WeightedLikelihood  # noqa: E402
from hashindex.learn.losses.memory_bank import MemoryBank  # noqa: E402


@pytest.mark.parametrize("n_classes", [None, 3])
@pytest.mark.parametrize("batches", [[3, 3, 3, 3], [2, 9, 1], [20, 5], [7, 7], [1] * 9, [8]])
def test_the_oldest_are_replaced(batches: list[int], n_classes: int | None) -> None:
    rng = np.random.default_rng(0)
    n, size = sum(batches), 7
    z = torch.from_numpy(rng.standard_normal((n, 4)).astype(np.float32))
    labels = torch.from_numpy(rng.integers(0, 2, n if n_classes is None else (n, n_classes)))
    bank = MemoryBank(size, 4, labels)
    assert len(bank.remembered().z) == 0
    start = 0
    for m in batches:
        bank.put(z[start : start + m], labels[start : start + m])
        start += m
        seen = bank.remembered()
        last = range(max(0, start - size), start)
        assert sorted(seen.z.tolist()) == sorted(z[list(last)].tolist())
        for row, label in zip(seen.z, seen.labels, strict=True):
            assert torch.equal(label, labels[(z == row).all(dim=1)][0])


def test_the_loss_is_that_against_batch_and_bank_together() -> None:
    rng = np.random.default_rng(1)
    labels = torch.from_numpy(rng.integers(0, 3, 40))
    outputs = torch.from_numpy(rng.standard_normal((40, 6)).astype(np.float32))
    bank = MemoryBank(15, 6, labels)
    schedule, weights = Continuation([1, 3], [0, 2]), PairWeights(3.0, 1.5)
    objective = WeightedLikelihood(0.8, schedule, weights, bank, by_batch=False, partial=False, soften=0.0)
    for step in range(4):
        rows = torch.arange(10 * step, 10 * step + 10)
        z = outputs[rows].requires_grad_()
        loss = objective(z, labels[rows], rows, step)
        torch.autograd.backward(loss)
        # by hand: the last 15 items before this batch, with the beta of today and without gradients
        old = torch.arange(max(0, 10 * step - 15), 10 * step)
        same = outputs[rows].requires_grad_()
        h = torch.tanh(schedule.beta(step) * torch.cat([same, outputs[old]]))
        similar = similarity(labels[rows], labels[torch.cat([rows, old])])
        expected = pairwise_loss(h[:10], h, similar, weights, 0.8)
        torch.autograd.backward(expected)
        assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
        torch.testing.assert_close(z.grad, same.grad)
    assert not bank.z.requires_grad


def test_the_bank_is_part_of_the_objectives_state() -> None:
    labels = torch.arange(4)
    bank = MemoryBank(3, 2, labels)
    bank.put(torch.arange(8.0).reshape(4, 2), labels)
    again = MemoryBank(3, 2, labels)
    again.load_state_dict(bank.state_dict())
    again.put(torch.full((1, 2), 9.0), labels[:1])
    assert again.remembered().labels.sort().values.tolist() == [0, 2, 3]  # the oldest, 1, made room
    assert bank.remembered().labels.sort().values.tolist() == [1, 2, 3]
