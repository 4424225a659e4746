"""What others can and this library cannot, as docs/comparison.md lists it; tests/connect/ tries what can be tried."""

from __future__ import annotations

from typing import NamedTuple

CHECKED = {"faiss-cpu": "1.15.1", "usearch": "2.26.6", "pynear": "2.6.0", "pgvector": "0.8.5"}


class Ability(NamedTuple):
    """Something that users may want, and which library has it, in a word or two."""

    what: str
    who: dict[str, str]


ABILITIES = (
    Ability(
        "vectors of floats",
        {
            "faiss": "L2, inner product",
            "usearch": "cosine, inner product, L2",
            "pynear": "L1, L2, Chebyshev, cosine",
            "pgvector": "L1, L2, inner product, cosine",
        },
    ),
    Ability(
        "floats in fewer bits",
        {"faiss": "product quantisation", "usearch": "f16, bf16, i8", "pynear": "8 bits, HNSW", "pgvector": "halfvec"},
    ),
    Ability("Jaccard distance of bits", {"usearch": "yes", "pgvector": "yes"}),
    Ability("a metric of one's own", {"usearch": "compiled, by Numba"}),
    Ability("a graph (HNSW) over codes", {"faiss": "yes", "usearch": "yes", "pynear": "yes", "pgvector": "yes"}),
    Ability(
        "several codes under one id", {"faiss": "id maps", "usearch": "`multi=True`", "pgvector": "rows of a table"}
    ),
    Ability("k clusters of what is kept", {"faiss": "of floats, k-means", "usearch": "of codes, `cluster`"}),
    Ability("SQL, joins, many writers at once", {"pgvector": "PostgreSQL"}),
    Ability(
        "several machines",
        {
            "faiss": "of floats, `contrib.client_server`",
            "pgvector": "PostgreSQL's replicas",
        },
    ),
    Ability("GPUs", {"faiss": "in packages of its own"}),
    Ability("wheels for macOS and Windows, ready on PyPI", {"faiss": "yes", "usearch": "yes", "pynear": "yes"}),
    Ability(
        "other languages than Python",
        {"faiss": "C++", "usearch": "C++, Rust, Java, JavaScript and more", "pgvector": "any, by SQL"},
    ),
)
READ = (
    "several machines",
    "GPUs",
    "wheels for macOS and Windows, ready on PyPI",
    "other languages than Python",
)  # not tried
