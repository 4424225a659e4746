"""The measures against slow, obvious references: shuffled ties, every order, and plain loops."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashindex.codes import pack
from hashindex.evaluate import (
    distance_histograms,
    distinct_codes,
    histograms,
    mean_average_precision,
    precision_recall,
    precision_within,
)

MEASURES = (distance_histograms, mean_average_precision, precision_within, precision_recall)


def average_precision(relevant: Any, total: Any, at: Any) -> Any:
    """The average precision of one ranking, as the text book has it."""
    hits = 0
    score = 0.0
    for place, is_relevant in enumerate(relevant[:at], start=1):
        if is_relevant:
            hits += 1
            score += hits / place
    return score / max(min(total, at or total), 1)


def task(seed: Any, n_queries: int = 5, n_items: int = 40, n_bits: int = 6, n_classes: int = 3) -> Any:
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (n_queries + n_items, n_bits))
    labels = rng.integers(0, n_classes, n_queries + n_items)
    q, d = slice(n_queries), slice(n_queries, None)
    return bits[q], bits[d], labels[q], labels[d]


def packed(q: Any, d: Any, *labels: Any) -> Any:
    return pack(q), pack(d), *labels


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 3), st.sampled_from([None, 1, 2, 3, 5, 9]))
def test_map_is_the_mean_over_every_order_and_its_bounds_are_attained(
    seed: Any, n_items: Any, n_bits: Any, at: Any
) -> None:
    q, d, q_labels, d_labels = task(seed, 2, n_items, n_bits, 2)
    scores = []
    for code, label in zip(q, q_labels, strict=True):
        distances = (code != d).sum(axis=1)
        relevant = d_labels == label
        scores.append(
            [
                average_precision([relevant[i] for i in sorted(order, key=distances.__getitem__)], relevant.sum(), at)
                for order in itertools.permutations(range(n_items))
            ]
        )
    result = mean_average_precision(*packed(q, d, q_labels, d_labels), n_bits=n_bits, at=at)
    expected = np.mean(scores), np.mean([min(s) for s in scores]), np.mean([max(s) for s in scores])
    assert result == pytest.approx(expected, abs=1e-12)
    assert result.worst <= result.value <= result.best


def test_map_is_the_mean_over_many_shuffles() -> None:
    q, d, q_labels, d_labels = task(seed=1, n_items=200)
    rng = np.random.default_rng(0)
    scores = []
    for _ in range(400):
        order = rng.permutation(len(d))
        for code, label in zip(q, q_labels, strict=True):
            ranked = order[np.argsort((code != d[order]).sum(axis=1), kind="stable")]
            scores.append(average_precision(d_labels[ranked] == label, (d_labels == label).sum(), None))
    result = mean_average_precision(*packed(q, d, q_labels, d_labels), n_bits=6)
    assert result.worst < np.min(np.reshape(scores, (400, -1)).mean(axis=1)) < result.value < result.best
    assert result.value == pytest.approx(np.mean(scores), abs=0.002)


def test_a_constant_hash_scores_chance_however_the_database_is_sorted() -> None:
    labels = np.repeat(np.arange(10), 100)
    codes = np.zeros((1000, 2), np.uint8)
    result = mean_average_precision(codes[::10], codes, labels[::10], labels, n_bits=16)
    assert result.value == pytest.approx(0.1, abs=0.01)
    assert result.best == 1
    assert precision_within(codes[::10], codes, labels[::10], labels, n_bits=16) == pytest.approx((0.1, 0.0))


@pytest.mark.parametrize("measure", MEASURES)
def test_the_order_of_the_database_and_the_blocks_change_nothing(measure: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    q, d, q_labels, d_labels = task(seed=2)
    order = np.random.default_rng(3).permutation(len(d))
    expected = measure(*packed(q, d, q_labels, d_labels), n_bits=6)
    monkeypatch.setattr(histograms, "_BLOCK_PAIRS", 16)
    shuffled = measure(*packed(q, d[order], q_labels, d_labels[order]), n_bits=6)
    for a, b in zip(expected, shuffled, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("n_bits", [1, 7, 8, 64, 65, 130])
def test_histograms_count_each_distance(n_bits: Any) -> None:
    q, d, q_labels, d_labels = task(seed=n_bits, n_items=20, n_bits=n_bits)
    items, relevant = distance_histograms(*packed(q, d, q_labels, d_labels), n_bits=n_bits)
    assert items.shape == relevant.shape == (5, n_bits + 1)
    for i in range(5):
        distances = (q[i] != d).sum(axis=1)
        for distance in range(n_bits + 1):
            assert items[i, distance] == (distances == distance).sum()
            assert relevant[i, distance] == ((distances == distance) & (d_labels == q_labels[i])).sum()


def test_multi_hot_labels_are_relevant_when_they_share_a_class() -> None:
    codes = np.zeros((3, 1), np.uint8)
    labels = np.array([[1, 1, 0], [0, 1, 1], [0, 0, 0]])
    assert distance_histograms(codes, codes, labels, labels, n_bits=8).relevant[:, 0].tolist() == [2, 2, 0]


def test_an_empty_ball_and_a_query_without_relevant_items_count_zero() -> None:
    q = np.array([[0], [255], [0]], np.uint8)
    d = np.array([[0], [1], [7]], np.uint8)
    q_labels, d_labels = np.array([0, 0, 9]), np.array([0, 1, 0])
    within = precision_within(q, d, q_labels, d_labels, n_bits=8, radius=2)
    assert within == pytest.approx(((1 / 2 + 0 + 0) / 3, 1 / 3))
    result = mean_average_precision(q, d, q_labels, d_labels, n_bits=8)
    assert result.value == pytest.approx((5 / 6 + 5 / 6 + 0) / 3)
    assert mean_average_precision(q[2:], d, q_labels[2:], d_labels, n_bits=8) == (0, 0, 0)


def test_at_divides_by_what_could_be_found() -> None:
    d = np.array([[0], [1], [3], [7]], np.uint8)  # at distances 0, 1, 2, 3
    labels = np.array([1, 0, 1, 1])
    scores = [mean_average_precision(d[:1], d, [1], labels, n_bits=8, at=at).value for at in (1, 2, 3, 4, 100)]
    full = (1 + 2 / 3 + 3 / 4) / 3
    assert scores == pytest.approx([1, 1 / 2, (1 + 2 / 3) / 3, full, full])


def test_precision_recall_is_what_each_radius_gives() -> None:
    args = packed(*task(seed=4))
    curve = precision_recall(*args, n_bits=6)
    by_radius = [precision_within(*args, n_bits=6, radius=r).value for r in range(7)]
    np.testing.assert_allclose(curve.precision, by_radius)
    assert (np.diff(curve.recall) >= 0).all()
    assert curve.recall[-1] == 1


def test_distinct_codes() -> None:
    assert distinct_codes(np.array([[1, 2], [2, 1], [1, 2]], np.uint8)) == 2
    assert distinct_codes(np.zeros((0, 4), np.uint8)) == 0


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({0: np.zeros((2, 1))}, TypeError, "query_codes"),
        ({0: np.zeros((2, 3), np.uint8)}, ValueError, r"query_codes.*\(2, 3\)"),
        ({1: np.full((3, 1), 1, np.uint8)}, ValueError, "database_codes"),
        ({2: np.zeros(2)}, TypeError, "query_labels"),
        ({3: np.zeros(2, int)}, ValueError, r"database_labels.*\(3,\)"),
        ({2: np.zeros((2, 4), int)}, ValueError, "both"),
        ({2: np.full((2, 4), 7), 3: np.ones((3, 4), int)}, ValueError, "multi-hot"),
        ({0: np.zeros((0, 1), np.uint8), 2: np.zeros(0, int)}, ValueError, "no query"),
    ],
)
def test_bad_input_is_refused_with_what_was_seen(change: Any, error: Any, message: Any) -> None:
    good = [np.zeros((2, 1), np.uint8), np.zeros((3, 1), np.uint8), np.zeros(2, int), np.zeros(3, int)]
    args = [change.get(i, value) for i, value in enumerate(good)]
    for measure in MEASURES[1:]:
        with pytest.raises(error, match=message):
            measure(*args, n_bits=6)


def test_bad_options_are_refused() -> None:
    args = packed(*task(seed=0))
    with pytest.raises(ValueError, match="-1"):
        precision_within(*args, n_bits=6, radius=-1)
    with pytest.raises(ValueError, match="0"):
        mean_average_precision(*args, n_bits=6, at=0)
    with pytest.raises(TypeError, match="float"):
        distinct_codes(np.zeros((2, 2)))
