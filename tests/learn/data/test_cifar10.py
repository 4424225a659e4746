"""CIFAR-10-JPEG, from archive and folder, by three protocols."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("PIL.Image")


from hashindex.learn.data import (
    Cifar10,
    Task,
    cifar10,
    cifar10_all,
    cifar10_few,
    cifar10_long_tailed,
    read_list,
)
from photos import Pixels, pack_folder, save


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
