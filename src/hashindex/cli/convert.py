"""The command ``hashindex convert``."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..codes import to_hex, unpack
from ..connect import arrow, faiss
from ..index import HashIndex
from ..support.files import replacing
from ..support.lazy import needed
from . import hash_files
from .checks import check_outputs, is_store
from .listing import STDOUT, as_text, file_or_none
from .stores import to_read

KINDS = {"hxi": ".hxi", "faiss": ".faiss", "npy": ".npy", "parquet": ".parquet", "hex": ".txt", "bits": ".bits"}
TEXT = ("hex", "bits")
WHOLE = ("hxi", "faiss")  # indexes
WITHOUT_NOTES = (*WHOLE, "npy")
BLOCK = 2**16  # codes written at once


def describe(parser: argparse.ArgumentParser) -> None:
    """Say what the command does and takes."""
    parser.description = (
        "Write all codes of a store, of a file of an index, or of files of codes, in the order of ids, "
        "as an index in one file, of this package (hxi) or of faiss, as an array (npy), as Parquet, or as text: "
        "hexadecimal or 0 and 1, a line each, with what was noted behind a tab. " + hash_files.HELP
    )
    parser.epilog = "example: hashindex convert store/ -o codes.npy"
    hash_files.add_options(parser, "a store, a file of an index, or files of codes")
    parser.add_argument(
        "-o",
        "--output",
        type=file_or_none,
        metavar="FILE",
        required=True,
        help="what to write; -: text to standard output, hexadecimal unless --to says bits",
    )
    endings = ", ".join(KINDS.values())
    parser.add_argument("--to", choices=tuple(KINDS), help=f"its kind (default: by its ending: {endings})")


def run(options: argparse.Namespace) -> int:
    """Write the file, tell how many codes it holds, and return 0."""
    path: Path | None = options.output
    check_outputs({"--output": path}, options.files)
    to = options.to or _usual(path)
    if path is None and to not in TEXT:
        raise ValueError(f"-o {STDOUT}: standard output takes {' and '.join(TEXT)}, not {to}; -o FILE does")
    source = _source(options)
    if isinstance(source, hash_files.Hashes) and not len(source.codes) and options.n_bits is None:
        raise ValueError("there are no codes to convert; --n-bits says of which width there are none")
    if path is None:
        sys.stdout.writelines(_lines(to, _all_of(source)))
        return 0
    if to in WHOLE:
        index = _index_of(source)
        index.save(path) if to == "hxi" else faiss.write(index, path)
        n, n_bits = len(index), index.n_bits
    else:
        hashes = _all_of(source, notes=to not in WITHOUT_NOTES)
        _write(path, to, hashes)
        n, n_bits = len(hashes.codes), hashes.n_bits
    if to in WITHOUT_NOTES and _is_noted(source):
        print(f"{path}: what is noted with the codes is left out; Parquet and text have it", file=sys.stderr)
    print(f"{path}: {n} codes" + (f" of {n_bits} bits" if n_bits else ""))
    return 0


def _usual(path: Path | None) -> str:
    """The kind that the ending of a file tells; ValueError if it tells none."""
    if path is None:
        return "hex"
    for kind, ending in KINDS.items():
        if path.suffix == ending:
            return kind
    raise ValueError(f"{path}: its ending tells no kind; --to does: {', '.join(KINDS)}")


def _source(options: argparse.Namespace) -> HashIndex | hash_files.Hashes:
    first = Path(options.files[0]) if len(options.files) == 1 else None
    if first is None or not (is_store(first) or first.suffix in hash_files.INDEXES):
        return hash_files.read(options, None)
    return to_read(first)


def _index_of(source: HashIndex | hash_files.Hashes) -> HashIndex:
    if isinstance(source, HashIndex):
        return source
    index = HashIndex(source.n_bits)
    index.add(source.codes)
    return index


def _all_of(source: HashIndex | hash_files.Hashes, *, notes: bool = True) -> hash_files.Hashes:
    """All codes in the order of ids, and what stands beside each of them, unless that is not asked for."""
    if isinstance(source, hash_files.Hashes):
        return source
    ids, noted = source.ids(), [""] * len(source)
    if notes and source._store is not None:
        noted = [as_text(payload if key is None else key) for key, payload in source._items(ids)]
    return hash_files.Hashes(source.get(ids), source.n_bits or 8, noted)


def _is_noted(source: HashIndex | hash_files.Hashes) -> bool:
    if isinstance(source, hash_files.Hashes):
        return any(source.notes)
    return source._store is not None and next(source.items(), None) is not None


def _write(path: Path, to: str, hashes: hash_files.Hashes) -> None:
    with replacing(path) as new:
        if to == "npy":
            with new.open("wb") as file:
                np.save(file, hashes.codes)
        elif to == "parquet":
            _write_parquet(new, hashes)
        else:
            with new.open("w", encoding="utf-8") as text:
                text.writelines(_lines(to, hashes))


def _write_parquet(path: Path, hashes: hash_files.Hashes) -> None:
    table = needed("pyarrow", "writing Parquet", "arrow").table(
        {"code": arrow.column(hashes.codes), **({"note": hashes.notes} if any(hashes.notes) else {})}
    )
    width = {arrow.WIDTH: str(hashes.n_bits).encode()}
    needed("pyarrow.parquet", "writing Parquet", "arrow").write_table(table.replace_schema_metadata(width), path)


def _lines(to: str, hashes: hash_files.Hashes) -> Iterator[str]:
    for begin in range(0, len(hashes.codes), BLOCK):
        some = hashes.codes[begin : begin + BLOCK]
        if to == "hex":
            texts = to_hex(some)
        else:
            digits = unpack(some, hashes.n_bits).view(np.uint8) + np.uint8(ord("0"))
            texts = [row.tobytes().decode() for row in digits]
        notes = [re.sub("[\r\n]", " ", note) for note in hashes.notes[begin : begin + BLOCK]]
        yield from (f"{text}\t{note}\n" if note else f"{text}\n" for text, note in zip(texts, notes, strict=True))
