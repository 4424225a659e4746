"""Each shallow baseline against its definition, a slow reference or faiss."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from blobs import blobs, map_of, multi_hot
from hashindex.baselines import BRE, ITQ, ITQCCA, KSH, LSH, SDH, SH
from hashindex.baselines.shallow import itq_cca, ksh, sdh
from hashindex.baselines.shallow.bre import best_step, pair_shares
from hashindex.baselines.shallow.itq import rotate
from hashindex.baselines.shallow.kernel import draw_anchors
from hashindex.baselines.shallow.ksh import Residue, spectral, whitening
from hashindex.baselines.shallow.linear import principal
from hashindex.baselines.shallow.sdh import descend
from hashindex.baselines.shallow.sh import smoothest
from hashindex.baselines.shared.classes import indicators, signs
from hashindex.codes import hamming, pack, unpack
from hashindex.evaluate import mean_average_precision

Floats = NDArray[np.float64]


def test_a_sign_is_a_bit() -> None:
    assert signs(np.array([-2.0, 0.0, 0.5])).tolist() == [-1, -1, 1]


def test_principal_directions() -> None:
    rng = np.random.default_rng(0)
    for n, d in ((50, 8), (8, 50)):
        x = rng.standard_normal((n, d))
        x -= x.mean(axis=0)
        directions, variances = principal(x)
        assert len(variances) == min(n - 1, d)
        assert np.allclose(directions.T @ directions, np.eye(len(variances)))
        assert np.allclose(np.cov(x @ directions, rowvar=False, bias=True), np.diag(variances))


def test_lsh_differs_by_the_angle() -> None:
    x = np.random.default_rng(0).standard_normal((2, 30)).astype(np.float32)
    x = np.concatenate([x, -x])  # centred as it is
    codes = LSH(20_000).fit(x).encode(x)
    angle = np.arccos(x[0] @ x[1] / np.linalg.norm(x[0]) / np.linalg.norm(x[1]))
    assert hamming(codes[0], codes[1]) / 20_000 == pytest.approx(angle / np.pi, abs=0.015)
    assert hamming(codes[0], codes[2]) == 20_000


def test_lsh_is_as_good_as_that_of_faiss() -> None:
    faiss = pytest.importorskip("faiss")
    x, labels = blobs(n=400, d=32)
    index = faiss.IndexLSH(32, 32)
    index.train(x - x.mean(axis=0))
    theirs = np.asarray(index.sa_encode(x - x.mean(axis=0)))
    value = mean_average_precision(theirs, theirs, labels, labels, n_bits=32).value
    ours = np.mean([map_of(LSH(32, seed).fit(x), x, labels) for seed in range(5)])
    assert ours == pytest.approx(value, abs=0.08)


def test_sh_chooses_the_smallest_eigenvalues() -> None:
    ranges = np.array([5.0, 3.0, 0.2])
    every_pair = sorted(itertools.product(range(3), range(1, 30)), key=lambda pair: (pair[1] / ranges[pair[0]], pair))
    component, k = smoothest(ranges, 25)
    assert list(zip(component.tolist(), k.tolist(), strict=True)) == every_pair[:25]


def test_sh_is_the_sine_of_the_paper() -> None:
    x = np.random.default_rng(0).random((500, 1)).astype(np.float32) * 7
    a, b = float(x.min()), float(x.max())
    z = SH(6).fit(x).project(x)
    for k in range(1, 7):
        paper = np.sin(np.pi / 2 + k * np.pi / (b - a) * (x[:, 0] - a))
        turned = np.sin(np.pi / 2 + k * np.pi / (b - a) * (b - x[:, 0]))  # a component may point either way
        assert min(abs(z[:, k - 1] - paper).max(), abs(z[:, k - 1] - turned).max()) < 1e-5


def test_itq_rotation() -> None:
    faiss = pytest.importorskip("faiss")
    x, _ = blobs(n=600, d=24)
    x -= x.mean(axis=0)
    v = x @ principal(x.astype(np.float64)).directions[:, :12]
    v *= np.sqrt(v.size / (v**2).sum())
    for seed in range(3):
        rotation, losses = rotate(v, 12, np.random.default_rng(seed))
        z = v @ rotation
        assert np.allclose(rotation @ rotation.T, np.eye(12))
        assert losses[-1] == pytest.approx(np.mean((signs(z) - z) ** 2))
        # No rotation fits the bits better: R'V'B is symmetric and positive (the polar form).
        polar = z.T @ signs(z)
        assert np.allclose(polar, polar.T, atol=0.03 * abs(polar).max())
        assert np.linalg.eigvalsh(polar + polar.T).min() > 0
        # That of faiss 1.15 does not always descend: it bounds from above.
        matrix = faiss.ITQMatrix(12)
        matrix.seed = seed
        matrix.train(v.astype(np.float32))
        theirs = matrix.apply(v.astype(np.float32))
        assert losses[-1] <= np.mean((signs(theirs) - theirs) ** 2)


def test_itq_is_as_good_as_that_of_faiss() -> None:
    faiss = pytest.importorskip("faiss")
    x, labels = blobs(n=600, d=24)
    x -= x.mean(axis=0)
    x /= np.linalg.norm(x, axis=1, keepdims=True)  # as faiss does by itself
    transform = faiss.ITQTransform(24, 12, True)
    transform.train(x)
    theirs = pack(transform.apply(x))
    value = mean_average_precision(theirs, theirs, labels, labels, n_bits=12).value
    assert map_of(ITQ(12).fit(x), x, labels) == pytest.approx(value, abs=0.05)


def test_itq_lifts_as_if_padded_with_zeros() -> None:
    v = np.random.default_rng(0).standard_normal((100, 3))
    rotation, losses = rotate(v, 8, np.random.default_rng(1))
    assert np.allclose(rotation @ rotation.T, np.eye(3))
    x = (v - v.mean(axis=0)).astype(np.float32)
    z = ITQ(8).fit(x).project(x)
    assert np.allclose((z**2).sum(axis=1), (x**2).sum(axis=1), rtol=1e-4)  # lifting keeps lengths
    assert len(losses) == 51


def test_itq_cca_finds_what_tells_classes_apart() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2000, 12)).astype(np.float32)
    x[:, 0] *= 30  # the widest feature says nothing
    labels = rng.integers(0, 2, 2000)
    x[:, 5] += 4 * labels
    codes = unpack(ITQCCA(1).fit(x, labels).encode(x), 1)[:, 0]
    assert abs((codes == labels).mean() - 0.5) > 0.4


def test_sdh_step_is_the_best_of_all_columns() -> None:
    rng = np.random.default_rng(0)
    n, n_bits = 5, 4
    every_column = np.array(list(itertools.product([-1.0, 1.0], repeat=n)))
    for _ in range(20):
        w, q = rng.standard_normal((n_bits, 3)), rng.standard_normal((n, n_bits))
        start = signs(rng.standard_normal((n, n_bits)))

        def objective(bits: Floats, w: Floats = w, q: Floats = q) -> float:
            return float(((bits @ w) ** 2).sum() - 2 * (bits * q).sum())

        found = descend(start, q, w)
        assert objective(found) <= objective(start) + 1e-9
        for k in range(n_bits):
            tried = found.copy()
            for column in every_column:
                tried[:, k] = column
                assert objective(found) <= objective(tried) + 1e-9


def test_itq_cca_weighs_directions_by_canonical_correlation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(itq_cca, "RIDGE", 1e-9)
    x, labels = blobs(n=300)
    y = multi_hot(labels).astype(np.float64)
    centred, y = x.astype(np.float64) - x.mean(axis=0, dtype=np.float64), y - y.mean(axis=0)
    expected = np.linalg.svd(np.linalg.qr(centred).Q.T @ np.linalg.qr(y).Q, compute_uv=False)
    found = centred @ itq_cca.correlated(centred, y)
    assert np.allclose(np.cov(found, rowvar=False, bias=True), np.diag(expected**2), atol=1e-6)


def test_sdh_loss_is_the_objective_of_the_paper() -> None:
    x, labels = blobs(n=60)
    bits = signs(np.random.default_rng(5).standard_normal((60, 8)))  # where it starts: all items are anchors
    y = indicators(labels)
    w = np.linalg.lstsq(np.vstack([bits, np.sqrt(2) * np.eye(8)]), np.vstack([y, np.zeros((8, 5))]), rcond=None)[0]
    first = ((y - bits @ w) ** 2).sum() + 2 * (w**2).sum()
    losses = SDH(8, 5, lam=2, nu=1e-9).fit(x, labels).losses
    assert losses[0] == pytest.approx(first / 60, abs=1e-7)
    assert len(losses) == 6


def test_sdh_codes_heed_the_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    x, labels = blobs(n=60)
    y = indicators(labels)

    def look(bits: Floats, q: Floats, w: Floats) -> Floats:
        fitted = (q - y @ w.T) / 0.5
        assert abs(fitted - bits).mean() < 0.1  # as many anchors as items reproduce any codes
        return descend(bits, q, w)

    monkeypatch.setattr(sdh, "descend", look)
    SDH(8, nu=0.5).fit(x, labels)


def test_sdh_codes_are_read_well_by_a_linear_classifier() -> None:
    x, labels = blobs(n=400, n_classes=8)
    bits = signs(SDH(8).fit(x, labels).project(x))
    read = bits @ np.linalg.lstsq(bits, indicators(labels), rcond=None)[0]
    assert (read.argmax(axis=1) == labels).mean() > 0.9


def test_ksh_residue_and_spectral_start() -> None:
    rng = np.random.default_rng(0)
    x, labels = blobs(n=60)
    classes = multi_hot(labels).astype(np.float64)
    residue = Residue(classes, 6)
    residue.bits[:, :2] = signs(rng.standard_normal((60, 2)))
    dense = 6 * np.where(classes @ classes.T > 0, 1.0, -1.0) - residue.bits @ residue.bits.T
    v = rng.standard_normal(60)
    assert np.allclose(residue @ v, dense @ v)

    _, features = draw_anchors(x.astype(np.float64), 15, rng)
    white = features @ whitening(features)
    assert np.allclose(residue.quadratic(white), white.T @ dense @ white)
    # The start maximises the Rayleigh quotient of the relaxed problem.
    best = spectral(residue.quadratic(white))
    top = best @ residue.quadratic(white) @ best / (best @ best)
    others = rng.standard_normal((200, 15))
    assert (np.einsum("im,mk,ik->i", others, white.T @ dense @ white, others) <= top * (others**2).sum(axis=1)).all()
    variances = np.diag(white.T @ white) / 60
    assert np.allclose(white.T @ white / 60, np.diag(variances), atol=1e-8)
    assert (variances < 1 + 1e-9).all()


def test_ksh_starts_each_bit_from_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []
    bit = ksh._bit

    def look(white: Floats, residue: Residue, start: Floats) -> tuple[Floats, Floats]:
        given.append(float(abs(start - spectral(residue.quadratic(white))).max()))
        return bit(white, residue, start)

    monkeypatch.setattr(ksh, "_bit", look)
    x, labels = blobs()
    KSH(5, n_anchors=10).fit(x, labels)
    assert len(given) == 5
    assert max(given) < 1e-6


def test_ksh_loss_is_the_objective_of_the_paper() -> None:
    x, labels = blobs(n=80)
    model = KSH(6).fit(x, labels)
    h = signs(model.project(x))
    s = np.where(labels[:, None] == labels, 1.0, -1.0)
    assert model.losses[-1] == pytest.approx(((h @ h.T - 6 * s) ** 2).mean() / 36)


def test_bre_loss_is_the_difference_of_distances() -> None:
    x, labels = blobs(n=80)
    model = BRE(6).fit(x, labels)
    codes = model.encode(x)
    distances = hamming(codes[:, None], codes) / 6
    different = labels[:, None] != labels
    share = pair_shares(different.astype(float))
    assert share.sum() == pytest.approx(1)
    assert share[different].sum() == pytest.approx(0.5)
    assert (np.diag(share) == 0).all()
    assert model.losses[-1] == pytest.approx((share * (different - distances) ** 2).sum())


def test_bre_step_is_the_best_of_all() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        pull = rng.standard_normal((12, 12))
        pull += pull.T
        np.fill_diagonal(pull, 0)
        z, feature = rng.standard_normal((2, 12))
        feature[0] = 0
        z[3], feature[3] = z[2], feature[2]  # change sides together

        def value(step: float, z: Floats = z, feature: Floats = feature, pull: Floats = pull) -> float:
            h = signs(z + step * feature)
            return float(h @ pull @ h)

        changes = np.sort(-z[1:] / feature[1:])
        steps = np.concatenate([[changes[0] - 1], (changes[1:] + changes[:-1]) / 2, [changes[-1] + 1]])
        assert value(best_step(z, feature, pull)) == pytest.approx(max(map(value, steps.tolist())))
