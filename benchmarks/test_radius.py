"""Everything within a radius, beside faiss and pynear in the fastest of their exact settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import measure
import pytest
from checks import same_hits
from peers import FaissFlat, FaissMultiHash, HashIndex, Peer, multi_hash_grid
from pynear_peers import PynearWithin, within_grid
from sets import Data, clustered, collapsed, molecules, patches, pdq, picture_hashes, uniform

Settings = Callable[[], Sequence[Peer]]


class Case(NamedTuple):
    """A set, a radius, and the settings of the others to choose from."""

    make: Callable[[], Data]
    radius: int
    others: dict[str, Settings]


def grid(n_bits: int, radius: int) -> dict[str, Settings]:
    return {
        "faiss": lambda: [FaissFlat(), *multi_hash_grid(n_bits, radius)],
        "pynear": lambda: within_grid(n_bits),
    }


# A build takes them 17 s and more: only keys of about log2(n) bits, and what has tables.
LARGER: dict[str, Settings] = {
    "faiss": lambda: [FaissMultiHash(nhash, b, 2) for nhash, b in ((3, 21), (3, 20), (2, 24))],
    "pynear": lambda: [PynearWithin(m) for m in (4, 2)],
}
WIDE: dict[str, Settings] = {
    "faiss": lambda: [FaissFlat()],
    "pynear": lambda: [PynearWithin(m) for m in (64, 32, 16)],
}

CASES = {
    "uniform, 64 bits, 1e6, radius 2": Case(lambda: uniform(64, 1_000_000, 10_000), 2, grid(64, 2)),
    "uniform, 64 bits, 1e7, radius 2": Case(lambda: uniform(64, 10_000_000, 100_000), 2, LARGER),
    "patches, 64 bits, 1e6, radius 2": Case(lambda: patches(64), 2, grid(64, 2)),
    "patches, 64 bits, 1e6, radius 4": Case(lambda: patches(64), 4, grid(64, 4)),
    "patches, 64 bits, 1e6, radius 8": Case(lambda: patches(64), 8, grid(64, 8)),
    "clustered, 64 bits, 1e6, radius 4": Case(lambda: clustered(64), 4, grid(64, 4)),
    "collapsed, 64 bits, 6e4, radius 2": Case(lambda: collapsed(64), 2, grid(64, 2)),
    "PDQ-like, 256 bits, 1e6, radius 31": Case(pdq, 31, grid(256, 31)),
    "PDQ of pictures, 256 bits, 58,000, radius 31": Case(picture_hashes, 31, grid(256, 31)),
    "molecules, 1,024 bits, 3e5, radius 20": Case(molecules, 20, WIDE),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("method", ["auto", "scan"])
def test_radius(benchmark: Any, name: str, method: Any) -> None:
    case = CASES[name]
    data = case.make()
    if method == "scan":
        data = data.first(1000)  # a scan's time per query does not depend on how many there are
    peer = HashIndex(method=method).build(data.codes)
    measure.radius(benchmark, peer, data, case.radius, row="radius", case=name)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("other", ["faiss", "pynear"])
def test_radius_others(benchmark: Any, name: str, other: str) -> None:
    case = CASES[name]
    data = case.make()
    peer, times = measure.fastest(case.others[other](), data, case.radius)
    ours = HashIndex().build(data.codes)
    assert same_hits(peer.radius(data.queries, case.radius), ours.radius(data.queries, case.radius))
    settings = f"{peer.name} {peer.settings}".strip()
    labels: dict[str, Any] = {"row": "radius", "case": name, "peer": f"{other}, best exact"}
    measure.radius(benchmark, peer, data, case.radius, **labels, settings=settings, grid=times)
