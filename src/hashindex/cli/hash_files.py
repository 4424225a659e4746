"""Codes in files, as commands read them: a code a line with what stands beside it, or an array."""

from __future__ import annotations

import argparse
import re
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..connect.arrow import WIDTH
from ..inputs.codes import as_codes
from ..inputs.numbers import check_n_bits
from ..inputs.reading import from_ints
from ..inputs.texts import Align, from_bits, from_hex
from ..support.lazy import needed

KINDS = ("hex", "bits", "int", "npy", "parquet")
ENDINGS = {".npy": "npy", ".parquet": "parquet"}
HELP = (
    "A line holds a code and, behind a tab, a comma or blanks, anything else: a name, a path. Blank lines and those "
    "that begin with # are left out. Files named .npy hold packed uint8 codes (n, code_size), .parquet files a "
    "column 'code' of fixed-size binary or of hexadecimal text and, if there is one, a column 'note' of text."
)
STDIN = "-"


class Hashes(NamedTuple):
    """Codes of a file, and what stands beside each of them."""

    codes: NDArray[np.uint8]  # (n, code_size)
    n_bits: int
    notes: list[str]  # of length n, "" for nothing


def add_options(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the files, and how they are read."""
    parser.add_argument("files", nargs="*", metavar="FILE", help=f"{what}; - or none: standard input")
    parser.set_defaults(rest="files")
    parser.add_argument("--kind", choices=KINDS, help="how codes are written (default: by the file's ending, else hex)")
    parser.add_argument("--n-bits", type=int, metavar="N", help="bits of a code (default: as many as the first has)")
    parser.add_argument("--column", type=int, default=1, metavar="N", help="where in a line the code stands, from 1")
    parser.add_argument(
        "--align",
        choices=("left", "right"),
        help="where bits are no multiple of 4: whether the first or the last of the digits are the code "
        "(imagehash: right)",
    )


def read(options: argparse.Namespace, n_bits: int | None) -> Hashes:
    """All files one after another, of ``n_bits`` bits if that is known; ValueError that names file and line."""
    if options.column < 1:
        raise ValueError(f"--column counts from 1, got {options.column}")
    if n_bits is not None and options.n_bits not in (None, n_bits):
        raise ValueError(f"--n-bits {options.n_bits}: the codes of the index have {n_bits} bits")
    if options.n_bits is not None:
        check_n_bits(options.n_bits)
    n_bits = options.n_bits if n_bits is None else n_bits
    parts = []
    for name in options.files or [STDIN]:
        part = _read_one(name, options, n_bits)
        n_bits = part.n_bits if len(part.codes) else n_bits
        parts.append(part)
    parts = [part for part in parts if len(part.codes)] or parts[:1]
    return Hashes(
        np.concatenate([part.codes for part in parts]), parts[0].n_bits, [note for part in parts for note in part.notes]
    )


def _read_one(name: str, options: argparse.Namespace, n_bits: int | None) -> Hashes:
    kind = options.kind or ENDINGS.get(Path(name).suffix.lower(), "")
    try:
        if kind == "npy":
            return _of_array(name, n_bits)
        if kind == "parquet":
            return _of_parquet(name, n_bits)
        if name == STDIN:
            if sys.stdin is None:
                raise ValueError("standard input is closed")
            if isinstance(sys.stdin, TextIOWrapper):
                sys.stdin.reconfigure(encoding="utf-8-sig", errors="backslashreplace")
            return _of_lines(sys.stdin, kind, options, n_bits, "standard input")
        with Path(name).open(encoding="utf-8-sig", errors="backslashreplace") as file:
            return _of_lines(file, kind, options, n_bits, name)
    except OSError as error:
        raise ValueError(f"{name}: {error.strerror or error}") from None


def _of_lines(lines: IO[str], kind: str, options: argparse.Namespace, n_bits: int | None, name: str) -> Hashes:
    texts: list[str] = []
    notes: list[str] = []
    places: list[int] = []
    between: str | None = None
    for number, line in enumerate(lines, start=1):
        stripped = line.strip()
        if not stripped or stripped[0] == "#":
            continue
        if not texts:
            between = next((one for one in ("\t", ",") if one in stripped), None)
        cells = [cell.strip() for cell in (line if between else stripped).split(between, options.column)]
        if len(cells) < options.column:
            raise ValueError(f"{name}, line {number}: {len(cells)} columns, --column {options.column} is missing")
        texts.append(cells.pop(options.column - 1))
        notes.append((between or " ").join(cells))
        places.append(number)
    if not texts:
        return _plain(np.empty((0, ((n_bits or 8) + 7) // 8), np.uint8), n_bits or 8, name)
    try:
        codes, n_bits = _codes_of(texts, kind, n_bits, options.align)
    except (TypeError, ValueError) as error:
        told = re.sub(r"\brow (\d+)", lambda found: f"line {places[int(found[1])]}", str(error))
        told = re.sub(r"from_hex\(texts, \d+, align='left'\)", "--align left", told).replace(
            "align='right'", "--align right"
        )
        raise ValueError(f"{name}, {told}") from None
    return Hashes(codes, n_bits, notes)


def _codes_of(texts: list[str], kind: str, n_bits: int | None, align: Align | None) -> tuple[NDArray[np.uint8], int]:
    if kind == "bits":
        n_bits = n_bits or len(texts[0])
        return from_bits(texts, n_bits), n_bits
    if kind == "int":
        n_bits = n_bits or 64
        return from_ints([_number(i, text, n_bits) for i, text in enumerate(texts)], n_bits), n_bits
    if kind != "hex" and n_bits is None and all(set(text) <= {"0", "1"} for text in texts):
        raise ValueError("digits 0 and 1 alone can be read in two ways: --kind bits or --kind hex")
    n_bits = n_bits or 4 * len(texts[0])
    return from_hex(texts, n_bits, align=align), n_bits


def _number(row: int, text: str, n_bits: int) -> int:
    """An integer, of a negative one its two's complement."""
    try:
        value = int(text)
    except ValueError:
        raise ValueError(f"row {row}: not an integer: {text[:40]!r}") from None
    return value + 2**n_bits if -(2 ** (n_bits - 1)) <= value < 0 else value


def _of_parquet(name: str, n_bits: int | None) -> Hashes:
    parquet = needed("pyarrow.parquet", "reading Parquet", "arrow")
    try:
        table = parquet.read_table(name)
    except Exception as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise ValueError(f"{name}: is no Parquet file: {error}") from None
    if "code" not in table.column_names:
        raise ValueError(f"{name}: has columns {', '.join(table.column_names)}, but none named 'code'")
    column, width = table.column("code"), (table.schema.metadata or {}).get(WIDTH)
    try:
        codes = from_hex(column.to_pylist(), n_bits) if str(column.type) in ("string", "large_string") else column
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: {error}") from None
    n_bits = int(width) if width is not None and n_bits is None else n_bits
    notes = table.column("note").to_pylist() if "note" in table.column_names else [""] * len(column)
    return _plain(codes, n_bits, name)._replace(notes=["" if note is None else str(note) for note in notes])


def _of_array(name: str, n_bits: int | None) -> Hashes:
    try:
        codes = np.load(name, allow_pickle=False)
    except (EOFError, ValueError):
        raise ValueError(f"{name}: is no .npy file of numbers") from None
    if not isinstance(codes, np.ndarray):
        raise ValueError(f"{name}: is an .npz file of several arrays, expected one array in a .npy file")
    return _plain(codes, n_bits, name)


def _plain(codes: object, n_bits: int | None, name: str) -> Hashes:
    try:
        given = as_codes(codes, n_bits, name)
    except TypeError as error:
        raise ValueError(error) from None
    return Hashes(given.codes, given.n_bits, [""] * len(given.codes))
