"""The page of ``hashindex eval``: it stands alone and says what the JSON says, whatever it is given."""

from __future__ import annotations

import json
import re
from html import escape, unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashindex.cli import main as cli
from html_page import Page
from runs import N_ITEMS, a_run, images

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

from hashindex.evaluate import confidence_interval


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
