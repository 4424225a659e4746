"""Hugging Face datasets: an index with faiss's calls as the custom index of a column."""

from __future__ import annotations

import numpy as np
import pytest

from hashindex.connect.faiss import FaissBinaryIndex
from reference import codes_of

datasets = pytest.importorskip("datasets")
pytest.importorskip("faiss")


def test_a_column_of_codes_is_searched() -> None:
    codes = codes_of(0, 300)
    texts = [f"text {i}" for i in range(300)]
    dataset = datasets.Dataset.from_dict({"text": texts, "code": list(codes)}).with_format("numpy")
    index = FaissBinaryIndex(64)
    dataset.add_faiss_index("code", custom_index=index, dtype=np.uint8, faiss_verbose=False)
    assert index.ntotal == 300
    scores, found = dataset.get_nearest_examples("code", codes[7], k=3)
    expected = index.index.search(codes[7], k=3)
    assert np.array_equal(scores, expected.distances)
    assert list(found["text"]) == [texts[i] for i in expected.ids]
