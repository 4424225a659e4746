"""How far a long call is: told to the caller's function, or shown as a bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

Progress = bool | Callable[[int, int], object]  # called as progress(done, total)
Tell = Callable[[int], None]  # called with how much is done so far
INTERVAL = 0.05  # seconds between two calls, at least


def check_progress(progress: Any) -> None:
    """Raise TypeError unless it is a bool or callable, ImportError if a bar is wanted that nobody can draw."""
    if progress is True:
        _tqdm()
    elif progress is not False and not callable(progress):
        raise TypeError(f"progress must be True, False or a callable(done, total), got {progress!r}")


@contextmanager
def reporting(progress: Progress, total: int, what: str) -> Iterator[Tell]:
    """Yield what to call with how much is done so far; leaving without an error tells that all is.

    What the callable raises goes to whoever tells. Nothing is told twice, nor more often than every ``INTERVAL``.
    """
    check_progress(progress)
    if callable(progress):
        with _telling(progress, total) as tell:
            yield tell
    elif progress:
        bar = _tqdm()(total=total, desc=what, unit="code")
        with bar, _telling(lambda done, _: bar.update(done - bar.n), total) as tell:
            yield tell
    else:
        yield lambda _: None


@contextmanager
def _telling(call: Callable[[int, int], object], total: int) -> Iterator[Tell]:
    last = -INTERVAL

    def tell(done: int) -> None:
        nonlocal last
        now = monotonic()
        if done < total and now - last >= INTERVAL:
            last = now
            call(done, total)

    yield tell
    call(total, total)


def _tqdm() -> Any:
    try:
        from tqdm import tqdm
    except ImportError:
        raise ImportError("progress=True needs tqdm: pip install tqdm, or pass a callable(done, total)") from None
    return tqdm
