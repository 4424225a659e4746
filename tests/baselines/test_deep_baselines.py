"""Deep baselines: each loss against its definition in loops, its guards, and codes that retrieve."""

from __future__ import annotations

import tracemalloc
from itertools import product
from math import cosh, exp, log, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from clusters import clusters  # noqa: E402
from hashindex import baselines  # noqa: E402
from hashindex.baselines.deep import cnnh  # noqa: E402
from hashindex.baselines.deep.cnnh import Regression, codes_of_similarity  # noqa: E402
from hashindex.baselines.deep.csq import CSQ, CentralSimilarity  # noqa: E402
from hashindex.baselines.deep.dhn import PairwiseQuantised, log_cosh  # noqa: E402
from hashindex.baselines.deep.dnnh import piecewise_threshold, triplet_loss  # noqa: E402
from hashindex.baselines.deep.greedyhash import ClassifiedCodes, straight_through_sign  # noqa: E402
from hashindex.baselines.deep.orthohash import CosineClassifier  # noqa: E402
from hashindex.baselines.shared import targets  # noqa: E402
from hashindex.baselines.shared.targets import Shares, class_codes, hadamard  # noqa: E402
from hashindex.evaluate import mean_average_precision  # noqa: E402

NAMES = ("DHN", "GreedyHash", "CSQ", "OrthoHash", "CNNH", "DNNH")
NO_ROWS = torch.empty(0, dtype=torch.int64)


@pytest.fixture
def z() -> Any:
    return torch.randn(6, 4, generator=torch.Generator().manual_seed(0))


LABELS = torch.tensor([7, -3, 7, 7, 9, -3])
HOT = torch.tensor([[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 1], [0, 0, 1], [0, 1, 1]])


def classes_of(labels: Any) -> list[list[int]]:
    """Which of the classes 0, 1, 2 each item has."""
    return (
        [[[-3, 7, 9].index(label)] for label in labels]
        if labels.ndim == 1
        else [row.nonzero()[:, 0].tolist() for row in labels]
    )


def forward(objective: Any, z: Any, labels: Any) -> float:
    return float(objective(z, labels, NO_ROWS, 0).detach())


def test_dhn_is_the_unweighted_likelihood_and_log_cosh(z: Any) -> None:
    pairs, u = [], torch.tanh(z)
    for i, j in product(range(6), repeat=2):
        theta = 0.3 * float(u[i] @ u[j])
        pairs.append(log(1 + exp(theta)) - (LABELS[i] == LABELS[j]).item() * theta)
    pull = np.mean([log(cosh(abs(v) - 1)) for v in u.flatten().tolist()])
    assert forward(PairwiseQuantised(0.3, 0.5), z, LABELS) == pytest.approx(np.mean(pairs) + 0.5 * pull, rel=1e-5)
    assert torch.isfinite(log_cosh(torch.tensor([1e4, -1e4, 0.0]))).all()


@pytest.mark.parametrize("labels", [LABELS, HOT])
def test_greedyhash_classifies_the_codes(z: Any, labels: Any) -> None:
    objective = ClassifiedCodes(Shares(labels), 4, 0.1)
    weights = objective.classifier.weight.detach()
    losses: list[Any] = []
    for row, classes in zip(z, classes_of(labels), strict=True):
        logits = [float(w @ torch.where(row > 0, 1.0, -1.0)) for w in weights]
        losses.append(np.mean([log(sum(map(exp, logits))) - logits[c] for c in classes]) if classes else 0.0)
    cubes = np.mean([abs(abs(v) - 1) ** 3 for v in z.flatten().tolist()])
    assert forward(objective, z, labels) == pytest.approx(np.mean(losses) + 0.1 * cubes, rel=1e-5)


def test_signs_are_exact_and_let_gradients_pass() -> None:
    z = torch.tensor([-2.0, 0.0, 3.0, 1e-9, -0.1], requires_grad=True)
    signs = straight_through_sign(z)
    assert signs.tolist() == [-1, -1, 1, 1, -1]  # sgn(0) = -1
    torch.autograd.backward((signs * torch.arange(5)).sum())
    assert z.grad is not None
    assert z.grad.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("labels", [LABELS, HOT])
def test_csq_draws_items_to_the_majority_of_their_classes_centres(z: Any, labels: Any) -> None:
    centres = torch.tensor([[1.0, 1, -1, -1], [1, -1, 1, -1], [-1, 1, 1, -1]])
    tie_breaker = torch.tensor([1.0, -1, 1, -1])
    losses = []
    for values, classes in zip(z.tolist(), classes_of(labels), strict=True):
        if not classes:
            continue
        votes = centres[classes].sum(dim=0)
        wanted = [(v if v else t) > 0 for v, t in zip(votes.tolist(), tie_breaker.tolist(), strict=True)]
        shares = [(np.tanh(v) + 1) / 2 for v in values]
        losses.append(np.mean([-log(p if w else 1 - p) for p, w in zip(shares, wanted, strict=True)]))
    pull = np.mean([log(cosh(abs(np.tanh(v)) - 1)) for v in z.flatten().tolist()])
    objective = CentralSimilarity(Shares(labels), centres, tie_breaker, 0.2)
    assert forward(objective, z, labels) == pytest.approx(np.mean(losses) + 0.2 * pull, rel=1e-4)


@pytest.mark.parametrize("labels", [LABELS, HOT])
def test_orthohash_is_a_cosine_classifier_with_a_margin(z: Any, labels: Any) -> None:
    codes = class_codes(3, 4, seed=0)
    losses: list[Any] = []
    for row, classes in zip(z, classes_of(labels), strict=True):
        cosines = [float(row @ code / row.norm() / code.norm()) for code in codes]
        logits = [sqrt(4) * (cosine - 0.2 * (c in classes)) for c, cosine in enumerate(cosines)]
        losses.append(np.mean([log(sum(map(exp, logits))) - logits[c] for c in classes]) if classes else 0.0)
    assert forward(CosineClassifier(Shares(labels), codes, 0.2), z, labels) == pytest.approx(np.mean(losses), rel=1e-5)


def test_dnnh_compares_all_triplets_and_thresholds_piecewise() -> None:
    relaxed = torch.rand(6, 4, generator=torch.Generator().manual_seed(1))
    similar = HOT @ HOT.T > 0
    losses = []
    for i, j, k in product(range(6), repeat=3):
        if i != j and similar[i, j] and not similar[i, k]:
            near, far = (float((relaxed[i] - relaxed[other]).square().mean()) for other in (j, k))
            losses.append(max(0.0, 0.25 - far + near))
    assert float(triplet_loss(relaxed, similar, 0.25)) == pytest.approx(np.mean(losses), rel=1e-4)
    first_pair = np.mean(losses[:2])  # items 0 and 3, with each of the two that are dissimilar to 0
    assert float(triplet_loss(relaxed, similar, 0.25, most=6)) == pytest.approx(first_pair, rel=1e-4)
    for says_nothing in (torch.ones(6, 6), torch.eye(6)):
        assert float(triplet_loss(relaxed, says_nothing.bool(), 0.25)) == 0
    s = torch.tensor([0.0, 0.39, 0.45, 0.5, 0.61, 1.0], requires_grad=True)
    hard = piecewise_threshold(s)
    np.testing.assert_allclose(hard.detach(), [0, 0, 0.45, 0.5, 1, 1])
    torch.autograd.backward(hard.sum())
    assert s.grad is not None
    assert s.grad.tolist() == [1] * 6


@pytest.mark.parametrize("seed", range(5))
def test_cnnh_codes_explain_the_similarities_better_than_any_single_change(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hot = np.concatenate([np.eye(4, dtype=int), rng.integers(0, 2, (5, 4))])
    similar, counts = hot @ hot.T > 0, rng.integers(1, 9, 9).astype(float)
    codes = codes_of_similarity(similar, counts, n_bits=5, seed=seed)

    def misfit(codes: Any) -> float:
        return float((np.outer(counts, counts) * (np.where(similar, 1, -1) - codes @ codes.T / 5) ** 2).sum())

    least = misfit(codes)
    assert least < misfit(rng.choice([-1.0, 1.0], size=(9, 5)))
    for i, bit in product(range(9), range(5)):
        changed = codes.copy()
        changed[i, bit] *= -1
        assert misfit(changed) >= least - 1e-9


def test_cnnh_regresses_the_codes_of_the_items(z: Any) -> None:
    codes = torch.tensor([[1.0, 1, -1, -1], [-1, 1, 1, -1]])
    kind_of, rows = [0, 1, 1, 0, 0, 1, 0], [6, 0, 5, 5, 1, 3]
    squares = [
        (np.tanh(float(z[i, bit])) - float(codes[kind_of[row], bit])) ** 2
        for i, row in enumerate(rows)
        for bit in range(4)
    ]
    found = Regression(codes, torch.tensor(kind_of))(z, LABELS, torch.tensor(rows), 0)
    assert float(found) == pytest.approx(np.mean(squares), rel=1e-5)


def test_cnnh_gives_rare_kinds_of_labels_the_code_of_the_nearest_common_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cnnh, "MOST_KINDS", 2)
    a, b, both, neither = [1, 0, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1]
    model = baselines.CNNH(16)

    def codes_of(labels: Any) -> Any:
        objective: Any = model.objective(torch.tensor(labels), 1)
        return objective.codes[objective.kind_of].tolist()

    codes = codes_of([a, b, both, neither, a, b])
    assert codes[0] == codes[4]
    assert codes[1] == codes[5] == codes[2]
    assert len({tuple(code) for code in codes}) == 3
    numbers = codes_of([5, 1, 7, 5, -9, 7])
    assert numbers[0] == numbers[3]
    assert numbers[2] == numbers[5]
    assert len({tuple(code) for code in numbers}) == 4


def test_csq_breaks_ties_by_bits_that_are_no_classes_centre() -> None:
    full: Any = CSQ(8).objective(torch.arange(16), 1)
    products = (full.centres @ full.centres.T).numpy()
    assert set(np.unique(products)) == {-8, 0, 8}  # all that a Hadamard matrix and its negative have
    random: list[Any] = [CSQ(32, seed).objective(torch.arange(99), 1) for seed in (0, 0, 1)]
    first, again, other = (objective.tie_breaker.tolist() for objective in random)
    assert first == again != other
    assert first not in random[0].centres.tolist()


@pytest.mark.parametrize("k", [6, 10, 12])
def test_csq_votes_are_whole_numbers(k: int) -> None:
    labels = torch.zeros((20, 24), dtype=torch.int64)
    for row in labels:
        row[torch.randperm(24, generator=torch.Generator().manual_seed(int(row.sum()) + k))[:k]] = 1
    votes = labels.double() @ class_codes(24, 32, 0).double()
    assert bool((votes == 0).any())
    objective: Any = CSQ(32, quantisation=0).objective(labels, 1)
    wanted = torch.where(votes == 0, objective.tie_breaker.double(), votes).sign()
    assert forward(objective, 30 * wanted.float(), labels) < 1e-6


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("DHN", {"alpha": 0.9}),
        ("DHN", {"quantisation": 0.3}),
        ("GreedyHash", {"quantisation": 0.3}),
        ("CSQ", {"quantisation": 0.3}),
        ("OrthoHash", {"margin": 0.5}),
        ("DNNH", {"margin": 0.9}),
    ],
)
def test_options_reach_the_loss(name: str, options: dict[str, float], z: Any) -> None:
    torch.manual_seed(0)
    plain = forward(getattr(baselines, name)(4).objective(LABELS, 1), z, LABELS)
    torch.manual_seed(0)
    assert forward(getattr(baselines, name)(4, **options).objective(LABELS, 1), z, LABELS) != plain


def test_dnnh_divides_and_encodes_and_thresholds(z: Any) -> None:
    layer: Any = baselines.DNNH(4).hash_layer(8).eval()
    layer(torch.randn(3, 8))[:, 0].sum().backward()
    used = layer[0].weight.grad.any(dim=1).reshape(4, -1)  # a slice per bit
    assert used.any(dim=1).tolist() == [True, False, False, False]
    objective = baselines.DNNH(4).objective(LABELS, 1)
    assert forward(objective, 100 * z, LABELS) == forward(objective, 50 * z, LABELS)  # beyond the threshold: 0 and 1


def test_codes_of_many_classes_are_compared_in_blocks() -> None:
    rng = np.random.default_rng(0)
    for n in (1, 2, 256, 257, 600):
        codes = rng.choice(np.array([-1, 1], np.float32), size=(n, 24))
        products = codes @ codes.T - np.diag(np.full(n, np.inf))
        assert targets._least_distance(codes) == -products.max()
    tracemalloc.start()
    targets._least_distance(rng.choice(np.array([-1, 1], np.float32), size=(3000, 24)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10e6  # all pairs at once are 36 MB


def test_class_codes_are_far_apart() -> None:
    np.testing.assert_array_equal(hadamard(8) @ hadamard(8).T, 8 * np.eye(8))
    codes = class_codes(20, 16, seed=3).numpy()
    assert set(np.unique(codes @ codes.T)) <= {-16, 0, 16}
    assert len(np.unique(codes, axis=0)) == 20
    many = class_codes(100, 48, seed=3).numpy()
    distances = (48 - many @ many.T) / 2
    assert distances[~np.eye(100, dtype=bool)].min() >= 8
    for n_classes, n_bits in ((5, 1), (33, 16)):  # too many for a Hadamard matrix
        assert class_codes(n_classes, n_bits, seed=0).shape == (n_classes, n_bits)


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
    objectives: tuple[Any, ...] = (
        PairwiseQuantised(0.3, 0.5),
        CosineClassifier(shares, codes, 0.2),
        CentralSimilarity(shares, codes, codes[0], 0.1),
        Regression(codes, torch.tensor([0, 1, 0, 2, 1])),
    )
    for objective in objectives:
        assert torch.autograd.gradcheck(objective, (z, labels, torch.arange(5), 0))
    similar = labels[:, None] == labels
    assert torch.autograd.gradcheck(lambda values: triplet_loss(values, similar, 0.25), z)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("DHN", {"alpha": 0.0}),
        ("DHN", {"quantisation": -1.0}),
        ("GreedyHash", {"quantisation": float("nan")}),
        ("CSQ", {"quantisation": float("inf")}),
        ("OrthoHash", {"margin": 2.5}),
        ("DNNH", {"margin": -0.1}),
    ],
)
def test_options_out_of_range_are_named(name: str, options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(options))} must be"):
        getattr(baselines, name)(**options)


@pytest.mark.parametrize("name", NAMES)
def test_labels_of_no_class_at_all_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"n_classes > 1.*got \(4, 0\)"):
        getattr(baselines, name)(8, n_steps=1).fit(clusters(4)[0], np.empty((4, 0), np.int64))


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_model_keeps_its_codes(name: str, tmp_path: Path) -> None:
    x, labels = clusters(40)
    model = getattr(baselines, name)(12, n_steps=3, batch_size=16, device="cpu").fit(x, labels)
    model.save(tmp_path / "model.safetensors")
    loaded = type(model).load(tmp_path / "model.safetensors", device="cpu")
    np.testing.assert_array_equal(loaded.encode(x), model.encode(x))
    np.testing.assert_array_equal(model.encode(x[7:8]), model.encode(x)[7:8])
