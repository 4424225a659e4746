"""The measures against slow, obvious references: shuffled ties, every order, and plain loops."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashindex.codes import pack
from hashindex.evaluate import (
    Histograms,
    calibrate_radius,
    confidence_interval,
    distance_histograms,
    evaluate,
    histograms,
    mean_average_precision,
    precision_at,
    precision_recall,
    precision_within,
    ranking,
    recall_at,
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


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 3), st.lists(st.integers(1, 9), max_size=3))
def test_precision_and_recall_by_list_size_are_the_mean_over_every_order(
    seed: Any, n_items: Any, n_bits: Any, sizes: Any
) -> None:
    q, d, q_labels, d_labels = task(seed, 3, n_items, n_bits, 2)
    hits = np.zeros((len(sizes), 3))
    for i, (code, label) in enumerate(zip(q, q_labels, strict=True)):
        distances = (code != d).sum(axis=1)
        for s, size in enumerate(sizes):
            ranked = [sorted(o, key=distances.__getitem__)[:size] for o in itertools.permutations(range(n_items))]
            hits[s, i] = np.mean([(d_labels[places] == label).sum() for places in ranked])
    n_relevant = np.maximum((q_labels[:, None] == d_labels).sum(axis=1), 1)
    args = packed(q, d, q_labels, d_labels)
    precision, recall = (f(*args, n_bits=n_bits, sizes=sizes) for f in (precision_at, recall_at))
    np.testing.assert_allclose(precision, hits.mean(axis=1) / np.array(sizes, int), atol=1e-12)
    np.testing.assert_allclose(recall, (hits / n_relevant).mean(axis=1), atol=1e-12)


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


def test_the_price_is_that_of_the_histogram_however_many_items_there_are() -> None:
    n = 10**12
    items = np.array([[n, n, 0], [n, n, n]])
    counts = Histograms(items, np.array([[n, n, 0], [0, n // 2, 0]]))
    value, worst, best = ranking.average_precisions(counts)
    assert [value[0], worst[0], best[0]] == pytest.approx([1, 1, 1], abs=1e-9)
    assert worst[1] < value[1] < best[1]
    # relevant items alone at places n + 1 to 1.5 n: the mean of t / (n + t) is 1 - 2 ln 1.5
    assert best[1] == pytest.approx(1 - 2 * np.log(1.5), abs=1e-9)


def test_harmonic_numbers() -> None:
    np.testing.assert_allclose(
        ranking._harmonic(np.arange(3000)), np.append(0, np.cumsum(1 / np.arange(1, 3000))), rtol=1e-14
    )


@pytest.mark.parametrize("measure", MEASURES)
def test_the_order_of_the_database_and_the_blocks_change_nothing(measure: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    q, d, q_labels, d_labels = task(seed=2)
    order = np.random.default_rng(3).permutation(len(d))
    expected = measure(*packed(q, d, q_labels, d_labels), n_bits=6)
    monkeypatch.setattr(histograms, "_BLOCK_CELLS", 16)
    shuffled = measure(*packed(q, d[order], q_labels, d_labels[order]), n_bits=6)
    for a, b in zip(expected, shuffled, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_one_pass_gives_every_measure() -> None:
    args = packed(*task(seed=6))
    found = evaluate(*args, n_bits=6, at=7, list_sizes=(1, 3))
    assert found.mean_average_precision == mean_average_precision(*args, n_bits=6, at=7)
    np.testing.assert_array_equal(found.precision_at, precision_at(*args, n_bits=6, sizes=(1, 3)))
    for r in (0, 2, 6, 9):
        within = precision_within(*args, n_bits=6, radius=r)
        assert within == (found.precision[min(r, 6)], found.empty_share[min(r, 6)])
    items, relevant = distance_histograms(*args, n_bits=6)
    np.testing.assert_allclose(found.candidates, np.cumsum(items, axis=1).mean(axis=0))
    assert found.chance == pytest.approx(relevant.sum() / items.sum())


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
    found = evaluate(q, d, q_labels, d_labels, n_bits=8)
    assert (found.without_relevant, found.unlabelled) == (1 / 3, 0)


def test_a_query_without_a_hit_in_its_first_places_counts_zero_and_is_not_dropped() -> None:
    d, labels = np.array([[0], [255]], np.uint8), np.array([0, 1])
    assert mean_average_precision(d, d, labels, labels, n_bits=8, at=1).value == 1
    assert mean_average_precision(d, d, labels, labels[::-1], n_bits=8, at=1).value == 0
    assert mean_average_precision(d, d, labels, labels * 0, n_bits=8, at=1).value == 0.5


def test_unlabelled_queries_count_zero_and_are_reported() -> None:
    codes, labels = np.zeros((4, 1), np.uint8), np.array([[1, 0], [0, 1], [0, 0], [1, 0]])
    found = evaluate(codes, codes, labels, labels, n_bits=8)
    assert (found.unlabelled, found.without_relevant, found.precision[0]) == (0.25, 0.25, 5 / 16)
    assert found.mean_average_precision.best == 0.75


@pytest.mark.parametrize("multi_hot", [False, True])
def test_labels_and_codes_are_left_as_they_were(multi_hot: Any) -> None:
    q, d, q_labels, d_labels = packed(*task(seed=7))
    if multi_hot:
        q_labels, d_labels = np.eye(3, dtype=int)[q_labels], np.eye(3, dtype=int)[d_labels]
    args = (q, d, q_labels, d_labels)
    copies = [array.copy() for array in args]
    for array in args:
        array.flags.writeable = False
    first, again = (evaluate(*args, n_bits=6).mean_average_precision for _ in range(2))
    assert first == again
    for array, copy in zip(args, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_any_integer_is_a_class_number() -> None:
    q, d, q_labels, d_labels = packed(*task(seed=8))
    strange = np.array([-1, 2**40, 2**40 + 2**32])
    expected = distance_histograms(q, d, q_labels, d_labels, n_bits=6)
    found = distance_histograms(q, d, strange[q_labels], strange[d_labels], n_bits=6)
    np.testing.assert_array_equal(found, expected)
    multi_hot = np.zeros((3, 70), bool)
    multi_hot[range(3), [0, 31, 69]] = True
    shared = distance_histograms(q, d, multi_hot[q_labels], multi_hot[d_labels], n_bits=6)
    np.testing.assert_array_equal(shared, expected)


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


def test_a_radius_is_chosen_for_recall_and_for_candidates() -> None:
    args = packed(*task(seed=9, n_queries=20, n_items=200))
    found = evaluate(*args, n_bits=6)
    for wanted in (0.01, 0.5, 0.9, 1.0):
        choice = calibrate_radius(*args, n_bits=6, recall=wanted)
        assert found.recall[choice.radius] == choice.recall >= wanted - 1e-12
        assert choice.radius == 0 or found.recall[choice.radius - 1] < wanted
    for budget in (5, 50, 200, 10**6):
        choice = calibrate_radius(*args, n_bits=6, candidates=budget)
        assert found.candidates[choice.radius] == choice.candidates <= budget
        assert choice.radius == 6 or found.candidates[choice.radius + 1] > budget
        assert choice.precision == found.precision[choice.radius]
    for r in range(1, 6):
        both = {"recall": found.recall[r], "candidates": found.candidates[r]}
        assert calibrate_radius(*args, n_bits=6, **both).radius == r
        with pytest.raises(ValueError, match=f"needs radius {r} .* within those, radius {r - 1} reaches"):
            calibrate_radius(*args, n_bits=6, recall=found.recall[r], candidates=found.candidates[r] - 1e-3)


def test_what_no_radius_gives_is_told_with_what_can_be_reached() -> None:
    args = packed(*task(seed=9, n_queries=20, n_items=200))
    with pytest.raises(ValueError, match=r"radius 0 finds [\d.]+ already"):
        calibrate_radius(*args, n_bits=6, candidates=0.5)
    with pytest.raises(ValueError, match=r"recall 1 needs radius 6 and 200 candidates.*more than 50; within those, "):
        calibrate_radius(*args, n_bits=6, recall=1, candidates=50)
    with pytest.raises(ValueError, match=r"no radius reaches recall 0.9.*radius 6 reaches 0.5, since 50.0%"):
        calibrate_radius(args[0][:2], args[1], np.array([0, 9]), args[3], n_bits=6, recall=0.9)
    with pytest.raises(ValueError, match="recall must be above 0"):
        calibrate_radius(*args, n_bits=6, recall=0)
    with pytest.raises(ValueError, match="candidates must be above 0"):
        calibrate_radius(*args, n_bits=6, candidates=0)
    with pytest.raises(TypeError, match="recall="):
        calibrate_radius(*args, n_bits=6)


def test_the_confidence_interval_is_students() -> None:
    table = {1: 12.7062, 2: 4.3027, 3: 3.1824, 4: 2.7764, 9: 2.2622, 30: 2.0423, 120: 1.9799}
    for freedom, t in table.items():
        values = np.random.default_rng(freedom).normal(size=freedom + 1)
        found = confidence_interval(values.tolist())
        assert found.mean == pytest.approx(values.mean())
        assert found.half_width == pytest.approx(t * values.std(ddof=1) / np.sqrt(freedom + 1), rel=2e-5)
    assert confidence_interval([0.5]) == (0.5, None, 1)
    with pytest.raises(ValueError, match="at least 1"):
        confidence_interval([])


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
    with pytest.raises(ValueError, match="0"):
        precision_at(*args, n_bits=6, sizes=[1, 0])
