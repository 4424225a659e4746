"""What all shallow baselines share: one shape, seeds, errors, degenerate items."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from blobs import blobs, map_of, multi_hot
from hashindex import baselines
from hashindex.baselines import BRE, ITQ, ITQCCA, KSH, LSH, SDH, SH
from hashindex.baselines.shallow import shallow as shallow_module
from hashindex.baselines.shallow.shallow import BLOCK, Shallow
from hashindex.baselines.shared.classes import similarity
from hashindex.codes import hamming, pack
from hashindex.evaluate import mean_average_precision

Floats = NDArray[np.float64]

UNSUPERVISED: tuple[type[Shallow], ...] = (LSH, SH, ITQ)
SUPERVISED: tuple[type[Shallow], ...] = (ITQCCA, KSH, SDH, BRE)
METHODS = UNSUPERVISED + SUPERVISED

every = pytest.mark.parametrize("method", METHODS, ids=lambda m: m.__name__)
supervised = pytest.mark.parametrize("method", SUPERVISED, ids=lambda m: m.__name__)


@every
@pytest.mark.parametrize("n_bits", [3, 12, 29])  # below, near and above the dimension
def test_one_item_has_the_code_it_has_in_any_batch(method: type[Shallow], n_bits: int) -> None:
    x, labels = blobs(d=7)
    model = method(n_bits).fit(x, labels)
    codes = model.encode(x)
    assert codes.dtype == np.uint8
    assert codes.shape == (len(x), (n_bits + 7) // 8)
    assert np.array_equal(codes, pack(model.project(x)))
    z = model.project(x)
    for start in (1, 17, BLOCK - 1):
        assert np.array_equal(model.project(x[start:]), z[start:])
    for i in (0, 5, BLOCK, len(x) - 1):
        assert np.array_equal(model.project(x[i : i + 1]), z[i : i + 1])
    assert model.encode(x[:0]).shape == (0, codes.shape[1])


@every
def test_seed_and_input_kind(method: type[Shallow], tmp_path: Path) -> None:
    x, labels = blobs(n=80)
    x = np.round(np.clip(x * 20, 0, 255)).astype(np.float32)
    state = repr(np.random.get_state())  # noqa: NPY002
    codes = method(12, 3).fit(x, labels).encode(x)
    assert state == repr(np.random.get_state())  # noqa: NPY002
    np.save(tmp_path / "x.npy", x)
    kinds: list[Any] = [
        x.astype(np.float64),
        x.astype(np.uint8),
        np.load(tmp_path / "x.npy", mmap_mode="r"),
        x.tolist(),
    ]
    for kind in kinds:
        assert np.array_equal(codes, method(12, 3).fit(kind, labels.tolist()).encode(kind))
    images = x.reshape(len(x), 1, 2, 5)
    model = method(12, 3).fit(images, labels)
    assert np.array_equal(codes, model.encode(images))
    with pytest.raises(ValueError, match="expected items of shape"):
        model.encode(x)


@pytest.mark.parametrize("method", [LSH, ITQ, ITQCCA])
def test_seeds_differ(method: type[Shallow]) -> None:
    x, labels = blobs()
    assert not np.array_equal(method(12, 3).fit(x, labels).encode(x), method(12, 4).fit(x, labels).encode(x))


@every
def test_units_do_not_matter(method: type[Shallow]) -> None:
    x, labels = blobs(n=80)
    codes = method(16).fit(x, labels).encode(x)
    for scale in (2.0**-40, 2.0**40):
        assert hamming(codes, method(16).fit(scale * x, labels).encode(scale * x)).mean() < 0.5


@every
def test_a_fit_that_fails_changes_nothing(method: type[Shallow]) -> None:
    x, labels = blobs()
    model = method(9)
    with pytest.raises(RuntimeError, match=r"not been fitted yet: call fit"):
        model.encode(x)
    codes = model.fit(x, labels).encode(x)
    bad = x[:, :4].copy()
    bad[[3, 140]] = np.nan
    with pytest.raises(ValueError, match=r"2 of 150 items: 3, 140"):
        model.fit(bad, labels)
    with pytest.raises(ValueError, match="at least 1 item"):
        model.fit(x[:0], labels[:0])
    with pytest.raises(TypeError, match="real numbers"):
        model.fit(x.astype(complex), labels)
    assert np.array_equal(codes, model.encode(x))
    with pytest.raises(ValueError, match="NaN"):
        model.encode(bad[:, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]])


@supervised
def test_labels_are_required(method: type[Shallow]) -> None:
    x, labels = blobs()
    with pytest.raises(ValueError, match=r"learns from labels: call fit\(x, labels\)"):
        method(8).fit(x)
    with pytest.raises(ValueError, match="one row per item"):
        method(8).fit(x, labels[:-1])
    with pytest.raises(TypeError, match="integers"):
        method(8).fit(x, labels.astype(float))


@pytest.mark.parametrize("method", UNSUPERVISED)
def test_labels_are_not_looked_at(method: type[Shallow]) -> None:
    x, labels = blobs()
    assert np.array_equal(method(8).fit(x).encode(x), method(8).fit(x, labels).encode(x))


def test_options_are_checked() -> None:
    for wrong in ({"n_bits": 0}, {"seed": -1}, {"n_anchors": 0}):
        for method in (KSH, SDH, BRE):
            with pytest.raises(ValueError, match="must be"):
                method(**wrong)
    for lam, nu in ((0.0, 1.0), (1.0, -1.0), (1.0, np.nan)):
        with pytest.raises(ValueError, match="positive"):
            SDH(lam=lam, nu=nu)


@pytest.mark.parametrize(
    "option", [(KSH, "n_anchors"), (SDH, "n_anchors"), (BRE, "n_anchors"), (BRE, "n_anchors_per_bit")]
)
def test_the_number_of_anchors_matters(option: tuple[type[Shallow], str]) -> None:
    x, labels = blobs(n=80)
    method, name = option
    few, more = (method(8, **{name: n}).fit(x, labels).project(x) for n in (3, 20))
    assert not np.array_equal(few, more)


@every
@pytest.mark.parametrize("n", [1, 2, 3, 40])
@pytest.mark.parametrize("kind", ["constant", "duplicates", "one class", "every item a class", "wide", "one feature"])
def test_degenerate_items(method: type[Shallow], n: int, kind: str) -> None:
    rng = np.random.default_rng(n)
    x = rng.standard_normal((n, {"wide": 500, "one feature": 1}.get(kind, 6))).astype(np.float32)
    labels = np.arange(n) % 2
    if kind == "constant":
        x[:] = rng.standard_normal(x.shape[1])
    elif kind == "duplicates":
        x[:] = x[labels]
    elif kind == "one class":
        labels[:] = 7
    elif kind == "every item a class":
        labels = np.arange(n)
    model = method(20).fit(x, labels)
    codes = model.encode(x)
    assert np.isfinite(model.project(x)).all()
    assert np.isfinite(model.losses).all()
    if kind == "constant":
        assert (codes == codes[0]).all()
        assert (model.project(x) == model.project(x[:1])).all()
        assert method in (LSH, SDH) or not model.project(x).any()  # no rounding error passes for variance
    if kind == "duplicates":
        assert np.array_equal(codes, codes[labels])


@every
def test_many_and_wide_items_are_drawn(method: type[Shallow], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, ...]] = []
    learn = method.learn

    def spy(self: Shallow, x: Floats, classes: Floats, rng: np.random.Generator) -> Any:
        seen.extend([x.shape, classes.shape])
        return learn(self, x, classes, rng)

    monkeypatch.setattr(method, "learn", spy)
    monkeypatch.setattr(method, "max_items", 90)
    x, labels = blobs()
    values = method(12).fit(x, labels).encode(x)
    assert values.shape == (150, 2)
    monkeypatch.setattr(shallow_module, "MAX_VALUES", 40 * 10)
    method(12).fit(x, labels)
    n_classes = 5 if method.needs_labels else 0
    assert seen == [(90, 10), (90, n_classes), (40, 10), (40, n_classes)]


@every
def test_ten_thousand_features(method: type[Shallow]) -> None:
    x, labels = blobs(n=60, d=10_000)
    model = method(24).fit(x, labels)
    assert map_of(model, x, labels) > 0.5


@every
def test_above_chance(method: type[Shallow]) -> None:
    x, labels = blobs(n=180, d=16)
    rest, rest_labels = blobs(n=180, d=16, seed=1)
    assert map_of(method(16).fit(x, labels), rest, rest_labels) > (0.6 if method.needs_labels else 0.4)  # chance is 0.2


@supervised
def test_multi_hot_labels(method: type[Shallow]) -> None:
    x, labels = blobs(n=150)
    hot = multi_hot(labels)
    value = map_of(method(16).fit(x, hot), x, hot)
    chance = similarity(hot.astype(float)).mean()
    assert value > chance + 0.2
    # One-hot labels are class numbers.
    one_hot = np.eye(5, dtype=np.int64)[labels]
    assert np.array_equal(method(16).fit(x, one_hot).encode(x), method(16).fit(x, labels).encode(x))


def test_digits() -> None:
    pytest.importorskip("torch")
    data = pytest.importorskip("hashindex.learn.data")
    task = data.digits(n_train=300)
    found = {}
    for method in METHODS:
        model = method(16).fit(task.train_images, task.train_labels)
        codes = model.encode(task.query_images), model.encode(task.database_images)
        found[method.__name__] = mean_average_precision(
            *codes, task.query_labels, task.database_labels, n_bits=16
        ).value
    assert min(found["KSH"], found["SDH"]) > 0.92
    assert min(found["ITQCCA"], found["BRE"]) > found["ITQ"] + 0.1
    assert found["ITQ"] > max(found["LSH"], found["SH"]) + 0.1
    assert min(found["LSH"], found["SH"]) > 0.25


@pytest.mark.parametrize("method", [ITQ, ITQCCA, KSH, SDH, BRE])
def test_losses_fall(method: type[Shallow]) -> None:
    x, labels = blobs(n=200, d=20)
    losses = method(12).fit(x, labels).losses
    assert (np.diff(losses) <= 1e-9).all()
    assert losses[-1] < 0.9 * losses[0]


def test_names() -> None:
    assert {method.__name__ for method in METHODS} <= set(baselines.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = baselines.Nonsense
    code = "import sys, hashindex.baselines; sys.exit('torch' in sys.modules or 'numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
