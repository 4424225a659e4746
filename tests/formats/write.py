"""Write the file of this format version, and the answers that it must give: `python tests/formats/write.py`, once.

Files of released versions are never written again: every later hashindex has to read them as they are.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

import hashindex as hx
from hashindex.segments.postings import collapse
from hashindex.segments.segment import Learned, Segment
from hashindex.segments.snapshot import Snapshot
from hashindex.segments.spread import spread_of
from hashindex.segments.tail import TailBuffer
from hashindex.store.format import VERSION

N_BITS = 20


def index_with_everything() -> hx.HashIndex:
    """Own ids and removed rows and tables; postings and tables; a tail."""
    rng = np.random.default_rng(1)
    codes = hx.pack(rng.standard_normal((300, N_BITS)))
    first = Segment.of(N_BITS, codes[:200], np.arange(200) * 3)
    first = replace(first, learned=Learned(spread=spread_of(first.codes)))
    second = Segment.of(N_BITS, np.repeat(codes[200:250], 3, axis=0), np.arange(1000, 1150))
    distinct, postings = collapse(second.codes)
    second = replace(second, codes=distinct, postings=postings, n_distinct=len(distinct))
    index = hx.HashIndex(N_BITS, engine="numpy", meta={"encoder": "random", "version": 1})
    index._start(Snapshot(N_BITS, (first, second), TailBuffer.empty(0, 3), 0, 1150))
    index.search(codes[:1], radius=0, method="multi-index")
    index.remove([30, 33, 60])
    index.add(codes[250:])
    return index


def answers(index: hx.HashIndex) -> dict[str, object]:
    """What it holds, and what it finds."""
    codes, ids = index._snapshot.all_codes()
    near, hits = index.search(codes[::50], k=6), index.search(codes[::50], radius=4)
    return {
        "meta": index.meta,
        "n_bits": index.n_bits,
        "next_id": index._snapshot.next_id,
        "codes": hx.to_hex(codes),
        "ids": ids.tolist(),
        "nearest": [near.distances.tolist(), near.ids.tolist()],
        "within": [hits.offsets.tolist(), hits.distances.tolist(), hits.ids.tolist()],
    }


def main() -> None:
    """Write both."""
    folder, index = Path(__file__).parent, index_with_everything()
    path = folder / f"{VERSION}.hxi"
    if path.exists():
        raise SystemExit(f"{path} is there, and stays as it is")
    path.write_bytes(index.to_bytes())
    (folder / f"{VERSION}.json").write_text(json.dumps(answers(index)) + "\n")


if __name__ == "__main__":
    main()
