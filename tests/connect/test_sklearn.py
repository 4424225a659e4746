"""Neighbours of codes and codes of features in scikit-learn, beside its own brute force on bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import hashindex as hx
from reference import nearest, radius_search, random_codes

pytest.importorskip("sklearn", minversion="1.6")

from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.cluster import DBSCAN, HDBSCAN
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.manifold import TSNE
from sklearn.metrics import adjusted_rand_score, pairwise_distances
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsTransformer, NearestNeighbors, RadiusNeighborsTransformer
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from hashindex.baselines import ITQ
from hashindex.connect.sklearn import HammingNeighbors, HashEncoder
from hashindex.connect.sklearn.results import graph_of, in_rows, share_in_bits

N_BITS = 40
Codes = NDArray[np.uint8]

NEEDS_CODES = "the check fits floats, which are no codes"
EXPECTED_FAILED = dict.fromkeys(
    (
        "check_complex_data",
        "check_dict_unchanged",
        "check_dont_overwrite_parameters",
        "check_dtype_object",
        "check_estimators_dtypes",
        "check_estimators_empty_data_messages",
        "check_estimators_fit_returns_self",
        "check_estimators_nan_inf",
        "check_estimators_overwrite_params",
        "check_estimators_pickle",
        "check_f_contiguous_array_estimator",
        "check_fit1d",
        "check_fit2d_1feature",
        "check_fit2d_1sample",
        "check_fit2d_predict1d",
        "check_fit_check_is_fitted",
        "check_fit_idempotent",
        "check_fit_score_takes_y",
        "check_methods_sample_order_invariance",
        "check_methods_subset_invariance",
        "check_n_features_in",
        "check_n_features_in_after_fitting",
        "check_pipeline_consistency",
        "check_positive_only_tag_during_fit",
        "check_readonly_memmap_input",
        "check_transformer_data_not_an_array",
        "check_transformer_general",
        "check_transformer_preserve_dtypes",
    ),
    NEEDS_CODES,
)
OF_A_PIPELINE = dict.fromkeys(
    ("check_dont_overwrite_parameters", "check_estimators_overwrite_params"),
    "a Pipeline fits its steps themselves, whichever they are",
)


@pytest.fixture
def codes(rng: np.random.Generator) -> Codes:
    """Groups of 12 codes within 10 bits of each other, with equal ones among them; 13 bits at least between groups."""
    centres = rng.random((10, N_BITS)) < 0.5
    while (distances(centres) + N_BITS * np.eye(10) < 13).any():
        centres = rng.random((10, N_BITS)) < 0.5
    bits = np.repeat(centres, 12, axis=0)
    for row, flips in enumerate(rng.integers(0, 3, len(bits))):
        bits[row, rng.choice(N_BITS, flips, replace=False)] ^= True
    return hx.pack(bits[rng.permutation(len(bits))])


def bits_of(codes: Codes) -> NDArray[np.bool_]:
    return hx.unpack(codes, N_BITS)


def distances(bits: NDArray[np.bool_]) -> NDArray[np.float64]:
    """All pairs, in bits, as scikit-learn counts them."""
    counts: NDArray[np.float64] = np.rint(pairwise_distances(bits, metric="hamming") * N_BITS)
    return counts


def test_neighbors_pass_the_checks_of_estimators_that_do_not_fit_floats() -> None:
    results = check_estimator(HammingNeighbors(), expected_failed_checks=EXPECTED_FAILED, on_skip=None)
    failed = {result["check_name"]: str(result["exception"]) for result in results if result["status"] == "xfail"}
    assert failed.keys() == EXPECTED_FAILED.keys()
    refused = {name for name, message in failed.items() if "expected packed uint8" in message}
    assert EXPECTED_FAILED.keys() - refused <= {
        "check_estimators_empty_data_messages",  # want another error for what is refused as floats already
        "check_estimators_nan_inf",
        "check_positive_only_tag_during_fit",
    }


@pytest.mark.parametrize("method", ["ITQ", "LSH", "SDH"])
def test_encoders_pass_the_checks_of_estimators(method: str) -> None:
    check_estimator(HashEncoder(method, n_bits=16), on_skip=None)


def test_neighbors_behind_an_encoder_pass_the_checks_of_estimators() -> None:
    pipeline = make_pipeline(HashEncoder(n_bits=32), HammingNeighbors())
    check_estimator(pipeline, expected_failed_checks=OF_A_PIPELINE, on_skip=None)


@pytest.mark.parametrize("kind", ["uniform", "duplicates", "equal"])
def test_neighbors_are_the_nearest(rng: np.random.Generator, kind: str) -> None:
    codes, queries = random_codes(rng, 60, 64, kind), random_codes(rng, 7, 64, kind)
    model = HammingNeighbors(n_neighbors=9).fit(codes)
    wanted_distances, wanted = nearest(codes, queries, 9)
    found_distances, found = model.kneighbors(queries)
    assert (found_distances.dtype, found.dtype) == (np.float64, np.int64)
    np.testing.assert_array_equal(found_distances, wanted_distances)
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(model.kneighbors(queries, 2, return_distance=False), wanted[:, :2])


@pytest.mark.parametrize("kind", ["uniform", "duplicates", "equal"])
def test_no_fitted_code_is_its_own_neighbor(rng: np.random.Generator, kind: str) -> None:
    codes = random_codes(rng, 40, 64, kind)
    model = HammingNeighbors(n_neighbors=5, radius=26).fit(codes)
    found_distances, found = model.kneighbors()
    in_radius_distances, in_radius = model.radius_neighbors()
    for row in range(len(codes)):
        others = np.delete(np.arange(len(codes)), row)
        wanted_distances, wanted = nearest(codes[others], codes[row : row + 1], 5)
        np.testing.assert_array_equal(found[row], others[wanted[0]])
        np.testing.assert_array_equal(found_distances[row], wanted_distances[0])
        _, wanted_distances, wanted = radius_search(codes[others], codes[row : row + 1], 26)
        np.testing.assert_array_equal(in_radius[row], others[wanted])
        np.testing.assert_array_equal(in_radius_distances[row], wanted_distances)


@pytest.mark.parametrize("most", [0, 1, 3, 200])
@pytest.mark.parametrize("n_rows", [0, 1, 7, 400])
def test_rows_are_those_between_their_offsets(rng: np.random.Generator, n_rows: int, most: int) -> None:
    offsets = np.concatenate([[0], np.cumsum(rng.integers(0, most + 1, n_rows))])
    ids = rng.permutation(offsets[-1])
    for values, rows in zip((ids, ids / 2), in_rows(offsets, ids, ids / 2), strict=True):
        assert rows.shape == (n_rows,)
        for i, row in enumerate(rows):
            assert (row.dtype, row.ndim) == (values.dtype, 1)
            np.testing.assert_array_equal(row, values[offsets[i] : offsets[i + 1]])


def test_a_graph_is_that_which_scipy_makes(rng: np.random.Generator) -> None:
    for n_rows in (3, 3, 0, 1):  # again: graphs share nothing
        offsets = np.arange(n_rows + 1) * 4
        values, columns = rng.random(4 * n_rows), rng.integers(0, 9, 4 * n_rows)
        made, wanted = graph_of(values, columns, offsets, 9), csr_matrix((values, columns, offsets), shape=(n_rows, 9))
        made.check_format()
        made.sort_indices()
        wanted.sort_indices()
        assert made.shape == wanted.shape
        for name in ("data", "indices", "indptr"):
            np.testing.assert_array_equal(getattr(made, name), getattr(wanted, name))
            assert getattr(made, name).dtype == getattr(wanted, name).dtype
    wide = graph_of(np.ones(1), np.array([2**31]), np.array([0, 1]), 2**31 + 1)
    assert wide.indices.dtype == np.int64
    assert wide[0, 2**31] == 1


@pytest.mark.parametrize("mode", ["distance", "connectivity"])
@pytest.mark.parametrize("given", [True, False])
def test_graphs_are_those_of_sklearn(codes: Codes, mode: Any, given: bool) -> None:
    """Groups have 12 codes: there is one choice of 11 others."""
    bits = bits_of(codes)
    queries, theirs_queries = (codes[:30], bits[:30]) if given else (None, None)
    ours = HammingNeighbors(n_neighbors=12 if given else 11, radius=0.1, n_bits=N_BITS, normalize=True).fit(codes)
    theirs = NearestNeighbors(n_neighbors=12 if given else 11, radius=0.1, metric="hamming", algorithm="brute").fit(
        bits
    )
    for name in ("kneighbors_graph", "radius_neighbors_graph"):
        found, wanted = getattr(ours, name)(queries, mode=mode), getattr(theirs, name)(theirs_queries, mode=mode)
        assert (type(found), found.dtype) == (type(wanted), wanted.dtype)
        np.testing.assert_array_equal(found.indptr, wanted.indptr)
        np.testing.assert_array_equal(found.toarray(), wanted.toarray())
        assert found.nnz == wanted.nnz  # stored zeros are counted
        found.check_format()


@pytest.mark.parametrize("mode", ["distance", "connectivity"])
def test_transformers_are_those_of_sklearn(codes: Codes, mode: Any) -> None:
    bits = bits_of(codes)
    k = 11 if mode == "distance" else 12  # the first counts itself besides
    pairs = (
        (
            HammingNeighbors(n_neighbors=k, mode=mode, n_bits=N_BITS, normalize=True),
            KNeighborsTransformer(n_neighbors=k, mode=mode, metric="hamming", algorithm="brute"),
        ),
        (
            HammingNeighbors(radius=0.2, mode=mode, n_bits=N_BITS, normalize=True),
            RadiusNeighborsTransformer(radius=0.2, mode=mode, metric="hamming", algorithm="brute"),
        ),
    )
    for ours, theirs in pairs:
        found, wanted = ours.fit_transform(codes), theirs.fit_transform(bits)
        assert found.nnz == wanted.nnz
        np.testing.assert_array_equal(found.toarray(), wanted.toarray())
        np.testing.assert_array_equal(ours.transform(codes[:9]).toarray(), wanted[:9].toarray())


@pytest.mark.parametrize("radius", [0, 2, 4])
def test_dbscan_of_a_graph_is_dbscan_of_the_bits(codes: Codes, radius: int) -> None:
    pipeline = make_pipeline(HammingNeighbors(radius=radius), DBSCAN(radius + 0.5, min_samples=3, metric="precomputed"))
    dense = DBSCAN((radius + 0.5) / N_BITS, min_samples=3, metric="hamming", algorithm="brute")
    labels = pipeline.fit_predict(codes)
    np.testing.assert_array_equal(labels, dense.fit_predict(bits_of(codes)))
    assert labels.max() > 0  # with radius 0 of stored zeros alone


def test_hdbscan_of_a_graph_is_hdbscan_of_the_bits(codes: Codes) -> None:
    """As many equal codes as min_samples: their zeros, which HDBSCAN loses of any sparse graph, become tiny."""
    options: dict[str, Any] = {"min_cluster_size": 5, "copy": True}
    wanted = HDBSCAN(metric="hamming", algorithm="brute", **options).fit_predict(bits_of(codes))
    ours = HammingNeighbors(radius=0.5, n_bits=N_BITS, normalize=True).fit_transform(codes)
    theirs = RadiusNeighborsTransformer(radius=0.5, metric="hamming", algorithm="brute").fit_transform(bits_of(codes))
    assert ours.nnz < len(codes) ** 2
    labels = []
    for graph in (ours, theirs):
        graph.data[graph.data == 0] = 1e-6
        labels.append(HDBSCAN(metric="precomputed", **options).fit_predict(graph))
    np.testing.assert_array_equal(*labels)
    assert adjusted_rand_score(labels[0], wanted) == 1
    assert set(wanted) == set(range(10))


def test_tsne_of_a_graph_is_tsne_of_the_distances(codes: Codes) -> None:
    graph = HammingNeighbors(n_neighbors=11).fit_transform(codes)
    options: dict[str, Any] = {"perplexity": 10 / 3, "metric": "precomputed", "init": "random", "random_state": 0}
    found = TSNE(**options).fit(graph)
    wanted = TSNE(**options).fit(distances(bits_of(codes)))
    np.testing.assert_allclose(found.embedding_, wanted.embedding_, rtol=1e-3, atol=1e-2)


@pytest.mark.filterwarnings("ignore")
def test_umap_of_a_graph_is_umap_of_the_distances(codes: Codes) -> None:
    umap = pytest.importorskip("umap")
    model = HammingNeighbors(n_neighbors=12).fit(codes)
    found_distances, found = model.kneighbors(codes)
    options: dict[str, Any] = {"n_neighbors": 12, "random_state": 0, "n_epochs": 20, "init": "random"}
    ours = umap.UMAP(precomputed_knn=(found, found_distances), **options).fit(codes)
    theirs = umap.UMAP(metric="precomputed", **options).fit(distances(bits_of(codes)))
    np.testing.assert_allclose(ours.graph_.toarray(), theirs.graph_.toarray(), atol=1e-6)


def test_shares_of_bits_compare_as_floats_do() -> None:
    for n_bits in (1, 7, 40, 64, 1000):
        for share in (0, 0.1, 0.3, 1 / 3, 0.999, 1, 2.5, np.inf, *(np.arange(n_bits + 1) / n_bits)):
            assert share_in_bits(share, n_bits) == sum(d / n_bits <= share for d in range(n_bits + 1)) - 1


def test_what_is_no_code_and_no_radius_is_refused_with_a_route(codes: Codes) -> None:
    model = HammingNeighbors()
    with pytest.raises(NotFittedError, match=r"fit\(codes\)"):
        model.kneighbors(codes)
    with pytest.raises(TypeError, match=r"pack\(values\)"):
        model.fit(np.ones((3, 8)))
    with pytest.raises(ValueError, match=r"reshape\(1, -1\)"):
        model.fit(codes[0])
    with pytest.raises(ValueError, match="0 sample"):
        model.fit(codes[:0])
    model.fit(codes)
    with pytest.raises(ValueError, match=r"reshape\(1, -1\)"):
        model.kneighbors(codes[0])
    for search in (model.radius_neighbors, model.radius_neighbors_graph):
        with pytest.raises(ValueError, match=r"Reshape your data: X.reshape\(1, -1\)"):
            search(codes[0], 3)
    with pytest.raises(ValueError, match="n_samples_fit = 120, each without itself"):
        model.kneighbors(n_neighbors=120)
    with pytest.raises(TypeError, match="n_neighbors must be an integer"):
        model.kneighbors(codes, 2.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no radius"):
        model.radius_neighbors(codes)
    with pytest.raises(TypeError, match="normalize=True"):
        model.radius_neighbors(codes, 0.1)
    with pytest.raises(TypeError, match="n_bits must be an integer, got '64'"):
        HammingNeighbors(n_bits="64").fit(codes)  # type: ignore[arg-type]
    for radius in ("0.5", np.array([0.5]), True):
        with pytest.raises(TypeError, match="radius is a share of the bits here, so it must be a number, got"):
            HammingNeighbors(normalize=True).fit(codes).radius_neighbors(codes, radius)  # type: ignore[arg-type]
    for call in (model.fit, model.kneighbors, lambda queries: model.radius_neighbors(queries, 1)):
        with pytest.raises(TypeError, match=r"sparse matrix, and codes are dense; pack\(X.toarray\(\)\)"):
            call(csr_matrix(codes))
    with pytest.raises(ValueError, match="mode must be"):
        model.kneighbors_graph(codes, mode="distances")  # type: ignore[arg-type]


def test_an_encoder_makes_the_codes_of_its_method() -> None:
    images, digits = load_digits(return_X_y=True)
    encoder = HashEncoder("ITQ", n_bits=20, seed=3)
    codes = encoder.fit_transform(images)
    np.testing.assert_array_equal(codes, ITQ(20, 3).fit(images).encode(images))
    assert (codes.dtype, codes.shape) == (np.uint8, (len(images), 3))
    assert list(encoder.get_feature_names_out()) == ["hashencoder0", "hashencoder1", "hashencoder2"]
    assert clone(encoder).get_params() == {"method": "ITQ", "n_bits": 20, "options": None, "seed": 3}
    with pytest.raises(ValueError, match="method must be one of BRE, .*; got 'itq'"):
        HashEncoder("itq").fit(images)
    with pytest.raises(ValueError, match="SDH requires y"):
        HashEncoder("SDH").fit(images)
    for y, message in (
        (np.where(digits > 5, np.nan, 1.0), "NaN"),
        (images[:, 20] / 7, "Unknown label type: continuous"),
        (np.array([None, "a"], object)[digits % 2], "Unknown label type"),
    ):
        with pytest.raises(ValueError, match=message):
            HashEncoder("SDH").fit(images, y)
    with pytest.raises(TypeError, match=r"options must be a dict of arguments of ITQ, got \[1\]"):
        HashEncoder(options=[1]).fit(images)  # type: ignore[arg-type]
    names = np.array(list("abcdefghij"))[digits]
    of_names = HashEncoder("SDH", n_bits=16).fit(images[:500], names[:500]).transform(images[:9])
    of_numbers = HashEncoder("SDH", n_bits=16).fit(images[:500], digits[:500]).transform(images[:9])
    np.testing.assert_array_equal(of_names, of_numbers)


def test_a_pipeline_of_hashnet_classifies() -> None:
    pytest.importorskip("torch")
    images, digits = load_digits(return_X_y=True)
    encoder = HashEncoder("HashNet", n_bits=32, options={"n_steps": 60, "batch_size": 64, "device": "cpu"})
    pipeline = make_pipeline(encoder, HammingNeighbors(), KNeighborsClassifier(metric="precomputed"))
    assert pipeline.fit(images[:1200] / 16, digits[:1200]).score(images[1200:] / 16, digits[1200:]) > 0.85


def test_a_grid_is_searched_over_methods_and_widths() -> None:
    images, digits = load_digits(return_X_y=True)
    pipeline = make_pipeline(HashEncoder(), HammingNeighbors(), KNeighborsClassifier(metric="precomputed"))
    grid = {"hashencoder__method": ["LSH", "ITQ"], "hashencoder__n_bits": [8, 64]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(images[:400], digits[:400])
    assert search.best_params_ == {"hashencoder__method": "ITQ", "hashencoder__n_bits": 64}
