"""Data: embedded tasks say what they are, lists and images are read exactly or refused with line numbers."""

from __future__ import annotations

import argparse
import os
import pickle
import re
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")

import torch  # noqa: E402

from hashindex.cli import check_lists as check_command  # noqa: E402
from hashindex.inputs.items import check_items  # noqa: E402
from hashindex.learn import HashNet, pair_weights  # noqa: E402
from hashindex.learn.data import (  # noqa: E402
    COCO,
    IMAGENET_100,
    NUS_WIDE_81,
    Cifar10,
    ImageList,
    Images,
    ListCheck,
    Task,
    check_lists,
    cifar10,
    cifar10_all,
    cifar10_few,
    cifar10_long_tailed,
    collage,
    digits,
    head_and_tail,
    long_tailed_digits,
    read_list,
    similar_pairs,
    summary,
)

Pixels = NDArray[np.uint8]


def save(path: Path, pixels: Pixels) -> None:
    """Write (3, height, width) without loss, whatever the name ends with."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.transpose(1, 2, 0)).save(path, "PNG")


def pack_folder(folder: Path, archive: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(archive, "w", method) as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, path.relative_to(folder))
    return archive


@pytest.fixture
def photos(tmp_path: Path, rng: np.random.Generator) -> tuple[Path, list[str], Pixels]:
    """Seven images of 5 x 6 pixels in a folder."""
    pixels = rng.integers(0, 256, (7, 3, 5, 6), dtype=np.uint8)
    names = [f"a/photo {i}.png" for i in range(7)]
    for name, image in zip(names, pixels, strict=True):
        save(tmp_path / "images" / name, image)
    return tmp_path / "images", names, pixels


# Embedded tasks


@pytest.mark.parametrize(("sparse", "low", "high"), [(False, 0.49, 0.54), (True, 0.02, 0.05)])
def test_collages_show_their_labels(sparse: bool, low: float, high: float) -> None:
    pytest.importorskip("sklearn")
    plain = digits(n_train=1)
    digit_of = {
        "query": {scan.tobytes(): int(d) for scan, d in zip(plain.query_images, plain.query_labels, strict=True)},
        "other": {scan.tobytes(): int(d) for scan, d in zip(plain.database_images, plain.database_labels, strict=True)},
    }
    task = collage(sparse=sparse, n_train=2000, n_database=50, n_queries=60)
    for images, labels, known in (
        (task.train_images[:200], task.train_labels[:200], "other"),
        (task.database_images, task.database_labels, "other"),
        (task.query_images, task.query_labels, "query"),
    ):
        assert images.shape[1:] == (1, 16, 16)
        assert images.dtype == np.float32
        for image, label in zip(images, labels, strict=True):
            places = [image[:, y : y + 8, x : x + 8] for y in (0, 8) for x in (0, 8)]
            shown = [digit_of[known][place.tobytes()] if place.any() else None for place in places]
            if sparse:
                assert None not in shown
                expected = {10 * (shown[0] or 0) + (shown[1] or 0), 10 * (shown[2] or 0) + (shown[3] or 0)}
            else:
                assert shown.count(None) in (1, 2)
                expected = {d for d in shown if d is not None}
            assert set(np.nonzero(label)[0].tolist()) == expected
    assert low < similar_pairs(task.train_labels).share < high
    again = collage(sparse=sparse, n_train=2000, n_database=50, n_queries=60)
    assert all(np.array_equal(a, b) for a, b in zip(task, again, strict=True))


def test_long_tail_of_digits() -> None:
    pytest.importorskip("sklearn")
    task, plain = long_tailed_digits(n_most=100), digits()
    assert np.bincount(task.train_labels).tolist() == [round(100 / c**1.2) for c in range(1, 11)]
    assert all(np.array_equal(a, b) for a, b in zip(task[2:], plain[2:], strict=True))
    with pytest.raises(ValueError, match="n_most"):
        long_tailed_digits(n_most=1000)


def test_head_holds_half_of_the_labels() -> None:
    head, tail = head_and_tail(np.repeat([0, 1, 2, 4], [2, 3, 1, 1]))
    assert (head.tolist(), tail.tolist()) == ([1, 0], [2, 4])
    head, tail = head_and_tail(np.array([[1, 1, 0], [0, 1, 0], [0, 1, 0], [1, 0, 0], [1, 0, 0]]))
    assert (head.tolist(), tail.tolist()) == ([0], [1])
    assert [part.tolist() for part in head_and_tail(np.array([10**12, 7, 10**12]))] == [[10**12], [7]]


# Lists


def test_lists_say_what_was_written(rng: np.random.Generator, tmp_path: Path) -> None:
    words = ["cat", "my photo 3.jpg", "7", "x.jp2", "\u00e9t\u00e9 1/a.png", "12 b", "a-1"]
    for n_classes in (1, 2, 9):
        paths = [f"{words[i]}{end}" for i, end in zip(rng.integers(0, 7, 40), ["", ".jpg"] * 20, strict=True)]
        labels = rng.integers(0, 2 if n_classes > 1 else 2000, (40, n_classes))
        text = "".join(
            f"{path} {' '.join(map(str, row))}" + ["\n", " \r\n", "\n\n"][i % 3]
            for i, (path, row) in enumerate(zip(paths, labels, strict=True))
        )
        (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbf" * (n_classes == 2) + text.encode())
        seen = read_list(tmp_path / "list.txt")
        assert seen.paths == tuple(paths)
        assert seen.labels.dtype == np.int64
        np.testing.assert_array_equal(seen.labels, labels[:, 0] if n_classes == 1 else labels)
        lines = text.split("\n")
        assert all(lines[line - 1].startswith(path) for line, path in zip(seen.lines, seen.paths, strict=True))
        assert seen.root == tmp_path


def test_lists_from_lines_and_below_a_folder() -> None:
    seen = read_list(["/home/x/coco/b/coco/val/1.jpg 1 0\n", "coco/2.jpg 0 1", "./scoco/3.jpg 0 1"], below="coco")
    assert seen.paths == ("val/1.jpg", "2.jpg", "./scoco/3.jpg")
    assert seen.class_numbers().tolist() == [0, 1, 1]
    with pytest.raises(ValueError, match=r"2 lines: line 1 has 0; line 3 has 2"):
        read_list(["a 0 0", "b 0 1", "c 1 1"]).class_numbers()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a 0 1 0", "b 0 1", "", "c 1 0 0"], r"1 of 3 lines are wrong: line 2 'b': 2 labels follow, 3 in most"),
        (["a 0 1 0", "b 0 x 0", "c 1 0 0"], r"line 2 'b 0 x': 1 labels follow"),
        (["a 1", "b", "c -1", "d 1.5"], r"3 of 4 lines.*line 2 'b': no label.*line 3 'c -1': no.*line 4 'd 1\.5': no"),
        (["a 0 1", "b 0 2"], r"line 2 'b': several labels must be 0 or 1, got 2"),
        (["a 99999999999999999999"], r"line 1 'a': class number 9+ is too large"),
        (["", " "], "got none"),
        ([f"a{i}" for i in range(30)], r"30 of 30 lines.*line 10 'a9'.*and 20 more"),
    ],
)
def test_wrong_lines_are_all_named(lines: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=rf"^mine: .*{message}"):
        read_list(lines, name="mine")


def test_lists_must_be_utf8(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"a 0\n\xe9t\xe9 1\n")
    with pytest.raises(ValueError, match=r"UTF-8.* in 1 lines: line 2"):
        read_list(tmp_path / "list.txt")


# Images


@pytest.mark.parametrize("kind", ["folder", "stored", "deflated"])
def test_images_read_like_the_array(
    kind: str, photos: tuple[Path, list[str], Pixels], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hashindex.learn.data.images._TINY", 0)  # so that threads take part
    monkeypatch.setenv("HASHINDEX_NUM_THREADS", "3")
    root, names, pixels = photos
    if kind != "folder":
        method = zipfile.ZIP_STORED if kind == "stored" else zipfile.ZIP_DEFLATED
        root, names = pack_folder(root, tmp_path / "i.zip", method) / "a", [name[2:] for name in names]
    images = Images(names, root)
    assert (images.shape, images.dtype, len(images)) == (pixels.shape, pixels.dtype, 7)
    assert check_items(images) is images
    images.check()
    for same in (images, pickle.loads(pickle.dumps(images))):
        for rows in (slice(None), slice(5, 1, -2), [3, -1, 3], np.arange(7) % 2 == 0, 4, [], slice(2, 2)):
            seen = same[rows]
            assert seen.dtype == np.uint8
            np.testing.assert_array_equal(seen, pixels[rows])
    np.testing.assert_array_equal(np.asarray(images), pixels)
    with pytest.raises(IndexError):
        images[7]


def test_size_resizes_the_shorter_side_and_cuts_the_middle(tmp_path: Path, rng: np.random.Generator) -> None:
    wide = rng.integers(0, 256, (3, 8, 14), dtype=np.uint8)
    save(tmp_path / "wide.png", wide)
    save(tmp_path / "tall.png", wide.swapaxes(1, 2))
    coarse = rng.integers(0, 256, (3, 8, 8), dtype=np.uint8)
    flat = np.zeros((3, 64, 80), np.uint8) + coarse[:, :1, :1]
    save(tmp_path / "flat.png", flat)
    Image.fromarray(coarse[0]).save(tmp_path / "grey.png")
    images = Images(["wide.png", "tall.png", "flat.png", "grey.png"], tmp_path, size=8)
    assert images.shape == (4, 3, 8, 8)
    np.testing.assert_array_equal(images[0], wide[:, :, 3:11])
    np.testing.assert_array_equal(images[1], images[0].swapaxes(1, 2))
    np.testing.assert_array_equal(images[2], flat[:, :8, :8])
    np.testing.assert_array_equal(images[3], np.stack([coarse[0]] * 3))
    ramp = np.zeros((3, 30, 50), np.uint8) + (5 * np.arange(50)).astype(np.uint8)
    save(tmp_path / "ramp.png", ramp)
    cut = Images(["ramp.png"], tmp_path, size=10)[0]  # three columns become one: 10, 13, ... 37 in their middles
    np.testing.assert_allclose(cut[0, 5, 1:-1], 5 * np.arange(14, 36, 3), atol=2)


def test_bad_images_are_all_named(photos: tuple[Path, list[str], Pixels], tmp_path: Path) -> None:
    root, names, pixels = photos
    (root / names[2]).write_bytes((root / names[2]).read_bytes()[:60])
    (root / names[4]).write_bytes(b"no image")
    save(root / names[5], pixels[0].swapaxes(1, 2))
    mine = read_list([f"{name} 0" for name in names], root, name="mine")
    images = mine.images()
    np.testing.assert_array_equal(images[[0, 1, 3]], pixels[[0, 1, 3]])
    for read in (images.check, lambda: images[1:]):
        with pytest.raises(ValueError, match=r"mine: 3 images .*line 3 'a/photo 2.*line 5 .*line 6 .*6 x 5 .*5 x 6"):
            read()
    with pytest.raises(ValueError, match="mine: 3 images"):  # before the first training step
        HashNet(8, device="cpu").fit(images, mine.labels, progress=lambda step: pytest.fail(f"{step}"))
    with pytest.raises(FileNotFoundError, match=r"2 of 3 images are not in .*row 0 'x'; row 2 'a'"):
        Images(["x", names[0], "a"], root)
    with pytest.raises(ValueError, match=r"2 images cannot be read: row 0 'a/photo 4.*row 2 'a/photo 2"):
        Images([names[4], names[0], names[2]], root)
    with pytest.raises(ValueError, match=r"row 0 'a/photo 4"):
        Images(names[4:], root)
    with pytest.raises(FileNotFoundError, match="no folder and no .zip"):
        Images(names, tmp_path / "nowhere")
    with pytest.raises(ValueError, match="size"):
        Images(names, root, size=0)
    with pytest.raises(ValueError, match="is not a .zip file"):
        Images(names, root / names[0])


def test_more_than_8_bits_a_channel_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.arange(30, dtype=np.uint16).reshape(5, 6) * 2000).save(tmp_path / "deep.png")
    with pytest.raises(ValueError, match=r"row 0 'deep.png': more than 8 bits a channel"):
        Images.below(tmp_path)


def test_missing_pillow_is_named(photos: tuple[Path, list[str], Pixels], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"pip install 'hashindex\[train\]'"):
        Images(photos[1], photos[0])


def test_damaged_archives_are_noticed(photos: tuple[Path, list[str], Pixels], tmp_path: Path) -> None:
    root, names, _ = photos
    archive = pack_folder(root, tmp_path / "i.zip", zipfile.ZIP_STORED)
    data = bytearray(archive.read_bytes())
    data[data.index((root / names[3]).read_bytes()) + 20] ^= 1
    archive.write_bytes(data)
    with pytest.raises(ValueError, match=r"1 images .*row 3 .*checksum"):
        Images(names, archive)[:]
    archive = pack_folder(root, tmp_path / "deflated.zip")
    with zipfile.ZipFile(archive) as opened:
        start = opened.getinfo(names[3]).header_offset
    data = bytearray(archive.read_bytes())
    data[start + 30 + len(names[3])] = 0xFF  # no kind of deflate block
    archive.write_bytes(data)
    with pytest.raises(ValueError, match=r"photo 3.* in .*deflated.zip is damaged"):
        check_lists(*(read_list([f"{name} 0" for name in names], archive) for _ in range(3)), contents=True)


# CIFAR-10


@pytest.fixture
def small_cifar(tmp_path: Path, rng: np.random.Generator) -> tuple[Path, Pixels]:
    """The layout of cifar10.zip with 3 training and 2 test images per class."""
    pixels = rng.integers(0, 256, (50, 3, 32, 32), dtype=np.uint8)
    row = 0
    for part, n in (("train", 3), ("test", 2)):
        lines = []
        for number in range(10):
            for i in range(n):
                save(tmp_path / "all/cifar10" / part / f"c{number}" / f"{i}.jpg", pixels[row])
                lines.append(f"{part}/c{number}/{i}.jpg {' '.join('01'[k == number] for k in range(10))}\n")
                row += 1
        (tmp_path / "all/cifar10" / f"{part}.txt").write_text("".join(lines))
    pack_folder(tmp_path / "all", tmp_path / "cifar10.zip")
    return tmp_path, pixels


def test_cifar10_is_read_from_zip_and_folder(
    small_cifar: tuple[Path, Pixels], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root, pixels = small_cifar
    monkeypatch.setenv("HASHINDEX_DATA", str(root))
    for place in (None, root, root / "cifar10.zip", root / "all", root / "all/cifar10"):
        data = cifar10(place)
        np.testing.assert_array_equal(data.train_images, pixels[:30])
        np.testing.assert_array_equal(data.test_images, pixels[30:])
        assert data.train_labels.tolist() == np.repeat(range(10), 3).tolist()
        assert data.test_labels.tolist() == np.repeat(range(10), 2).tolist()
    monkeypatch.delenv("HASHINDEX_DATA")
    with pytest.raises(FileNotFoundError, match="HASHINDEX_DATA"):
        cifar10()
    with pytest.raises(FileNotFoundError, match=r"nowhere.cifar10\.zip.*HASHINDEX_DATA"):
        cifar10(tmp_path / "nowhere")


@pytest.fixture
def numbered(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many images as CIFAR-10 has, each of one pixel that is the image's number."""
    ids, classes = np.arange(60_000)[:, None], np.arange(10)
    data = Cifar10(ids[:50_000], classes.repeat(5000), ids[50_000:], classes.repeat(1000))  # type: ignore[arg-type]
    monkeypatch.setitem(cifar10_all.__globals__, "cifar10", lambda _: data)


def numbers(task: Task) -> list[set[int]]:
    """The images of training, database and queries, each with its own label and no image twice."""
    sets = []
    for images, labels in (task[:2], task[2:4], task[4:]):
        ids = images[:, 0]
        np.testing.assert_array_equal(labels, np.where(ids < 50_000, ids // 5000, (ids - 50_000) // 1000))
        sets.append(set(ids.tolist()))
        assert len(sets[-1]) == len(ids)
    return sets


@pytest.mark.usefixtures("numbered")
def test_protocols_of_cifar10() -> None:
    train, database, query = numbers(cifar10_all())
    assert train == database == set(range(50_000))
    assert query == set(range(50_000, 60_000))

    few = cifar10_few(seed=3)
    train, database, query = numbers(few)
    assert np.bincount(few.train_labels).tolist() == [500] * 10
    assert np.bincount(few.query_labels).tolist() == [100] * 10
    assert max(train) < 50_000 <= min(query)
    assert database == set(range(60_000)) - query
    assert 0.85 < (np.diff(few.database_labels) != 0).mean() < 0.95  # in random order
    again, other = cifar10_few(seed=3), cifar10_few(seed=4)
    assert all(np.array_equal(a, b) for a, b in zip(few, again, strict=True))
    assert not np.array_equal(few.query_images, other.query_images)

    tail = cifar10_long_tailed()
    train, database, query = numbers(tail)
    counts = np.bincount(tail.train_labels)
    assert (counts[0], counts[9]) == (5000, 50)
    np.testing.assert_allclose(counts[1:] / counts[:-1], 100 ** (-1 / 9), rtol=0.01)
    assert train < database == set(range(50_000))
    assert query == set(range(50_000, 60_000))
    for n_train, n_queries in ((5001, 1), (1, 0)):
        with pytest.raises(ValueError, match="cannot be drawn"):
            cifar10_few(n_train=n_train, n_queries=n_queries)
    with pytest.raises(ValueError, match="factor"):
        cifar10_long_tailed(factor=0.5)


def test_real_cifar10() -> None:
    archive = Path(os.environ.get("HASHINDEX_DATA", "")) / "cifar10.zip"
    if not archive.is_file():
        pytest.skip("HASHINDEX_DATA names no folder with cifar10.zip")
    for part, n in (("train", 50_000), ("test", 10_000)):
        rows = read_list(archive / "cifar10" / f"{part}.txt")
        assert rows.paths[:2] == (f"{part}/airplane/0000.jpg", f"{part}/airplane/0001.jpg")
        assert np.bincount(rows.class_numbers()).tolist() == [n // 10] * 10
        images = rows.images()
        assert images.shape == (n, 3, 32, 32)
        assert 100 < images[:: n // 100].mean() < 140


# The paper's benchmarks


def test_benchmarks_load_once_the_images_are_there(photos: tuple[Path, list[str], Pixels], tmp_path: Path) -> None:
    root, names, pixels = photos
    home = tmp_path / "bench"
    small = replace(COCO, n_classes=3, n_train=2, n_database=4, n_queries=3)
    with pytest.raises(FileNotFoundError, match=r"train.txt, database.txt, test.txt not in(.|\n)*train2014/  \(images"):
        small.load(home)
    home.mkdir()
    (root / "a").rename(home / "val2014")
    lines = [f"/home/somebody/coco/val2014/{name[2:]} {i % 2} 0 0\n" for i, name in enumerate(names)]
    (home / "train.txt").write_text("".join(lines[:2]))
    (home / "database.txt").write_text("".join(lines[:4]))
    (home / "test.txt").write_text("".join(lines[4:]))
    task = small.load(home, size=5)
    np.testing.assert_array_equal(task.query_labels, [[0, 0, 0], [1, 0, 0], [0, 0, 0]])
    assert [len(part) for part in task] == [2, 2, 4, 4, 3, 3]
    np.testing.assert_allclose(task.database_images[:].mean(axis=(2, 3)), pixels[:4].mean(axis=(2, 3)), atol=40)
    assert task.database_images.shape == (4, 3, 5, 5)
    with pytest.raises(
        ValueError, match=r"not the lists of MS COCO.*2 images, expected 10,000.*3 classes, expected 80"
    ):
        COCO.load(home)
    with pytest.raises(ValueError, match=r"train.txt.*one label per image in 1 lines: line 1 has 0"):
        replace(small, multi_label=False).load(home)
    (home / "val2014" / names[5][2:]).unlink()
    with pytest.raises(FileNotFoundError, match=r"test.txt: 1 of 3 images .*line 2 'val2014/photo 5(.|\n)*train2014/"):
        small.load(home)
    (home / "test.txt").write_text("val2014/photo 4.png 1\n")
    with pytest.raises(ValueError, match=r"test.txt has class numbers, expected 3 labels of 0 or 1 per image"):
        small.load(home)


def test_the_papers_benchmarks_are_those_of_the_paper() -> None:
    for benchmark, n_classes, map_at, sizes in (
        (IMAGENET_100, 100, 1000, ("13,000", "128,503", "5,000")),
        (NUS_WIDE_81, 81, 5000, ("10,000", "5,000")),
        (COCO, 80, 5000, ("10,000", "112,218", "5,000")),
    ):
        assert (benchmark.n_classes, benchmark.map_at) == (n_classes, map_at)
        assert benchmark.multi_label == (benchmark is not IMAGENET_100)
        assert tuple(re.findall(r"\((.*) lines\)", benchmark.layout)) == sizes
    assert all(
        f"{folder}/  (images)" in benchmark.layout
        for benchmark, folder in ((IMAGENET_100, "val_image"), (NUS_WIDE_81, "images"), (COCO, "val2014"))
    )


# The list checker


def brute_share(labels: NDArray[np.int64]) -> float:
    similar = [[(a == b) if labels.ndim == 1 else bool((a & b).any()) for b in labels] for a in labels]
    return float(np.mean(similar | np.eye(len(labels), dtype=bool)))


@pytest.mark.parametrize("n_classes", [None, 3, 12])
def test_similar_pairs_are_counted(n_classes: int | None, rng: np.random.Generator) -> None:
    for n in (1, 2, 40):
        labels = rng.integers(0, 4, n) if n_classes is None else (rng.random((n, n_classes)) < 0.2).astype(np.int64)
        pairs, weights = similar_pairs(labels), pair_weights(torch.from_numpy(labels))
        assert pairs.share == pytest.approx(brute_share(labels))
        assert pairs[1:] == pytest.approx((weights.similar, weights.dissimilar))


def test_similar_pairs_are_drawn_from_many_rows(rng: np.random.Generator) -> None:
    labels = (rng.random((1500, 20)) < 0.2).astype(np.int64)
    drawn = similar_pairs(labels, most_rows=700)
    assert drawn == similar_pairs(labels, most_rows=700)
    assert drawn.share != similar_pairs(labels).share
    assert drawn.share == pytest.approx(similar_pairs(labels).share, rel=0.05)


def kinds(check: ListCheck) -> dict[tuple[str, str], tuple[int, ...]]:
    assert len({(f.part, f.kind) for f in check.findings}) == len(check.findings)
    return {(finding.part, finding.kind): finding.lines for finding in check.findings}


def listing(root: Path, rows: Sequence[str]) -> ImageList:
    return read_list(rows, root)


def test_checker_finds_each_defect(photos: tuple[Path, list[str], Pixels]) -> None:
    root, _, pixels = photos
    a = [f"a/photo {i}.png" for i in range(7)]
    clean = [f"{a[0]} 1 0", f"{a[1]} 0 1"], [f"{a[2]} 1 0", f"{a[3]} 0 1"], [f"{a[4]} 1 0", f"{a[5]} 1 1"]
    check = check_lists(*(listing(root, rows) for rows in clean), contents=True)
    assert check.ok
    assert check.findings == ()
    assert (check.pairs.share, check.n_classes, check.n_images["query"]) == (0.5, 2, 2)
    assert "nothing found" in summary(check)

    train = ["", f"{a[0]} 1 0 0 0", "gone.png 0 1 0 0", f"{a[2]} 0 0 0 0"]
    database = [f"./{a[2]} 1 0 0 0", f"{a[3]} 0 1 0 1", f"a/../{a[3]} 0 1 0 0"]
    query = [f"{a[4]} 1 0 0 0", f"{a[3]} 0 1 0 0", f"{a[0]} 0 0 1 0", f"{a[5]} 0 0 0 0"]
    check = check_lists(*(listing(root, rows) for rows in (train, database, query)))
    assert kinds(check) == {
        ("train", "missing file"): (3,),
        ("train", "no label"): (4,),
        ("train", "train in database"): (4,),
        ("database", "duplicate"): (3,),
        ("database", "class not in query"): (2,),
        ("database", "class not in train"): (2,),
        ("query", "no label"): (4,),
        ("query", "query in database"): (2,),
        ("query", "query in train"): (3,),
        ("query", "class not in database"): (3,),
    }
    assert not check.ok
    text = summary(check)
    assert "problem: query: 1 of 4 images are in database too: line 2 is its line 2" in text
    assert text.index("problem") < text.index("note")

    (link := root.with_name("link")).symlink_to(root)
    for other in (link, Path(os.path.relpath(root))):
        check = check_lists(listing(root, clean[0]), listing(root, clean[1]), listing(other, clean[1]))
        assert ("query", "query in database") in kinds(check)

    save(root / "copy.png", pixels[4])
    hidden = [clean[0], [*clean[1], "copy.png 0 1"], clean[2]]
    assert check_lists(*(listing(root, rows) for rows in hidden)).ok
    check = check_lists(*(listing(root, rows) for rows in hidden), contents=True)
    assert kinds(check) == {("query", "query in database"): (1,)}
    with pytest.raises(ValueError, match=r"train \(1,\), database \(2, 2\)"):
        check_lists(listing(root, ["x 1"]), *(listing(root, rows) for rows in clean[1:]))


@pytest.mark.parametrize("one_hot", [False, True])
def test_checker_sees_an_order_by_class(one_hot: bool, rng: np.random.Generator, tmp_path: Path) -> None:
    def checked(classes: NDArray[np.int64]) -> tuple[int, ...] | None:
        labels = [" ".join(map(str, np.eye(5, dtype=int)[c])) if one_hot else str(c) for c in classes]
        lists = [listing(tmp_path, [f"{name}{i} {x}" for i, x in enumerate(labels)]) for name in "tdq"]
        return kinds(check_lists(*lists)).get(("database", "sorted"))

    for halves in (np.repeat([0, 1], 400), np.repeat(range(5), 100)):
        assert checked(np.concatenate([halves[::2], rng.permutation(halves[1::2])])) is not None
    assert checked(np.repeat([0, 1], 20)) is not None
    assert all(checked(rng.integers(0, 2, 40)) is None for _ in range(20))
    classes = np.repeat(range(5), [20, 30, 25, 25, 20])
    assert checked(classes) == (21, 50)
    assert all(checked(rng.permutation(classes)) is None for _ in range(20))
    assert checked(classes[::10]) is None


@pytest.fixture
def run_command() -> Callable[..., int]:
    def run(*arguments: object) -> int:
        parser = argparse.ArgumentParser()
        check_command.add_parser(parser.add_subparsers(dest="command"))
        return check_command.run(parser.parse_args(["check-lists", *map(str, arguments)]))

    return run


def test_command(
    photos: tuple[Path, list[str], Pixels], run_command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    root, names, _ = photos
    lists = [root.parent / f"{part}.txt" for part in ("train", "database", "query")]
    for i, path in enumerate(lists):
        path.write_text(f"/their/images/{names[i]} 1\n")
    assert run_command(*lists, "--root", root, "--below", "images") == 0
    assert "similar pairs in train: 100.00%" in capsys.readouterr().out
    lists[2].write_text(lists[1].read_text())
    assert run_command(*lists, "--root", root, "--below", "images", "--contents") == 1
    assert "problem: query: 1 of 1 images are in database too: line 1 is its line 1" in capsys.readouterr().out
    with pytest.raises(ValueError, match="nowhere"):
        run_command(*lists, "--root", root / "nowhere")


def test_all_images_below_a_folder_or_in_an_archive(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    for name in ("b/2.PNG", "a.png", "b/1.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (5, 4), (len(name), 0, 0)).save(folder / name, "PNG")
    (folder / "notes.txt").write_text("no image")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in folder.rglob("*"):
            archive.write(path, path.relative_to(tmp_path))
    for root in (folder, tmp_path / "all.zip" / "pictures"):
        images = Images.below(root)
        assert images.paths == ("a.png", "b/1.png", "b/2.PNG")
        np.testing.assert_array_equal(images[:][:, 0, 0, 0], [5, 7, 7])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="at least one path"):
        Images.below(tmp_path / "empty")
