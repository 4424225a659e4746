"""The log of the tail: operations as bytes, and what they come to."""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Codes = NDArray[np.uint8]


class LogRow(NamedTuple):
    """A row of the table ``log``: ids that left the tail, then codes that entered it."""

    removed: bytes | None
    ids: bytes | int | None  # of consecutive ones the first
    codes: bytes | None
    crc: int  # of the others

    @classmethod
    def of(cls, removed: Ids, ids: Ids, codes: Codes | None) -> LogRow:
        """Codes (n, code_size), or one, under ``ids`` (n,)."""
        gone = removed.astype("<i8").tobytes() if len(removed) else None
        if codes is None or not len(ids):
            return cls(gone, None, None, _crc(gone, None, None))
        counted = len(ids) == 1 or (int(ids[-1]) - int(ids[0]) == len(ids) - 1 and bool((ids[1:] > ids[:-1]).all()))
        told, data = int(ids[0]) if counted else ids.astype("<i8").tobytes(), codes.tobytes()
        return cls(gone, told, data, _crc(gone, told, data))

    def read(self, code_size: int) -> tuple[Ids, Ids, Codes]:
        """Return removed ids, ids and codes; ValueError if the row is not one that was written."""
        removed, ids, codes, crc = self
        if not isinstance(removed, bytes | None) or not isinstance(ids, bytes | int | None):
            raise ValueError("a row of the log holds no ids")
        if not isinstance(codes, bytes | None) or (codes and (not code_size or len(codes) % code_size)):
            raise ValueError("a row of the log holds no codes of the store's width")
        if _crc(removed, ids, codes) != crc:
            raise ValueError("a row of the log is not what was written")
        entered = np.frombuffer(codes or b"", np.uint8).reshape(-1, max(code_size, 1))
        n = len(entered)
        if isinstance(ids, int):
            if not 0 <= ids <= 2**63 - 1 - n:
                raise ValueError(f"a row of the log counts ids from {ids}")
            given = np.arange(ids, ids + n)
        else:
            given = as_ids(ids)
        if len(given) != n:
            raise ValueError(f"a row of the log holds {len(given)} ids of {n} codes")
        return as_ids(removed), given, entered


def _crc(removed: bytes | None, ids: bytes | int | None, codes: bytes | None) -> int:
    told = ids.to_bytes(8, "little", signed=True) if isinstance(ids, int) else ids or b""
    return zlib.crc32(codes or b"", zlib.crc32(told, zlib.crc32(removed or b"")))


def as_ids(data: bytes | None) -> Ids:
    """The ids in a value of the database."""
    data = data or b""
    if len(data) % 8:
        raise ValueError(f"{len(data)} bytes are no ids")
    ids = np.frombuffer(data, "<i8").astype(np.int64)
    if len(ids) and ids.min() < 0:
        raise ValueError(f"an id is {ids.min()}")
    return ids


def replay(codes: Codes, ids: Ids, rows: list[LogRow]) -> tuple[Codes, Ids]:
    """Codes and ids of a tail, in id order, after the ``rows``; ValueError if those are not what was written.

    Of all operations on an id the last one decides.
    """
    if not rows:
        return codes, ids
    code_size = codes.shape[1]
    all_ids, sources, all_codes, n = [ids], [np.arange(len(ids))], [codes], len(ids)
    for row in rows:
        removed, entered, given = row.read(code_size)
        all_ids += [removed, entered]
        sources += [np.full(len(removed), -1), np.arange(n, n + len(given))]
        if code_size:
            all_codes.append(given)
        n += len(given)
    together, source = np.concatenate(all_ids), np.concatenate(sources)
    order = np.argsort(together, kind="stable")
    last = np.append(together[order][1:] != together[order][:-1], True)[: len(order)]
    order = order[last]
    order = order[source[order] >= 0]
    return np.concatenate(all_codes)[source[order]], together[order]
