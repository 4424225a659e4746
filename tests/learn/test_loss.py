"""The objective against its formula in slow loops, finite differences and counted pairs."""

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hashindex.learn import Continuation, PairWeights, agreement, pair_weights, pairwise_loss, similarity  # noqa: E402
from hashindex.learn.likelihood import WeightedLikelihood  # noqa: E402
from hashindex.learn.losses.pairwise import similarity_of_batch  # noqa: E402


def written_out(a: Any, b: Any, similar: Any, weights: Any, alpha: Any, c: Any = None) -> Any:
    total = weight_total = 0.0
    for i in range(len(a)):
        for j in range(len(b)):
            product = alpha * sum(x * y for x, y in zip(a[i], b[j], strict=True))
            weight = weights.similar if similar[i, j] else weights.dissimilar
            weight *= 1 if c is None else c[i, j]
            total += weight * (np.log(1 + np.exp(product)) - similar[i, j] * product)
            weight_total += weight
    return total / weight_total


def outputs(n: Any, n_bits: int = 6, seed: int = 0) -> Any:
    return torch.from_numpy(np.tanh(np.random.default_rng(seed).standard_normal((n, n_bits))))


def likelihood(alpha: float, betas: Any, starts: Any, weights: PairWeights, **switches: Any) -> WeightedLikelihood:
    off: dict[str, Any] = {"by_batch": False, "partial": False, "soften": 0.0}
    return WeightedLikelihood(alpha, Continuation(betas, starts), weights, None, **off | switches)


LABELS = {
    "class numbers": torch.tensor([3, 1, 3, 0, 1, 3, 7]),
    "multi-hot": torch.tensor([[1, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0], [1, 1, 0], [1, 0, 1], [0, 0, 1]]),
}


def classes(label: Any) -> set[int]:
    return {int(label)} if label.ndim == 0 else {c for c, has in enumerate(label.tolist()) if has}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_similarity_agreement_and_weights_are_what_counting_finds(labels: Any) -> None:
    n = len(labels)
    similar, jaccard = np.zeros((n, n), bool), np.ones((n, n), np.float32)
    for i in range(n):
        for j in range(n):
            a, b = classes(labels[i]), classes(labels[j])
            similar[i, j] = bool(a & b)
            if similar[i, j]:
                jaccard[i, j] = len(a & b) / len(a | b)
    np.testing.assert_array_equal(similarity(labels, labels), similar)
    found = agreement(labels, labels)
    assert found.dtype == torch.float32
    np.testing.assert_array_equal(found, jaccard)
    np.testing.assert_array_equal(agreement(labels[:3], labels), jaccard[:3])
    similar |= np.eye(n, dtype=bool)  # row 3 has no label
    np.testing.assert_array_equal(similarity_of_batch(labels, labels), similar)
    np.testing.assert_array_equal(similarity_of_batch(labels[:5], labels), similar[:5])
    weights = pair_weights(labels)
    assert weights.similar == pytest.approx(n * n / similar.sum())
    assert weights.dissimilar == pytest.approx(n * n / (~similar).sum())


@pytest.mark.parametrize("weights", [PairWeights(1.0, 1.0), PairWeights(40.0, 1.02)])
@pytest.mark.parametrize("alpha", [0.3, 10 / 6])
def test_loss_is_the_formula(weights: Any, alpha: Any) -> None:
    a, b = outputs(5), outputs(4, seed=1)
    similar = similarity(torch.tensor([0, 1, 2, 0, 1]), torch.tensor([0, 1, 1, 5]))
    c = torch.from_numpy(np.random.default_rng(2).random((5, 4)))
    for partly in (None, c):
        loss = pairwise_loss(a, b, similar, weights, alpha, partly)
        expected = written_out(
            a.numpy(), b.numpy(), similar.numpy(), weights, alpha, None if partly is None else partly.numpy()
        )
        assert loss.dtype == torch.float64
        assert loss.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("by_batch", [True, False])
@pytest.mark.parametrize("partial", [True, False])
@pytest.mark.parametrize("soften", [1.0, 0.75, 0.0])
def test_the_objective_is_the_formula_of_tanh_beta_z(kind: str, by_batch: bool, partial: bool, soften: float) -> None:
    labels = LABELS[kind]
    z, step, beta = outputs(7, seed=3).float() * 2, 30, 2.5
    weights = pair_weights(labels) if by_batch else PairWeights(7.0, 1.2)
    objective = likelihood(0.9, [1, beta], [0, 25], weights, by_batch=by_batch, partial=partial, soften=soften)
    h, similar = np.tanh(beta * z.numpy()), similarity_of_batch(labels, labels).numpy()
    c = agreement(labels, labels).numpy() if partial else None
    expected = written_out(h, h, similar, weights, 0.9 / beta**soften, c)
    assert objective(z, labels, torch.arange(7), step).item() == pytest.approx(expected, rel=1e-5)
    assert objective.describe(step) == (1, beta)


def test_gradient_is_that_of_finite_differences() -> None:
    h = outputs(6).requires_grad_()
    labels = LABELS["multi-hot"][:6]
    similar, weights, c = similarity(labels, labels), pair_weights(labels), agreement(labels, labels).double()
    for partly in (None, c):
        assert torch.autograd.gradcheck(lambda x, c=partly: pairwise_loss(x, x, similar, weights, 0.7, c), h)
        other = outputs(6, seed=2).requires_grad_()
        assert torch.autograd.gradcheck(
            lambda x, y, c=partly: pairwise_loss(x, y, similar, weights, 0.7, c), (h, other)
        )
    at_zero = torch.zeros_like(h).requires_grad_()  # orthogonal codes: where a clamped form loses its gradient
    assert torch.autograd.gradcheck(lambda x: pairwise_loss(x, other, similar, weights, 0.7), at_zero)


def test_gradient_of_the_objective_is_that_of_finite_differences() -> None:
    labels = LABELS["multi-hot"]
    objective = likelihood(0.9, [1.7], [0], PairWeights(1, 1), by_batch=True, partial=True, soften=0.75)
    z = outputs(7, seed=4).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: objective(x, labels, torch.arange(7), 0), z)


def test_a_kind_of_pair_that_does_not_exist_needs_no_weight() -> None:
    alone = torch.tensor([[1, 0], [1, 1]])  # every pair is similar
    nothing = torch.zeros(3, 2, dtype=torch.int64)  # no pair is, but of an item with itself
    same = torch.tensor([4, 4, 4])
    assert pair_weights(alone) == pair_weights(same) == (1, 1)
    assert pair_weights(nothing) == (3, 1.5)
    for labels in (torch.tensor([[1, 0]] * 3), same):
        for each in (False, True):
            z = outputs(3).requires_grad_()
            objective = likelihood(0.7, [1], [0], pair_weights(labels), by_batch=each, partial=each)
            loss = objective(z, labels, torch.arange(3), 0)
            torch.autograd.backward(loss)
            similar = similarity(labels, labels).numpy()
            h = np.tanh(z.detach().numpy())
            assert loss.item() == pytest.approx(written_out(h, h, similar, PairWeights(1, 1), 0.7))
            assert torch.isfinite(z.grad).all()
            assert z.grad.any()


def test_weights_stay_exact_for_many_items() -> None:
    labels = torch.arange(100).repeat_interleave(30_000)
    assert pair_weights(labels) == pytest.approx((100, 100 / 99))


def test_drawn_weights_are_close_to_exact_ones() -> None:
    labels = torch.from_numpy((np.random.default_rng(0).random((3000, 20)) < 0.1).astype(np.int64))
    exact = pair_weights(labels)
    drawn = [pair_weights(labels, most_rows=800, seed=seed) for seed in range(8)]
    assert len(labels.unique(dim=0)) > 800
    assert len(set(drawn)) == 8
    for weights in drawn:
        assert list(weights) == pytest.approx(list(exact), rel=0.1)
    assert np.mean(drawn, axis=0).tolist() == pytest.approx(list(exact), rel=0.04)
    assert pair_weights(labels, most_rows=800, seed=3) == drawn[3]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_huge_outputs_and_half_precision_stay_finite(dtype: Any) -> None:
    h = (1000 * torch.sign(outputs(4, 64))).to(dtype).requires_grad_()
    similar = torch.eye(4, dtype=torch.bool)
    with torch.autocast("cpu", torch.bfloat16):
        loss = pairwise_loss(h, h, similar, PairWeights(4.0, 4 / 3), 1.0)
    torch.autograd.backward(loss)
    assert loss.dtype == torch.float32
    assert torch.isfinite(loss)
    assert torch.isfinite(h.grad).all()
    z = torch.full((4, 64), 1e30, dtype=torch.float32, requires_grad=True)
    objective = likelihood(10 / 64, [1e4], [0], PairWeights(1, 1), by_batch=True)
    loss = objective(z, torch.arange(4), torch.arange(4), 0)
    torch.autograd.backward(loss)
    assert torch.isfinite(loss)
    assert torch.isfinite(z.grad).all()


def test_half_precision_outputs_keep_small_losses() -> None:
    h = torch.ones(2, 8, dtype=torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        loss = pairwise_loss(h, h, torch.ones(2, 2, dtype=torch.bool), PairWeights(1.0, 1.0), 1.0)
    assert loss.item() == pytest.approx(np.log1p(np.exp(-8)), rel=1e-3)


def test_labels_of_two_kinds_or_none_are_refused() -> None:
    for compare in (similarity, agreement):
        with pytest.raises(ValueError, match=r"\(7,\) and \(7, 3\)"):
            compare(LABELS["class numbers"], LABELS["multi-hot"])
        with pytest.raises(ValueError, match=r"\(7, 2\) and \(7, 3\)"):
            compare(LABELS["multi-hot"][:, :2], LABELS["multi-hot"])
    with pytest.raises(ValueError, match="none"):
        pair_weights(torch.zeros(0, dtype=torch.int64))
