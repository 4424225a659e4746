"""Files of every released format version are read, and give the answers that they gave."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from hashindex import HashIndex

FOLDER = Path(__file__).parent.parent / "formats"


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.hxi")), ids=lambda path: path.stem)
def test_old_files_are_read(path: Path, mmap: bool) -> None:
    index = HashIndex.load(path, mmap=mmap)
    answers = runpy.run_path(str(FOLDER / "write.py"))["answers"]
    assert answers(index) == json.loads(path.with_suffix(".json").read_text())
    assert [set(one.learned.states) for one in index._snapshot.segments] == [{"multi-index"}] * 2
    assert index._snapshot.segments[0].learned.spread is not None
    assert index._snapshot.segments[1].postings is not None
