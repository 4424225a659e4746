"""Which engine does the searching: ``native`` (C++), ``numba`` or ``numpy``. The answers are the same."""

from __future__ import annotations

import os
import warnings
from functools import cache
from importlib.util import find_spec

from .engine import Engine

__all__ = ["ENGINES", "Engine", "available", "check", "load"]

ENGINES = ("native", "numba", "numpy")  # best first


def available() -> list[str]:
    """Engines that can be loaded here, best first."""
    found = {
        "native": find_spec("hashindex._core") is not None,
        "numba": find_spec("numba") is not None,
        "numpy": True,
    }
    return [name for name in ENGINES if found[name]]


def load(name: str | None = None) -> Engine:
    """Return the engine of that name, by default that of ``HASHINDEX_ENGINE``, else (or where that is empty) the best.

    Raises
    ------
    ValueError
        Unknown name.
    ImportError
        The named engine is not installed.

    Warns
    -----
    RuntimeWarning
        Once, when no name was given and the C++ extension is missing.
    """
    wanted = os.environ.get("HASHINDEX_ENGINE") or None if name is None else name
    if wanted is None:
        return _best()
    if wanted not in ENGINES:
        said = "" if name is not None else ", as HASHINDEX_ENGINE says,"
        raise ValueError(f"engine {wanted!r}{said} is unknown; expected one of: {', '.join(ENGINES)}")
    return _load(wanted)


def check(engine: Engine) -> Engine:
    """Return an engine given as an object; TypeError if it is none."""
    if not hasattr(engine, "multi_index"):
        raise TypeError(f"engine must be one of {', '.join(ENGINES)} or an Engine, got {engine!r}")
    return engine


@cache
def _best() -> Engine:
    name = available()[0]
    if name != "native":
        advice = "" if name == "numba" else " (pip install 'hashindex[numba]' is much faster)"
        warnings.warn(
            f"the C++ extension of hashindex is not installed; searches use the {name} engine{advice}",
            RuntimeWarning,
            stacklevel=3,
        )
    return _load(name)


@cache
def _load(name: str) -> Engine:
    if name == "native":
        if name not in available():
            raise ImportError(
                "the C++ extension of hashindex is not installed; reinstall with a C++ compiler and "
                "HASHINDEX_REQUIRE_NATIVE=1 to see why"
            )
        from .native.engine import NativeEngine

        return NativeEngine()
    if name == "numba":
        if name not in available():
            raise ImportError("the numba engine needs numba: pip install 'hashindex[numba]'")
        from .numba_engine.engine import NumbaEngine

        return NumbaEngine()
    from .numpy_engine.engine import NumpyEngine

    return NumpyEngine()
