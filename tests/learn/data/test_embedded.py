"""Embedded tasks say what they are."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("PIL.Image")


from hashindex.learn.data import (
    collage,
    digits,
    head_and_tail,
    long_tailed_digits,
    similar_pairs,
)


@pytest.mark.parametrize(("sparse", "low", "high"), [(False, 0.49, 0.54), (True, 0.02, 0.05)])
def test_collages_show_their_labels(sparse: bool, low: float, high: float) -> None:
    pytest.importorskip("sklearn")
    plain = digits(n_train=1)
    digit_of = {
        "query": {scan.tobytes(): int(d) for scan, d in zip(plain.query_images, plain.query_labels, strict=True)},
        "other": {scan.tobytes(): int(d) for scan, d in zip(plain.database_images, plain.database_labels, strict=True)},
    }
    task = collage(sparse=sparse, n_train=2000, n_database=50, n_queries=60)
    for images, labels, known in (
        (task.train_images[:200], task.train_labels[:200], "other"),
        (task.database_images, task.database_labels, "other"),
        (task.query_images, task.query_labels, "query"),
    ):
        assert images.shape[1:] == (1, 16, 16)
        assert images.dtype == np.float32
        for image, label in zip(images, labels, strict=True):
            places = [image[:, y : y + 8, x : x + 8] for y in (0, 8) for x in (0, 8)]
            shown = [digit_of[known][place.tobytes()] if place.any() else None for place in places]
            if sparse:
                assert None not in shown
                expected = {10 * (shown[0] or 0) + (shown[1] or 0), 10 * (shown[2] or 0) + (shown[3] or 0)}
            else:
                assert shown.count(None) in (1, 2)
                expected = {d for d in shown if d is not None}
            assert set(np.nonzero(label)[0].tolist()) == expected
    assert low < similar_pairs(task.train_labels).share < high
    again = collage(sparse=sparse, n_train=2000, n_database=50, n_queries=60)
    assert all(np.array_equal(a, b) for a, b in zip(task, again, strict=True))


def test_long_tail_of_digits() -> None:
    pytest.importorskip("sklearn")
    task, plain = long_tailed_digits(n_most=100), digits()
    assert np.bincount(task.train_labels).tolist() == [round(100 / c**1.2) for c in range(1, 11)]
    assert all(np.array_equal(a, b) for a, b in zip(task[2:], plain[2:], strict=True))
    with pytest.raises(ValueError, match="n_most"):
        long_tailed_digits(n_most=1000)


def test_head_holds_half_of_the_labels() -> None:
    head, tail = head_and_tail(np.repeat([0, 1, 2, 4], [2, 3, 1, 1]))
    assert (head.tolist(), tail.tolist()) == ([1, 0], [2, 4])
    head, tail = head_and_tail(np.array([[1, 1, 0], [0, 1, 0], [0, 1, 0], [1, 0, 0], [1, 0, 0]]))
    assert (head.tolist(), tail.tolist()) == ([0], [1])
    assert [part.tolist() for part in head_and_tail(np.array([10**12, 7, 10**12]))] == [[10**12], [7]]
