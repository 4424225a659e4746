"""What a page shows as retrieved: right or wrong by the labels, and which queries are hard."""

from __future__ import annotations

import numpy as np

from hashindex import HashIndex
from hashindex.evaluate.page.retrieved import Pictures, retrieved


def test_what_is_retrieved_is_right_or_wrong_by_the_labels_and_the_hard_are_the_worst() -> None:
    labels, items = np.arange(6) % 3, np.array([0, 1, 2, 0])
    codes = np.array([[0], [85], [255], [1]], np.uint8)
    queries = codes[[0, 1, 2, 0, 2, 2]]  # the query in row 4, of class 1, has the code of class 2
    pixels = np.arange(6.0).reshape(6, 1, 1, 1)
    index = HashIndex(n_bits=8)
    index.add(codes)
    near = index.search(queries, k=4)
    asked, given = Pictures(pixels, labels), Pictures(pixels[:4], items)
    hard = retrieved(near, asked, given, seed=0, n_random=0, n_hard=6)
    assert [one.query for one in hard] == [1, 2, 4, 5, 0, 3]  # one item of classes 1 and 2, two of class 0
    assert [one.n_right for one in hard] == [1, 1, 1, 1, 2, 2]
    assert [(n.label, n.distance, n.right) for n in hard[2].neighbours] == [
        *(("2", 0, False), ("1", 4, True), ("0", 7, False), ("0", 8, False)),
    ]
    assert [n.image.item() for n in hard[2].neighbours] == [2, 1, 3, 0]
    each = retrieved(near, asked, given, seed=0, n_random=0, n_hard=6, one_per_class=True, named="<{}>".format)
    assert [(one.query, one.label) for one in each] == [(1, "<1>"), (2, "<2>"), (0, "<0>")]
    both = retrieved(near, asked, given, seed=0, n_random=4, n_hard=4)
    assert sorted(one.query for one in both) == list(range(6))
    assert [one.hard for one in both] == [False] * 4 + [True] * 2
    multi_hot = [np.eye(3, dtype=np.int64)[each] for each in (labels, items)]
    shared = retrieved(near, Pictures(pixels, multi_hot[0]), Pictures(pixels[:4], multi_hot[1]), seed=0)
    assert [[n.right for n in one.neighbours] for one in shared] == [
        [n.right for n in one.neighbours] for one in retrieved(near, asked, given, seed=0)
    ]
