"""The C++ extension; every array C-contiguous. See csrc/bindings/."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Bytes = NDArray[np.uint8]
_Tables = tuple[_Bytes, NDArray[np.int32], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint64]]

_Clusters = tuple[_Bytes, NDArray[np.int32], NDArray[np.int64], NDArray[np.uint32], NDArray[np.uint32], _Bytes]

_Removed = tuple[_Bytes, NDArray[np.uint32]]
_Lost = Sequence[tuple[_Removed | None, _Removed | None] | None]

_Ids = NDArray[np.int64]
_Place = tuple[int, _Ids | None, int, _Removed | None]

class ThreadPool:
    def __init__(self) -> None: ...

class Structure: ...

class Scan(Structure):
    def __init__(self) -> None: ...

class MultiIndex(Structure):
    def __init__(
        self,
        tables: _Tables,
        thresholds: NDArray[np.int32],
        shells: NDArray[np.int32],
        costs: NDArray[np.float64],
        scan_cost: float,
    ) -> None: ...

class Clusters(Structure):
    def __init__(self, clusters: _Clusters, most: int) -> None: ...

class Folds(Structure):
    def __init__(self, folds: _Bytes, code_size: int) -> None: ...

class Part:
    def __init__(
        self,
        codes: _Bytes,
        ids: NDArray[np.int64] | None,
        first_id: int,
        starts: NDArray[np.int64] | None,
        holders: NDArray[np.uint32] | None,
    ) -> None: ...

class Plan:
    def __init__(
        self, isa: str, pool: ThreadPool, steps: list[tuple[Part, Structure, NDArray[np.int64] | None]]
    ) -> None: ...
    def radius(
        self,
        queries: _Bytes,
        radii: int | NDArray[np.int32],
        tail: Part | None,
        n_tail: int,
        removed: _Lost | None,
        most_hits: int,
        n_threads: int,
        report: bool,
    ) -> Any: ...
    def nearest(
        self,
        queries: _Bytes,
        k: int,
        radii: int | NDArray[np.int32],
        tail: Part | None,
        n_tail: int,
        removed: _Lost | None,
        n_threads: int,
        report: bool,
        proven: NDArray[np.bool_] | None,
    ) -> Any: ...

def available_isas() -> list[str]: ...
def append_codes(
    room: _Bytes, room_ids: NDArray[np.int64], begin: int, most: int, codes: Any, first_id: int
) -> NDArray[np.int64] | None: ...
def assign_codes(
    codes: _Bytes, centroids: _Bytes, isa: str, pool: ThreadPool, n_threads: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]: ...
def build_folds(codes: _Bytes, fold_size: int, isa: str, pool: ThreadPool, n_threads: int) -> _Bytes: ...
def build_tables(
    codes: _Bytes,
    masks: _Bytes,
    widths: NDArray[np.int32],
    n_copied: int,
    isa: str,
    pool: ThreadPool,
    n_threads: int,
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint64]]: ...
def cluster_codes(
    codes: _Bytes, of: NDArray[np.int64], distances: NDArray[np.int32], n_clusters: int
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.uint32], NDArray[np.uint32], _Bytes]: ...
def count_distances(
    codes: _Bytes,
    queries: _Bytes,
    query_labels: NDArray[np.uint32],
    item_labels: NDArray[np.uint32],
    shared: bool,
    isa: str,
    pool: ThreadPool,
    n_threads: int,
) -> tuple[NDArray[np.int64], str | None]: ...
def counted_ids(first: int, n: int) -> _Ids: ...
def deal(codes: _Bytes, step: int, n_bits: int, n_tables: int, width: int) -> _Bytes: ...
def distances_between(a: _Bytes, b: _Bytes) -> NDArray[np.int32]: ...
def distances_by_rank(codes: _Bytes, rows: _Ids, n_ranks: int) -> NDArray[np.float64]: ...
def estimate_distinct(codes: _Bytes) -> int: ...
def find_rows(ids: _Ids, place: _Place) -> tuple[_Ids, NDArray[np.bool_]]: ...
def key_differences(codes: _Bytes, rows: _Ids, masks: _Bytes) -> _Ids: ...
def majorities(codes: _Bytes, of: _Ids, centroids: _Bytes) -> _Bytes: ...
def pages_of(rows: _Ids, n_pages: int) -> list[int]: ...
def plain_ids(ids: NDArray[Any]) -> _Ids | None: ...
def read_clusters(
    nearest: NDArray[np.int32], firsts: _Ids, places: NDArray[np.uint32], rows: NDArray[np.uint32]
) -> tuple[_Ids, NDArray[np.int32]]: ...
def rows_of_ids(ids: _Ids, places: Sequence[_Place]) -> tuple[list[_Ids], int]: ...
def score_codes(
    codes: _Bytes, queries: NDArray[np.float32], isa: str, pool: ThreadPool, n_threads: int
) -> NDArray[np.float32]: ...
def score_vectors(
    vectors: NDArray[np.float32], queries: NDArray[np.float32], isa: str, pool: ThreadPool, n_threads: int
) -> NDArray[np.float32]: ...
def with_rows(
    removed: _Removed, to: _Bytes, numbers: Sequence[int], places: Sequence[int], rows: _Ids
) -> NDArray[np.uint32]: ...
