"""Adds the machine block to every benchmark report."""

from __future__ import annotations

from typing import Any

import hashindex as hx
from hashindex import machine


def pytest_benchmark_update_json(output_json: dict[str, Any]) -> None:
    output_json["hashindex_machine"] = {
        **machine.describe(),
        "engine": hx.HashIndex(64).engine_name,
        "threads": "1",
    }
    del output_json["machine_info"]
