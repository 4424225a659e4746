"""Lines of text in columns: where in each line the code stands, and what stands beside it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import NamedTuple

MARKS = {"tabs": "\t", "commas": ",", "blanks": None}  # what str.split takes; tried in this order
_LOOKS = {"hex": re.compile("[0-9A-Fa-f]+"), "bits": re.compile("[01]+"), "int": re.compile("[+-]?[0-9]+")}
_FIRST = re.compile(r"[^\S\t]*([^\s,]+)(?:[^\S\t]*[\t,]|\s|$)(.*)", re.DOTALL)


class Line(NamedTuple):
    """A line that holds something, and its number."""

    number: int
    text: str


class Row(NamedTuple):
    """A code, and what stands beside it."""

    code: str
    note: str


def lines_of(file: Iterable[str]) -> list[Line]:
    """The lines that are neither blank nor begin with #."""
    numbered = (Line(number, text.rstrip("\n")) for number, text in enumerate(file, start=1))
    return [line for line in numbered if line.text.strip() and not line.text.lstrip().startswith("#")]


def rows_of(lines: list[Line], column: int, separator: str | None, kind: str) -> list[Row]:
    """What stands in a column, from 1, and beside it; ValueError that begins with the number of a line.

    The code in the first column ends at the first tab, comma or blank of its own line. Further columns are told by what
    separates them in all lines alike, tabs or else commas or blanks, that by which there is a code of this kind in
    every line; ``separator`` names one of them for any column. Other codes by commas than by blanks are an error.
    """
    if separator is None and column == 1:
        return [_first(line) for line in lines]
    name = separator or _common(lines, column, _LOOKS[kind])
    return [_row(line, name, column) for line in lines]


def _first(line: Line) -> Row:
    found = _FIRST.match(line.text)
    if found is None:
        raise ValueError(f"line {line.number}: column 1 is empty; --column says where the codes stand")
    return Row(found[1], found[2].strip())


def _row(line: Line, name: str, column: int) -> Row:
    mark = MARKS[name]
    cells = _cells(line, mark, column)
    if len(cells) < column:
        raise ValueError(
            f"line {line.number}: {len(cells)} columns by {name}, --column {column} is missing; all lines must be "
            "separated alike, and --separator says by what"
        )
    code = cells.pop(column - 1)
    if not code:
        raise ValueError(f"line {line.number}: column {column} is empty")
    return Row(code, (mark or " ").join(cells))


def _common(lines: list[Line], column: int, looks: re.Pattern[str]) -> str:
    """What separates columns in all lines; where nothing does, what does so in most of the first."""
    found = {name: [_cells(line, mark, column)[column - 1 : column] for line in lines] for name, mark in MARKS.items()}
    reach = {name: _reach(cells, looks) for name, cells in found.items()}
    n_of_first = {name: len(_cells(lines[0], mark, column)) for name, mark in MARKS.items()}
    best = max(MARKS, key=lambda name: (reach[name], 0 if reach[name] else n_of_first[name]))  # the first of equals
    if best == "commas" and reach["blanks"] == len(lines):
        for line, this, other in zip(lines, found["commas"], found["blanks"], strict=True):
            if this != other:
                raise ValueError(
                    f"line {line.number}: column {column} is {this[0]!r} by commas and {other[0]!r} by blanks; "
                    "--separator says which"
                )
    return best


def _reach(cells: list[list[str]], looks: re.Pattern[str]) -> int:
    """How many lines there are before the first in which the column holds no code."""
    return next((i for i, cell in enumerate(cells) if not cell or not looks.fullmatch(cell[0])), len(cells))


def _cells(line: Line, mark: str | None, column: int) -> list[str]:
    return [cell.strip() for cell in (line.text if mark else line.text.strip()).split(mark, min(column, sys.maxsize))]
