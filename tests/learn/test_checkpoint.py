"""A training that was killed goes on as if nothing had happened, and a checkpoint that will not do is refused."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

import interrupted  # noqa: E402
from clusters import QUICK, clusters  # noqa: E402
from hashindex.learn import HashNet, Step, model_file  # noqa: E402
from interrupted import CASES, EVERY, FEATURES, KILLED, N_STEPS, fit, path_of  # noqa: E402


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints of trainings that another process left behind when it was killed."""
    if not hasattr(os, "fork"):
        pytest.skip("a process is killed after fork()")
    folder = tmp_path_factory.mktemp("killed")
    command = [sys.executable, interrupted.__file__, str(folder)]
    subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    return folder


def assert_same(a: Any, b: Any) -> None:
    """Equal bit for bit, with the same types."""
    assert type(a) is type(b)
    if isinstance(a, torch.Tensor):
        assert a.dtype == b.dtype
        assert torch.equal(a, b)
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    else:
        assert a == b


def n_steps_in(path: Path) -> int:
    return len(model_file.read(path)[1]["steps"])


@pytest.mark.parametrize("name", CASES)
def test_a_killed_training_ends_as_one_that_was_not(name: str, killed: Path, tmp_path: Path) -> None:
    path, whole = path_of(name, killed), tmp_path / "whole"
    assert n_steps_in(path) == KILLED // EVERY * EVERY
    seen: list[Step] = []
    resumed, uninterrupted = fit(name, path, seen.append), fit(name, whole)
    assert [step.step for step in seen] == list(range(KILLED // EVERY * EVERY, N_STEPS))
    assert n_steps_in(path) == N_STEPS
    # the files hold network, bank, schedule of beta, optimiser, schedule of rates, convergence and history
    assert_same(model_file.read(path), model_file.read(whole))
    for one, other in zip(resumed.history, uninterrupted.history, strict=True):
        np.testing.assert_array_equal(one, other)
    assert resumed.convergence == uninterrupted.convergence
    assert len(resumed.convergence) == len(set(resumed.history.stage))
    items = CASES[name][0]
    np.testing.assert_array_equal(resumed.project(items), uninterrupted.project(items))
    assert_same(resumed.network.state_dict(), fit(name).network.state_dict())  # keeping changes nothing


def test_a_crash_while_writing_leaves_the_old_file_whole(killed: Path) -> None:
    path = killed / "writing"
    assert list(killed.glob(".writing.*.new"))
    assert n_steps_in(path) == EVERY
    np.testing.assert_array_equal(fit("dropout", path).project(FEATURES[0]), fit("dropout").project(FEATURES[0]))


def test_a_failure_to_write_leaves_file_and_model_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "checkpoint"
    x, labels = FEATURES
    model = HashNet(**QUICK).fit(x, labels)
    z, seen = model.project(x), []

    def progress(step: Step) -> None:
        seen.append(step)
        if step.step == 7:
            monkeypatch.setattr(Path, "write_bytes", full)

    def full(*_: object) -> int:
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        model.fit(x[::-1], labels, checkpoint=path, checkpoint_every=5, progress=progress)
    assert len(seen) == 10
    assert n_steps_in(path) == 5
    assert list(tmp_path.iterdir()) == [path]
    np.testing.assert_array_equal(model.project(x), z)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("finished") / "checkpoint"
    HashNet(**QUICK).fit(*FEATURES, checkpoint=path)
    return path


def test_a_finished_training_is_only_read(finished: Path) -> None:
    before = finished.read_bytes()
    again = HashNet(**QUICK).fit(*FEATURES, checkpoint=finished, progress=lambda _: pytest.fail("a step was made"))
    anew = HashNet(**QUICK).fit(*FEATURES)
    np.testing.assert_array_equal(again.project(FEATURES[0]), anew.project(FEATURES[0]))
    assert again.convergence == anew.convergence
    np.testing.assert_array_equal(again.history, anew.history)
    assert finished.read_bytes() == before
    np.testing.assert_array_equal(HashNet.load(finished).project(FEATURES[0]), anew.project(FEATURES[0]))


def test_the_bar_begins_where_the_training_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tqdm")

    def progress(step: Step) -> None:
        if step.step == 13:
            raise KeyboardInterrupt

    path = tmp_path / "checkpoint"
    with pytest.raises(KeyboardInterrupt):
        HashNet(**QUICK).fit(*FEATURES, checkpoint=path, checkpoint_every=4, progress=progress)
    HashNet(**QUICK).fit(*FEATURES, checkpoint=path, progress=True)
    assert "| 20/20 [" in capsys.readouterr().err


def test_a_backbone_of_other_weights_is_another_training(tmp_path: Path) -> None:
    x, labels = FEATURES
    path = tmp_path / "checkpoint"
    HashNet(backbone=torch.nn.Linear(10, 4), **QUICK).fit(x, labels, checkpoint=path)
    with pytest.raises(ValueError, match=r"another training \(weights: "):
        HashNet(backbone=torch.nn.Linear(10, 4), **QUICK).fit(x, labels, checkpoint=path)


def test_a_checkpoint_loads_as_far_as_it_got(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    x, labels = FEATURES
    seen: list[Any] = []

    def progress(step: Step) -> None:
        if step.step == 13:
            seen.append(HashNet.load(path))  # also while the training goes on
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        HashNet(**QUICK).fit(x, labels, checkpoint=str(path), checkpoint_every=4, progress=progress)
    np.testing.assert_array_equal(seen[0].encode(x), HashNet.load(path).encode(x))
    assert (seen[0].project(x) != HashNet(**QUICK).fit(x, labels).project(x)).any()


OTHER = clusters(60, seed=1)


@pytest.mark.parametrize(
    ("options", "items", "labels", "message"),
    [
        ({"n_bits": 13}, *FEATURES, r"\(options.n_bits: 12 there, 13 here\)"),
        ({"seed": 1}, *FEATURES, r"\(options.seed: 0 there, 1 here\)"),
        ({"learning_rate": 0.5}, *FEATURES, r"learning_rate: 0.005 there, 0.5 here"),
        ({"continuation": "plateau"}, *FEATURES, r"options.continuation: True there, plateau here"),
        ({"backbone": torch.nn.Linear(10, 4)}, *FEATURES, r"backbone: None there, Linear"),
        ({}, FEATURES[0], OTHER[1], r"\(labels: "),
        ({}, np.concatenate([FEATURES[0][:-1], OTHER[0][-1:]]), FEATURES[1], r"\(items: "),
        ({}, FEATURES[0][:50], FEATURES[1][:50], r"n_items: 60 there, 50 here"),
        ({}, FEATURES[0][:, :7], FEATURES[1], r"item_shape: \[10\] there, \[7\] here"),
    ],
)
def test_the_checkpoint_of_another_training_is_refused(
    finished: Path, options: dict[str, Any], items: Any, labels: Any, message: str
) -> None:
    before = finished.read_bytes()
    with pytest.raises(ValueError, match=f"another training.*{message}.*delete it or name another file"):
        HashNet(**QUICK | options).fit(items, labels, checkpoint=finished)
    assert finished.read_bytes() == before


def test_what_is_no_checkpoint_is_refused(finished: Path, tmp_path: Path) -> None:
    content = finished.read_bytes()
    model_path = tmp_path / "model"
    HashNet.load(finished).save(model_path)
    foreign = pytest.importorskip("safetensors.torch").save({"w": torch.zeros(3)}, {"format": "pt"})
    for bad in (content[: len(content) // 2], content[:100], b"", b"text" * 999, foreign):
        path = tmp_path / "bad"
        path.write_bytes(bad)
        with pytest.raises(ValueError, match=r"bad is no model file of hashindex"):
            HashNet(**QUICK).fit(*FEATURES, checkpoint=path)
        with pytest.raises(ValueError, match=r"bad is no model file of hashindex"):
            HashNet.load(path)
        assert path.read_bytes() == bad
    with pytest.raises(ValueError, match=r"another training.*labels: None there"):
        HashNet(**QUICK).fit(*FEATURES, checkpoint=model_path)


def test_a_place_that_cannot_be_written_is_found_before_the_first_step(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "locked").mkdir(mode=0o500)
    paths = {tmp_path: IsADirectoryError, tmp_path / "none" / "x": FileNotFoundError}
    paths[tmp_path / "file" / "x"] = NotADirectoryError
    if not os.access(tmp_path / "locked", os.W_OK):  # root may write anywhere
        paths[tmp_path / "locked" / "x"] = PermissionError
    for path, error in paths.items():
        with pytest.raises(error, match=str(tmp_path)):
            HashNet(**QUICK).fit(*FEATURES, checkpoint=path, progress=lambda _: pytest.fail("a step was made"))
    with pytest.raises(ValueError, match="checkpoint_every must be at least 1, got 0"):
        HashNet(**QUICK).fit(*FEATURES, checkpoint=tmp_path / "x", checkpoint_every=0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "locked"]
