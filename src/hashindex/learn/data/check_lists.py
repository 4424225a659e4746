"""Check the lists of a benchmark for what makes its numbers wrong, before anything is trained on them."""

from __future__ import annotations

import hashlib
import math
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...inputs.items import Labels
from .lists import ImageList
from .pairs import SimilarPairs, similar_pairs
from .source import Source, listed, source_at

_MOST_CHANGES = 0.8  # of class along a list that is called sorted, as a share of those in random order
_DEVIATIONS = 4.0  # that they must lie below those, too
_ORDER_ROWS = 5000  # distinct multi-hot rows compared to know how often neighbours should be similar


@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes
    ----------
    part
        The list it was found in: "train", "database" or "query".
    kind
        "missing file", "no label", "duplicate", "query in database", "query in train", "train in database",
        "class not in database", "class not in query", "class not in train" or "sorted".
    problem
        Whether measured numbers are wrong because of it; else it is worth knowing.
    lines
        The line numbers in that list, ascending; of "sorted" the first and last of the longest run of one class.
    text
        What it is, in a sentence.
    """

    part: str
    kind: str
    problem: bool
    lines: tuple[int, ...]
    text: str


@dataclass(frozen=True)
class ListCheck:
    """What `check_lists` found, and the similar pairs among the training images."""

    findings: tuple[Finding, ...]
    pairs: SimilarPairs
    n_images: dict[str, int]
    n_classes: int

    @property
    def ok(self) -> bool:
        """Whether there is no problem."""
        return not any(finding.problem for finding in self.findings)


def check_lists(train: ImageList, database: ImageList, query: ImageList, *, contents: bool = False) -> ListCheck:
    """Look for what makes measured numbers wrong, and count similar pairs.

    Problems are queries inside the database or among the training images, rows without a label, one image twice in a
    list, missing files, and classes of queries that the database lacks. Worth knowing are training images inside the
    database, classes without training images or queries, and lists sorted by class, which a MAP that breaks ties by
    order takes for merit (only the database's order matters). With `contents` every file is read, and images count as
    the same if their files are equal byte by byte, whatever their paths.

    Raises
    ------
    FileNotFoundError
        The folder or .zip file of a list does not exist.
    ValueError
        The lists have labels of two kinds, or different numbers of classes.
    """
    parts = {"train": train, "database": database, "query": query}
    if len({part.labels.shape[1:] for part in parts.values()}) > 1:
        seen = ", ".join(f"{name} {part.labels.shape}" for name, part in parts.items())
        raise ValueError(f"expected labels of one kind and as many classes in all lists, got {seen}")
    sources = {root: source_at(root) for root in {part.root for part in parts.values()}}
    findings: list[Finding] = []
    keys = {}
    for name, part in parts.items():
        source = sources[part.root]
        findings += _missing(name, part, source) + _unlabelled(name, part)
        keys[name] = [_key(part, path, source, contents) for path in part.paths]
        findings += _duplicates(name, part, keys[name])
    for name, other in (("query", "database"), ("query", "train"), ("train", "database")):
        findings += _inside(name, other, parts, keys)
    classes, counts = _class_counts(parts)
    findings += _empty_classes(parts, classes, counts) + _sorted_by_class(database)
    sizes = {name: len(part) for name, part in parts.items()}
    return ListCheck(tuple(findings), similar_pairs(train.labels), sizes, len(classes))


def summary(check: ListCheck) -> str:
    """Say in lines what was found, problems first."""
    pairs = check.pairs
    lines = [
        ", ".join(f"{name} {n:,}" for name, n in check.n_images.items()) + f" images, {check.n_classes} classes",
        f"similar pairs in train: {pairs.share:.2%}; weight of a similar pair {pairs.similar_weight:.4g}, "
        f"of a dissimilar one {pairs.dissimilar_weight:.4g}",
    ]
    for finding in sorted(check.findings, key=lambda finding: not finding.problem):
        lines.append(f"{'problem' if finding.problem else 'note'}: {finding.part}: {finding.text}")
    return "\n".join(lines if check.findings else [*lines, "nothing found"])


def _finding(name: str, kind: str, problem: bool, part: ImageList, rows: Sequence[int], text: str) -> list[Finding]:
    """One finding about these rows, or none if there are none."""
    return [Finding(name, kind, problem, tuple(part.lines[list(rows)].tolist()), text)] if len(rows) else []


def _lines(part: ImageList, rows: Sequence[int]) -> str:
    return listed([f"line {part.lines[row]} {part.paths[row]!r}" for row in rows])


def _missing(name: str, part: ImageList, source: Source) -> list[Finding]:
    rows = [row for row, path in enumerate(part.paths) if path not in source]
    text = f"{len(rows):,} of {len(part):,} files are not in {part.root}: {_lines(part, rows)}"
    return _finding(name, "missing file", True, part, rows, text)


def _unlabelled(name: str, part: ImageList) -> list[Finding]:
    rows = np.nonzero(~part.labels.any(axis=1))[0].tolist() if part.labels.ndim == 2 else []
    text = f"{len(rows):,} of {len(part):,} images have no label: {_lines(part, rows)}"
    return _finding(name, "no label", True, part, rows, text)


def _key(part: ImageList, path: str, source: Source, contents: bool) -> str:
    """What two lines have in common if they are for the same image."""
    if contents and path in source:
        return hashlib.sha256(source.read(path)).hexdigest()
    return posixpath.normpath(posixpath.join(part.root.resolve().as_posix(), path))


def _duplicates(name: str, part: ImageList, keys: list[str]) -> list[Finding]:
    first: dict[str, int] = {}
    rows = [row for row, key in enumerate(keys) if first.setdefault(key, row) != row]
    texts = listed([f"line {part.lines[row]} is line {part.lines[first[keys[row]]]}" for row in rows])
    text = f"{len(rows):,} of {len(part):,} lines repeat an image: {texts}"
    return _finding(name, "duplicate", True, part, rows, text)


def _inside(name: str, other: str, parts: dict[str, ImageList], keys: dict[str, list[str]]) -> list[Finding]:
    where = {key: row for row, key in reversed(list(enumerate(keys[other])))}
    rows = [row for row, key in enumerate(keys[name]) if key in where]
    part, lines = parts[name], parts[other].lines
    texts = listed([f"line {part.lines[row]} is its line {lines[where[keys[name][row]]]}" for row in rows])
    text = f"{len(rows):,} of {len(part):,} images are in {other} too: {texts}"
    return _finding(name, f"{name} in {other}", name == "query", part, rows, text)


def _class_counts(parts: dict[str, ImageList]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the classes, and images per list (three rows: train, database, query) and class."""
    labels = [part.labels for part in parts.values()]
    if labels[0].ndim == 2:
        return np.arange(labels[0].shape[1]), np.stack([each.sum(axis=0) for each in labels])
    classes = np.unique(np.concatenate(labels))
    return classes, np.stack([np.bincount(np.searchsorted(classes, each), minlength=len(classes)) for each in labels])


def _empty_classes(
    parts: dict[str, ImageList], all_classes: NDArray[np.int64], counts: NDArray[np.int64]
) -> list[Finding]:
    train, database, query = counts
    cases = (
        ("query", "database", query, database),
        ("database", "query", database, query),
        ("database", "train", database, train),
    )
    findings: list[Finding] = []
    for name, other, there, lacking in cases:
        classes = all_classes[(there > 0) & (lacking == 0)]
        labels = parts[name].labels
        of_class = np.isin(labels, classes) if labels.ndim == 1 else labels[:, classes].any(axis=1)
        rows = np.nonzero(of_class)[0].tolist()
        numbers = listed([str(number) for number in classes])
        text = f"{len(rows):,} images are of {len(classes)} classes that {other} lacks: class {numbers}"
        text += f" ({_lines(parts[name], rows)})"
        findings += _finding(name, f"class not in {other}", name == "query", parts[name], rows, text)
    return findings


def _sorted_by_class(database: ImageList) -> list[Finding]:
    labels: Labels = database.labels
    n = len(labels)
    if n < 2:
        return []
    same = labels[1:] == labels[:-1] if labels.ndim == 1 else (labels[1:] & labels[:-1]).any(axis=1)
    share = similar_pairs(labels, most_rows=_ORDER_ROWS).share
    share = max(share * n - 1, 0.0) / (n - 1)  # of pairs of two items
    expected = (1 - share) * (n - 1)  # changes, in random order
    # Neighbouring pairs have an item in common: of classes with shares p their covariance is sum p^3 - share^2, and
    # sum p^3 <= share^1.5.
    deviation = math.sqrt((n - 1) * (share * (1 - share) + 2 * (share**1.5 - share**2)))
    changes = int((~same).sum())
    if changes > _MOST_CHANGES * expected or changes > expected - _DEVIATIONS * deviation:
        return []
    edges = np.concatenate([[-1], np.nonzero(~same)[0], [n - 1]])
    longest = int(np.diff(edges).argmax())
    rows = [int(edges[longest]) + 1, int(edges[longest + 1])]
    first, last = database.lines[rows]
    where = " in parts" if changes > expected / 4 else ""
    text = (
        f"sorted by class{where}: {changes:,} of {n - 1:,} neighbours differ, {expected:,.0f} would in random order, "
        f"and lines {first}-{last} are of one kind; shuffle it, or use a MAP that minds ties as hashindex.evaluate does"
    )
    return _finding("database", "sorted", False, database, rows, text)
