"""``hashindex dedup``: groups, the page, and files that are none of its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from commands import Run


def test_dedup_writes_groups_and_page(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    image_module = pytest.importorskip("PIL.Image")
    monkeypatch.setenv("HASHINDEX_CACHE", str(tmp_path / "cache"))
    Path("photos").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    picture = image_module.fromarray(pixels).resize((120, 120), 3)
    picture.save("photos/large.png")
    picture.resize((60, 60)).save("photos/small.png")
    Path("photos/broken.jpg").write_text("no picture")
    for i, size in enumerate([(1, 5), (1, 5), (8, 200)]):
        image_module.fromarray(pixels[i, i].reshape(1, 1, 3)).resize(size).save(f"photos/tiny{i}.png")
    arguments = ["dedup", "photos", "--hash", "dhash", "--json", "alike.json", "--page", "alike.html"]
    for n_hashed in (5, 0):
        status, out, _ = run(*arguments)
        assert status == 0
        assert out.startswith("photos/large.png\nphotos/small.png\n\ncannot be read: photos/broken.jpg: ")
        told = json.loads(Path("alike.json").read_text())
        assert told["groups"] == [["photos/large.png", "photos/small.png"]]
        small = {"photos/tiny0.png": [1, 5], "photos/tiny1.png": [1, 5], "photos/tiny2.png": [8, 200]}
        assert told["too_small"] == small
        assert "too small: photos/tiny0.png: 1 x 5 pixels, dhash needs 9 a side\n" in out
        assert out.endswith("; 3 too small\n")
        assert (told["hashed_now"], list(told["unreadable"])) == (n_hashed, ["photos/broken.jpg"])
    page = Path("alike.html").read_text()
    assert "1 group of pictures that look alike" in page
    assert page.count("data:image/jpeg") == 2
    kept = Path("photos/large.png").read_bytes()
    Path("link.html").symlink_to("photos/large.png")
    for option, name in (("--page", "photos/large.png"), ("--json", "link.html"), ("--json", "new.JPG")):
        status, _, err = run("dedup", "photos", option, name)
        assert (status, f"{option} {name}: has the ending of a picture" in err) == (2, True)
    assert Path("photos/large.png").read_bytes() == kept
    assert run("dedup", "nowhere")[0::2] == (2, "hashindex dedup: nowhere: is no folder\n")
