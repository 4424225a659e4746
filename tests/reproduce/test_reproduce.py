"""Reproducing: every method of every experiment can be made, and findings are what was measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from hashindex import baselines, pack
from hashindex.cli.main import main
from hashindex.evaluate import evaluate
from hashindex.learn import HashNet, data
from hashindex.learn.training.options import Training
from hashindex.reproduce.experiment import _options, run_all
from hashindex.reproduce.features import Classifier
from hashindex.reproduce.findings import Findings
from hashindex.reproduce.listing import listings
from hashindex.reproduce.methods import DHN, HASHNET, ON_FEATURES, ON_PIXELS, WITHOUT_WEIGHTS
from hashindex.reproduce.tasks import CIFAR10, EMBEDDED, TWO_DIGITS, Experiment


def few_digits(*, seed: int) -> data.Task:
    return data.digits(n_train=120, seed=seed)


QUICK = Experiment(
    "quick",
    "A few digits",
    few_digits,
    16,
    (HASHNET, WITHOUT_WEIGHTS, ON_PIXELS[2], ON_FEATURES[2]),
    {"n_steps": 15, "device": "cpu"},
)


def test_every_row_of_the_papers_tables_is_there_and_can_be_made() -> None:
    names = {method.name for method in TWO_DIGITS.methods}
    assert names >= {"LSH", "SH", "ITQ", "ITQ-CCA", "BRE", "KSH", "SDH", "CNNH", "DNNH", "DHN", "HashNet"}
    assert names >= {
        "HashNet without weights, batches at random",
        "HashNet without continuation",
        "GreedyHash",
        "CSQ",
        "OrthoHash",
    }
    for experiment in (*EMBEDDED, *CIFAR10):
        assert len({method.name for method in experiment.methods}) == len(experiment.methods)
        for method in experiment.methods:
            options = _options(experiment, 0) if method.learns == "network" else {}
            assert hasattr(method.make(experiment.n_bits, 0, **options), "encode")


def test_rows_are_what_they_are_called() -> None:
    made: dict[str, Any] = {
        method.name: method.make(16, 3)
        for experiment in (*EMBEDDED, *CIFAR10)
        for method in experiment.methods
        if method.learns == "network"
    }
    plain = vars(HashNet(16, 3))
    for name, changed in (
        ("HashNet", {}),
        ("HashNet without weights, batches at random", {"weights": None, "training": Training(balanced=False)}),
        ("HashNet without weights, batches balanced", {"weights": None}),
        ("HashNet without continuation", {"continuation": False}),
        ("HashNet, alpha fixed", {"alpha": 10 / 16}),
        ("HashNet+C", {"partial": True}),
    ):
        assert vars(made[name]) == {**plain, **changed}
    assert vars(made["DHN, batches balanced"]) == vars(baselines.DHN(16, 3))
    assert vars(made["DHN"]) == {**vars(baselines.DHN(16, 3)), "training": Training(balanced=False)}
    assert type(made["DHN"]) is type(made["DHN, batches balanced"]) is baselines.DHN
    assert {type(made[name]).__name__ for name in made if " " not in name and "+" not in name} == {
        *("HashNet", "DHN", "CNNH", "DNNH", "GreedyHash", "CSQ", "OrthoHash"),
    }


def test_findings_are_what_the_kept_codes_give(tmp_path: Path) -> None:
    heard: list[Any] = []
    found = run_all([QUICK], range(2), n_processes=1, n_threads=1, folder=tmp_path, say=heard.append)
    assert [(one.method, one.seed) for one in found] == [(m.name, s) for m in QUICK.methods for s in range(2)]
    assert sorted(map(id, heard)) == sorted(map(id, found))
    for one in found:
        folder = tmp_path / "quick" / one.method / str(one.seed)
        query, database, wanted, given = (
            np.load(folder / f"{name}.npy")
            for name in ("query_codes", "database_codes", "query_labels", "database_labels")
        )
        again = evaluate(query, database, wanted, given, n_bits=16)
        assert one.mean_average_precision == again.mean_average_precision.value
        assert one.precision_within_2 == again.precision[2]
        assert one.n_distinct == len(np.unique(database, axis=0))
        assert (one.loss is None) == one.method.startswith("ITQ") == (not (folder / "database_z.npy").exists())
        if one.loss is not None:
            assert np.array_equal(pack(np.load(folder / "database_z.npy")), database)
            assert one.encode_seconds > 0
    findings = Findings("title", "command", {"CPU": "some"}, 1, {"quick": QUICK.title}, found)
    assert Findings.from_json(findings.to_json()) == findings
    gain = findings.gain("quick", "HashNet", "ITQ")
    by_seed = [findings.values("quick", name) for name in ("HashNet", "ITQ")]
    assert gain.mean == pytest.approx(np.mean([by_seed[0][s] - by_seed[1][s] for s in range(2)]))
    text = listings(replace(findings, titles={**findings.titles, "later": "On a GPU"}))
    assert "On a GPU: not measured, there was no GPU (later)" in text
    for one in found:
        assert f"| {one.method} " in text
    assert f"{findings.mean('quick', 'HashNet').mean:.3f} ± " in text


def test_processes_find_the_same() -> None:
    small = replace(QUICK, load=data.digits, methods=(HASHNET, DHN))
    alone, together = (run_all([small], [3], n_processes=n, n_threads=1) for n in (1, 2))
    assert [one.precision for one in alone] == [one.precision for one in together]


def test_a_classifiers_features_are_its_backbones() -> None:
    task = few_digits(seed=0)
    classifier = Classifier(10, n_steps=40, device="cpu").fit(task.train_images, task.train_labels)
    features = classifier.features(task.train_images)
    assert features.shape[0] == 120
    logits = classifier.project(task.train_images)
    assert (logits.argmax(axis=1) == task.train_labels).mean() > 0.9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["embedded", "--seeds", "0"], "--seeds must be at least 1, got 0"),
        (["embedded", "--only", "mnist"], "no such experiment in embedded"),
        (["embedded", "--json", "/no/such/folder/x.json"], "does not exist"),
        (["embedded", "--table", "."], "is a folder; name a file in it"),
        (["embedded", "--codes", __file__], "is a file; name a folder"),
        (["cifar10", "--only", "cifar10-all"], "HASHINDEX_DATA"),
        (["cifar10", "--only", "cifar10-resnet18-48"], "needs a GPU"),
    ],
)
def test_the_command_refuses_what_it_cannot_do(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HASHINDEX_DATA", raising=False)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert main(["reproduce", *arguments]) == 2
    assert message in capsys.readouterr().err
