"""What this machine is: the block that belongs beside every measured number."""

from __future__ import annotations

import platform
from contextlib import suppress
from datetime import datetime
from functools import cache
from pathlib import Path

from .threads import usable_cpus

PACKAGES = ("numpy", "numba", "torch", "faiss-cpu", "scikit-learn", "matplotlib", "Jinja2", "tqdm")


def describe() -> dict[str, str]:
    """Date, processor, system and versions, as text by name, in reading order."""
    return {
        "date": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        "processor": f"{processor()}, {usable_cpus()} usable",
        "system": f"{platform.system()} {platform.release().partition('-')[0]} ({platform.machine()})",
        "Python": platform.python_version(),
        "hashindex": installed("hashindex") or "unpackaged source",
        **{name: found for name in PACKAGES if (found := installed(name))},
    }


@cache
def processor() -> str:
    """The processor's model name, as far as the system tells."""
    with suppress(OSError), Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as lines:  # on Linux
        for line in lines:  # of which most processors have hundreds
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or "unknown"


def installed(distribution: str) -> str | None:
    """The version of an installed distribution, without importing it."""
    from importlib.metadata import PackageNotFoundError, version  # which take longer to import than a search takes

    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
