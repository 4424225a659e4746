"""Videos as lists of hashes of their frames, as vPDQ makes them: which videos share frames with one.

vPDQ (Meta's ThreatExchange) hashes frames by PDQ. Two videos match by the share of the frames of each that have a frame
of the other within a radius; frames too plain to hash are left out, and equal frames count once.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..index import HashIndex
from ..inputs.codes import as_codes
from ..inputs.numbers import check_radius
from ..inputs.paths import as_path
from ..inputs.texts import from_hex
from ..matches import in_one_row

RADIUS = 31  # of PDQ's 256 bits, as ThreatExchange has it
LEAST_QUALITY = 50  # of a frame's hash, of 100


class VideoMatch(NamedTuple):
    """A video that shares frames with another."""

    name: str
    of_query: float  # share of the other's frames that are near one of this video
    of_video: float  # share of this video's frames that are near one of the other


class VideoIndex:
    """Videos by their frames' codes.

    Parameters
    ----------
    n_bits : int
        Bits of a frame's code.
    radius : int
        Within which two frames look alike, inclusive.
    """

    def __init__(self, n_bits: int = 256, *, radius: int = RADIUS) -> None:
        self.index = HashIndex(n_bits)
        self.radius = check_radius(radius)
        self._names: list[str] = []  # of all that were ever added
        self._begins = [0]  # the first id of each, and behind the last
        self._numbers: dict[str, int] = {}  # of those that are there, by name

    def __len__(self) -> int:
        """Count the videos."""
        return len(self._numbers)

    def add(self, name: str, codes: NDArray[np.uint8]) -> None:
        """Add a video by the codes of its frames (n, code_size), of which equal ones count once.

        Raises ValueError for a name that is there, TypeError or ValueError for what are no codes.
        """
        if name in self._numbers:
            raise ValueError(f"a video is named {name!r} already; remove() takes it out")
        frames = self._distinct(codes)
        self.index.add(frames)
        self._numbers[name] = len(self._names)
        self._names.append(name)
        self._begins.append(self._begins[-1] + len(frames))

    def remove(self, name: str) -> None:
        """Take a video out; KeyError for one that is not there."""
        number = self._numbers.pop(name)
        self.index.remove(np.arange(self._begins[number], self._begins[number + 1]))

    def match(self, codes: NDArray[np.uint8], *, of_query: float = 0.0, of_video: float = 0.0) -> list[VideoMatch]:
        """Return the videos that share frames with a video of these codes (n, code_size), best first.

        Only those with at least these shares; of equally good ones the first added comes first.
        """
        frames = self._distinct(codes)
        if not len(frames):
            return []
        query, _, ids = in_one_row(self.index.search(frames, radius=self.radius))
        begins = np.array(self._begins)
        known = ids < begins[-1]  # others are of a video that another thread is adding
        query, ids, n_videos = query[known], ids[known], len(begins) - 1
        near_queries = np.unique(query * n_videos + _owners(ids, begins)) % n_videos  # near several frames, counts once
        shares = np.bincount(near_queries, minlength=n_videos) / len(frames)
        own = np.bincount(_owners(np.unique(ids), begins), minlength=n_videos) / np.maximum(np.diff(begins), 1)
        found = [
            VideoMatch(self._names[i], float(shares[i]), float(own[i]))
            for i in np.flatnonzero(shares)
            if shares[i] >= of_query and own[i] >= of_video
        ]
        return sorted(found, key=lambda one: (-min(one[1:]), -max(one[1:])))

    def _distinct(self, codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        given = as_codes(codes, self.index.n_bits, "codes").codes
        return np.unique(given, axis=0) if len(given) else given


def _owners(ids: NDArray[np.int64], begins: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of the video of each frame."""
    return np.searchsorted(begins, ids, side="right") - 1


def read_vpdq(path: str | Path, *, least_quality: int = LEAST_QUALITY) -> NDArray[np.uint8]:
    """Read the codes (n, 32) of a file of vPDQ, lines of ``frame,quality,hash,time``, of at least this quality.

    Raises
    ------
    OSError
        The file cannot be read.
    ValueError
        A line is none of these; the message names it.
    """
    texts, numbers = [], []
    with as_path(path, "path").open(encoding="ascii", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            cells = line.rstrip("\n").split(",")
            if len(cells) != 4 or not cells[1].isdecimal():
                raise ValueError(f"{path}, line {number}: expected frame,quality,hash,time, got {line.rstrip()[:80]!r}")
            if int(cells[1]) >= least_quality:
                texts.append(cells[2])
                numbers.append(number)
    try:
        return from_hex(texts, 256)
    except ValueError as error:
        told = re.sub(r"\Arow (\d+)", lambda found: f"line {numbers[int(found[1])]}", str(error))
        raise ValueError(f"{path}, {told}") from None
