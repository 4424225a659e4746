"""Near-duplicates among pictures: found whatever hashes them, hashed once, and never chained."""

from __future__ import annotations

import errno
import io
import os
import signal
import sqlite3
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("PIL")
from PIL import Image

import hashindex as hx
from hashindex.connect import duplicates_page, image_folder
from hashindex.connect.duplicates_page import render
from hashindex.connect.image_folder import Found, find_duplicates
from hashindex.connect.image_hashes import ALGORITHMS, Algorithm, Hashed, algorithm, hash_image

NAMES = [one.name for one in ALGORITHMS]
ORIENTATION = 0x0112  # of EXIF


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HASHINDEX_CACHE", str(tmp_path / "cache"))


@pytest.fixture(params=NAMES)
def how(request: pytest.FixtureRequest) -> Algorithm:
    pytest.importorskip(next(one.needs for one in ALGORITHMS if one.name == request.param))
    return algorithm(request.param)


def scene(seed: int, side: int = 160) -> Image.Image:
    """A picture of shapes of all sizes, as photographs have them, unlike that of another seed."""
    rng, pixels = np.random.default_rng(seed), np.full((side, side, 3), 128.0)
    for n in (2, 4, 8, 16, 32):
        coarse = Image.fromarray(rng.integers(0, 256, (n, n, 3), dtype=np.uint8))
        pixels += (np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC), np.float64) - 128) / n**0.5
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def filled(folder: Path) -> dict[str, list[str]]:
    """Pictures below a folder: those that look like each other by the one to keep."""
    (folder / "deeper").mkdir(parents=True)
    for seed in range(6):
        scene(seed).save(folder / f"{seed}.png")
    scene(0).resize((90, 90)).save(folder / "deeper" / "small.jpg", quality=70)
    scene(0).save(folder / "deeper" / "coded.webp", quality=60)
    turned = scene(1).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # to be turned by 90 degrees clockwise when it is shown
    turned.save(folder / "turned.jpg", quality=95, exif=exif)
    Image.new("L", (50, 50), 7).save(folder / "plain.png")
    Image.new("L", (50, 50), 7).save(folder / "deeper" / "plain too.png")
    Image.new("L", (50, 50), 90).save(folder / "other plain.png")
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / "cut.png").write_bytes((folder / "5.png").read_bytes()[:900])
    (folder / "notes.txt").write_text("no picture")
    return {
        "0.png": ["deeper/coded.webp", "deeper/small.jpg"],
        "1.png": ["turned.jpg"],
        "deeper/plain too.png": ["plain.png"],
    }


def groups(found: Found) -> dict[str, list[str]]:
    return {group.kept.path: sorted(one.path for one in group.others) for group in found.groups}


def test_near_duplicates_are_found_and_hashed_once(tmp_path: Path, how: Algorithm) -> None:
    folder = tmp_path / "photos"
    expected = filled(folder)
    for n_hashed, n_processes in ((12, 2), (0, 1)):
        found = find_duplicates(folder, how, how.radius, n_processes=n_processes)
        assert groups(found) == expected
        assert (found.n_pictures, found.n_hashed, found.n_plain) == (12, n_hashed, 3)
        assert sorted(found.unreadable) == ["broken.jpg", "cut.png"]
    scene(9).save(folder / "2.png")
    (folder / "turned.jpg").unlink()
    scene(3).resize((100, 100)).save(folder / "new.jpg")
    found = find_duplicates(folder, how, how.radius)
    del expected["1.png"]
    assert groups(found) == expected | {"3.png": ["new.jpg"]}
    assert (found.n_pictures, found.n_hashed) == (12, 2)


def test_groups_do_not_chain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of a row of codes, each 3 bits from the next, every third is kept, and has its neighbours."""
    bits = np.tril(np.ones((61, 60), np.bool_), -1)[::3]
    pictures = {f"{i:02}.png": row for i, row in enumerate(bits)}
    for name in pictures:
        scene(0, 8).save(tmp_path / name)
    how = Algorithm("row", "PIL", 60, 6, 8, lambda _: pytest.fail("nothing is hashed"))

    def hashed(path: Path, _: Algorithm) -> Hashed:
        return Hashed(hx.pack(pictures[path.name]).tobytes(), 8, 8, 100)

    monkeypatch.setattr(image_folder, "hash_image", hashed)
    monkeypatch.setattr(image_folder, "algorithm", lambda _: how)
    found = find_duplicates(tmp_path, how, 6)
    assert groups(found)["00.png"] == ["01.png"]  # the next is nearer to the next that is kept
    assert groups(found)["03.png"] == ["02.png", "04.png"]
    for group in found.groups:
        kept = pictures[group.kept.path]
        assert [int((pictures[one.path] != kept).sum()) for one in group.others] == group.distances
        assert max(group.distances) <= 6
    listed = [one.path for group in found.groups for one in (group.kept, *group.others)]
    assert len(listed) == len(set(listed)) == 21


def test_names_of_any_bytes(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    names = [b"caf\xe9.png", "日本 <b>.png".encode()]
    for name in names:
        scene(0).save(buffer := io.BytesIO(), "PNG")
        (folder / os.fsdecode(name)).write_bytes(buffer.getvalue())
    how = algorithm("dhash")
    for n_hashed in (2, 0):
        found = find_duplicates(folder, how, how.radius)
        assert [found.n_hashed, *map(len, groups(found).values())] == [n_hashed, 1]
    page = render(found, folder, how, how.radius)
    assert "日本 &lt;b&gt;.png" in page
    assert page.count("data:image/jpeg;base64,/9j/") == 2


def test_odd_files_are_told_or_shown_as_a_viewer_does(tmp_path: Path) -> None:
    folder, how = tmp_path / "photos", algorithm("dhash")
    folder.mkdir()
    scene(0).save(folder / "seen.png")
    (folder / "link.png").symlink_to("seen.png")
    clear = scene(0).convert("RGBA")
    clear.putalpha(0)
    clear.save(folder / "invisible.png")
    Image.fromarray(np.asarray(scene(1).convert("L"), np.uint16) * 257).save(folder / "deep.png")
    entries = [(0x112, 3, 1, 6 << 16), (0x128, 2, 2, 0x32000000)]  # a unit of resolution that is text
    ifd = b"".join(struct.pack(">HHII", *entry) for entry in entries)
    exif = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", len(entries)) + ifd + bytes(4)
    scene(2).save(folder / "odd.jpg", exif=exif)
    (folder / "bad\\xff.png").write_bytes((folder / "seen.png").read_bytes())
    (folder / os.fsdecode(b"bad\xff.png")).write_bytes((folder / "seen.png").read_bytes())
    found = find_duplicates(folder, how, how.radius)
    assert [sorted([group.kept.path, *(one.path for one in group.others)]) for group in found.groups] == [
        sorted(["seen.png", "bad\\xff.png", os.fsdecode(b"bad\xff.png")])
    ]
    assert "deep.png" in found.unreadable
    assert set(found.unreadable) <= {"deep.png", "odd.jpg"}


def test_a_damaged_cache_is_begun_anew(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    expected = filled(folder)
    how = algorithm("dhash")
    find_duplicates(folder, how, how.radius)
    (store,) = (tmp_path / "cache" / "images").iterdir()
    (store / "store.sqlite").write_bytes(b"damaged" * 1000)
    found = find_duplicates(folder, how, how.radius)
    assert (groups(found), found.n_hashed) == (expected, 12)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE items SET payload = '[1, 2, 3]'",
        "UPDATE items SET payload = '[1, 2, 3, 4, null]'",
        "UPDATE items SET payload = '{'",
        "UPDATE items SET payload = NULL",
        "DELETE FROM items WHERE id = 0",
        None,
    ],
)
def test_a_cache_that_lacks_a_file_or_whose_notes_are_others_is_begun_anew(
    tmp_path: Path, statement: str | None
) -> None:
    folder = tmp_path / "photos"
    expected = filled(folder)
    how = algorithm("dhash")
    find_duplicates(folder, how, how.radius)
    (place,) = (tmp_path / "cache" / "images").iterdir()
    if statement is None:
        with hx.HashIndex.open(place) as index:
            index.compact()
        next((place / "segments").iterdir()).unlink()
    else:
        with sqlite3.connect(place / "store.sqlite") as database:
            database.execute(statement)
    for n_hashed in (12, 0):
        found = find_duplicates(folder, how, how.radius)
        assert (groups(found), found.n_hashed) == (expected, n_hashed)


def test_an_engine_that_is_not_there_leaves_the_cache_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, how = tmp_path / "photos", algorithm("dhash")
    expected = filled(folder)
    find_duplicates(folder, how, how.radius)
    with monkeypatch.context() as patch:
        patch.setenv("HASHINDEX_ENGINE", "none")
        with pytest.raises(ValueError, match="engine 'none'"):
            find_duplicates(folder, how, how.radius)
    found = find_duplicates(folder, how, how.radius)
    assert (groups(found), found.n_hashed) == (expected, 0)


def test_a_process_that_is_killed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(2):
        scene(i).save(tmp_path / f"{i}.png")
    monkeypatch.setattr(image_folder, "BLOCK", 1)
    monkeypatch.setattr(image_folder, "hash_image", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(RuntimeError, match="HASHINDEX_NUM_THREADS=1 hashes one picture at a time"):
        find_duplicates(tmp_path, algorithm("dhash"), 4, n_processes=2)


def test_hashes_are_those_of_the_packages(tmp_path: Path) -> None:
    imagehash, pdqhash = pytest.importorskip("imagehash"), pytest.importorskip("pdqhash")
    scene(4).save(tmp_path / "4.png")
    image = Image.open(tmp_path / "4.png").convert("RGB")
    bits: NDArray[np.int64] = pdqhash.compute(np.asarray(image))[0]
    expected = {"pdq": hx.pack(bits), "phash": hx.from_hex(str(imagehash.phash(image)))}
    expected["dhash"] = hx.from_hex(str(imagehash.dhash(image)))
    for name, code in expected.items():
        assert hash_image(tmp_path / "4.png", algorithm(name)).code == code.tobytes()
    assert algorithm().name == "pdq"
    with pytest.raises(ValueError, match="no hash is named 'md5'; there are pdq, phash, dhash"):
        algorithm("md5")


def test_what_is_too_small_for_a_hash_is_listed_and_compared_by_bytes(tmp_path: Path, how: Algorithm) -> None:
    folder, side = tmp_path / "photos", how.least_side
    folder.mkdir()
    for i, size in enumerate([(1, 5)] * 9 + [(side - 1, 300)] * 3 + [(side, side)] * 3):
        scene(i).resize(size).save(folder / f"{i:02}.png")
    (folder / "again.png").write_bytes((folder / "00.png").read_bytes())
    found = find_duplicates(folder, how, how.radius)
    assert groups(found) == {"00.png": ["again.png"]}
    assert (found.n_pictures, found.n_plain, len(found.small)) == (16, 0, 13)
    assert {min(one.hashed[1:3]) for one in found.small} == {1, side - 1}
    assert "<code>again.png</code>: 1 \N{MULTIPLICATION SIGN} 5" in render(found, folder, how, how.radius)


def test_a_folder_below_that_cannot_be_listed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "photos" / "closed").mkdir(parents=True)
    scene(0).save(tmp_path / "photos" / "seen.png")
    list_folder = os.scandir

    def refused(path: str) -> object:
        if Path(path).name == closed:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return list_folder(path)

    monkeypatch.setattr(os, "scandir", refused)
    closed, how = "closed", algorithm("dhash")
    found = find_duplicates(tmp_path / "photos", how, how.radius)
    assert (found.n_pictures, found.n_hashed) == (1, 1)
    assert found.unreadable == {"closed": "a folder that cannot be listed: Permission denied"}
    closed = "photos"
    with pytest.raises(PermissionError):
        find_duplicates(tmp_path / "photos", how, how.radius)


def test_a_folder_below_that_cannot_be_entered_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its names can be listed, and nothing be said of them."""
    for path in (tmp_path / "photos" / "closed" / "0.png", tmp_path / "photos" / "seen.png"):
        path.parent.mkdir(parents=True, exist_ok=True)
        scene(0).save(path)
    look, how = os.stat, algorithm("dhash")

    def refused(path: str, **named: Any) -> os.stat_result:
        if Path(path).parent.name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return look(path, **named)

    monkeypatch.setattr(os, "stat", refused)
    monkeypatch.setattr(os, "lstat", lambda path: refused(path, follow_symlinks=False))
    found = find_duplicates(tmp_path / "photos", how, how.radius)
    assert (found.n_pictures, found.unreadable) == (1, {"closed/0.png": "Permission denied"})


def test_the_page_shows_some_pictures_of_a_large_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, how = tmp_path / "photos", algorithm("dhash")
    folder.mkdir()
    for name in "abc":
        scene(ord(name)).save(folder / f"{name}00.png")
        for i in range(1, 20):
            (folder / f"{name}{i:02}.png").hardlink_to(folder / f"{name}00.png")
    found = find_duplicates(folder, how, how.radius)
    page = render(found, folder, how, how.radius)
    assert page.count("<figure") == 36
    assert page.count("and 8 more") == 3
    assert "groups are shown" not in page
    monkeypatch.setattr(duplicates_page, "MOST_SHOWN", 30)
    page = render(found, folder, how, how.radius)
    assert page.count("<figure") == 24
    assert "The first 2 groups are shown." in page


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        find_duplicates(tmp_path / "none", algorithm("dhash"), 4)
