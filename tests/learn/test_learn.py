"""The trainer: it learns, it repeats itself, and bad input or a failure changes nothing."""

import math
import random
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from clusters import QUICK, clusters, dropout_net, multi_hot  # noqa: E402
from hashindex.evaluate import mean_average_precision  # noqa: E402
from hashindex.learn import Continuation, HashNet, Step, digits  # noqa: E402


@pytest.fixture(scope="module")
def images() -> Any:
    return clusters(shape=(1, 6, 9))


def test_it_learns_real_digits_from_pixels() -> None:
    pytest.importorskip("sklearn")
    task = digits(n_train=300)
    scores = []
    for n_steps in (1, 100):
        model = HashNet(n_bits=16, n_steps=n_steps, batch_size=96, device="cpu")
        model.fit(task.train_images, task.train_labels)
        codes = model.encode(task.query_images), model.encode(task.database_images)
        assert codes[0].shape == (300, 2)
        assert codes[0].dtype == np.uint8
        scores.append(mean_average_precision(*codes, task.query_labels, task.database_labels, n_bits=16).value)
    assert scores[0] < 0.6
    assert scores[1] > 0.9


@pytest.mark.parametrize("hot", [False, True])
@pytest.mark.parametrize("options", [{}, {"weights": "global", "memory": 100}, {"bf16": True}], ids=str)
def test_it_learns_features_with_either_kind_of_label(hot: bool, options: Any) -> None:
    x, labels = clusters(400)
    if hot:
        labels = np.eye(5, dtype=np.int64)[labels]
    model = HashNet(16, n_steps=60, batch_size=64, device="cpu", **options).fit(x[:200], labels[:200])
    codes = model.encode(x)
    score = mean_average_precision(codes[200:], codes[:200], labels[200:], labels[:200], n_bits=16)
    assert score.value > 0.95


def test_the_same_seed_gives_the_same_codes_and_no_global_state_changes(images: Any) -> None:
    torch.manual_seed(5)
    backbone = dropout_net(54)
    weights = {name: value.clone() for name, value in backbone.state_dict().items()}
    states = torch.get_rng_state(), str(np.random.get_state()), random.getstate()  # noqa: NPY002
    codes = {}
    for name, seed, net in (("a", 1, None), ("b", 1, None), ("c", 2, None), ("d", 1, backbone), ("e", 1, backbone)):
        codes[name] = HashNet(seed=seed, backbone=net, **QUICK).fit(*images).encode(images[0])
    assert torch.equal(torch.get_rng_state(), states[0])
    assert str(np.random.get_state()) == states[1]  # noqa: NPY002
    assert random.getstate() == states[2]
    for name, value in backbone.state_dict().items():
        assert torch.equal(value, weights[name])
    np.testing.assert_array_equal(codes["a"], codes["b"])
    np.testing.assert_array_equal(codes["d"], codes["e"])
    assert (codes["a"] != codes["c"]).any()
    torch.manual_seed(6)  # nor does the global state change the codes
    np.testing.assert_array_equal(HashNet(seed=1, **QUICK).fit(*images).encode(images[0]), codes["a"])


def test_twenty_seeds_stay_finite() -> None:
    features, labels = clusters(80)
    for seed in range(20):
        x = 1000 * features if seed % 2 else features
        model = HashNet(16, seed, n_steps=30, batch_size=32, learning_rate=0.01, device="cpu")
        model.fit(x, labels if seed % 3 else multi_hot(labels))
        assert np.isfinite(model.history.loss).all()
        assert np.isfinite(model.project(x)).all()
        assert len(np.unique(model.encode(x), axis=0)) >= 5


def test_a_loss_that_is_no_number_stops_the_training(images: Any) -> None:
    class Exploding(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(1))

        def forward(self, x: Any) -> Any:
            return x.flatten(1) * (self.scale if self.scale == 1 else math.nan)

    model = HashNet(backbone=Exploding(), **QUICK)
    with pytest.raises(ArithmeticError, match=r"the loss became nan at step 1; a lower learning_rate"):
        model.fit(*images)
    with pytest.raises(RuntimeError, match="call fit"):
        model.encode(images[0])


def test_history_and_progress_tell_every_step(images: Any, capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[Step] = []
    schedule = Continuation([1, 3], [0, 7])
    history = HashNet(continuation=schedule, **QUICK).fit(*images, progress=seen.append).history
    assert [tuple(step) for step in seen] == list(zip(*(column.tolist() for column in history), strict=True))
    np.testing.assert_array_equal(history.step, np.arange(20))
    np.testing.assert_array_equal(history.beta, [schedule.beta(step) for step in range(20)])
    np.testing.assert_array_equal(history.stage, [0] * 7 + [1] * 13)
    assert history.loss[-5:].mean() < history.loss[:5].mean()
    assert capsys.readouterr() == ("", "")
    pytest.importorskip("tqdm")
    HashNet(**QUICK).fit(*images, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    for word in ("20/20", "stage=", "beta=", "loss="):
        assert word in err


def test_a_fit_that_fails_leaves_the_model_as_it_was(images: Any) -> None:
    model = HashNet(**QUICK).fit(*images)
    codes, before = model.encode(images[0]), dict(vars(model))

    def interrupt(step: Any) -> None:
        if step.step == 5:
            raise KeyboardInterrupt

    for inputs, error in ((clusters(shape=(7,)), KeyboardInterrupt), ((images[0], images[1][:3]), ValueError)):
        with pytest.raises(error):
            model.fit(*inputs, progress=interrupt)
        assert vars(model) == before
        np.testing.assert_array_equal(model.encode(images[0]), codes)


def test_the_smallest_cases_work() -> None:
    x, labels = clusters(2)
    for kind in ([0, 1], [0, 0], [[1, 0], [0, 0]], [[0, 0], [0, 0]]):
        model = HashNet(n_bits=1, n_steps=1, batch_size=2, memory=1, device="cpu").fit(x, np.array(kind))
        assert model.encode(x).shape == (2, 1)
    for n_steps in range(1, 13):
        model = HashNet(**QUICK | {"n_steps": n_steps}).fit(x, labels)
        assert len(model.history.loss) == n_steps


X, Y = np.zeros((6, 3), np.float32), np.arange(6)


@pytest.mark.parametrize(
    ("inputs", "labels", "error", "message"),
    [
        (np.full((6, 3), np.nan), Y, ValueError, "NaN, infinity or larger in 6 of 6 items: 0, 1, 2, 3, 4, 5"),
        (np.array([[0, 0], [0, np.inf]]), Y[:2], ValueError, "in 1 of 2 items: 1"),
        (torch.zeros(6, 3, dtype=torch.complex64), Y, TypeError, "complex64"),
        (X[0], Y, ValueError, r"\(3,\)"),
        (X[:0], Y[:0], ValueError, "at least 2 items.*got 0"),
        (X[:1], Y[:1], ValueError, "at least 2 items.*got 1"),
        (X, Y[:5], ValueError, r"\(6,\).*got \(5,\)"),
        (X, Y.astype(float), TypeError, "float64"),
        (np.zeros((6, 1, 3, 8)), Y, ValueError, r"3 x 8.*backbone="),
    ],
)
def test_fit_refuses_what_could_be_misread(inputs: Any, labels: Any, error: Any, message: Any) -> None:
    model = HashNet(**QUICK)
    with pytest.raises(error, match=message):
        model.fit(inputs, labels, progress=lambda _: pytest.fail("a step was made"))
    with pytest.raises(RuntimeError, match="fit"):
        model.encode(X)
