"""Deep baselines: each loss against its definition in loops, its guards, and codes that retrieve."""

from __future__ import annotations

from itertools import product
from math import cosh, exp, log, sqrt
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from clusters import clusters  # noqa: E402
from hashindex import baselines  # noqa: E402
from hashindex.baselines.cnnh import codes_of_similarity  # noqa: E402
from hashindex.baselines.csq import CentralSimilarity  # noqa: E402
from hashindex.baselines.dhn import PairwiseQuantised, log_cosh  # noqa: E402
from hashindex.baselines.dnnh import piecewise_threshold, triplet_loss  # noqa: E402
from hashindex.baselines.greedyhash import ClassifiedCodes, straight_through_sign  # noqa: E402
from hashindex.baselines.orthohash import CosineClassifier  # noqa: E402
from hashindex.baselines.targets import Shares, class_codes, hadamard  # noqa: E402
from hashindex.evaluate import mean_average_precision  # noqa: E402

NAMES = ("DHN", "GreedyHash", "CSQ", "OrthoHash", "CNNH", "DNNH")
NO_ROWS = torch.empty(0, dtype=torch.int64)


@pytest.fixture
def z() -> Any:
    return torch.randn(6, 4, generator=torch.Generator().manual_seed(0))


LABELS = torch.tensor([7, -3, 7, 7, 9, -3])
HOT = torch.tensor([[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 1], [0, 0, 1], [0, 1, 1]])


def forward(objective: Any, z: Any, labels: Any) -> float:
    return float(objective(z, labels, NO_ROWS, 0).detach())


def test_dhn_is_the_unweighted_likelihood_and_log_cosh(z: Any) -> None:
    pairs = []
    for i, j in product(range(6), repeat=2):
        theta = 0.3 * float(z[i] @ z[j])
        pairs.append(log(1 + exp(theta)) - (LABELS[i] == LABELS[j]).item() * theta)
    pull = np.mean([log(cosh(abs(v) - 1)) for v in z.flatten().tolist()])
    assert forward(PairwiseQuantised(0.3, 0.5), z, LABELS) == pytest.approx(np.mean(pairs) + 0.5 * pull, rel=1e-5)
    assert torch.isfinite(log_cosh(torch.tensor([1e4, -1e4, 0.0]))).all()


def test_greedyhash_classifies_the_codes_and_lets_gradients_pass(z: Any) -> None:
    objective = ClassifiedCodes(Shares(LABELS), 4, 0.1)
    weights = objective.classifier.weight.detach()
    classes = [-3, 7, 9]
    losses = []
    for row, label in zip(z, LABELS.tolist(), strict=True):
        logits = [float(w @ torch.where(row > 0, 1.0, -1.0)) for w in weights]
        losses.append(log(sum(map(exp, logits))) - logits[classes.index(label)])
    cubes = np.mean([abs(abs(v) - 1) ** 3 for v in z.flatten().tolist()])
    assert forward(objective, z, LABELS) == pytest.approx(np.mean(losses) + 0.1 * cubes, rel=1e-5)
    z = torch.tensor([-2.0, 0.0, 3.0], requires_grad=True)
    signs = straight_through_sign(z)
    assert signs.tolist() == [-1, -1, 1]  # sgn(0) = -1
    torch.autograd.backward((signs * torch.tensor([1.0, 2.0, 3.0])).sum())
    assert z.grad is not None
    assert z.grad.tolist() == [1, 2, 3]


@pytest.mark.parametrize("labels", [LABELS, HOT])
def test_csq_draws_items_to_the_majority_of_their_classes_centres(z: Any, labels: Any) -> None:
    centres = torch.tensor([[1.0, 1, -1, -1], [1, -1, 1, -1], [-1, 1, 1, -1]])
    tie_breaker = torch.tensor([1.0, -1, 1, -1])
    rows = (
        [[{7: 1, -3: 0, 9: 2}[v]] for v in LABELS.tolist()]
        if labels is LABELS
        else [row.nonzero()[:, 0].tolist() for row in HOT]
    )
    losses = []
    for values, classes in zip(z.tolist(), rows, strict=True):
        if not classes:
            continue
        votes = centres[classes].sum(dim=0)
        wanted = [(v if v else t) > 0 for v, t in zip(votes.tolist(), tie_breaker.tolist(), strict=True)]
        shares = [(np.tanh(v) + 1) / 2 for v in values]
        losses.append(np.mean([-log(p if w else 1 - p) for p, w in zip(shares, wanted, strict=True)]))
    pull = np.mean([log(cosh(abs(np.tanh(v)) - 1)) for v in z.flatten().tolist()])
    objective = CentralSimilarity(Shares(labels), centres, tie_breaker, 0.2)
    assert forward(objective, z, labels) == pytest.approx(np.mean(losses) + 0.2 * pull, rel=1e-4)


def test_orthohash_is_a_cosine_classifier_with_a_margin(z: Any) -> None:
    codes = class_codes(3, 4, seed=0)
    classes = [-3, 7, 9]
    losses = []
    for row, label in zip(z, LABELS.tolist(), strict=True):
        cosines = [float(row @ code / row.norm() / code.norm()) for code in codes]
        logits = [sqrt(4) * (c - 0.2 * (k == label)) for c, k in zip(cosines, classes, strict=True)]
        losses.append(log(sum(map(exp, logits))) - logits[classes.index(label)])
    assert forward(CosineClassifier(Shares(LABELS), codes, 0.2), z, LABELS) == pytest.approx(np.mean(losses), rel=1e-5)


def test_dnnh_compares_all_triplets_and_thresholds_piecewise() -> None:
    relaxed = torch.rand(6, 4, generator=torch.Generator().manual_seed(1))
    similar = LABELS[:, None] == LABELS
    losses = []
    for i, j, k in product(range(4), range(6), range(6)):
        if i != j and similar[i, j] and not similar[i, k]:
            near, far = (float((relaxed[i] - relaxed[other]).square().mean()) for other in (j, k))
            losses.append(max(0.0, 0.25 - far + near))
    assert float(triplet_loss(relaxed, similar[:4], 0.25)) == pytest.approx(np.mean(losses), rel=1e-4)
    assert float(triplet_loss(relaxed, torch.ones(4, 6, dtype=torch.bool), 0.25)) == 0  # no dissimilar item
    s = torch.tensor([0.0, 0.39, 0.45, 0.5, 0.61, 1.0])
    np.testing.assert_allclose(piecewise_threshold(s), [0, 0, 0.45, 0.5, 1, 1])


def test_cnnh_codes_explain_the_similarities_better_than_any_single_change() -> None:
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 3, 9)
    similar, counts = classes[:, None] == classes, rng.integers(1, 5, 9).astype(float)
    codes = codes_of_similarity(similar, counts, n_bits=5, seed=0)

    def misfit(codes: Any) -> float:
        return float((np.outer(counts, counts) * (np.where(similar, 1, -1) - codes @ codes.T / 5) ** 2).sum())

    least = misfit(codes)
    assert least < misfit(rng.choice([-1.0, 1.0], size=(9, 5)))
    for i, bit in product(range(9), range(5)):
        changed = codes.copy()
        changed[i, bit] *= -1
        assert misfit(changed) >= least - 1e-9


def test_class_codes_are_far_apart() -> None:
    np.testing.assert_array_equal(hadamard(8) @ hadamard(8).T, 8 * np.eye(8))
    codes = class_codes(20, 16, seed=3).numpy()
    assert set(np.unique(codes @ codes.T)) <= {-16, 0, 16}
    assert len(np.unique(codes, axis=0)) == 20
    many = class_codes(100, 48, seed=3).numpy()
    distances = (48 - many @ many.T) / 2
    assert distances[~np.eye(100, dtype=bool)].min() >= 8
    assert class_codes(5, 1, seed=0).shape == (5, 1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("multi_hot", [False, True])
def test_codes_retrieve(name: str, multi_hot: bool) -> None:
    x, labels = clusters(300)
    given = np.eye(5, dtype=np.int64)[labels] if multi_hot else 10 - 3 * labels
    model = getattr(baselines, name)(16, n_steps=40, batch_size=64, device="cpu").fit(x[:200], given[:200])
    codes = model.encode(x)
    assert mean_average_precision(codes[200:], codes[:200], labels[200:], labels[:200], n_bits=16).value > 0.9


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "labels", [[0, 0, 0, 0], [1, 2, 3, 4], [[0, 0], [0, 0], [1, 0], [1, 1]]], ids=["one class", "no pair", "no class"]
)
def test_labels_that_say_little_give_no_nan(name: str, labels: Any) -> None:
    x = clusters(4)[0]
    model = getattr(baselines, name)(12, n_steps=3, batch_size=4, device="cpu").fit(x, np.array(labels))
    assert np.isfinite(model.history.loss).all()
    assert model.encode(x).shape == (4, 2)


def test_gradients_are_right() -> None:
    generator = torch.Generator().manual_seed(2)
    z = torch.randn(5, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    labels = LABELS[:5]
    shares = Shares(labels)
    codes = class_codes(3, 4, seed=0).double()
    for objective in (
        PairwiseQuantised(0.3, 0.5),
        CosineClassifier(shares, codes, 0.2),
        CentralSimilarity(shares, codes, codes[0], 0.1),
    ):
        loss: Any = lambda values, o=objective: o(values, labels, NO_ROWS, 0)  # noqa: E731
        assert torch.autograd.gradcheck(loss, z)
    similar = labels[:, None] == labels
    assert torch.autograd.gradcheck(lambda values: triplet_loss(values, similar, 0.25), z)
