"""The three benchmarks of the HashNet paper (Cao et al., ICCV 2017): ready to load once the images are at hand.

Lists and images are not part of this library. HashNet's authors publish their lists in the folder ``pytorch/data`` of
the GitHub repository thuml/HashNet, and links to the images in its README. Of each benchmark, put ``train.txt``,
``database.txt`` and ``test.txt`` (the queries) into one folder, and beside them the folders of images named in
`Benchmark.image_folders`; `Benchmark.layout` shows it. The paths that the lists begin with on their authors' machine
need no change.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ...inputs.items import Labels
from .images import Images
from .lists import ImageList, read_list
from .source import listed
from .task import Task

_LISTS = ("train.txt", "database.txt", "test.txt")


@dataclass(frozen=True)
class Benchmark:
    """One of the paper's benchmarks.

    Attributes
    ----------
    name
        As in the paper.
    n_classes, n_train, n_database, n_queries
        What the official lists have; a None is not checked.
    map_at
        R of the MAP@R that is reported.
    below
        What follows the folder of this name in a list's paths is looked for beside the list.
    image_folders
        Folders of images beside the lists.
    multi_label
        Whether an image may have several labels, or none; else labels are class numbers (n,).
    remarks
        What one should know of the official lists.
    """

    name: str
    n_classes: int
    n_train: int | None
    n_database: int | None
    n_queries: int | None
    map_at: int
    below: str
    image_folders: tuple[str, ...]
    multi_label: bool
    remarks: str

    @property
    def layout(self) -> str:
        """How the files should lie, line by line."""
        counts = (self.n_train, self.n_database, self.n_queries)
        lists = (f"  {file}" + (f"  ({n:,} lines)" if n else "") for file, n in zip(_LISTS, counts, strict=True))
        return "\n".join([f"{self.name}:", *lists, *(f"  {folder}/  (images)" for folder in self.image_folders)])

    def load(self, folder: str | os.PathLike[str], *, size: int = 224) -> Task:
        """Return the task with images (n, 3, size, size) that are decoded when they are asked for.

        Pixels are as they are stored, whatever EXIF data says: so the code of papers reads them.
        `folder` may also be a .zip file or a folder inside one.

        Raises
        ------
        FileNotFoundError
            Lists or images are missing; the message shows how they should lie.
        ValueError
            A list is wrong or has other counts than the official one.
        """
        parts: list[Images | Labels] = []
        for part in self.lists(folder):
            try:
                images = part.images(size, as_shown=False)
            except FileNotFoundError as error:
                raise FileNotFoundError(f"{error}; expected in {folder}\n{self.layout}") from None
            parts += [images, part.labels if self.multi_label else part.class_numbers()]
        return Task(*parts)  # type: ignore[arg-type]

    def lists(self, folder: str | os.PathLike[str]) -> tuple[ImageList, ImageList, ImageList]:
        """Return the lists of training, database and query images; for errors see `load`."""
        lists, missing = [], []
        for file in _LISTS:
            try:
                lists.append(read_list(Path(folder) / file, below=self.below))
            except FileNotFoundError:
                missing.append(file)
        if missing:
            raise FileNotFoundError(f"{', '.join(missing)} not in {folder}; expected there\n{self.layout}")
        self._check_counts(lists)
        train, database, query = lists
        return train, database, query

    def _check_counts(self, lists: list[ImageList]) -> None:
        wrong = []
        for part, n in zip(lists, (self.n_train, self.n_database, self.n_queries), strict=True):
            n_classes = part.labels.shape[1] if part.labels.ndim == 2 else int(part.labels.max()) + 1
            if self.multi_label and part.labels.ndim == 1:
                wrong.append(f"{part.name} has class numbers, expected {self.n_classes} labels of 0 or 1 per image")
                continue
            if n is not None and len(part) != n:
                wrong.append(f"{part.name} has {len(part):,} images, expected {n:,}")
            if n_classes != self.n_classes and (part.labels.ndim == 2 or n_classes > self.n_classes):
                wrong.append(f"{part.name} has {n_classes} classes, expected {self.n_classes}")
        if wrong:
            raise ValueError(f"not the lists of {self.name}: {listed(wrong)}; read_list reads other lists")


IMAGENET_100 = Benchmark(
    name="ImageNet-100",
    n_classes=100,
    n_train=13_000,
    n_database=128_503,
    n_queries=5000,
    map_at=1000,
    below="imagenet",
    image_folders=("image", "val_image"),
    multi_label=False,
    remarks="Training images are in the database, which is sorted by class in parts.",
)
NUS_WIDE_81 = Benchmark(
    name="NUS-WIDE-81",
    n_classes=81,
    n_train=10_000,
    n_database=None,
    n_queries=5000,
    map_at=5000,
    below="nuswide_81",
    image_folders=("images",),
    multi_label=True,
    remarks="2,185 training and 1,131 query images have no label, and one class has no query.",
)
COCO = Benchmark(
    name="MS COCO",
    n_classes=80,
    n_train=10_000,
    n_database=112_218,
    n_queries=5000,
    map_at=5000,
    below="coco",
    image_folders=("train2014", "val2014"),
    multi_label=True,
    remarks="All 5,000 queries are inside the database.",
)
BENCHMARKS = (IMAGENET_100, NUS_WIDE_81, COCO)
