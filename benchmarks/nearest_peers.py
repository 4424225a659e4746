"""Who is asked for the k nearest in test_nearest.py."""

from __future__ import annotations

from collections.abc import Callable

from approximate_peers import FaissHNSW, FaissIVF, HashIndexRecall, UsearchHNSW
from peers import FaissFlat, HashIndex, Peer
from pynear_peers import PynearHNSW, PynearIVF, PynearMIH, PynearVPTree
from sets import Data

PEERS: dict[str, Callable[[Data], Peer]] = {
    "hashindex": lambda _: HashIndex(),
    "hashindex-scan": lambda _: HashIndex(method="scan"),
    "hashindex-recall": lambda _: HashIndexRecall(),
    "faiss-flat": lambda _: FaissFlat(),
    "faiss-ivf": lambda _: FaissIVF(),
    "faiss-hnsw": lambda data: FaissHNSW(data.name),
    "usearch-hnsw": lambda data: UsearchHNSW(data.name),
    "pynear-mih": lambda _: PynearMIH(),
    "pynear-ivf": lambda _: PynearIVF(),
    "pynear-hnsw": lambda data: PynearHNSW(data.name),
    "pynear-vptree": lambda _: PynearVPTree(),
}
SLOW = {"pynear-mih": 50, "pynear-vptree": 50}  # queries they are given
