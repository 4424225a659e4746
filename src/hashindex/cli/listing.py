"""Rows that a command writes: text to read and to cut, JSON lines, or Parquet."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import IO, Any

from ..support.files import replacing
from ..support.lazy import needed
from .checks import check_outputs

FORMATS = ("text", "json", "parquet")
BLOCK = 10_000  # rows written at once
STDOUT = "-"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add where rows go, and how they are written."""
    parser.add_argument("--to", choices=FORMATS, help="how it is written (default: by the ending of -o, else text)")
    parser.add_argument(
        "-o", "--output", type=file_or_none, metavar="FILE", help="where to write it (default, and -: standard output)"
    )


def file_or_none(name: str) -> Path | None:
    """The file of that name; None, which is standard output, for -."""
    return None if name == STDOUT else Path(name)


def check(options: argparse.Namespace, inputs: Iterable[str | Path]) -> str:
    """The format; ValueError where nothing can be written so, or an input would be lost."""
    check_outputs({"--output": options.output}, inputs)
    ending = "" if options.output is None else options.output.suffix
    chosen: str = options.to or {".json": "json", ".jsonl": "json", ".parquet": "parquet"}.get(ending, "text")
    if chosen == "parquet":
        if options.output is None:
            raise ValueError("Parquet needs a file: -o FILE")
        needed("pyarrow.parquet", "writing Parquet", "arrow")
    return chosen


def write(path: Path | None, to: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write rows under these names in a format that :func:`check` told, and return how many there were.

    ValueError where that fails; what the rows raise themselves goes on.
    """
    failed: list[OSError] = []
    rows = _taken(rows, failed)
    try:
        if path is not None and to == "parquet":
            return _write_parquet(path, names, rows)
        n = 0
        with _opened(path) as file:
            while block := list(islice(rows, BLOCK)):
                n += len(block)
                if to == "json":
                    file.writelines(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in block)
                else:
                    file.writelines("\t".join(map(as_text, row)) + "\n" for row in block)
        return n
    except BrokenPipeError:
        raise
    except OSError as error:
        if failed:
            raise failed[0] from None
        what = "to standard output" if path is None else "--output"
        raise ValueError(f"cannot write {what}: {error}") from None


def _taken(rows: Iterable[Sequence[Any]], failed: list[OSError]) -> Iterator[Sequence[Any]]:
    """The rows; what the system refuses while they are made is kept in ``failed`` too."""
    try:
        yield from rows
    except OSError as error:
        failed.append(error)
        raise


def as_text(value: Any) -> str:
    """As it reads in a column: text as it is, but for what would break the line."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    return text.replace("\t", " ").replace("\n", " ").replace("\r", " ")


@contextmanager
def _opened(path: Path | None) -> Iterator[IO[str]]:
    if path is None:
        yield sys.stdout
        return
    with replacing(path) as new, new.open("w", encoding="utf-8", errors="backslashreplace") as file:
        yield file


def _as_arrow(arrow: Any, column: Sequence[Any]) -> Any:
    """Values as Parquet takes them: as they are if all are text, or all numbers, else as JSON text."""
    if {type(value) for value in column} - {type(None)} in ({int}, {str}, {float}, set()):
        with suppress(OverflowError):  # an integer beyond 64 bits
            return arrow.array(column)
    return _as_json(arrow, column)


def _as_json(arrow: Any, column: Sequence[Any]) -> Any:
    texts = [value if value is None or isinstance(value, str) else json.dumps(value) for value in column]
    return arrow.array(texts, arrow.string())


def _of_one_kind(arrow: Any, parts: list[Any]) -> Any:
    """The parts of a column, each of one kind, as one that is of one kind."""
    kinds = {part.type for part in parts} - {arrow.null()}
    if len(kinds) > 1:
        parts, kinds = [_as_json(arrow, part.to_pylist()) for part in parts], {arrow.string()}
    kind = kinds.pop() if kinds else arrow.null()
    return arrow.chunked_array([part.cast(kind) for part in parts], kind)


def _write_parquet(path: Path, names: Sequence[str], rows: Iterator[Sequence[Any]]) -> int:
    arrow, parquet = (needed(name, "writing Parquet", "arrow") for name in ("pyarrow", "pyarrow.parquet"))
    columns: list[list[Any]] = [[] for _ in names]
    while block := list(islice(rows, BLOCK)):
        for parts, column in zip(columns, zip(*block, strict=True), strict=True):
            parts.append(_as_arrow(arrow, column))
    table = arrow.table({name: _of_one_kind(arrow, parts) for name, parts in zip(names, columns, strict=True)})
    with replacing(path) as new:
        parquet.write_table(table, new)
    return int(table.num_rows)
