"""ISCC units: the same kinds and distances as iscc_core has, for its own vectors and for units of every kind."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hashindex as hx
from hashindex.connect.iscc import from_iscc

IMAGE = "ISCC:EEAQAAAAAAAAAAAA"
LONGER = "ISCC:EED4GQZQTY6J5DTHNDQ7S7EGNENJNRTEGLGHFWXFGNDZHSMO4HEZGZI"
CODE = "ISCC:KAARMJLTQCUWAND2LKF2GYSSNQVTYZBL4D5GOQCDIM"


def unit(main: int, sub: int, n_bits: int, seed: int, core: Any) -> str:
    return str(core.encode_component(main, sub, 0, n_bits, np.random.default_rng(seed).bytes(n_bits // 8)))


def test_the_vectors_of_iscc_core() -> None:
    core = pytest.importorskip("iscc_core")
    vectors = json.loads((Path(core.__file__).parent / "data.json").read_text(encoding="utf-8"))
    outputs = [one["outputs"]["iscc"] for name, each in vectors.items() if name[:4] == "gen_" for one in each.values()]
    units = {unit for whole in outputs for unit in core.iscc_decompose(whole)}
    by_kind: dict[str, list[str]] = {}
    for one in sorted(units):
        by_kind.setdefault(core.iscc_type_id(one), []).append(one)
    assert len(by_kind) > 15
    for kind, each in by_kind.items():
        codes, found = from_iscc(each)
        assert found == kind
        distances = [[core.iscc_distance(a, b) for b in each] for a in each]
        assert hx.hamming(codes[:, None], codes).tolist() == distances


def test_units_of_every_kind_are_searched_as_iscc_core_compares_them() -> None:
    core = pytest.importorskip("iscc_core")
    kinds = [(0, 0), (3, 0), (4, 0), *product((1, 2), range(5))]
    for main, sub in kinds:
        shorter, longer = ([unit(main, sub, n_bits, seed, core) for seed in range(4)] for n_bits in (96, 256))
        codes, kind = from_iscc(f"iscc:{one.lower()}" for one in shorter)
        assert kind == core.iscc_type_id(shorter[0])
        index = hx.HashIndex(96, meta={"iscc": kind})
        index.add(codes)
        queries, same = from_iscc(longer, kind)
        assert same == kind
        near = index.search(queries, k=4)
        for i, query in enumerate(longer):
            expected = [core.iscc_nph_distance_bytes(*map(body, (query, one))) for one in shorter]
            distances = sorted((round(96 * one["distance"]), j) for j, one in enumerate(expected))
            assert [(d, j) for d, j in zip(*(array[i].tolist() for array in near), strict=True)] == distances


def body(one: str) -> bytes:
    core = pytest.importorskip("iscc_core")
    return bytes(core.decode_header(core.decode_base32(one))[-1])


@pytest.mark.parametrize(
    ("units", "kind", "message"),
    [
        (
            [IMAGE, "EAASKDNZNYGUUF5A"],
            None,
            "row 1: CONTENT-TEXT-V0-64 among CONTENT-IMAGE-V0-64, and only units of one",
        ),
        ([IMAGE, LONGER], None, "row 1: CONTENT-IMAGE-V0-256 among CONTENT-IMAGE-V0-64, .*kind= with the fewest bits"),
        ([IMAGE], "CONTENT-IMAGE-V0-128", "row 0: CONTENT-IMAGE-V0-64 among CONTENT-IMAGE-V0-128"),
        ([LONGER], "CONTENT-TEXT-V0-64", "row 0: CONTENT-IMAGE-V0-256 among CONTENT-TEXT-V0-64"),
        ([IMAGE], "IMAGE", "kind must be as 'CONTENT-IMAGE-V0-64'"),
        ([], None, "no units: pass kind="),
        ([IMAGE, CODE], None, r"row 1: .*\(ISCC\), and is no unit to be compared; iscc_core.iscc_decompose"),
        (["MAAQAAAAAAAAAAAA"], None, r"row 0: .*\(ID\), and is no unit"),
        ([IMAGE + "AAAA"], None, "row 0: .* says that it has 64 bits, and has .*iscc_decompose"),
        ([IMAGE[:-4]], None, "row 0: .* says that it has 64 bits, and has "),
        ([IMAGE[:-1] + "1"], None, "row 0: no ISCC unit in base32: 'ISCC:EEA"),
        (["ISCC:EEBYAAAAAAAAAAAAAAAAAAAAAAAAB"], None, "row 0: no ISCC unit in base32"),  # bits behind the last byte
        (["", "ISCC:"], None, "row 0: no ISCC unit in base32: ''"),
        (["\u0131SCC:EEA"], None, "row 0: no ISCC unit"),
    ],
)
def test_what_cannot_be_compared_is_named(units: list[str], kind: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_iscc(units, kind)


def test_one_unit_and_none() -> None:
    codes, kind = from_iscc(f" {IMAGE[5:9]}-{IMAGE[9:]}\n")
    assert (codes.tolist(), kind) == ([0] * 8, "CONTENT-IMAGE-V0-64")
    assert from_iscc([], kind).codes.shape == (0, 8)
    with pytest.raises(TypeError, match="row 1: expected a str of an ISCC unit, got bytes"):
        from_iscc([IMAGE, b"EEA"])  # type: ignore[list-item]
