"""Who looks at a network while it learns."""

from __future__ import annotations

from typing import Any


class Watch:
    """Looks at nothing; `convergence.Convergence` looks at the codes of fixed items."""

    def __call__(self, step: int) -> None:
        """Look before a step."""

    def finish(self, step: int) -> None:
        """Look after the last step."""

    def seen(self) -> dict[str, Any]:
        """Return what was seen, by the name of the model's attribute that it becomes."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps, for a training that goes on from it."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
