"""The C++ extension; every array C-contiguous. See csrc/bindings.cpp."""

import numpy as np
from numpy.typing import NDArray

_Bytes = NDArray[np.uint8]
_Tables = tuple[_Bytes, NDArray[np.int32], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint64]]
_Work = tuple[int, int, str | None]  # lookups, candidates, the kernel that ran
RadiusAnswer = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64], _Work]

class ThreadPool:
    def __init__(self) -> None: ...

def available_isas() -> list[str]: ...
def scan_radius(
    codes: _Bytes,
    removed: _Bytes,
    queries: _Bytes,
    radius: int,
    most_hits: int,
    isa: str,
    pool: ThreadPool,
    n_threads: int,
) -> RadiusAnswer | None: ...
def scan_nearest(
    codes: _Bytes,
    removed: _Bytes,
    queries: _Bytes,
    k: int,
    radii: NDArray[np.int32],
    isa: str,
    pool: ThreadPool,
    n_threads: int,
) -> tuple[NDArray[np.int32], NDArray[np.int64], _Work]: ...
def build_tables(
    codes: _Bytes,
    masks: _Bytes,
    widths: NDArray[np.int32],
    n_copied: int,
    isa: str,
    pool: ThreadPool,
    n_threads: int,
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint64]]: ...
def probe_radius(
    codes: _Bytes,
    removed: _Bytes,
    tables: _Tables,
    queries: _Bytes,
    radius: int,
    thresholds: NDArray[np.int32],
    most_hits: int,
    isa: str,
    pool: ThreadPool,
    n_threads: int,
) -> RadiusAnswer | None: ...
def probe_nearest(
    codes: _Bytes,
    removed: _Bytes,
    tables: _Tables,
    queries: _Bytes,
    k: int,
    radii: NDArray[np.int32],
    shells: NDArray[np.int32],
    costs: NDArray[np.float64],
    scan_cost: float,
    isa: str,
    pool: ThreadPool,
    n_threads: int,
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.bool_], _Work]: ...
def count_distances(
    codes: _Bytes,
    queries: _Bytes,
    query_labels: NDArray[np.uint32],
    item_labels: NDArray[np.uint32],
    shared: bool,
    isa: str,
    pool: ThreadPool,
    n_threads: int,
) -> tuple[NDArray[np.int64], _Work]: ...
