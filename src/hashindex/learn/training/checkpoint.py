"""Checkpoints: everything a training needs to go on, in one safetensors file that is replaced at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...inputs.numbers import check_at_least
from .. import model_file
from .progress import Step

if TYPE_CHECKING:
    from collections.abc import Mapping


class Checkpoint:
    """A file with the parts of a training: network, objective, optimiser, learning rate schedule, watch, history.

    Batches, augmentation and dropout are functions of seed and step, which are in the file too.

    Parameters
    ----------
    path
        The file; it need not exist.
    about
        What training this is; the file must be of the same.
    every
        Steps between two writings.
    """

    def __init__(self, path: str | Path, about: dict[str, Any], every: int) -> None:
        self.path = Path(path)
        self.about = about
        self.every = check_at_least(every, "checkpoint_every", 1)
        model_file.check_writable(self.path)
        self._read = model_file.read(self.path) if self.path.exists() else None
        if self._read is not None:
            model_file.check_same(self._read[0], about, self.path)

    def resume(self, parts: Mapping[str, Any]) -> list[Step]:
        """Bring every part to where the file left it; return the steps made so far, none without a file."""
        if self._read is None:
            return []
        _, state = self._read
        self._read = None
        for name, part in parts.items():
            part.load_state_dict(state[name])
        return [Step(*step) for step in state["steps"]]

    def keep(self, parts: Mapping[str, Any], steps: list[Step], *, last: bool) -> None:
        """Write the file if it is time to, or if this was the last step."""
        if last or len(steps) % self.every == 0:
            state = {name: part.state_dict() for name, part in parts.items()}
            model_file.write(self.path, self.about, {**state, "steps": [list(step) for step in steps]})
