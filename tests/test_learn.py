"""The trainer: it learns, it repeats itself, its codes are signs, and bad input changes nothing."""

import random
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from hashindex.codes import pack  # noqa: E402
from hashindex.evaluate import mean_average_precision  # noqa: E402
from hashindex.learn import HashNet, Step, digits, pair_weights, two_digits  # noqa: E402
from hashindex.learn.augment import jitter  # noqa: E402
from hashindex.learn.sampler import balanced_batches, shuffled_batches  # noqa: E402

QUICK: dict[str, Any] = {"n_bits": 12, "n_steps": 20, "batch_size": 32, "device": "cpu"}


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


def clusters(n: int = 200, n_classes: int = 5, shape: tuple[int, ...] = (10,), seed: int = 0) -> Any:
    """Noisy copies of one centre per class."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_classes, n)
    centres = np.random.default_rng(99).standard_normal((n_classes, *shape))
    return (centres[labels] + 0.5 * rng.standard_normal((n, *shape))).astype(np.float32), labels


@pytest.fixture(scope="module")
def images() -> Any:
    return clusters(shape=(1, 6, 9))


@pytest.fixture(scope="module")
def image_model(images: Any) -> HashNet:
    return HashNet(**QUICK).fit(*images)


def test_it_learns_real_digits_from_pixels() -> None:
    pytest.importorskip("sklearn")
    task = digits(n_train=300)
    scores = []
    for n_steps in (1, 80):
        model = HashNet(n_bits=16, n_steps=n_steps, batch_size=128, device="cpu")
        model.fit(task.train_images, task.train_labels)
        codes = model.encode(task.query_images), model.encode(task.database_images)
        assert codes[0].shape == (300, 2)
        assert codes[0].dtype == np.uint8
        scores.append(mean_average_precision(*codes, task.query_labels, task.database_labels, n_bits=16).value)
    assert scores[0] < 0.6
    assert scores[1] > 0.9


@pytest.mark.parametrize("multi_hot", [False, True])
def test_it_learns_features_with_either_kind_of_label(multi_hot: Any) -> None:
    x, labels = clusters(400)
    if multi_hot:
        labels = np.eye(5, dtype=np.int64)[labels]
    model = HashNet(16, n_steps=60, batch_size=64, device="cpu").fit(x[:200], labels[:200])
    codes = model.encode(x)
    score = mean_average_precision(codes[200:], codes[:200], labels[200:], labels[:200], n_bits=16)
    assert score.value > 0.95


def test_codes_are_the_signs_of_z_whatever_beta_is(image_model: Any, images: Any) -> None:
    z = image_model.project(images[0])
    z[::3, 5] = 0  # dead units do produce exact zeros; their bit is 0
    for beta in (0.1, 1, 4, 100):
        np.testing.assert_array_equal(pack(np.tanh(beta * z)), pack(z))
    bits = np.unpackbits(pack(z), axis=1)[:, :12]
    np.testing.assert_array_equal(bits, z > 0)
    assert not bits[::3, 5].any()
    np.testing.assert_array_equal(image_model.encode(images[0]), pack(image_model.project(images[0])))


def test_a_unit_that_is_exactly_zero_gives_bit_zero(images: Any) -> None:
    model = HashNet(**QUICK).fit(*images)
    linear = nn.Linear(54, 12, bias=False)
    nn.init.zeros_(linear.weight)
    model.network = nn.Sequential(nn.Flatten(), linear)
    assert not model.encode(images[0]).any()


def test_a_new_stage_changes_no_code(images: Any) -> None:
    """Theorem 1, on the network as it is when beta steps up."""
    model = HashNet(**QUICK).fit(*images)
    switches = [step for step in range(1, 20) if model.history.stage[step] != model.history.stage[step - 1]]
    assert len(switches) == 9
    z = torch.from_numpy(model.project(images[0]))
    for step in switches:
        before, after = model.continuation.beta(step - 1), model.continuation.beta(step)
        assert after > before
        assert torch.equal(torch.tanh(before * z) > 0, torch.tanh(after * z) > 0)


def test_the_same_seed_gives_the_same_codes_and_no_global_state_changes(images: Any) -> None:
    torch.manual_seed(5)
    linear = nn.Linear(54, 16)
    backbone = nn.Sequential(nn.Flatten(), linear, nn.ReLU(), nn.Dropout(0.5))
    weights = linear.weight.clone()
    states = torch.get_rng_state(), str(np.random.get_state()), random.getstate()  # noqa: NPY002
    codes = {}
    for name, seed, net in (("a", 1, None), ("b", 1, None), ("c", 2, None), ("d", 1, backbone), ("e", 1, backbone)):
        codes[name] = HashNet(seed=seed, backbone=net, **QUICK).fit(*images).encode(images[0])
    assert torch.equal(torch.get_rng_state(), states[0])
    assert str(np.random.get_state()) == states[1]  # noqa: NPY002
    assert random.getstate() == states[2]
    assert torch.equal(linear.weight, weights)
    np.testing.assert_array_equal(codes["a"], codes["b"])
    np.testing.assert_array_equal(codes["d"], codes["e"])
    assert (codes["a"] != codes["c"]).any()
    torch.manual_seed(6)  # nor does the global state change the codes
    np.testing.assert_array_equal(HashNet(seed=1, **QUICK).fit(*images).encode(images[0]), codes["a"])


@pytest.mark.parametrize("shape", [(1, 6, 9), (10,)])
def test_an_item_gets_the_same_bits_alone_as_in_a_batch(shape: Any) -> None:
    x, labels = clusters(shape=shape)
    model = HashNet(**QUICK).fit(x, labels)
    z = model.project(x)
    for i in (0, 1, 63, 64, 130, 199):
        np.testing.assert_array_equal(model.project(x[i : i + 1])[0], z[i])
    np.testing.assert_array_equal(model.project(x[::-1])[::-1], z)
    assert model.encode(x[:0]).shape == (0, 2)


def test_numpy_torch_and_other_dtypes_are_the_same_inputs(image_model: Any, images: Any) -> None:
    x = np.round(images[0] * 10)
    expected = image_model.encode(x)
    for same in (torch.from_numpy(x), x.astype(np.float64), x.astype(np.int32), torch.from_numpy(x).int()):
        np.testing.assert_array_equal(image_model.encode(same), expected)


def test_history_and_progress_tell_every_step(images: Any, capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[Step] = []
    model = HashNet(**QUICK).fit(*images, progress=seen.append)
    history = model.history
    assert [tuple(step) for step in seen] == list(zip(*(column.tolist() for column in history), strict=True))
    np.testing.assert_array_equal(history.step, np.arange(20))
    np.testing.assert_array_equal(history.beta, [model.continuation.beta(step) for step in range(20)])
    assert history.loss[-5:].mean() < history.loss[:5].mean()
    assert capsys.readouterr() == ("", "")
    pytest.importorskip("tqdm")
    HashNet(**QUICK).fit(*images, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    for word in ("20/20", "stage=", "beta=", "loss="):
        assert word in err


def test_options_switch_parts_of_the_method_off(images: Any) -> None:
    assert set(HashNet(continuation=False, **QUICK).fit(*images).history.beta) == {1.0}
    losses = [HashNet(**QUICK | {option: False}).fit(*images).history.loss for option in ("weighted", "augment")]
    losses.append(HashNet(**QUICK).fit(*images).history.loss)
    losses.append(HashNet(alpha=0.1, **QUICK).fit(*images).history.loss)
    assert len({tuple(loss) for loss in losses}) == 4
    assert HashNet(n_bits=40).alpha == 10 / 40


def test_a_fit_that_fails_leaves_the_model_as_it_was(images: Any) -> None:
    model = HashNet(**QUICK).fit(*images)
    codes, history = model.encode(images[0]), model.history

    def interrupt(step: Any) -> None:
        if step.step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(*clusters(shape=(7,)), progress=interrupt)
    assert model.history is history
    np.testing.assert_array_equal(model.encode(images[0]), codes)


def test_the_smallest_cases_work() -> None:
    x, labels = clusters(2)
    for kind in ([0, 1], [0, 0], [[1, 0], [0, 0]]):
        model = HashNet(n_bits=1, n_steps=1, batch_size=2, device="cpu").fit(x, np.array(kind))
        assert model.encode(x).shape == (2, 1)
    assert labels.shape == (2,)


X, Y = np.zeros((6, 3), np.float32), np.arange(6)


@pytest.mark.parametrize(
    ("inputs", "labels", "error", "message"),
    [
        (np.full((6, 3), np.nan), Y, ValueError, "NaN or infinity in 6 of 6 items, first in item 0"),
        (np.array([[0, 0], [0, np.inf]]), Y[:2], ValueError, "first in item 1"),
        (X.astype(complex), Y, TypeError, "complex128"),
        (torch.zeros(6, 3, dtype=torch.complex64), Y, TypeError, "complex64"),
        (X.astype("U3"), Y, TypeError, "<U3"),
        (X[0], Y, ValueError, r"\(3,\)"),
        (X[None], Y, ValueError, r"\(1, 6, 3\)"),
        (X[:, :0], Y, ValueError, r"\(6, 0\)"),
        (X[:0], Y[:0], ValueError, "at least 2 items.*got 0"),
        (X[:1], Y[:1], ValueError, "at least 2 items.*got 1"),
        (X, Y[:5], ValueError, "6; got 5"),
        (X, Y.astype(float), TypeError, "float64"),
        (X, Y[:, None], ValueError, r"\(6, 1\)"),
        (X, np.full((6, 2), 3), ValueError, "multi-hot"),
        (np.zeros((6, 1, 3, 8)), Y, ValueError, r"3 x 8.*backbone="),
        (np.zeros((6, 1, 65, 8)), Y, ValueError, "65 x 8"),
    ],
)
def test_fit_refuses_what_could_be_misread(inputs: Any, labels: Any, error: Any, message: Any) -> None:
    model = HashNet(**QUICK)
    with pytest.raises(error, match=message):
        model.fit(inputs, labels)
    with pytest.raises(RuntimeError, match="fit"):
        model.encode(X)


def test_encode_refuses_items_of_another_shape_or_not_finite(image_model: Any, images: Any) -> None:
    with pytest.raises(ValueError, match=r"\(1, 6, 9\).*\(1, 9, 6\)"):
        image_model.encode(images[0].transpose(0, 1, 3, 2))
    with pytest.raises(ValueError, match=r"\(1, 6, 9\)"):
        image_model.encode(images[0][0])
    with pytest.raises(ValueError, match="NaN"):
        image_model.encode(images[0] * np.nan)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"n_bits": 0}, ValueError),
        ({"n_bits": 8.5}, TypeError),
        ({"n_steps": 0}, ValueError),
        ({"batch_size": 1}, ValueError),
        ({"learning_rate": 0.0}, ValueError),
        ({"alpha": float("nan")}, ValueError),
    ],
)
def test_bad_options_are_refused(options: Any, error: Any) -> None:
    with pytest.raises(error, match=next(iter(options))):
        HashNet(**options)


def test_a_backbone_of_the_wrong_shape_is_refused(images: Any) -> None:
    with pytest.raises(ValueError, match=r"\(1, 1, 6, 9\)"):
        HashNet(backbone=nn.Identity(), **QUICK).fit(*images)


def test_balanced_batches_hold_p_classes_and_take_turns() -> None:
    labels = torch.arange(10).repeat_interleave(30)
    stream = balanced_batches(labels, 32, min_per_class=8, generator=torch.Generator().manual_seed(0))
    batches = [next(stream) for _ in range(5)]
    assert all(labels[b].unique(return_counts=True)[1].tolist() == [8] * 4 for b in batches)
    assert labels[torch.cat(batches)].unique(return_counts=True)[1].tolist() == [16] * 10  # each class had 2 turns
    assert len(torch.cat(batches).unique()) == 160  # no item twice
    assert pair_weights(labels[batches[0]]) == pytest.approx((4, 4 / 3))


def test_shuffled_batches_take_turns_beyond_the_end() -> None:
    stream = shuffled_batches(7, 4, generator=torch.Generator().manual_seed(0))
    drawn = torch.cat([next(stream) for _ in range(7)])
    assert drawn.unique(return_counts=True)[1].tolist() == [4] * 7


def test_jitter_shifts_by_at_most_a_pixel_and_leaves_its_input_alone() -> None:
    images = torch.from_numpy(clusters(50, shape=(2, 4, 5))[0])
    original = images.clone()
    generator = torch.Generator().manual_seed(0)
    moved = jitter(images, noise=0.0, generator=generator)
    padded = nn.functional.pad(images, (1, 1, 1, 1), mode="replicate")
    shifts = [padded[:, :, y : y + 4, x : x + 5] for y in range(3) for x in range(3)]
    which = torch.stack([(shift == moved).flatten(1).all(dim=1) for shift in shifts])
    assert which.any(dim=0).all()
    assert which.any(dim=1).all()  # all nine occur
    grain = jitter(images, shift=0, noise=0.1, generator=generator) - images
    assert grain.std().item() == pytest.approx(0.1 * images.std().item(), rel=0.1)
    assert torch.equal(images, original)


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
    code = "import sys; sys.modules['torch'] = None; import hashindex.learn"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ImportError" in result.stderr
    assert "pip install 'hashindex[train]'" in result.stderr
