"""Drawings: every id is the page's own, every colour follows the page, names are text."""

from __future__ import annotations

import re
import tracemalloc
from xml.etree import ElementTree

import jinja2
import matplotlib as mpl
import numpy as np
import pytest

from hashindex.pages import code_map
from hashindex.pages.drawing import CSS_NAMES, INK, STYLE, css, one_axes, picture, svg
from hashindex.pages.templates import template


def test_a_drawing_is_one_svg_whose_ids_and_colours_are_the_pages() -> None:
    with mpl.rc_context(STYLE):
        figure, axes = one_axes(2.0)
        axes.plot([0, 1], color=INK, label="<b>a & b</b>", gid="line")
        axes.legend()
        drawn = str(svg(figure, "loss", 'falls "fast"'))
    root = ElementTree.fromstring(drawn)
    assert (root.tag, root.get("role"), root.get("aria-label")) == ("svg", "img", 'falls "fast"')
    ids = [element.get("id", "loss-") for element in root.iter()]
    assert "loss-line" in ids
    assert all(each.startswith("loss-") for each in ids)
    named = {each[len("loss-") :] for each in ids}
    used = re.findall(r"(?:url\(#|href=\"#)(?:loss-)?([^)\"]*)", drawn)
    assert used
    assert set(used) <= named
    assert css(INK) == "var(--ink)" in drawn
    assert not any(colour in drawn for colour in CSS_NAMES)
    assert "<b>" not in drawn
    assert "&lt;b&gt;a &amp; b&lt;/b&gt;" in drawn


def test_pictures_of_the_same_image_are_the_same_in_any_dtype() -> None:
    grey = np.array([[[0, 51], [102, 255]]], np.uint8)
    assert picture(grey) == picture(grey / 255) == picture(grey[0]) == picture(grey / 100 - 1)
    assert picture(grey) != picture(255 - grey)
    colour = np.concatenate([grey, grey.transpose(0, 2, 1), 255 - grey])
    assert picture(colour) == picture(colour / 255) != picture(colour[::-1])


def test_a_map_has_a_point_for_each_distinct_code() -> None:
    codes = np.array([[0, 0], [0, 1], [0, 1], [255, 255], [255, 254], [0, 1]], np.uint8)
    labels = np.array([0, 1, 2, 3, 3, 2])
    drawn = code_map.code_map(codes, labels, seed=0)
    assert drawn is not None
    assert drawn.n_distinct == 4
    assert drawn.counts.tolist() == [1, 3, 1, 1]  # in the order of the codes
    assert drawn.labels.tolist() == [0, 2, 3, 3]
    near, far = (np.linalg.norm(drawn.positions[0] - drawn.positions[row]) for row in (1, 2))
    assert near < far
    assert code_map.code_map(codes[:3], labels[:3], seed=0) is None


def test_a_map_of_many_codes_counts_votes_of_those_drawn_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_map, "MAX_CODES", 8)
    codes = np.repeat(np.arange(20_000, dtype=">u2"), 3).view(np.uint8).reshape(-1, 2)
    labels = np.arange(60_000) // 3 % 1000
    labels[::3] = 5  # outvoted
    tracemalloc.start()
    drawn = code_map.code_map(codes, labels, seed=0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert drawn is not None
    kept = np.sort(np.random.default_rng(0).permutation(20_000)[:8])
    assert drawn.labels.tolist() == (kept % 1000).tolist()
    assert drawn.counts.tolist() == [3] * 8
    assert drawn.n_distinct == 20_000
    assert peak < 20e6  # a count for every code and class would be 160 MB


def test_a_template_escapes_and_knows_all_its_names() -> None:
    with pytest.raises(jinja2.UndefinedError):
        template("demo.html").render()
    assert "&lt;i&gt;" in template("retrieved.html").environment.from_string("{{ name }}").render(name="<i>")
