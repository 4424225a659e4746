"""The command line and the demo's cross-check."""

from __future__ import annotations

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import hashindex
import reference
from hashindex import HashIndex
from hashindex.cli import main as cli
from hashindex.index import METHODS
from hashindex.matches import NearestMatches, RadiusMatches

pytest.importorskip("faiss")
pytest.importorskip("matplotlib")

from hashindex.demo import crosscheck, result
from hashindex.demo.page import page as report
from hashindex.demo.summary import listing, summary
from hashindex.evaluate import Evaluation, MeanAveragePrecision
from hashindex.evaluate.page.retrieved import Retrieved, RetrievedImage
from hashindex.learn import Stage
from hashindex.pages.code_map import CodeMap


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hashindex", *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def test_help_and_info() -> None:
    for name in ("", *cli.COMMANDS):
        shown = run(*([name] if name else []), "--help")
        assert (shown.returncode, shown.stderr) == (0, "")
        assert f"usage: hashindex {name}".strip() in shown.stdout
    shown = run("info")
    assert shown.returncode == 0
    assert HashIndex(64).engine_name in shown.stdout
    assert hashindex.__version__ in run("--version").stdout
    assert run().returncode == 2


IMPORTED = """
import contextlib, sys
from hashindex.cli.main import COMMANDS, main

def heavy():
    return {"torch", "faiss", "numba", "PIL", "pyarrow", "matplotlib", "sklearn", "tqdm", "numpy.ma"} & set(sys.modules)

with contextlib.suppress(SystemExit):
    main(["--help"])
assert not heavy() and "numpy" not in sys.modules, heavy()
for name in COMMANDS:
    with contextlib.suppress(SystemExit):
        main([name, "--help"])
    assert not heavy(), (name, heavy())
for arguments in (["build", "hashes.txt", "-o", "store"], ["search", "store", "-k", "1", "hashes.txt"],
                  ["add", "store", "hashes.txt"], ["info", "store"], ["check", "store"], ["remove", "store", "0"]):
    assert main(arguments) == 0
    assert not heavy(), (arguments, heavy())
"""


def test_commands_import_only_what_they_need(tmp_path: Path) -> None:
    (tmp_path / "hashes.txt").write_text("00ff\n")
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--n-bits", "3"], "--n-bits must be between 4 and 65536, got 3"),
        (["--seed", "-1"], "--seed must be at least 0"),
        (["--threads", "0"], "n_threads must be at least 1"),
        (["--output", "nowhere/report.html"], "does not exist"),
        (["--output", "."], "is a folder"),
    ],
)
def test_what_cannot_work_fails_before_the_work(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hashindex.demo.job.run", lambda *_, **__: pytest.fail("the work began"))
    assert cli.main(["demo", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("hashindex demo: ")
    assert message in shown.err
    assert shown.err.count("\n") == 1


def test_a_missing_extra_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hashindex.cli.checks.find_spec", lambda name: None if name == "sklearn" else object())
    assert cli.main(["demo"]) == 2
    assert capsys.readouterr().err == "hashindex demo: sklearn not installed; pip install 'hashindex[demo]'\n"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_output_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tmp_path.chmod(0o500)
    assert cli.main(["demo", "--output", str(tmp_path / "report.html")]) == 2
    assert "cannot be written" in capsys.readouterr().err


class Tampered:
    """An index that answers wrongly in one place."""

    engine_name = "tampered"

    def __init__(self, index: HashIndex, place: str) -> None:
        self.index, self.place = index, place

    def search(self, queries: np.ndarray, **options: object) -> RadiusMatches | NearestMatches:
        found: RadiusMatches | NearestMatches = self.index.search(queries, **options)  # type: ignore[call-overload]
        if isinstance(found, NearestMatches) and self.place in ("nearest distance", "nearest id"):
            array = found.distances if self.place == "nearest distance" else found.ids
            array[7, 3] += 1
        if isinstance(found, RadiusMatches) and self.place == "radius id":
            found.ids[4] += 1
        if isinstance(found, RadiusMatches) and self.place == "lost hit":
            return RadiusMatches(
                np.append(found.offsets[:-1], found.offsets[-1] - 1), found.distances[:-1], found.ids[:-1]
            )
        return found


@pytest.fixture(scope="module")
def searched() -> tuple[HashIndex, np.ndarray, crosscheck.Expected]:
    rng = np.random.default_rng(0)
    codes = reference.random_codes(rng, 500, 16, "skewed")
    index = HashIndex(16)
    index.add(codes)
    queries = codes[:20]
    return index, queries, crosscheck.faiss_answers(codes, queries, radius=2, k=10)


def test_faiss_agrees_with_the_reference(searched: tuple[HashIndex, np.ndarray, crosscheck.Expected]) -> None:
    index, queries, expected = searched
    codes = reference.random_codes(np.random.default_rng(0), 500, 16, "skewed")
    for found, truth in (
        (expected.hits, reference.radius_search(codes, queries, 2)),
        (expected.near, reference.nearest(codes, queries, 10)),
    ):
        for ours, array in zip(found, truth, strict=True):
            np.testing.assert_array_equal(ours, array)
    for method in METHODS:
        assert crosscheck.check(index, queries, expected, method, 2).n_differing == 0


@pytest.mark.parametrize("place", ["nearest distance", "nearest id", "radius id", "lost hit"])
def test_one_wrong_place_is_found(searched: tuple[HashIndex, np.ndarray, crosscheck.Expected], place: str) -> None:
    index, queries, expected = searched
    found = crosscheck.check(Tampered(index, place), queries, expected, "scan", 1)  # type: ignore[arg-type]
    assert found.n_differing == 1
    assert (found.n_nearest_differing == 1) == place.startswith("nearest")


def a_course() -> tuple[Stage, ...]:
    """Two stages of training."""
    return (
        Stage(0, 1.0, 0, 19, 0.9, 0.5, 1.0, 0.6, 0.3, 0.1, 0.2, True),
        Stage(1, 2.0, 20, 39, 0.5, 0.2, 0.7, 0.3, 0.1, 0.6, 0.05, True),
    )


def an_evaluation() -> Evaluation:
    """Made-up measures of codes of 16 bits."""
    return Evaluation(
        n_queries=10,
        n_items=60,
        n_bits=16,
        at=None,
        mean_average_precision=MeanAveragePrecision(0.5, 0.4, 0.6),
        chance=0.25,
        without_relevant=0.0,
        unlabelled=0.0,
        precision=np.linspace(1, 0.25, 17),
        recall=np.linspace(0, 1, 17),
        candidates=np.linspace(1, 60, 17),
        empty_share=np.linspace(0.2, 0, 17),
        list_sizes=(),
        precision_at=np.empty(0),
        recall_at=np.empty(0),
    )


def a_result(n_differing: int = 0) -> result.DemoResult:
    """A small made-up result with something hostile in its text."""
    image = np.eye(8, 16, dtype=np.float32)
    steps = np.arange(40)
    return result.DemoResult(
        settings=result.Settings(n_bits=16, seed=0, n_threads=2, radius=2, k=3),
        task=result.TaskSize(30, 60, 10, 4, 0.25),
        training=result.TrainingCourse(
            steps, steps // 10, (1 + steps // 10).astype(np.float64), np.exp(steps / -9.0), a_course(), 1.5
        ),
        evaluation=an_evaluation(),
        n_distinct=7,
        checks=(result.Check("native (scalar)", "scan", 10, 0, n_differing),),
        missing_engines=("numba: <script>alert(1)</script>",),
        speeds=() if n_differing else (result.Speed("k = 3", "native", 2e6), result.Speed("k = 3", "faiss", 1e6)),
        retrieved=(
            Retrieved(
                3, image, "12", False, (RetrievedImage(image, "12", 0, True), RetrievedImage(image, "07", 2, False))
            ),
        ),
        code_map=CodeMap(np.random.default_rng(0).random((7, 2)), np.arange(7), np.ones(7, np.int64), 7),
        machine={"date": "2017-08-01", "processor": "a & b"},
        seconds=2.0,
    )


def test_a_wrong_answer_fails_the_demo(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "report.html"
    for n_differing in (0, 1):
        monkeypatch.setattr("hashindex.demo.job.run", lambda *_, n=n_differing, **__: a_result(n))
        assert cli.main(["demo", "--output", str(output)]) == n_differing
        assert output.exists()
        assert ("DIFFERENT FROM FAISS" in capsys.readouterr().out) == bool(n_differing)
    assert "not every answer was the same" in output.read_text()


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.scripts = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.scripts += tag == "script"
        if "id" in named and tag in ("section", "ul"):
            self.ids.add(str(named["id"]))
        self.links += [str(named[name]) for name in ("src", "href", "xlink:href") if named.get(name)]


def test_the_report_stands_alone() -> None:
    text = report.render(a_result())
    page = Page(text)
    assert page.scripts == 0
    assert "&lt;script&gt;" in text
    assert "a &amp; b" in text
    assert {"headlines", "neighbours", "precision-recall", "training", "code-map", "throughput"} <= page.ids
    assert page.links
    assert all(link.startswith(("data:", "#")) for link in page.links)
    for line in summary(a_result()):
        assert line.value in text
        assert line.value in listing(summary(a_result()))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ArithmeticError("the loss became nan"), "hashindex completion: the loss became nan\n"),
        (RuntimeError("CUDA out of memory"), "hashindex completion: CUDA out of memory\n"),
        (MemoryError(), "hashindex completion: MemoryError\n"),
        (TypeError("of the command itself"), "TypeError: of the command itself\n"),
    ],
)
def test_whatever_goes_wrong_is_no_answer(
    error: Exception, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 1 is one: wrong, none, damaged."""

    def fail(_: object) -> int:
        raise error

    monkeypatch.setattr("hashindex.cli.completion.run", fail)
    assert cli.main(["completion", "bash"]) == 2
    seen = capsys.readouterr().err
    assert seen.endswith(told)
    assert seen.startswith("Traceback") == isinstance(error, TypeError)


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_standard_output_and_error_may_be_closed(closed: str, tmp_path: Path) -> None:
    (tmp_path / "codes.txt").write_text("00ff\n00fe\n")
    for command in ("build codes.txt -o store", "add store codes.txt", "search store codes.txt -r 0", "check store"):
        line = f"exec {sys.executable} -m hashindex {command} {closed}"
        assert subprocess.run(line, shell=True, cwd=tmp_path, timeout=60, check=False).returncode == 0
    with HashIndex.open(tmp_path / "store", mode="r") as index:
        assert len(index) == 4


def test_a_reader_that_leaves_early_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "hashindex", "info"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")
