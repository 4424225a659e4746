"""Build one index in a fresh process and print what it takes, as JSON; test_build_and_memory.py runs this.

python benchmarks/memory_probe.py hashindex 10000000 2
"""

from __future__ import annotations

import ctypes
import gc
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
from approximate_peers import Approximate, FaissHNSW, UsearchHNSW
from peers import FaissFlat, FaissMultiHash, HashIndex, Kind, Peer
from pynear_peers import PynearIVF, PynearWithin
from sets import flip, random_codes
from threads import one_thread

BATCH, FEW = 100_000, 1_000  # queries; of what has no tables


def resident() -> int:
    """Bytes of memory this process holds, after giving back what it does not need."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def main(name: str, n_codes: int, radius: int) -> None:
    rng = np.random.default_rng(10)
    peers: dict[str, Peer] = {
        "hashindex": HashIndex(),
        "faiss Flat": FaissFlat(),
        "faiss MultiHash": FaissMultiHash(3, min(21, n_codes.bit_length()), radius),
        "faiss HNSW": FaissHNSW("memory"),
        "usearch HNSW": UsearchHNSW("memory"),
        "pynear MIH": PynearWithin(4),
        "pynear IVF": PynearIVF(),
    }
    peer = peers[name]
    kind: Kind = "k" if isinstance(peer, Approximate) else "radius"
    size = 10 if kind == "k" else radius
    warm = random_codes(rng, 20_000, 64)
    peer.build(warm).find(warm[:10], kind, size)  # what is loaded once is not the index's
    before = resident()
    codes = random_codes(rng, n_codes, 64)
    n_queries = BATCH if name in ("hashindex", "faiss MultiHash", "pynear MIH") else FEW
    queries = flip(rng, codes[rng.integers(0, n_codes, n_queries)], np.arange(n_queries) % 3)
    peer.build(codes)
    del codes
    peer.find(queries[:10], kind, size)
    first_s = -time.perf_counter()
    peer.find(queries, kind, size)
    first_s += time.perf_counter()
    rounds = []
    for _ in range(3):
        start = time.perf_counter()
        peer.find(queries, kind, size)
        rounds.append(time.perf_counter() - start)
    answer = {
        "bytes": resident() - before,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "build_s": peer.build_s,
        "first_batch_s": first_s,
        "batch_s": sorted(rounds)[1],
        "n_queries": n_queries,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    with one_thread():
        main(sys.argv[1], int(float(sys.argv[2])), int(sys.argv[3]))
