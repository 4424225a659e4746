"""The embedded tasks of digits: real scans, and queries that share none with what is learnt from."""

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("torch")

from hashindex.learn import digits, two_digits


def test_two_digits_are_two_scans_and_queries_share_none() -> None:
    pytest.importorskip("sklearn")
    single, pairs = digits(n_train=1497), two_digits(n_train=400, n_database=500, n_queries=300)
    kept = {image.tobytes(): label for image, label in zip(single.query_images, single.query_labels, strict=True)}
    rest = {image.tobytes(): label for image, label in zip(single.train_images, single.train_labels, strict=True)}
    for part, images, labels in (("train", *pairs[:2]), ("database", *pairs[2:4]), ("query", *pairs[4:])):
        assert images.shape == ({"train": 400, "database": 500, "query": 300}[part], 1, 8, 16)
        assert images.dtype == np.float32
        assert (images.min(), images.max()) == (0, 1)
        known = kept if part == "query" else rest
        for image, label in zip(images, labels, strict=True):
            left, right = (known[image[:, :, half].tobytes()] for half in (slice(8), slice(8, 16)))
            assert label == 10 * left + right
    again = two_digits(n_train=400, n_database=500, n_queries=300)
    for i in range(6):
        np.testing.assert_array_equal(pairs[i], again[i])
    with pytest.raises(ValueError, match="1498"):
        digits(n_train=1498)
    with pytest.raises(ValueError, match="n_queries"):
        two_digits(n_queries=0)


def test_missing_extras_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"pip install 'hashindex\[demo\]'"):
        digits()
    code = "import sys; sys.modules['torch'] = None; from hashindex.learn import HashNet"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ImportError" in result.stderr
    assert "pip install 'hashindex[train]'" in result.stderr
