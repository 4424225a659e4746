"""Choosing an engine and an ISA, and proof of what ran."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from hashindex import engines


def run(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_forced_isa_ran() -> None:
    """The kernel itself reports which one it was, from inside the code compiled for that ISA."""
    core = pytest.importorskip("hashindex._core")
    codes = np.arange(800, dtype=np.uint8).reshape(100, 8)
    pool, radii = core.ThreadPool(), np.full(100, 64, np.int32)
    masks, widths = np.array([[255] + [0] * 7, [0, 255] + [0] * 6], np.uint8), np.array([8, 8], np.int32)
    shells = np.array([[t, flips] for flips in range(9) for t in range(2)], np.int32)
    part = core.Part(codes, None, 0, None, None)
    assert core.available_isas()[-1] == "scalar"
    for isa in core.available_isas():
        built = [core.build_tables(codes, masks, widths, copied, isa, pool, 2) for copied in (0, 1, 2)]
        allowed = np.array([1, 1], np.int32)
        probes = [core.MultiIndex((masks, widths, *one), allowed, shells, np.ones(18), float("inf")) for one in built]
        for structure in (core.Scan(), *probes):
            plan = core.Plan(isa, pool, [(part, structure, None)])
            for n_queries in (1, 100):  # a lone query has kernels of its own
                within = plan.radius(codes[:n_queries], 3, None, 0, None, 0, 2, True)
                near = plan.nearest(codes[:n_queries], 3, radii[:n_queries], None, 0, None, 2, True, None)
                assert [report[-1] for report in (*within[-1], *near[-1])] == [isa, isa]
        labels = np.zeros((100, 1), np.uint32)
        assert core.count_distances(codes, codes, labels, labels.T.copy(), False, isa, pool, 2)[-1] == isa
    with pytest.raises(ValueError, match="isa 'sse9' cannot run on this CPU; it has: .*scalar"):
        core.Plan("sse9", pool, [])


def test_the_isa_is_chosen_by_name_and_by_environment() -> None:
    native = pytest.importorskip("hashindex.engines.native")
    assert native.NativeEngine("scalar").description == "native (scalar)"
    with pytest.raises(ValueError, match="isa 'mmx' cannot run"):
        native.NativeEngine("mmx")
    script = "import hashindex; print(hashindex.HashIndex(64).engine_name)"
    assert run(script, HASHINDEX_ISA="scalar").stdout == "native (scalar)\n"
    assert "isa 'mmx', as HASHINDEX_ISA says, cannot run" in run(script, HASHINDEX_ISA="mmx").stderr
    assert run(script, HASHINDEX_ISA="").stdout == f"{native.NativeEngine().description}\n"
    with pytest.raises(ValueError, match="isa '' cannot run"):
        native.NativeEngine("")


def test_the_engine_is_chosen_by_environment() -> None:
    script = "import hashindex; print(hashindex.HashIndex(64).engine_name)"
    assert run(script, HASHINDEX_ENGINE="numpy").stdout == "numpy\n"
    assert "expected one of: native, numba, numpy" in run(script, HASHINDEX_ENGINE="gpu").stderr
    with pytest.raises(ValueError, match="engine 'gpu' is unknown"):
        engines.load("gpu")


@pytest.mark.parametrize(
    ("missing", "name"), [(("hashindex._core",), "numba"), (("hashindex._core", "numba"), "numpy")]
)
def test_without_the_extension_one_warning_says_so(missing: tuple[str, ...], name: str) -> None:
    if name not in engines.available():
        pytest.skip(f"{name} is not installed")
    script = f"""
import importlib.util, sys, warnings
real = importlib.util.find_spec
import hashindex.engines
hashindex.engines.find_spec = lambda module: None if module in {missing!r} else real(module)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from hashindex import HashIndex
    names = [HashIndex(64).engine_name for _ in range(3)]
print(names, [str(w.message) for w in caught if w.category is RuntimeWarning])
"""
    result = run(script)
    names, messages = result.stdout.split("] [")
    assert names == f"['{name}', '{name}', '{name}'", result.stderr
    assert messages.count("the C++ extension of hashindex is not installed") == 1


def test_importing_and_searching_imports_no_extra() -> None:
    script = """
import sys
import hashindex
index = hashindex.HashIndex(64)
index.add(hashindex.from_ints([1, 2, 3], 64))
index.search(hashindex.from_ints([1], 64), radius=2)
print(sorted({"torch", "numba", "ray", "sklearn", "faiss", "matplotlib", "tqdm", "pyarrow"} & set(sys.modules)))
"""
    result = run(script, HASHINDEX_ENGINE=engines.available()[0])
    assert (result.stdout, result.stderr) == ("[]\n", "")


def test_the_number_of_threads_comes_from_the_environment() -> None:
    script = "from hashindex.inputs.numbers import n_threads; print(n_threads(), n_threads(5))"
    assert run(script, HASHINDEX_NUM_THREADS="3").stdout == "3 5\n"
    assert "got 'many'" in run(script, HASHINDEX_NUM_THREADS="many").stderr
