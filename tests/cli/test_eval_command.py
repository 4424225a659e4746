"""The command ``hashindex eval``: its numbers are those of the library, and its errors name the file."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

import numpy as np
import pytest

import reference
from hashindex import pack
from hashindex.cli import eval as command
from hashindex.evaluate import confidence_interval, evaluate
from hashindex.evaluate.run_files import FILES

N_BITS = 16


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    command.describe(parser)
    return command.run(parser.parse_args([str(one) for one in arguments]))


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Three runs, as of three seeds."""
    made = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        folder = tmp_path / f"seed{seed}"
        folder.mkdir()
        for name, n in (("query", 20), ("database", 300)):
            np.save(folder / f"{name}_codes.npy", reference.random_codes(rng, n, N_BITS, "uniform"))
            np.save(folder / f"{name}_labels.npy", rng.integers(0, 3, n))
        made.append(folder)
    return made


def load(folder: Path) -> list[np.ndarray[tuple[int, ...], np.dtype[np.generic]]]:
    return [np.load(folder / f"{name}.npy") for name in FILES]


def test_one_run(folders: list[Path], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(folders[0], "--n-bits", N_BITS, "--at", 50, "--radius", 3, "--json", tmp_path / "out.json") == 0
    shown = capsys.readouterr().out
    expected = evaluate(*load(folders[0]), n_bits=N_BITS, at=50)
    value, worst, best = expected.mean_average_precision
    assert "20 queries, 300 items, 16 bits" in shown
    for number in (value, worst, best, expected.precision[3], expected.recall_at[2]):
        assert f" {number:.4f}  " in shown
    assert "+-" not in shown
    assert "no alarm" in shown
    saved = json.loads((tmp_path / "out.json").read_text())
    assert saved["runs"][0]["evaluation"]["mean_average_precision"] == {"value": value, "worst": worst, "best": best}
    assert saved["runs"][0]["evaluation"]["precision"] == expected.precision.tolist()
    assert saved["runs"][0]["health"]["saturation"] is None
    assert saved["measures"][0]["name"] == "MAP@50"
    assert saved["measures"][0]["interval"] == {"mean": value, "half_width": None, "n": 1}


def test_real_values_beside_the_codes_tell_their_saturation(
    folders: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    z = np.random.default_rng(0).standard_normal((300, N_BITS))
    np.save(folders[0] / "database_codes.npy", pack(z))
    assert run(folders[0]) == 0
    assert "|z|" not in capsys.readouterr().out
    np.save(folders[0] / "database_z.npy", z)
    assert run(folders[0]) == 0
    shown = capsys.readouterr().out
    for name, value in (("|z|", np.abs(z).mean()), ("|z|, 5 %", np.percentile(np.abs(z), 5))):
        assert re.search(rf"^{re.escape(name)} +{value:.4f} ", shown, re.MULTILINE)
    ones = (z > 0).mean(axis=0)
    assert re.search(rf"^bit balance +{np.minimum(ones, 1 - ones).mean():.4f} ", shown, re.MULTILINE)


def test_more_places_than_there_are_items_are_all(folders: list[Path], tmp_path: Path) -> None:
    numbers = []
    for at in ([], ["--at", "9" * 20]):
        assert run(folders[0], "--n-bits", N_BITS, *at, "--json", tmp_path / "out.json") == 0
        numbers.append(json.loads((tmp_path / "out.json").read_text())["runs"][0]["evaluation"])
    assert numbers[0]["mean_average_precision"] == numbers[1]["mean_average_precision"]


def test_several_runs_give_confidence_intervals(folders: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*folders) == 0
    by_folder = capsys.readouterr().out
    values = [evaluate(*load(folder), n_bits=N_BITS).mean_average_precision.value for folder in folders]
    mean, half_width, _ = confidence_interval(values)
    assert f"{mean:.4f} +- {half_width:.4f}" in by_folder
    options: list[object] = []
    for folder in folders:
        for name in ("query_codes", "database_codes", "query_labels", "database_labels"):
            options += [f"--{name.replace('_', '-')}", folder / f"{name}.npy"]
    assert run(*options) == 0
    assert capsys.readouterr().out == by_folder


def test_one_file_serves_all_runs(folders: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    first = folders[0]
    options: list[object] = []
    for name in ("query_codes", "query_labels", "database_labels"):
        options += [f"--{name.replace('_', '-')}", first / f"{name}.npy"]
    for folder in folders[:2]:
        options += ["--database-codes", folder / "database_codes.npy"]
    run(*options)
    q, _, q_labels, d_labels = load(first)
    values = [
        evaluate(q, load(folder)[1], q_labels, d_labels, n_bits=N_BITS).mean_average_precision.value
        for folder in folders[:2]
    ]
    assert f"{np.mean(values):.4f} +- " in capsys.readouterr().out


def test_collapsed_codes_are_told_and_the_status_says_so(
    folders: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(folders[1] / "database_codes.npy", np.zeros((300, 2), np.uint8))
    assert run(*folders) == 1
    shown = capsys.readouterr().out
    assert f"ALARM {folders[1]}: few distinct codes: 1 distinct codes for 300 items in 3 classes" in shown
    assert f"ALARM {folders[0]}" not in shown


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("query_codes", None, "No such file"),
        ("query_codes", b"text", "is not a .npy file"),
        ("database_codes", b"", "is not a .npy file"),
        ("database_codes", np.zeros((300, 3), np.uint8), r"\(300, 3\)"),
        ("database_codes", np.zeros((300, 2)), "float64"),
        ("query_codes", np.zeros((0, 2), np.uint8), "holds no code|must have shape"),
        ("query_labels", np.zeros(19, int), r"\(19,\)"),
        ("database_labels", np.zeros((300, 4), int), "both"),
        ("database_labels", np.array([None] * 300), "is not a .npy file of numbers"),
    ],
)
def test_errors_name_the_file(folders: list[Path], name: str, content: object, message: str) -> None:
    path = folders[1] / f"{name}.npy"
    if content is None:
        path.unlink()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, np.asarray(content))
    with pytest.raises(ValueError, match=message) as caught:
        run(*folders)
    assert str(folders[1]) in str(caught.value)


def test_what_cannot_work_is_told(folders: list[Path], tmp_path: Path) -> None:
    codes = folders[0] / "query_codes.npy"
    (tmp_path / "empty").mkdir()
    for arguments, message in (
        ([], "--query-codes, --database-codes, --query-labels, --database-labels missing"),
        ([folders[0], "--query-codes", codes], "not both"),
        ([tmp_path / "nowhere"], "nowhere: is not a folder"),
        ([folders[0], "--radius", -1], "radius must be at least 0"),
        ([folders[0], "--at", 0], "--at must be at least 1"),
        ([folders[0], "--recall", 1.5], "recall must be above 0 and at most 1"),
        ([tmp_path / "empty"], "neither query_codes.npy and .* nor folders METHOD/RUN/"),
        ([folders[0], "--n-bits", 0], "n_bits"),
        ([folders[0], "--json", tmp_path / "no" / "file"], "--json .*does not exist"),
    ):
        with pytest.raises(ValueError, match=message):
            run(*arguments)
    given = [f"--{name.replace('_', '-')}={codes}" for name in FILES]
    with pytest.raises(ValueError, match="--query-codes must be given once or 3 times, got 2"):
        run(*given, given[0], given[1], given[1])
