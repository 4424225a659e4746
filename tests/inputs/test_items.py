"""Items and labels at the door: what is let in unchanged, and what is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashindex.inputs import items
from hashindex.inputs.items import as_floats, check_finite, check_items, check_labels


def test_arrays_and_what_reads_like_them_are_not_copied(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((5, 3)))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    for x in (np.zeros((5, 3), np.float32), np.zeros((5, 1, 4, 6), np.uint8), np.zeros((0, 3)), mapped):
        assert check_items(x) is x
        assert check_items(x, x.shape[1:]) is x
    assert check_items([[1, 2], [3, 4]]).dtype == np.int64

    class Folder:
        shape, dtype = (7, 3, 32, 32), np.dtype(np.uint8)

        def __len__(self) -> int:
            return 7

        def __getitem__(self, rows: Any) -> Any:
            pytest.fail("nothing need be read")

    folder = Folder()
    assert check_items(folder, (3, 32, 32)) is folder
    check_finite(folder)  # whole numbers


def test_tensors_become_arrays() -> None:
    torch = pytest.importorskip("torch")
    x = torch.arange(6.0).reshape(2, 3)
    for same in (x, x.double(), x.int(), x.half(), x.to(torch.bfloat16), x.clone().requires_grad_()):
        array = check_items(same)
        assert isinstance(array, np.ndarray)
        np.testing.assert_array_equal(array, [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(check_labels(torch.tensor([4, 2]), 2), [4, 2])


X = np.zeros((6, 3))


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (X.astype(complex), TypeError, "real numbers, got dtype complex128"),
        (X.astype("U3"), TypeError, "<U3"),
        (X.astype(object), TypeError, "object"),
        (X.astype("M8[s]"), TypeError, "datetime64"),
        (np.ma.masked_invalid(X), TypeError, "masked array"),
        (X[0], ValueError, r"got shape \(3,\); a single item x is x\[None\]"),
        (X[None], ValueError, r"\(1, 6, 3\)"),
        (X[:, :0], ValueError, r"\(6, 0\)"),
        (np.zeros((6, 3, 0, 5)), ValueError, r"\(6, 3, 0, 5\)"),
        (np.float32(3), ValueError, r"\(\)"),
        (X[:, :2], ValueError, r"of shape \(3,\) as in fit, got \(2,\)"),
    ],
)
def test_other_items_are_refused(x: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        check_items(x, (3,))


def test_values_that_are_not_finite_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "BLOCK", 7)
    x = np.zeros((40, 2, 2, 2), np.float64)
    check_finite(x)
    x[3, 1, 0, 1], x[17, 0, 0, 0], x[39, 1, 1, 1] = np.nan, -np.inf, 1e300  # the last overflows float32
    with pytest.raises(ValueError, match=r"NaN or infinity in 3 of 40 items: 3, 17, 39$"):
        check_finite(x)
    with pytest.raises(ValueError, match=r"in 1 of 10 items: 3$"):
        as_floats(x[:10])
    with pytest.raises(ValueError, match=r"in 1 of 10 items: 17$"):
        as_floats(x[10:20], 10)
    with pytest.raises(ValueError, match=r"in 12 of 12 items: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more$"):
        check_finite(np.full((12, 3), np.nan, np.float16))


def test_values_that_are_too_large_are_listed() -> None:
    x = np.array([[1.0], [-3e15], [2e14]])
    check_finite(x)
    with pytest.raises(ValueError, match=r"at most 1e\+15, got NaN, infinity or larger in 1 of 3 items: 1$"):
        check_finite(x, 1e15)
    for dtype in (np.int64, np.uint64):
        with pytest.raises(ValueError, match=r"in 1 of 3 items: 1$"):
            check_finite(np.array([[1], [3 * 10**15], [10**15]], dtype), 1e15)


def test_blocks_are_new_float32_arrays() -> None:
    for x in (np.ones((2, 3), np.float32), np.ones((2, 3), np.uint8), [[1, 1, 1], [1, 1, 1]]):
        floats = as_floats(x)
        assert floats.dtype == np.float32
        floats[:] = 7
        np.testing.assert_array_equal(x, 1)


def test_labels_become_int64() -> None:
    for labels in ([3, 0, 3], np.array([3, 0, 3], np.uint8), (3, 0, 3), np.array([3, 0, 3], np.int16)):
        checked = check_labels(labels, 3)
        assert checked.dtype == np.int64
        np.testing.assert_array_equal(checked, [3, 0, 3])
    hot = check_labels([[True, False], [False, False]], 2)
    np.testing.assert_array_equal(hot, [[1, 0], [0, 0]])


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([0.0, 1.0, 2.0], TypeError, "wrong must be integers.*float64"),
        (["a", "b", "c"], TypeError, "<U1"),
        (
            np.ma.masked_equal([0, -1, 2], -1),
            TypeError,
            r"wrong: got a masked array.*keep = ~np\.ma\.getmaskarray\(labels\) drop",
        ),
        (np.ma.masked_equal([[0, 1], [9, 1], [1, 0]], 9), TypeError, r"getmaskarray\(labels\)\.any\(axis=1\) drop"),
        ([0, 1], ValueError, r"shape \(3,\) or \(3, n_classes\).*got \(2,\)"),
        ([[0], [1], [1]], ValueError, r"n_classes > 1.*got \(3, 1\)"),
        (np.zeros((3, 0), int), ValueError, r"n_classes > 1.*got \(3, 0\)"),
        (np.zeros((3, 2, 2), int), ValueError, r"\(3, 2, 2\)"),
        (5, ValueError, r"\(\)"),
        (np.full(3, 2**63, np.uint64), ValueError, r"wrong must be below 2\*\*63, got 9223372036854775808"),
        (np.full(3, 2**63, ">u8"), ValueError, r"wrong must be below 2\*\*63, got 9223372036854775808"),
        ([[0, 1], [2, 0], [0, -1]], ValueError, r"0 or 1 only; not so in rows 1, 2$"),
    ],
)
def test_other_labels_are_refused(labels: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        check_labels(labels, 3, "wrong")
