"""Codes and queries to search: every set is deterministic, made once per process, and returned as a Data.

Queries keep clear of the generator that made the codes, so a set of another size has other codes.
"""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

Codes = NDArray[np.uint8]
Floats = NDArray[np.float32]
PATCH = 10  # pixels on a side


class Data(NamedTuple):
    """A named set of packed codes, and queries for it."""

    name: str
    codes: Codes
    queries: Codes

    @property
    def n_bits(self) -> int:
        return int(self.codes.shape[1]) * 8

    def first(self, n_queries: int) -> Data:
        """The same codes with the first queries only."""
        return self._replace(queries=self.queries[:n_queries])


class Embeddings(NamedTuple):
    """Vectors of norm 1, float32 (n, n_dims), and queries for them."""

    vectors: Floats
    queries: Floats


def power(n_codes: int) -> str:
    """A size as it is called: 1e6 for a million, 1e2 for a hundred."""
    return f"{n_codes:.0e}".replace("e+0", "e")


def random_codes(rng: np.random.Generator, n_codes: int, n_bits: int) -> Codes:
    return np.frombuffer(rng.bytes(n_codes * n_bits // 8), np.uint8).reshape(n_codes, -1).copy()


def flip(rng: np.random.Generator, codes: Codes, counts: NDArray[np.integer]) -> Codes:
    """Copies of the codes, code i with counts[i] different bits flipped."""
    n_bits = codes.shape[1] * 8
    flipped = codes.copy()
    for start in range(0, len(codes), 100_000):
        part = slice(start, start + 100_000)
        order = rng.random((len(codes[part]), n_bits), np.float32).argsort(axis=1).argsort(axis=1)
        flipped[part] ^= np.packbits(order < counts[part, None], axis=1)
    return flipped


def noisy(rng: np.random.Generator, codes: Codes, share: float) -> Codes:
    """Copies of the codes, each bit flipped with probability ``share``."""
    n_bits = codes.shape[1] * 8
    noise = [
        np.packbits(rng.random((min(100_000, len(codes) - start), n_bits), np.float32) < share, axis=1)
        for start in range(0, len(codes), 100_000)
    ]
    return codes ^ np.concatenate(noise)


def zipf(rng: np.random.Generator, n_kinds: int, n: int, exponent: float) -> NDArray[np.int64]:
    """n draws of 0 .. n_kinds - 1, draw i with a weight of (i + 1) ** -exponent."""
    weights = np.arange(1, n_kinds + 1, dtype=np.float64) ** -exponent
    return rng.choice(n_kinds, n, p=weights / weights.sum())


@lru_cache(2)
def uniform(n_bits: int, n_codes: int = 1_000_000, n_queries: int = 1000) -> Data:
    """Independent fair bits; queries are stored codes with 0 to 2 flips."""
    rng = np.random.default_rng([n_bits, n_codes, 1])
    codes = random_codes(rng, n_codes, n_bits)
    picked = codes[rng.integers(0, n_codes, n_queries)]
    return Data("uniform", codes, flip(rng, picked, np.arange(n_queries) % 3))


@lru_cache(2)
def clustered(n_bits: int, n_codes: int = 1_000_000, n_queries: int = 1000, share: float = 0.08) -> Data:
    """1,000 centres of Zipf sizes; every bit of a code or query differs from its centre with ``share``."""
    rng = np.random.default_rng([n_bits, n_codes, 2])
    centres = random_codes(rng, 1000, n_bits)
    codes = noisy(rng, centres[zipf(rng, 1000, n_codes, 1.0)], share)
    queries = noisy(rng, centres[zipf(rng, 1000, n_queries, 1.0)], share)
    return Data(f"clustered {share:.0%}", codes, queries)


@lru_cache(2)
def collapsed(n_bits: int, n_codes: int = 60_000, n_queries: int = 1000, n_distinct: int = 300) -> Data:
    """As a well trained hash network makes them: few distinct codes, of Zipf multiplicity."""
    rng = np.random.default_rng([n_bits, n_codes, 3])
    distinct = random_codes(rng, n_distinct, n_bits)
    codes = distinct[zipf(rng, n_distinct, n_codes, 1.0)]
    picked = distinct[zipf(rng, n_distinct, n_queries, 1.0)]
    return Data("collapsed", codes, flip(rng, picked, np.arange(n_queries) % 3))


@lru_cache(2)
def pdq(n_codes: int = 1_000_000, n_queries: int = 1000) -> Data:
    """Perceptual hashes of 256 bits: pictures and their near-duplicates; one query in four is unrelated to them."""
    rng = np.random.default_rng([256, n_codes, 4])
    pictures = random_codes(rng, n_codes // 4, 256)
    codes = noisy(rng, pictures[zipf(rng, len(pictures), n_codes, 0.5)], 0.04)
    queries = flip(rng, codes[rng.integers(0, n_codes, n_queries)], np.arange(n_queries) % 32)
    queries[::4] = random_codes(rng, len(queries[::4]), 256)
    return Data("PDQ-like", codes, queries)


@lru_cache(2)
def patches(n_bits: int, n_codes: int = 1_000_000, n_queries: int = 1000) -> Data:
    """Signs of random projections of real image patches; the queries come from images held out."""
    train, test = _cut("train", 1_000_000), _cut("test", 100_000)
    directions = np.random.default_rng([n_bits, 5]).standard_normal((PATCH * PATCH, n_bits), np.float32)
    return Data("patches", _signs(train[:n_codes], directions), _signs(test[:n_queries], directions))


@lru_cache(1)
def molecules(n_codes: int = 300_000, n_queries: int = 1000) -> Data:
    """Morgan fingerprints of 1,024 bits, about 42 set, of drug-like molecules; see ``molecules.py``."""
    codes: Codes = _made("molecules")
    return Data("molecules", codes[:n_codes], codes[n_codes : n_codes + n_queries])


@lru_cache(1)
def picture_hashes(n_codes: int = 58_000, n_queries: int = 2000) -> Data:
    """PDQ hashes of 256 bits of real pictures; see ``pictures.py``."""
    codes: Codes = _made("pictures")
    return Data("pictures", codes[:n_codes], codes[n_codes : n_codes + n_queries])


@lru_cache(1)
def embeddings(n_vectors: int = 200_000, n_queries: int = 1000) -> Embeddings:
    """Sentence embeddings of 384 dimensions; the queries are sentences held out. See ``sentences.py``."""
    vectors: Floats = _made("sentences")
    return Embeddings(vectors[:n_vectors], vectors[n_vectors : n_vectors + n_queries])


@lru_cache(1)
def sentences() -> Data:
    """Signs of sentence embeddings, less the mean of those that are searched."""
    vectors, queries = embeddings()
    mean = vectors.mean(axis=0)
    return Data("sentences", *(np.packbits(part > mean, axis=1) for part in (vectors, queries)))


def _made(name: str) -> NDArray[Any]:
    """What a script beside this file has made; skips where it has not."""
    path = Path(os.environ.get("HASHINDEX_DATA", ".")) / f"{name}.npy"
    if not path.exists():
        pytest.skip(f"no {name}.npy in the folder HASHINDEX_DATA; benchmarks/{name}.py makes it")
    made: NDArray[Any] = np.load(path)
    return made


def _signs(cut: NDArray[np.uint8], directions: NDArray[np.float32]) -> Codes:
    """One bit per direction, of patches whose mean is taken off; their contrast cannot change a sign."""
    codes = []
    for part in np.array_split(cut, max(1, len(cut) // 50_000)):
        centred = part.astype(np.float32)
        centred -= centred.mean(axis=1, keepdims=True)
        codes.append(np.packbits(centred @ directions > 0, axis=1))
    return np.concatenate(codes)


def _cut(split: str, n_patches: int) -> NDArray[np.uint8]:
    """Grey patches from random places of CIFAR-10's images, kept in the temporary folder."""
    kept = temporary() / f"patches-{split}-{n_patches}.npy"
    if not kept.exists():
        images = pictures(split, "L")
        rng = np.random.default_rng([n_patches, 6])
        which = rng.integers(0, len(images), n_patches)
        rows, columns = rng.integers(0, images.shape[1] - PATCH + 1, (2, n_patches))
        windows = np.lib.stride_tricks.sliding_window_view(images, (PATCH, PATCH), axis=(1, 2))
        part = kept.with_suffix(".part")
        with part.open("wb") as file:
            np.save(file, windows[which, rows, columns].reshape(n_patches, -1))
        part.replace(kept)
    cut: NDArray[np.uint8] = np.load(kept)
    return cut


def pictures(split: str, mode: str) -> NDArray[np.uint8]:
    """CIFAR-10's images of "train" or "test" in a mode of Pillow's; skips without them."""
    from PIL import Image

    if not os.environ.get("HASHINDEX_DATA"):
        pytest.skip("HASHINDEX_DATA names no folder with cifar10.zip")
    with zipfile.ZipFile(Path(os.environ["HASHINDEX_DATA"]) / "cifar10.zip") as archive:
        names = sorted(n for n in archive.namelist() if n.endswith(".jpg") and f"/{split}/" in n)
        return np.stack([np.asarray(Image.open(io.BytesIO(archive.read(name))).convert(mode)) for name in names])


def temporary() -> Path:
    """The folder for what is slow to make again: patches and built graphs."""
    folder = Path(tempfile.gettempdir()) / "hashindex-bench"
    folder.mkdir(exist_ok=True)
    return folder


# Sets that make structures and collectors work hard.


@lru_cache(1)
def all_equal(n_codes: int = 1_000_000, n_queries: int = 16) -> Data:
    """One code, many times: every query near it finds everything."""
    code = random_codes(np.random.default_rng(7), 1, 64)
    queries = flip(np.random.default_rng(8), np.repeat(code, n_queries, 0), np.arange(n_queries) % 3)
    return Data("all equal", np.repeat(code, n_codes, 0), queries)


@lru_cache(1)
def one_bucket(n_codes: int = 1_000_000, n_queries: int = 16) -> Data:
    """All codes share the first 60 % of their bits: tables over those bits have one bucket."""
    data = uniform(64, n_codes, n_queries)
    fixed = np.packbits(np.arange(64) < 38)
    codes, queries = data.codes & ~fixed, data.queries & ~fixed
    return Data("one bucket", codes, queries)


@lru_cache(1)
def descending(n_codes: int = 1_000_000, n_queries: int = 16) -> Data:
    """Every code is nearer to the queries than those before it: no collector may rest."""
    codes = random_codes(np.random.default_rng(9), n_codes, 64)
    order = np.argsort(-np.bitwise_count(codes).sum(axis=1, dtype=np.int16), kind="stable")
    return Data("descending", codes[order], np.zeros((n_queries, 8), np.uint8))
