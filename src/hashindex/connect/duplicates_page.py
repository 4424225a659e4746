"""The page of near-duplicates: the pictures of each group side by side, made small."""

from __future__ import annotations

import io
import os
from base64 import b64encode
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ..support.lazy import needed
from .image_folder import Found, Picture
from .image_hashes import Algorithm, open_as_shown

MOST_SHOWN = 1500  # pictures on the page: some ten megabytes
MOST_OF_GROUP = 12
SIDE = 240  # pixels of a picture at most, on screens that have two for one
SIZES = ("bytes", "kB", "MB", "GB")


class Shown(NamedTuple):
    """A picture on the page."""

    path: str
    link: str
    image: str
    width: int
    height: int
    size: str
    distance: int


class ShownGroup(NamedTuple):
    """A group on the page."""

    pictures: list[Shown]
    n_more: int  # not shown


def render(found: Found, folder: Path, how: Algorithm, radius: int) -> str:
    """Return the page, one file of HTML; ImportError without Jinja2.

    Of each group it shows ``MOST_OF_GROUP`` pictures at most, and the first groups, ``MOST_SHOWN`` pictures in all.
    """
    needed("jinja2", "the page", "report")
    from ..pages.templates import template

    groups: list[ShownGroup] = []
    room = MOST_SHOWN
    for group in found.groups:
        n = min(MOST_OF_GROUP, 1 + len(group.others))
        if n > room:
            break
        room -= n
        some = zip([group.kept, *group.others[: n - 1]], [0, *group.distances[: n - 1]], strict=True)
        groups.append(ShownGroup([_shown(folder, *one) for one in some], 1 + len(group.others) - n))
    return template("duplicates.html").render(
        found=found,
        groups=groups,
        n_groups=len(found.groups),
        n_others=sum(len(group.others) for group in found.groups),
        folder=text_of(str(folder)),
        how=how,
        radius=radius,
        shown=text_of,
    )


def text_of(path: str) -> str:
    """A path as it can be shown, whatever bytes its name has."""
    return os.fsencode(path).decode("utf-8", "replace")


def _shown(folder: Path, picture: Picture, distance: int) -> Shown:
    size, unit = float(picture.stamp[0]), 0
    while size >= 1000 and unit + 1 < len(SIZES):
        size, unit = size / 1000, unit + 1
    told = f"{size:.3g} {SIZES[unit]}"
    path, hashed = folder / picture.path, picture.hashed
    link = path.resolve().as_uri()
    return Shown(text_of(picture.path), link, _small(path), hashed.width, hashed.height, told, distance)


def _small(path: Path) -> str:
    """A picture made small, as a data URI; empty if it cannot be read any more."""
    buffer = io.BytesIO()
    with suppress(Exception):
        image = open_as_shown(path)
        image.thumbnail((SIDE, SIDE))
        image.save(buffer, "JPEG", quality=80)
    return "data:image/jpeg;base64," + b64encode(buffer.getvalue()).decode()
