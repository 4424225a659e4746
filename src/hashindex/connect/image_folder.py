"""Near-duplicates among the pictures of a folder, hashed once and looked up in a store."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from hashlib import blake2b
from pathlib import Path
from stat import S_ISREG
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import engines
from ..index import HashIndex
from ..learn.data.images import SUFFIXES
from ..support.cache import cache_folder
from ..support.progress import Progress, reporting
from .image_hashes import Algorithm, Hashed, algorithm, hash_image

ENDINGS = {*SUFFIXES, ".ppm"}
LEAST_QUALITY = 50  # of a code, as PDQ's authors advise: those of flat pictures are near each other by chance
BLOCK = 64  # pictures that a process hashes at a time


Stamp = tuple[int, int]  # bytes of a file, and nanoseconds of its last change


class Picture(NamedTuple):
    """A picture of the folder."""

    path: str  # below the folder
    hashed: Hashed
    stamp: Stamp


class Group(NamedTuple):
    """A picture to keep, and those that look like it, nearest first."""

    kept: Picture
    others: list[Picture]
    distances: list[int]


class Found(NamedTuple):
    """What there is in a folder."""

    n_pictures: int
    n_hashed: int  # in this run; the others were known
    groups: list[Group]
    unreadable: dict[str, str]  # why, by path
    n_plain: int  # pictures too plain to be compared but by their bytes
    small: list[Picture]  # pictures too small for that


def find_duplicates(
    folder: Path, how: Algorithm, radius: int, *, n_processes: int = 1, progress: Progress = False
) -> Found:
    """Find the groups of pictures below a folder that look alike.

    Groups do not chain: all pictures of one are within ``radius`` of the one to keep, which has the most pixels, then
    the most bytes. Nothing is deleted. What was hashed is kept in the cache folder; only new and changed files are
    hashed the next time.

    Raises
    ------
    OSError
        The folder cannot be read, or another process hashes it.
    RuntimeError
        A process that hashed pictures was killed.
    """
    pictures, n_hashed, unreadable = _up_to_date(folder, how, n_processes, progress)
    pictures.sort(key=lambda one: (-one.hashed.width * one.hashed.height, -one.stamp[0], one.path))
    small = [one for one in pictures if min(one.hashed.width, one.hashed.height) < how.least_side]
    rest = [one for one in pictures if min(one.hashed.width, one.hashed.height) >= how.least_side]
    clear = [one for one in rest if one.hashed.quality >= LEAST_QUALITY]
    plain = [one for one in rest if one.hashed.quality < LEAST_QUALITY]
    groups = sorted(_alike(clear, how.n_bits, radius) + _equal(folder, plain + small), key=lambda one: one.kept.path)
    return Found(len(pictures), n_hashed, groups, unreadable, len(plain), small)


def _alike(pictures: list[Picture], n_bits: int, radius: int) -> list[Group]:
    """Pictures, best first, as groups: each within the radius of the one that is kept, the nearest of those."""
    if not pictures:
        return []
    index = HashIndex(n_bits)
    codes = _codes_of(pictures)
    index.add(codes)
    kept = index.deduplicate(radius)
    rest = np.setdiff1d(index.ids(), kept, assume_unique=True)
    distances, nearest = index.search(codes[rest], k=1, radius=radius, allow=kept)
    members: dict[int, list[tuple[int, int]]] = {}
    for row, distance, one in zip(rest.tolist(), distances.ravel().tolist(), nearest.ravel().tolist(), strict=True):
        members.setdefault(one, []).append((distance, row))
    return [
        Group(pictures[one], [pictures[row] for _, row in sorted(near)], [distance for distance, _ in sorted(near)])
        for one, near in members.items()
    ]


def _equal(folder: Path, pictures: list[Picture]) -> list[Group]:
    """Pictures of the same bytes, as groups."""
    by_bytes: dict[bytes, list[Picture]] = {}
    for one in pictures:
        with suppress(OSError):  # gone since
            digest = blake2b((folder / one.path).read_bytes(), digest_size=16).digest()
            by_bytes.setdefault(digest, []).append(one)
    return [Group(kept, others, [0] * len(others)) for kept, *others in by_bytes.values() if others]


def _up_to_date(
    folder: Path, how: Algorithm, n_processes: int, progress: Progress
) -> tuple[list[Picture], int, dict[str, str]]:
    """All readable pictures, how many were hashed now, and why others cannot be read."""
    seen = dict(_walk(folder))
    files = {path: stamp for path, stamp in seen.items() if not isinstance(stamp, str)}
    unreadable = {path: why for path, why in seen.items() if isinstance(why, str)}
    store, known = _known(folder, how)
    with store:
        paths = {_key(path): path for path in files}
        fresh: dict[str, Picture] = {}
        for key, one in known.items():
            path = paths.get(key)
            if path is not None and files[path] == one.stamp:
                fresh[path] = one._replace(path=path)
        store.remove(keys=[key for key in known if paths.get(key) not in fresh])
        wanted = [path for path in files if path not in fresh]
        with reporting(progress, len(wanted), "hash") as tell:
            n_done = 0
            for done in _hashed(folder, wanted, how, n_processes):
                new = [Picture(path, one, files[path]) for path, one in done if isinstance(one, Hashed)]
                unreadable |= {path: one for path, one in done if isinstance(one, str)}
                _keep(store, new)
                fresh |= {one.path: one for one in new}
                n_done += len(done)
                tell(n_done)
    n_hashed = len(wanted) - sum(path in files for path in unreadable)
    return list(fresh.values()), n_hashed, unreadable


def _walk(folder: Path) -> Iterator[tuple[str, Stamp | str]]:
    """Files below the folder that are named as pictures are, by their path in it; or why one cannot be read.

    A folder below it that cannot be listed is one of these.
    """
    closed: list[OSError] = []

    def tell(error: OSError) -> None:
        if Path(error.filename) == folder:
            raise error
        closed.append(error)

    for above, _, names in os.walk(folder, onerror=tell):
        for name in names:
            path = Path(above) / name
            if path.suffix.lower() not in ENDINGS:
                continue
            below = path.relative_to(folder).as_posix()
            try:
                status = path.lstat()  # a link is no other picture
            except OSError as error:
                yield below, error.strerror or "cannot be read"
            else:
                if S_ISREG(status.st_mode):
                    yield below, (status.st_size, status.st_mtime_ns)
    for one in closed:
        below = Path(one.filename).relative_to(folder).as_posix()
        yield below, f"a folder that cannot be listed: {one.strerror or one}"


def _known(folder: Path, how: Algorithm) -> tuple[HashIndex, dict[str, Picture]]:
    """The store of a folder's pictures, and what it holds, by key; begun anew where it is damaged."""
    name = blake2b(os.fsencode(folder.resolve()), digest_size=8).hexdigest()
    place = cache_folder() / "images" / f"{name}-{how.name}"
    place.parent.mkdir(parents=True, exist_ok=True)
    engines.load()  # an engine that is not there is no damage
    try:
        return _read(HashIndex.open(place, how.n_bits, sync="os"))
    except BlockingIOError as error:
        who = str(error.strerror).partition(" has it open")[0]
        what = f"{who} hashes its pictures by {how.name}: wait until that has ended, or name another HASHINDEX_CACHE"
        raise BlockingIOError(error.errno, what, str(folder)) from None
    except (ValueError, FileNotFoundError):  # a segment that is gone
        shutil.rmtree(place)
        return _read(HashIndex.open(place, how.n_bits, sync="os"))


def _read(store: HashIndex) -> tuple[HashIndex, dict[str, Picture]]:
    try:
        items = list(store.items())
        known: dict[str, Picture] = {}
        for code, (_, key, noted) in zip(store.get([one for one, _, _ in items]), items, strict=True):
            width, height, quality, size, changed = _integers(noted)
            known[key or ""] = Picture("", Hashed(code.tobytes(), width, height, quality), (size, changed))
        if len(known) != len(store):
            raise ValueError(f"{len(store)} pictures are there, and {len(known)} are noted")
    except BaseException:
        store.close()
        raise
    return store, known


def _integers(noted: Any) -> list[int]:
    """What is noted of a picture; ValueError for anything else."""
    if type(noted) is not list or not all(type(one) is int for one in noted):
        raise ValueError(f"{noted!r:.80} is noted of a picture")
    return noted


def _keep(store: HashIndex, pictures: list[Picture]) -> None:
    if pictures:
        noted = [[*one.hashed[1:], *one.stamp] for one in pictures]
        store.add(_codes_of(pictures), keys=[_key(one.path) for one in pictures], payloads=noted)


def _key(path: str) -> str:
    """A path as text, whatever bytes its name has."""
    name = os.fsencode(path)
    try:
        return name.decode()
    except UnicodeDecodeError:
        return f"\0{name.hex()}"  # as no path begins


def _codes_of(pictures: list[Picture]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(one.hashed.code for one in pictures), np.uint8).reshape(len(pictures), -1)


def _hashed(
    folder: Path, paths: list[str], how: Algorithm, n_processes: int
) -> Iterator[list[tuple[str, Hashed | str]]]:
    """Blocks of paths with what was made of each: a hash, or why there is none."""
    work = partial(_hash_block, folder, how.name)
    blocks = [paths[begin : begin + BLOCK] for begin in range(0, len(paths), BLOCK)]
    if n_processes == 1 or len(blocks) < 2:
        yield from map(work, blocks)
        return
    try:
        with ProcessPoolExecutor(n_processes) as pool:
            yield from pool.map(work, blocks)
    except BrokenProcessPool:
        raise RuntimeError(
            "a process that hashed pictures was killed, as systems do for want of memory: call again, what was hashed "
            "before is kept; HASHINDEX_NUM_THREADS=1 hashes one picture at a time"
        ) from None


def _hash_block(folder: Path, name: str, paths: list[str]) -> list[tuple[str, Hashed | str]]:
    how, made = algorithm(name), list[tuple[str, Hashed | str]]()
    for path in paths:
        try:
            made.append((path, hash_image(folder / path, how)))
        except Exception as error:  # Pillow lets through what odd files make it raise
            made.append((path, str(error) or type(error).__name__))
    return made
