"""Neighbours for PyTorch Metric Learning, beside what its own searches find."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hashindex as hx
from reference import nearest, random_codes

pytest.importorskip("torch")
pytest.importorskip("pytorch_metric_learning")

import torch
from pytorch_metric_learning.distances import BaseDistance
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from pytorch_metric_learning.utils.inference import CustomKNN, InferenceModel

from hashindex.connect.metric_learning import HammingKNN
from hashindex.inputs.codes import as_codes

N_BITS = 60
PER_CLASS = 8


@pytest.fixture
def embeddings(rng: np.random.Generator) -> Any:
    """Embeddings of 12 classes, of 8 items each."""
    centres = np.repeat(rng.standard_normal((12, N_BITS)), PER_CLASS, axis=0)
    noise = rng.standard_normal((len(centres), N_BITS))
    return torch.from_numpy((centres + 1.2 * noise).astype(np.float32))


def labels_of(embeddings: Any) -> Any:
    return torch.arange(len(embeddings)) // PER_CLASS


def codes_of(embeddings: Any) -> Any:
    return hx.pack(embeddings.detach().float().numpy())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_neighbours_are_the_nearest_by_signs(embeddings: Any, dtype: Any) -> None:
    query = embeddings[:9].to(dtype).requires_grad_()
    distances, rows = HammingKNN()(query, 7, embeddings)
    wanted_distances, wanted = nearest(codes_of(embeddings), codes_of(query), 7)
    assert (distances.dtype, rows.dtype, rows.device) == (torch.int32, torch.int64, query.device)
    np.testing.assert_array_equal(distances.numpy(), wanted_distances)
    np.testing.assert_array_equal(rows.numpy(), wanted)


@pytest.mark.parametrize("kind", ["uniform", "duplicates", "equal"])
def test_no_query_is_its_own_neighbour(rng: np.random.Generator, kind: str) -> None:
    codes = random_codes(rng, 50, 64, kind)
    distances, rows = HammingKNN()(torch.from_numpy(codes[:20]), 6, torch.from_numpy(codes), ref_includes_query=True)
    for row in range(20):
        others = np.delete(np.arange(50), row)
        wanted_distances, wanted = nearest(codes[others], codes[row : row + 1], 6)
        np.testing.assert_array_equal(rows[row].numpy(), others[wanted[0]])
        np.testing.assert_array_equal(distances[row].numpy(), wanted_distances[0])


class SignsThatDiffer(BaseDistance):  # type: ignore[misc]
    """All Hamming distances; of equal ones the earlier reference is a little nearer."""

    def compute_mat(self, query: Any, reference: Any) -> Any:
        differing = ((query > 0)[:, None] != (reference > 0)).sum(2)
        return differing + torch.arange(len(reference)) / len(reference)


@pytest.mark.parametrize("k", [None, "max_bin_count", 20])
@pytest.mark.parametrize("among_themselves", [True, False])
def test_accuracies_are_those_of_its_search_through_all_distances(
    embeddings: Any, k: Any, among_themselves: bool
) -> None:
    metrics = ("precision_at_1", "r_precision", "mean_average_precision", "mean_reciprocal_rank")
    labels = labels_of(embeddings)
    sides = (embeddings, labels) if among_themselves else (embeddings[::3], labels[::3], embeddings, labels)
    found, wanted = (
        AccuracyCalculator(include=metrics, k=k, knn_func=knn, device=torch.device("cpu")).get_accuracy(*sides)
        for knn in (HammingKNN(), CustomKNN(SignsThatDiffer(normalize_embeddings=False)))
    )
    assert set(found) == set(metrics)
    assert 0.3 < found["mean_average_precision"] < 1
    assert found == wanted


def test_accuracies_of_bits_are_those_of_embeddings(embeddings: Any) -> None:
    calculator = AccuracyCalculator(include=("mean_average_precision",), knn_func=HammingKNN())
    codes = codes_of(embeddings)
    wanted = calculator.get_accuracy(embeddings, labels_of(embeddings))
    assert calculator.get_accuracy(hx.unpack(codes, N_BITS), labels_of(embeddings)) == wanted
    with pytest.raises(ValueError, match=r"packed codes that became floats.*unpack\(codes, n_bits\)"):
        calculator.get_accuracy(codes, labels_of(embeddings))


def test_inference_finds_what_was_trained_added_saved_and_loaded(embeddings: Any, tmp_path: Path) -> None:
    model = InferenceModel(torch.nn.Identity(), knn_func=HammingKNN(), data_device=torch.device("cpu"))
    model.train_knn(embeddings[:50])
    model.add_to_knn(embeddings[50:])
    wanted_distances, wanted = nearest(codes_of(embeddings), codes_of(embeddings[::9]), 4)
    for _ in range(2):
        distances, rows = model.get_nearest_neighbors(embeddings[::9], k=4)
        np.testing.assert_array_equal(rows.numpy(), wanted)
        np.testing.assert_array_equal(distances.numpy(), wanted_distances)
        model.save_knn_func(str(tmp_path / "knn.hxi"))
        model.knn_func.reset()
        with pytest.raises(ValueError, match="call train"):
            model.get_nearest_neighbors(embeddings[::9], k=4)
        with pytest.raises(ValueError, match="call train"):
            model.save_knn_func(str(tmp_path / "knn.hxi"))
        model.load_knn_func(str(tmp_path / "knn.hxi"))
    model.train_knn(embeddings[:20])
    assert len(model.knn_func.index) == 20


def test_tensors_of_any_layout_and_none(embeddings: Any) -> None:
    knn = HammingKNN()
    wanted = knn(embeddings[:9], 4, embeddings)
    by_columns = embeddings.t().contiguous().t()
    for tensor in (by_columns, by_columns > 0, torch.repeat_interleave(embeddings, 2, dim=0)[::2]):
        assert all(map(torch.equal, knn(tensor[:9], 4, tensor), wanted))
    for none in (embeddings[:0], embeddings[:0] > 0, torch.empty((0, 8), dtype=torch.uint8)):
        reference = codes_of(embeddings) if none.dtype is torch.uint8 else embeddings
        assert [one.shape for one in knn(none, 4, reference)] == [(0, 4)] * 2
        assert knn(none, 4, reference, True)[1].shape == (0, 4)
    knn.train(embeddings[:0])
    knn.add(embeddings)
    assert torch.equal(knn(embeddings[:9], 4)[1], wanted[1])
    with pytest.raises(ValueError, match="k = 1 is more than there are: 0 embeddings"):
        knn(embeddings[:0], 1, embeddings[:0])


def test_packed_tensors_are_not_copied(rng: np.random.Generator) -> None:
    codes = torch.from_numpy(random_codes(rng, 50, 64, "uniform"))
    assert np.shares_memory(as_codes(codes, 64, "codes").codes, codes.numpy())
    knn = HammingKNN()
    knn.train(codes)
    assert knn.index is not None
    np.testing.assert_array_equal(knn(codes[:5], 3)[1].numpy(), knn.index.search(codes[:5], k=3).ids)


def test_what_could_be_misread_is_refused(embeddings: Any) -> None:
    knn = HammingKNN()
    wrong = embeddings.clone()
    wrong[3, 2] = torch.nan
    for values, message in (
        (wrong, "NaN in row 3"),
        (embeddings[0], r"shape \(60,\)"),
        (embeddings[:, :56], "got bool of shape"),
        (codes_of(embeddings)[:, :4], r"expected \(n, 8\)"),
    ):
        with pytest.raises(ValueError, match=message):
            knn(values, 1, embeddings)
    with pytest.raises(ValueError, match="first rows of a reference are its queries, but it has 5 for 96"):
        knn(embeddings, 1, embeddings[:5], True)
    with pytest.raises(TypeError, match="int64"):
        knn(embeddings.long(), 1, embeddings)
    with pytest.raises(ValueError, match="k = 96 is more than there are: 96 embeddings, of which one"):
        knn(embeddings, 96, embeddings, True)
