"""Images are read exactly, or refused by name."""

from __future__ import annotations

import pickle
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")


from hashindex.inputs.items import check_items  # noqa: E402
from hashindex.learn import HashNet  # noqa: E402
from hashindex.learn.data import (  # noqa: E402
    Images,
    check_lists,
    read_list,
)
from photos import Pixels, pack_folder, save  # noqa: E402


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


def test_size_may_be_height_and_width(tmp_path: Path) -> None:
    ramp = np.add.outer(np.arange(60, dtype=np.uint8), 2 * np.arange(80, dtype=np.uint8)) + np.zeros(
        (3, 1, 1), np.uint8
    )
    save(tmp_path / "same.png", ramp[:, 10:50, 10:70])
    save(tmp_path / "tall.png", ramp[:, :, 10:70])
    save(tmp_path / "wide.png", ramp[:, 10:50])
    images = Images.below(tmp_path, size=(4, 6))
    assert images.shape == (3, 3, 4, 6)
    middles = np.add.outer(np.arange(24.5, 44), 2 * np.arange(24.5, 64))[::10, ::10]
    for seen in images[:]:
        np.testing.assert_allclose(seen[:, 1:-1, 1:-1], np.stack([middles] * 3), atol=1)
    np.testing.assert_array_equal(Images.below(tmp_path, size=(40, 60))[1], ramp[:, 10:50, 10:70])
    for wrong, error in (((4, 0), ValueError), (2.5, TypeError)):
        with pytest.raises(error, match="size must be"):
            Images.below(tmp_path, size=wrong)  # type: ignore[arg-type]


def test_images_are_read_as_shown_or_as_stored(tmp_path: Path, rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise when it is shown
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    clear = np.concatenate([pixels, np.full((5, 6, 1), 255, np.uint8)], axis=2)
    clear[:2, :, 3] = 0
    Image.fromarray(clear.transpose(1, 0, 2)).save(tmp_path / "b.png")
    Image.fromarray(pixels.transpose(1, 0, 2)).save(tmp_path / "c.png", exif=b"Exif\0\0odd")
    white = pixels.copy()
    white[:2] = 255
    shown = Images.below(tmp_path)
    assert shown.shape == (3, 3, 6, 5)
    for seen, expected in zip(
        shown[:], (np.rot90(pixels, -1), white.swapaxes(0, 1), pixels.swapaxes(0, 1)), strict=True
    ):
        np.testing.assert_array_equal(seen, expected.transpose(2, 0, 1))
    mine = read_list(["a.png 0"], tmp_path)
    np.testing.assert_array_equal(mine.images()[0], shown[0])
    np.testing.assert_array_equal(mine.images(as_shown=False)[0], pixels.transpose(2, 0, 1))
    np.testing.assert_array_equal(Images(["b.png"], tmp_path, as_shown=False)[0], pixels.transpose(2, 1, 0))


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
