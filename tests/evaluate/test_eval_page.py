"""The page of ``hashindex eval``: it stands alone and says what the JSON says, whatever it is given."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashindex import HashIndex, pack
from hashindex.cli import main as cli

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

from hashindex.evaluate import confidence_interval
from hashindex.evaluate.page.retrieved import Pictures, retrieved

N_BITS, N_QUERIES, N_ITEMS, N_CLASSES = 16, 20, 90, 3
VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """What a page holds; elements that are not closed in their order fail."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sections: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.labels: list[str | None] = []
        self.values: list[str] = []  # of attributes
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open
        self.words = " ".join(" ".join(self.text).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag != "script"
        named = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "section":
            self.sections.append(str(named["id"]))
        self.values += [value for name, value in attrs if name != "aria-label" and value]
        self.labels.append(named.get("aria-label"))
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.links += [value for name, value in attrs if name in ("src", "href", "xlink:href") and value]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def a_run(folder: Path, seed: int, noise: float, *, multi_hot: bool = False) -> None:
    """Write codes that are a class's own with some bits turned."""
    rng = np.random.default_rng(seed)
    centres = rng.random((N_CLASSES, N_BITS)) < 0.5
    folder.mkdir(parents=True)
    for name, n in (("query", N_QUERIES), ("database", N_ITEMS)):
        labels = rng.integers(0, N_CLASSES, n)
        np.save(folder / f"{name}_codes.npy", pack(centres[labels] ^ (rng.random((n, N_BITS)) < noise)))
        np.save(folder / f"{name}_labels.npy", np.eye(N_CLASSES, dtype=np.uint8)[labels] if multi_hot else labels)


def images(folder: Path, channels: int, dtype: str) -> None:
    rng = np.random.default_rng(0)
    for name, n in (("query", N_QUERIES), ("database", N_ITEMS)):
        values = rng.random((n, channels, 4, 5)) * (255 if dtype == "uint8" else 1)
        np.save(folder / f"{name}_images.npy", values.astype(dtype))


@pytest.fixture
def methods(tmp_path: Path) -> Path:
    """Three methods with two seeds each."""
    for i, name in enumerate(("HashNet", "DHN", "HashNet without <b>$parts")):
        for seed in range(2):
            a_run(tmp_path / "runs" / name / str(seed), seed, 0.05 + 0.1 * i)
    return tmp_path / "runs"


def evaluate(*given: Path, status: int = 0) -> tuple[Page, Any]:
    """Run the command; return the page and the JSON, after checks that hold for every page."""
    output, numbers = given[0].parent / "page.html", given[0].parent / "all.json"
    assert cli.main(["eval", *map(str, given), "--output", str(output), "--json", str(numbers)]) == status
    text = output.read_text()
    page = Page(text)
    assert len(set(page.ids)) == len(page.ids)
    assert all(link.startswith(("data:", "#")) for link in page.links)
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert {each[1:] for each in re.findall(r"url\((#[^)]*)\)", " ".join(page.values))} <= set(page.ids)
    assert not re.search(r"url\((?!#)", " ".join(page.values))
    assert "@import" not in text
    return page, json.loads(numbers.read_text())


def shown(value: float) -> str:
    return f"{value:,.4f}" if abs(value) < 10 and value != int(value) else f"{value:,.1f}".removesuffix(".0")


def test_every_number_of_every_method_is_on_the_page(methods: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images(methods / "HashNet" / "0", 1, "float32")
    page, found = evaluate(methods)
    printed = capsys.readouterr().out
    assert list(found["results"]) == ["HashNet", "DHN", "HashNet without <b>$parts"]
    assert page.sections == [
        *("methods", "precision-recall", "precision-within", "radius", "ablation", "maps", "retrieved", "health"),
        *("measures", "machine"),
    ]
    first, *_ = values = [result["measures"][0]["values"] for result in found["results"].values()]
    for name, result, own in zip(found["results"], found["results"].values(), values, strict=True):
        for measure in result["measures"]:
            numbers = [measure["interval"]["mean"], measure["interval"]["half_width"], *measure["values"]]
            assert " ".join([measure["name"], *map(shown, numbers), measure["convention"]]) in page.words
        mean, half_width, _ = confidence_interval(own)
        assert f"{name} 2 {mean:.3f} ± {half_width:.3f} " in page.words
        assert re.search(rf"{re.escape(name)} +{mean:.3f} ± {half_width:.3f} ", printed)
        if own is not first:
            gain = confidence_interval([a - b for a, b in zip(first, own, strict=True)])
            assert f"{gain.mean:+.3f} ± {gain.half_width:.3f}" in page.words
            assert f"{gain.mean:+.3f} ± {gain.half_width:.3f}" in printed


def test_cells_are_what_their_columns_are_called(methods: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, found = evaluate(methods)
    printed = capsys.readouterr().out
    for name, result in found["results"].items():
        means = {each["name"]: each["interval"]["mean"] for each in result["measures"]}
        within = next(each["interval"] for each in result["measures"] if each["name"] == "P@H<=2")
        choice = result["calibration"]["choice"]
        shown_within = f"{within['mean']:.3f} ± {within['half_width']:.3f}"
        cells = [
            f"{means['MAP, worst order']:.3f} to {means['MAP, best order']:.3f}",
            shown_within,
            f"{100 * means['empty balls, H<=2']:.1f} %",
            f"{means['recall@100']:.3f}",
            f"{choice['radius']} ({choice['candidates']:,.0f})",
            f"{means['distinct codes']:,.0f}",
        ]
        assert means["MAP, worst order"] < means["MAP"] < means["MAP, best order"]
        assert " ".join(cells) in page.words
        assert re.search(r" +".join(map(re.escape, cells)), printed)
        bar = rf'<span>{re.escape(escape(name))}</span><i style="width: {100 * within["mean"]:.1f}%"'
        assert re.search(bar, (methods.parent / "page.html").read_text())
        assert f"{name} {shown_within}; {100 * means['empty balls, H<=2']:.1f} % empty" in page.words
        healths = [run["health"] for run in result["runs"]]
        health = [
            f"{np.mean([each['n_distinct'] for each in healths]):,.0f}",
            *(
                f"{np.mean(values):.3f}"
                for values in (
                    [each["commonest_share"] for each in healths],
                    [np.minimum(each["ones"], 1 - np.array(each["ones"])).mean() for each in healths],
                    [each["mean_entropy"] for each in healths],
                    [each["constant_share"] for each in healths],
                    [each["mean_correlation"] for each in healths],
                    [each["max_correlation"] for each in healths],
                )
            ),
            "-",
        ]
        assert " ".join([name, *health]) in page.words.partition("Health of the codes")[2]


def test_the_radius_is_chosen_on_the_means_over_the_runs(methods: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, found = evaluate(methods)
    capsys.readouterr()
    result = found["results"]["HashNet"]
    recall, precision, candidates, empty = (
        np.mean([run["evaluation"][name] for run in result["runs"]], axis=0)
        for name in ("recall", "precision", "candidates", "empty_share")
    )
    radius = int(np.argmax(recall >= 0.9))
    words = f"radius {radius} is the least with recall 0.9: recall {recall[radius]:.4f}, "
    words += f"precision {precision[radius]:.4f}, "
    assert words + f"{candidates[radius]:,.1f} items per query" in page.words
    for r in range(9):
        row = f"{r} {recall[r]:.4f} {precision[r]:.4f} {100 * empty[r]:.1f} % {candidates[r]:,.1f}"
        assert row in page.words
    assert cli.main(["eval", str(methods), "--candidates", "30"]) == 0
    printed = capsys.readouterr().out
    largest = int((candidates <= 30).sum()) - 1
    assert f" {largest} ({candidates[largest]:,.0f}) " in printed
    assert "radius: the largest with at most 30 items (items within it per query)" in printed
    assert cli.main(["eval", str(methods), "--candidates", "0.001"]) == 0
    assert " none " in capsys.readouterr().out


def test_names_are_drawn_as_they_are(tmp_path: Path) -> None:
    names = ["HashNet", 'HashNet, id="href="#url(#010205', "HashNet " + "without this and that part " * 8]
    for i, name in enumerate(names):
        a_run(tmp_path / "runs" / name / "0", 0, (i + 3) / 40)
    page, _ = evaluate(tmp_path / "runs")
    drawn = page.words.partition("with and without its parts")[2].partition("Maps of the codes")[0]
    assert names[1] in drawn
    assert names[2][:20] in drawn
    assert names[2] not in drawn


def test_codes_that_look_unpacked_are_believed_with_n_bits(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("query", "database"):
        np.save(tmp_path / f"{name}_codes.npy", rng.integers(0, 2, (30, 2), np.uint8))
        np.save(tmp_path / f"{name}_labels.npy", np.arange(30) % 3)
    output = tmp_path / "page.html"
    assert cli.main(["eval", str(tmp_path), "--n-bits", "16", "--output", str(output)]) in (0, 1)
    assert output.exists()


def test_a_measure_of_few_places_and_a_method_without_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a_run(tmp_path / "runs" / "DHN" / "0", 0, 0.1)
    a_run(tmp_path / "runs" / "ITQ", 0, 0.2)
    output = tmp_path / "page.html"
    assert cli.main(["eval", str(tmp_path / "runs"), "--at", "5", "--output", str(output)]) == 0
    printed = capsys.readouterr().out
    assert "\nITQ " in printed
    assert re.search(r"^method +MAP@5 ", printed, re.MULTILINE)
    assert "MAP@5 is the expectation" in Page(output.read_text()).words


def test_one_method_one_seed_without_images(tmp_path: Path) -> None:
    a_run(tmp_path / "codes", 0, 0.1)
    page, found = evaluate(tmp_path / "codes")
    assert "±" not in page.words.partition("Every measure")[2]
    assert not {"ablation", "retrieved"} & set(page.sections)
    assert f"MAP {shown(found['measures'][0]['interval']['mean'])} expected" in page.words
    assert "No alarm" in page.words


def test_fifteen_methods_of_strange_names_have_a_legend_without_two_alike(tmp_path: Path) -> None:
    names = [f'"method" <{i}>' for i in range(15)]
    for i, name in enumerate(names):
        a_run(tmp_path / "runs" / name / "0", 0, (i + 3) / 40)
    page, _ = evaluate(tmp_path / "runs")
    assert 't-SNE map of the codes of "method" <0>' in page.labels
    legend = re.search(r'<ul class="legend">(.*?)</ul>', (tmp_path / "page.html").read_text(), re.DOTALL)
    assert legend is not None
    drawn = dict(re.findall(r'stroke=("[^"]*".*?)/></svg> (.*?)</li>', legend[1]))
    assert sorted(map(unescape, drawn.values())) == sorted(names)  # by colour, width and dashes


def test_multi_hot_labels_and_coloured_images(tmp_path: Path) -> None:
    a_run(tmp_path / "codes", 0, 0.1, multi_hot=True)
    images(tmp_path / "codes", 3, "uint8")
    page, _ = evaluate(tmp_path / "codes")
    assert sum(link.startswith("data:image/png") for link in page.links) >= 12 * 11
    assert page.words.count("d = ") >= 12 * 10


def test_collapsed_codes_raise_an_alarm_by_method_and_run(methods: Path) -> None:
    np.save(methods / "DHN" / "1" / "database_codes.npy", np.zeros((N_ITEMS, 2), np.uint8))
    np.save(methods / "DHN" / "0" / "database_codes.npy", np.zeros((N_ITEMS, 2), np.uint8))
    page, _ = evaluate(methods, status=1)
    assert "Alarm: DHN, 1: few distinct codes : 1 distinct codes for 90 items in 3 classes" in page.words
    assert "Fewer than four distinct codes" in page.words


def test_what_is_retrieved_is_right_or_wrong_by_the_labels_and_the_hard_are_the_worst() -> None:
    labels, items = np.arange(6) % 3, np.array([0, 1, 2, 0])
    codes = np.array([[0], [85], [255], [1]], np.uint8)
    queries = codes[[0, 1, 2, 0, 2, 2]]  # the query in row 4, of class 1, has the code of class 2
    pixels = np.arange(6.0).reshape(6, 1, 1, 1)
    index = HashIndex(n_bits=8)
    index.add(codes)
    near = index.search(queries, k=4)
    asked, given = Pictures(pixels, labels), Pictures(pixels[:4], items)
    hard = retrieved(near, asked, given, seed=0, n_random=0, n_hard=6)
    assert [one.query for one in hard] == [1, 2, 4, 5, 0, 3]  # one item of classes 1 and 2, two of class 0
    assert [one.n_right for one in hard] == [1, 1, 1, 1, 2, 2]
    assert [(n.label, n.distance, n.right) for n in hard[2].neighbours] == [
        *(("2", 0, False), ("1", 4, True), ("0", 7, False), ("0", 8, False)),
    ]
    assert [n.image.item() for n in hard[2].neighbours] == [2, 1, 3, 0]
    each = retrieved(near, asked, given, seed=0, n_random=0, n_hard=6, one_per_class=True, named="<{}>".format)
    assert [(one.query, one.label) for one in each] == [(1, "<1>"), (2, "<2>"), (0, "<0>")]
    both = retrieved(near, asked, given, seed=0, n_random=4, n_hard=4)
    assert sorted(one.query for one in both) == list(range(6))
    assert [one.hard for one in both] == [False] * 4 + [True] * 2
    multi_hot = [np.eye(3, dtype=np.int64)[each] for each in (labels, items)]
    shared = retrieved(near, Pictures(pixels, multi_hot[0]), Pictures(pixels[:4], multi_hot[1]), seed=0)
    assert [[n.right for n in one.neighbours] for one in shared] == [
        [n.right for n in one.neighbours] for one in retrieved(near, asked, given, seed=0)
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("n_bits", r"got 16 bits, at None in HashNet/0, 8 bits, at None in DHN/1"),
        ("missing", r"DHN/1/query_labels.npy: cannot be read"),
        ("images", r"HashNet/0/query_images.npy: must hold an image per code.*\(20, 1 or 3.*\(7, 1, 4, 5\)"),
        ("flat", r"HashNet/0/database_images.npy: must hold an image per code.*\(90, 1, 0, 5\)"),
        ("objects", r"HashNet/0/query_images.npy: is not a .npy file of numbers"),
        ("garbage", r"HashNet/0/query_images.npy: is not a .npy file of numbers"),
        ("nan", r"HashNet/0/database_images.npy: holds NaN"),
        ("one of two", r"query_images.npy is there, but no .*database_images.npy"),
        ("labels", r"HashNet/1 and DHN/1 have other labels, of 20 queries and 90 items and of 20 queries and 90 items"),
        ("z", r"DHN/1/database_z.npy: row 0: the code is not that of its z"),
        ("output", r"--output .*nowhere"),
    ],
)
def test_errors_name_what_is_wrong_and_write_no_page(
    methods: Path, change: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output, run = methods.parent / "page.html", methods / "DHN" / "1"
    if change == "n_bits":
        for name in ("query", "database"):
            np.save(run / f"{name}_codes.npy", np.load(run / f"{name}_codes.npy")[:, :1])
    elif change == "missing":
        (run / "query_labels.npy").unlink()
    elif change == "images":
        images(methods / "HashNet" / "0", 1, "float32")
        np.save(methods / "HashNet" / "0" / "query_images.npy", np.zeros((7, 1, 4, 5)))
    elif change == "labels":
        np.save(run / "database_labels.npy", np.load(run / "database_labels.npy")[::-1])
    elif change == "z":
        np.save(run / "database_z.npy", np.zeros((N_ITEMS, N_BITS), np.float32))
    elif change != "output":
        first = methods / "HashNet" / "0"
        images(first, 1, "float32")
        if change == "flat":
            np.save(first / "database_images.npy", np.zeros((N_ITEMS, 1, 0, 5)))
        elif change == "objects":
            np.save(first / "query_images.npy", np.array([None] * N_QUERIES), allow_pickle=True)
        elif change == "garbage":
            (first / "query_images.npy").write_bytes(b"\x93NUMPY\x01\x00\x06\x00{'a(\n\n")
        elif change == "nan":
            np.save(first / "database_images.npy", np.full((N_ITEMS, 1, 4, 5), np.nan))
        else:
            (first / "database_images.npy").unlink()
    else:
        output = methods / "nowhere" / "page.html"
    numbers = methods.parent / "all.json"
    assert cli.main(["eval", str(methods), "--output", str(output), "--json", str(numbers)]) == 2
    assert re.search(message, capsys.readouterr().err)
    assert not output.exists()
    assert not numbers.exists()


def test_page_and_numbers_are_two_files(methods: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["eval", str(methods), "--output", "both", "--json", "./both"]) == 2
    assert "are the same file" in capsys.readouterr().err


def test_a_missing_package_is_told_before_the_work(
    methods: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hashindex.cli.checks.find_spec", lambda name: None if name == "jinja2" else True)
    (methods / "DHN" / "0" / "query_codes.npy").unlink()  # would be found if the work began
    assert cli.main(["eval", str(methods), "--output", str(methods / "page.html")]) == 2
    assert "needs jinja2: pip install 'hashindex[demo]'" in capsys.readouterr().err


def test_a_page_needs_neither_torch_nor_faiss(methods: Path) -> None:
    program = """
import sys
class Absent:
    def find_spec(self, name, *_):
        if name in ("torch", "faiss"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
from hashindex.cli import main as cli
sys.exit(cli.main(["eval", *sys.argv[1:]]))
"""
    subprocess.run(
        [sys.executable, "-c", program, str(methods), "--output", str(methods / "page.html")], check=True, timeout=120
    )
