"""The installed extension on an emulated CPU: it finds exactly the ISAs named as arguments, and each searches right."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import hashindex as hx
from hashindex.engines.native.engine import NativeEngine, available_isas

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))
import reference


def main(expected_isas: list[str]) -> None:
    """Exit with an AssertionError on the first difference."""
    assert available_isas() == expected_isas, f"{available_isas()} found, {expected_isas} expected"
    rng = np.random.default_rng(0)
    for n_bits in (7, 64, 100, 256, 1024):
        codes = reference.random_codes(rng, 600, n_bits, "skewed")
        queries = np.concatenate([codes[:3], reference.random_codes(rng, 2, n_bits, "uniform")])
        radius = n_bits // 4
        for isa in expected_isas:
            index = hx.HashIndex(n_bits=n_bits, engine=NativeEngine(isa))
            index.add(codes)
            for method in ("scan", "multi-index"):
                within = index.search(queries, radius=min(radius, 12), method=method)
                for got, want in zip(within, reference.radius_search(codes, queries, min(radius, 12)), strict=True):
                    np.testing.assert_array_equal(got, want)
                nearest = index.search(queries, k=7, radius=radius, method=method)
                for got, want in zip(nearest, reference.nearest(codes, queries, 7, radius), strict=True):
                    np.testing.assert_array_equal(got, want)
    print(f"Python: {', '.join(expected_isas)}; searches equal to the slow reference")


if __name__ == "__main__":
    main(sys.argv[1:])
