"""The C++ extension; every array C-contiguous. See csrc/bindings.cpp."""

import numpy as np
from numpy.typing import NDArray

_Codes = NDArray[np.uint8]
_RadiusRows = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64], str | None]
_NearestRows = tuple[NDArray[np.int32], NDArray[np.int64], str | None]

class ThreadPool:
    def __init__(self) -> None: ...

def available_isas() -> list[str]: ...
def scan_radius(
    codes: _Codes, queries: _Codes, radius: int, isa: str, pool: ThreadPool, n_threads: int
) -> _RadiusRows: ...
def scan_nearest(
    codes: _Codes, queries: _Codes, k: int, radius: int, isa: str, pool: ThreadPool, n_threads: int
) -> _NearestRows: ...
def build_tables(
    codes: _Codes, starts: NDArray[np.int32], widths: NDArray[np.int32], pool: ThreadPool, n_threads: int
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]: ...
def probe_radius(
    codes: _Codes,
    starts: NDArray[np.int32],
    widths: NDArray[np.int32],
    offsets: NDArray[np.uint32],
    rows: NDArray[np.uint32],
    queries: _Codes,
    radius: int,
    thresholds: NDArray[np.int32],
    isa: str,
    pool: ThreadPool,
    n_threads: int,
) -> _RadiusRows: ...
def probe_nearest(
    codes: _Codes,
    starts: NDArray[np.int32],
    widths: NDArray[np.int32],
    offsets: NDArray[np.uint32],
    rows: NDArray[np.uint32],
    queries: _Codes,
    k: int,
    radius: int,
    isa: str,
    pool: ThreadPool,
    n_threads: int,
) -> _NearestRows: ...
