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

import faiss
import numpy as np
from datasets import flip, random_codes
from peers import FaissMultiHash, HashIndex, Peer

BATCH = 100_000


def resident() -> int:
    """Bytes of memory this process holds, after giving back what it does not need."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def main(name: str, n_codes: int, radius: int) -> None:
    faiss.omp_set_num_threads(1)
    rng = np.random.default_rng(10)
    peers: dict[str, Peer] = {
        "hashindex": HashIndex(),
        "faiss MultiHash": FaissMultiHash(3, 21, radius),
    }
    peer = peers[name]
    warm = random_codes(rng, 20_000, 64)
    peers[name].build(warm).radius(warm[:10], radius)  # what is loaded once is not the index's
    before = resident()
    codes = random_codes(rng, n_codes, 64)
    queries = flip(rng, codes[rng.integers(0, n_codes, BATCH)], np.arange(BATCH) % 3)
    peer.build(codes)
    del codes
    peer.radius(queries[:10], radius)
    first_s = -time.perf_counter()
    peer.radius(queries, radius)
    first_s += time.perf_counter()
    rounds = []
    for _ in range(3):
        start = time.perf_counter()
        peer.radius(queries, radius)
        rounds.append(time.perf_counter() - start)
    answer = {
        "bytes": resident() - before,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "build_s": peer.build_s,
        "first_batch_s": first_s,
        "batch_s": sorted(rounds)[1],
        "n_queries": BATCH,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1], int(float(sys.argv[2])), int(sys.argv[3]))
