"""The files of a run: codes and labels of queries and of the database, and what may lie beside them."""

from __future__ import annotations

import tokenize
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

FILES = ("query_codes", "database_codes", "query_labels", "database_labels")
Z = "database_z"  # real values (n, n_bits) that the database's codes are the signs of
IMAGES = ("query_images", "database_images")
FIRST = "HashNet"  # of several methods, where there is one of this name; else the first by name


class RunFiles(NamedTuple):
    """The files of one run."""

    name: str
    paths: tuple[Path, Path, Path, Path]  # in the order of FILES

    def beside(self, name: str) -> Path:
        """Name a file that may lie beside the codes of queries or of the database."""
        return self.paths[not name.startswith("query")].with_name(f"{name}.npy")


def run_folder(folder: Path, name: str | None = None) -> RunFiles:
    """Return the files of a folder, called by it unless by ``name``; ValueError if it is none."""
    if not folder.is_dir():
        raise ValueError(f"{folder}: is not a folder")
    query_codes, database_codes, query_labels, database_labels = (folder / f"{name}.npy" for name in FILES)
    return RunFiles(name or str(folder), (query_codes, database_codes, query_labels, database_labels))


def is_run(folder: Path) -> bool:
    """Return whether a folder has a file of a run."""
    return any((folder / f"{name}.npy").exists() for name in FILES)


def find_methods(folder: Path) -> dict[str, list[RunFiles]]:
    """Return the runs of each METHOD/RUN or METHOD below a folder, ``FIRST`` first, others by name; {} without any."""
    methods = sorted(each for each in folder.iterdir() if each.is_dir())
    methods.sort(key=lambda each: each.name != FIRST)
    found = {method.name: _runs_of(method) for method in methods}
    return {name: each for name, each in found.items() if each}


def _runs_of(method: Path) -> list[RunFiles]:
    if is_run(method):
        return [run_folder(method, "0")]
    folders = [each for each in sorted(method.iterdir()) if each.is_dir()]
    return [run_folder(each, each.name) for each in folders] if any(map(is_run, folders)) else []


def read_array(path: Path) -> NDArray[Any]:
    """Map a .npy file into memory: nothing is read before it is needed. ValueError that names it if it is none."""
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, EOFError, SyntaxError, tokenize.TokenError) as error:
        raise ValueError(f"{path}: is not a .npy file of numbers: {error}") from None
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{path}: is an .npz archive; save each array with numpy.save")
    return array
