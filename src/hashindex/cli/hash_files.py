"""Codes in files, as commands read them: a code a line with what stands beside it, or an array."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..connect.arrow import width_in
from ..inputs.codes import as_codes
from ..inputs.numbers import check_n_bits, code_size
from ..inputs.reading import from_ints
from ..inputs.texts import Align, from_bits, from_hex
from ..support.lazy import needed
from .checks import is_store
from .columns import MARKS, lines_of, rows_of
from .names import ENCODING, ERRORS, STDIN, standard_input, whole_number

KINDS = ("hex", "bits", "int", "npy", "parquet")
ENDINGS = {".npy": "npy", ".parquet": "parquet"}
INDEXES = (".hxi", ".faiss")  # endings of files that are searched, not read
HELP = (
    "A line holds a code, which ends at its first tab, comma or blank, and behind that anything else: a name, a path. "
    "Where --column says that the code is not the first, all lines must be separated alike: by tabs, or else by "
    "commas or by blanks, that which gives a code in every line; --separator says which if both do. Blank lines and "
    "those that begin with # are left out. Files named .npy hold packed uint8 codes (n, code_size), .parquet files a "
    "column 'code' of fixed-size binary or of hexadecimal text and, if there is one, a column 'note' of text."
)


N_BITS = "bits of a code (default: those of the index, else as many as the first code has, 64 with --kind int)"


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
    parser.add_argument("--n-bits", type=int, metavar="N", help=N_BITS)
    parser.add_argument("--column", type=int, default=1, metavar="N", help="where in a line the code stands, from 1")
    parser.add_argument("--separator", choices=tuple(MARKS), help="what separates columns (default: as said above)")
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
    if is_store(Path(name)) or Path(name).suffix in INDEXES:
        raise ValueError(f"{name}: is an index; hashindex convert {name} -o codes.npy makes a file of codes of one")
    try:
        if kind == "npy":
            return _of_array(name, n_bits)
        if kind == "parquet":
            return _of_parquet(name, options, n_bits)
        if name == STDIN:
            return _of_lines(standard_input(), kind, options, n_bits, "standard input")
        with Path(name).open(encoding=ENCODING, errors=ERRORS) as file:
            return _of_lines(file, kind, options, n_bits, name)
    except OSError as error:
        raise ValueError(f"{name}: {error.strerror or error}") from None


def _of_lines(file: IO[str], kind: str, options: argparse.Namespace, n_bits: int | None, name: str) -> Hashes:
    lines = lines_of(file)
    if not lines:
        return _nothing(n_bits, name)
    try:
        rows = rows_of(lines, options.column, options.separator, kind or "hex")
        texts = [row.code for row in rows]
        if not kind and options.n_bits is None:
            _check_digits(texts, n_bits)
        codes, n_bits = _codes_of(texts, kind, n_bits, options.align)
    except (TypeError, ValueError) as error:
        told = re.sub(r"\Arow (\d+)", lambda found: f"line {lines[int(found[1])].number}", str(error))
        raise ValueError(f"{name}, {told}") from None
    return Hashes(codes, n_bits, [row.note for row in rows])


def _check_digits(texts: list[str], n_bits: int | None) -> None:
    """ValueError where nobody has said what digits 0 and 1 are: of an index, one code may be such hexadecimal text."""
    digits = set("".join(texts))
    if digits <= {"0", "1"} and (n_bits is None or (len(texts) > 1 and "1" in digits)):
        raise ValueError("digits 0 and 1 alone can be read in two ways: --kind bits or --kind hex")


def _codes_of(texts: list[str], kind: str, n_bits: int | None, align: Align | None) -> tuple[NDArray[np.uint8], int]:
    if kind == "bits":
        n_bits = n_bits or len(texts[0])
        return from_bits(texts, n_bits), n_bits
    if kind == "int":
        n_bits = n_bits or 64
        return from_ints([_number(i, text, n_bits) for i, text in enumerate(texts)], n_bits), n_bits
    n_bits = n_bits or 4 * len(texts[0])
    return from_hex(texts, n_bits, align=align), n_bits


def _number(row: int, text: str, n_bits: int) -> int:
    """An integer, of a negative one its two's complement."""
    try:
        value = whole_number(text)
    except ValueError:
        raise ValueError(f"row {row}: not an integer: {text[:40]!r}") from None
    most = 1 << n_bits
    if not -most // 2 <= value < most:
        raise ValueError(f"row {row}: {value} does not fit {n_bits} bits; --n-bits says how many a code has")
    return value % most


def _of_parquet(name: str, options: argparse.Namespace, n_bits: int | None) -> Hashes:
    parquet = needed("pyarrow.parquet", "reading Parquet", "arrow")
    try:
        table = parquet.read_table(name)
    except Exception as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise ValueError(f"{name}: is no Parquet file: {error}") from None
    if "code" not in table.column_names:
        raise ValueError(f"{name}: has columns {', '.join(table.column_names)}, but none named 'code'")
    others = [one for one in ("id", "key", "payload") if one in table.column_names]
    if others:
        print(f"{name}: {', '.join(others)} left out: columns 'code' and 'note' are read", file=sys.stderr)
    column = table.column("code")
    n_bits = width_in(table.schema.metadata, name) if n_bits is None else n_bits
    codes: object = column
    if str(column.type) in ("string", "large_string"):
        if not len(column):
            return _nothing(n_bits, name)
        if column.null_count:
            raise ValueError(f"{name}: the column 'code' has {column.null_count} nulls")
        try:
            codes, n_bits = _codes_of(column.to_pylist(), "hex", n_bits, options.align)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name}: {error}") from None
    notes = table.column("note").to_pylist() if "note" in table.column_names else [""] * len(column)
    return _plain(codes, n_bits, name)._replace(notes=["" if note is None else str(note) for note in notes])


def _of_array(name: str, n_bits: int | None) -> Hashes:
    try:
        with Path(name).open("rb") as file:
            codes = np.load(file, allow_pickle=False)
    except (OSError, MemoryError):
        raise
    except Exception:  # of a .zip file that is cut short it is another than of an array
        raise ValueError(f"{name}: is no .npy file of numbers") from None
    if not isinstance(codes, np.ndarray):
        raise ValueError(f"{name}: is an .npz file of several arrays, expected one array in a .npy file")
    return _plain(codes, n_bits, name)


def _nothing(n_bits: int | None, name: str) -> Hashes:
    return _plain(np.empty((0, code_size(n_bits or 8)), np.uint8), n_bits or 8, name)


def _plain(codes: object, n_bits: int | None, name: str) -> Hashes:
    try:
        given = as_codes(codes, n_bits, name)
    except TypeError as error:
        raise ValueError(error) from None
    return Hashes(given.codes, given.n_bits, [""] * len(given.codes))
