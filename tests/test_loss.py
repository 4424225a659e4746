"""The objective against its formula in plain NumPy, finite differences and counted pairs."""

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hashindex.learn import PairWeights, pair_weights, pairwise_loss, similarity  # noqa: E402


def written_out(a: Any, b: Any, similar: Any, weights: Any, alpha: Any) -> Any:
    total = weight_total = 0.0
    for i in range(len(a)):
        for j in range(len(b)):
            product = alpha * sum(x * y for x, y in zip(a[i], b[j], strict=True))
            weight = weights.similar if similar[i, j] else weights.dissimilar
            total += weight * (np.log(1 + np.exp(product)) - similar[i, j] * product)
            weight_total += weight
    return total / weight_total


def outputs(n: Any, n_bits: int = 6, seed: int = 0) -> Any:
    return torch.from_numpy(np.tanh(np.random.default_rng(seed).standard_normal((n, n_bits))))


LABELS = {
    "class numbers": torch.tensor([3, 1, 3, 0, 1, 3, 7]),
    "multi-hot": torch.tensor([[1, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0], [1, 1, 0], [1, 0, 1], [0, 0, 1]]),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_similarity_and_weights_are_what_counting_finds(labels: Any) -> None:
    n = len(labels)
    expected = np.zeros((n, n), bool)
    for i in range(n):
        for j in range(n):
            a, b = labels[i].tolist(), labels[j].tolist()
            expected[i, j] = a == b if isinstance(a, int) else any(x and y for x, y in zip(a, b, strict=True))
    np.testing.assert_array_equal(similarity(labels, labels), expected)
    weights = pair_weights(labels)
    assert weights.similar == pytest.approx(n * n / expected.sum())
    assert weights.dissimilar == pytest.approx(n * n / (~expected).sum())


@pytest.mark.parametrize("weights", [PairWeights(1.0, 1.0), PairWeights(40.0, 1.02)])
@pytest.mark.parametrize("alpha", [0.3, 10 / 6])
def test_loss_is_the_formula(weights: Any, alpha: Any) -> None:
    a, b = outputs(5), outputs(4, seed=1)
    similar = similarity(torch.tensor([0, 1, 2, 0, 1]), torch.tensor([0, 1, 1, 5]))
    expected = written_out(a.numpy(), b.numpy(), similar.numpy(), weights, alpha)
    assert pairwise_loss(a, b, similar, weights, alpha).item() == pytest.approx(expected, rel=1e-12)


def test_gradient_is_that_of_finite_differences() -> None:
    h = outputs(6).requires_grad_()
    similar = similarity(LABELS["class numbers"][:6], LABELS["class numbers"][:6])
    weights = pair_weights(LABELS["class numbers"][:6])
    assert torch.autograd.gradcheck(lambda x: pairwise_loss(x, x, similar, weights, 0.7), h)
    at_zero = torch.zeros_like(h).requires_grad_()  # orthogonal codes: where a clamped form loses its gradient
    other = outputs(6, seed=2)
    assert torch.autograd.gradcheck(lambda x: pairwise_loss(x, other, similar, weights, 0.7), at_zero)


def test_a_kind_of_pair_that_does_not_exist_needs_no_weight() -> None:
    alone = torch.tensor([[1, 0], [1, 1]])  # every pair is similar
    nothing = torch.zeros(3, 2, dtype=torch.int64)  # no pair is
    assert pair_weights(alone) == pair_weights(torch.tensor([4, 4])) == (1, 1)
    assert pair_weights(nothing) == (1, 1)
    h = outputs(3)
    for labels in (nothing, torch.tensor([4, 4, 4])):
        assert torch.isfinite(pairwise_loss(h, h, similarity(labels, labels), pair_weights(labels), 1.0))


def test_weights_stay_exact_for_many_items() -> None:
    labels = torch.arange(100).repeat_interleave(30_000)
    assert pair_weights(labels) == pytest.approx((100, 100 / 99))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_huge_outputs_and_half_precision_stay_finite(dtype: Any) -> None:
    h = (1000 * torch.sign(outputs(4, 64))).to(dtype).requires_grad_()
    similar = torch.eye(4, dtype=torch.bool)
    with torch.autocast("cpu", torch.bfloat16):
        loss = pairwise_loss(h, h, similar, PairWeights(4.0, 4 / 3), 1.0)
    loss.backward()
    assert loss.dtype == torch.float32
    assert torch.isfinite(loss)
    assert torch.isfinite(h.grad).all()


def test_half_precision_outputs_keep_small_losses() -> None:
    h = torch.ones(2, 8, dtype=torch.bfloat16)
    loss = pairwise_loss(h, h, torch.ones(2, 2, dtype=torch.bool), PairWeights(1.0, 1.0), 1.0)
    assert loss.item() == pytest.approx(np.log1p(np.exp(-8)), rel=1e-3)


def test_labels_of_two_kinds_or_none_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(7,\) and \(7, 3\)"):
        similarity(LABELS["class numbers"], LABELS["multi-hot"])
    with pytest.raises(ValueError, match="none"):
        pair_weights(torch.zeros(0, dtype=torch.int64))
