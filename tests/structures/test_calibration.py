"""What was measured once per machine, as it is kept."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from hashindex import engines
from hashindex.structures import calibration
from hashindex.structures.costs import Costs
from hashindex.support import machine


@pytest.mark.parametrize(
    "kept",
    [
        "{",
        "[]",
        '{"lookup": 3.0}',
        '{"lookup": [3.0]}',
        '{"lookup": [1e308, 1e308]}',
        '{"scan_code": 1%s}' % ("0" * 400),
        json.dumps({**asdict(Costs()), "sift": 5e-324}),
        "null",
    ],
)
def test_wrong_kept_costs_are_replaced_by_the_usual(kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engines.load()
    file = tmp_path / "costs.json"
    key = f"{calibration.VERSION}: {machine.processor()}, {engine.description}"
    file.write_text(f'{{"{key}": {kept}}}')
    monkeypatch.setenv("HASHINDEX_CACHE", str(tmp_path))
    monkeypatch.setattr(calibration, "_known", {})
    monkeypatch.setattr(calibration, "measure", lambda _: Costs(call=123.0))
    assert calibration.costs(engine) is calibration.usual(engine)  # no search measures
    calibration.calibrate(engine)
    assert calibration.costs(engine).call == 123.0
    monkeypatch.setattr(calibration, "_known", {})
    monkeypatch.setattr(calibration, "measure", lambda _: Costs(call=456.0))
    calibration.calibrate(engine)
    assert calibration.costs(engine).call == 123.0  # kept
    file.unlink()
    file.mkdir()
    monkeypatch.setattr(calibration, "_known", {})
    calibration.calibrate(engine)
    assert calibration.costs(engine).call == 456.0
    assert list(tmp_path.iterdir()) == [file]  # nothing half-written stays


def test_what_was_measured_beside_others_work_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(_: object) -> Costs:
        time.sleep(10 * calibration.MOMENT_S)  # as if others had the processor
        return Costs(call=123.0)

    engine = engines.load()
    monkeypatch.setenv("HASHINDEX_CACHE", str(tmp_path))
    monkeypatch.setattr(calibration, "_known", {})
    monkeypatch.setattr(calibration, "measure", measured)
    calibration.calibrate(engine)
    assert calibration.costs(engine) is calibration.usual(engine)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", calibration.USUAL)
def test_usual_costs_turn_codes_as_their_kernel_does(name: str) -> None:
    by_kernel = calibration.BY_KERNEL.get(name.partition(", ")[2], {})
    turning = [{**asdict(Costs()), **by_kernel}[field] for field in ("chunk", "turned", "eager")]
    usual = calibration.USUAL[name]
    assert [usual.chunk, usual.turned, usual.eager] == turning
