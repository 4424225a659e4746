"""The demo job from end to end on a task of seconds, with the training left out."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashindex import HashIndex, NearestMatches, pack
from hashindex.cli import main as cli

pytest.importorskip("faiss")
pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")
pytest.importorskip("torch")

from hashindex.demo import job, throughput
from hashindex.demo.result import TrainingCourse
from hashindex.learn import Stage
from hashindex.learn.data import two_digits


def made_up_codes(n_bits: int, seed: int, **_: object) -> job.LearnedCodes:
    """A noisy random code per class in place of a trained network's."""
    task = two_digits(n_train=20, n_database=200, n_queries=30, seed=seed)
    rng = np.random.default_rng(seed)
    centres = rng.random((100, n_bits)) < 0.5
    database, queries = (
        pack(centres[labels] ^ (rng.random((len(labels), n_bits)) < 0.05))
        for labels in (task.database_labels, task.query_labels)
    )
    steps = np.arange(20)
    stages = tuple(Stage(n, n + 1.0, 10 * n, 10 * n + 9, 0.5, 0.4, 0.6, 0.3, 0.1, 0.5, 0.1, True) for n in (0, 1))
    beta, loss = np.float64(1) + steps // 10, np.exp(-steps / 9.0)
    return job.LearnedCodes(task, database, queries, TrainingCourse(steps, steps // 10, beta, loss, stages, 0.1))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "learn", made_up_codes)
    monkeypatch.setattr(job, "ENGINES", ("native", "numpy"))
    monkeypatch.setattr(throughput, "seconds_per_call", partial(throughput.seconds_per_call, repeats=1, seconds=0.001))


@pytest.mark.parametrize("n_bits", [4, 20, 64])
def test_the_whole_job(n_bits: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "report.html"
    assert cli.main(["demo", "--n-bits", str(n_bits), "--threads", "1", "--output", str(output)]) == 0
    shown = capsys.readouterr().out
    for name in ("MAP (tie-aware)", "P@H<=2", "distinct codes", "equal to faiss", "queries/s, radius = 2", "k = 10"):
        assert name in shown
    assert output.as_uri() in shown
    assert f"--n-bits {n_bits} --seed 0 --threads 1" in output.read_text()


def test_one_wrong_distance_ends_in_status_1_without_timings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    search: Any = HashIndex.search

    def wrong_once(self: HashIndex, queries: np.ndarray, **options: Any) -> Any:
        found = search(self, queries, **options)
        if isinstance(found, NearestMatches) and options.get("method") == "multi-index":
            found.distances[7, 3] += 1
        return found

    monkeypatch.setattr(HashIndex, "search", wrong_once)
    output = tmp_path / "report.html"
    assert cli.main(["demo", "--output", str(output)]) == 1
    shown = capsys.readouterr().out
    assert "DIFFERENT FROM FAISS" in shown
    assert "numpy multi-index: 1" in shown
    assert "queries/s" not in shown
    assert "not every answer was the same" in output.read_text()
