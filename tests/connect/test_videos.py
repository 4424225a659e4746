"""Videos by their frames: shares counted as they are defined, and real re-encoded videos find each other."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import hashindex as hx
from hashindex.connect.videos import VideoIndex, VideoMatch, read_vpdq
from reference import Codes, codes_of, hamming_matrix

SAMPLES = Path(os.environ.get("HASHINDEX_DATA", "nowhere")) / "vpdq"


def defined(name: str, query: Codes, video: Codes, radius: int) -> VideoMatch:
    near = hamming_matrix(np.unique(query, axis=0), np.unique(video, axis=0)) <= radius
    return VideoMatch(name, float(near.any(axis=1).mean()), float(near.any(axis=0).mean()))


def test_shares_are_those_of_the_definition() -> None:
    rng = np.random.default_rng(0)
    pool = codes_of(1, 12, 16)  # so short that frames are near by chance, and equal ones come
    videos = {f"video {i}": pool[rng.integers(0, 12, 8)] ^ codes_of(i, 8, 16) // 64 for i in range(20)}
    index = VideoIndex(16, radius=2)
    for name, frames in videos.items():
        index.add(name, frames)
    index.remove("video 3")
    del videos["video 3"]
    for query in videos.values():
        expected = [defined(name, query, video, 2) for name, video in videos.items()]
        found = index.match(query)
        assert sorted(found) == sorted(one for one in expected if one.of_query > 0)
        assert found[0].of_query == 1
        assert [min(one[1:]) for one in found] == sorted((min(one[1:]) for one in found), reverse=True)
        some = index.match(query, of_query=0.5, of_video=0.3)
        assert some == [one for one in found if one.of_query >= 0.5 and one.of_video >= 0.3]
    assert len(index) == 19
    index.add("video 3", pool)
    assert index.match(pool, of_query=1, of_video=1)[0].name == "video 3"


def test_what_cannot_be_done() -> None:
    index = VideoIndex()
    assert index.match(codes_of(0, 3, 256)) == []
    index.add("a", codes_of(0, 3, 256))
    with pytest.raises(ValueError, match="'a' already; remove"):
        index.add("a", codes_of(1, 3, 256))
    with pytest.raises(KeyError):
        index.remove("b")
    assert index.match(np.empty((0, 32), np.uint8)) == []
    index.index.add(codes_of(0, 3, 256))  # as another thread does before the video has a name
    assert index.match(codes_of(0, 3, 256)) == [VideoMatch("a", 1, 1)]


def test_files_of_vpdq(tmp_path: Path) -> None:
    codes = codes_of(5, 3, 256)
    texts = hx.to_hex(codes)
    lines = [f"{i},{quality},{texts[i]},{i / 10}" for i, quality in enumerate((100, 49, 50))]
    (tmp_path / "a.txt").write_text("\n".join(lines) + "\n")
    assert np.array_equal(read_vpdq(tmp_path / "a.txt"), codes[[0, 2]])
    lines[1:1] = ["", "7,0,00ff,0.7"]  # too plain to be read, but counted
    (tmp_path / "c.txt").write_text("\n".join([*lines[:-1], lines[-1][:40] + ",1"]))
    with pytest.raises(ValueError, match=r"c.txt, line 5: 256 bits take 64 hexadecimal digits, got"):
        read_vpdq(tmp_path / "c.txt")
    (tmp_path / "d.txt").write_text(f"{lines[0]}\n1,99,row 9{'-' * 59},0.1\n")
    with pytest.raises(ValueError, match=r"d.txt, line 2: not hexadecimal: 'row 9---"):
        read_vpdq(tmp_path / "d.txt")
    with pytest.raises(TypeError, match="path must be a str or a Path"):
        read_vpdq(3)  # type: ignore[arg-type]
    (tmp_path / "b.txt").write_text(lines[0] + "\nframe\n")
    with pytest.raises(ValueError, match=r"b.txt, line 2: expected frame,quality,hash,time, got 'frame'"):
        read_vpdq(tmp_path / "b.txt")


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="HASHINDEX_DATA has no folder vpdq with the sample hashes of vpdq")
def test_reencoded_videos_find_their_originals() -> None:
    """14,288 frames of 31 files: chairs, patterns and a doorknob, re-encoded, with bars, grey or sepia."""
    files = {path.stem: read_vpdq(path) for path in sorted(SAMPLES.glob("*.txt"))}
    index = VideoIndex()
    for name, codes in files.items():
        index.add(name, codes)
    for name, codes in files.items():
        others = [one for one in index.match(codes) if one.name != name]
        if name == "test-padded-dimensions":  # of another video
            assert others == []
            continue
        assert {one.name.split("-")[0] for one in others} == {name.split("-")[0]}
        assert min(others[0][1:]) > 0.9, name
