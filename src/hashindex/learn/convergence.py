"""The two theorems of Cao et al. (ICCV 2017, "Convergence Analysis"), watched on fixed items while a network learns.

L is the loss on the binary codes h = sign(z), J the same loss on h = tanh(beta z), both with the alpha of beta = 1.
Theorem 1: L does not change when beta grows; an exact invariant, as sign(tanh(beta z)) = sign(z). Theorem 2: L falls
while J is minimised within a stage; a trend that is measured, as stochastic steps need not follow it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from .encoding import blocks_of, project
from .training.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from ..inputs.items import Items
    from .likelihood import WeightedLikelihood

PROBES = 512  # items; all their pairs are looked at
SATURATED = 0.99  # |tanh(beta z)| above which a bit hardly moves any more


class Stage(NamedTuple):
    """What one stage of continuation did to the codes of the probes."""

    stage: int
    beta: float
    first_step: int
    last_step: int
    binary_loss_before: float  # L when the stage began
    binary_loss: float  # L when it ended
    tanh_loss_before: float  # J when the stage began, with the stage's beta
    tanh_loss: float  # J when it ended
    quantisation_gap: float  # mean of 1 - |tanh(beta z)| at the end
    saturated: float  # share of |tanh(beta z)| above 0.99 at the end
    flipped: float  # share of bits that changed within the stage
    kept: bool  # theorem 1: codes and L were the same, bit for bit, before and after beta changed


class _Look(NamedTuple):
    """The probes at one step, seen with one beta."""

    step: int
    stage: int
    beta: float
    codes: Tensor  # bool (n, n_bits)
    binary_loss: float
    tanh_loss: float
    gap: float
    saturated: float


class Convergence(Watch):
    """Looks at the probes whenever a stage begins or ends; ``model.convergence`` has a `Stage` for each."""

    def __init__(
        self, network: nn.Module, objective: WeightedLikelihood, items: Items, labels: Tensor, n_probes: int = PROBES
    ) -> None:
        rows = np.sort(np.random.default_rng(0).permutation(len(items))[:n_probes])
        self._network = network
        self._objective = objective
        self._items = items[rows]
        self._labels = labels[torch.from_numpy(rows)]
        self._began: _Look | None = None
        self._stages: list[Stage] = []

    def __call__(self, step: int) -> None:
        """Look if beta is about to change, or the training ends."""
        stage, beta = self._objective.describe(step)
        if self._began is None:
            self._began = self._look(step, stage, beta, self._z())
        elif stage != self._began.stage:
            began = self._began
            z = self._z()
            ended = self._look(step, began.stage, began.beta, z)
            self._began = self._look(step, stage, beta, z)
            kept = torch.equal(ended.codes, self._began.codes) and ended.binary_loss == self._began.binary_loss
            self._stages.append(_stage(began, ended, kept=kept))

    def finish(self, step: int) -> None:
        """Look at the end of the training, when no stage begins any more."""
        if self._began is not None and step > self._began.step:
            ended = self._look(step, self._began.stage, self._began.beta, self._z())
            self._stages.append(_stage(self._began, ended, kept=True))

    def seen(self) -> dict[str, tuple[Stage, ...]]:
        """Return the stages, for ``model.convergence``."""
        return {"convergence": tuple(self._stages)}

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps, for a training that goes on from it."""
        began = None if self._began is None else list(self._began)
        return {"began": began, "stages": [list(stage) for stage in self._stages]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self._began = None if state["began"] is None else _Look(*state["began"])
        self._stages = [Stage(*stage) for stage in state["stages"]]

    def _z(self) -> Tensor:
        """The probes' outputs as encoding would have them, with norms and dropout at rest."""
        was_training = [(module, module.training) for module in self._network.modules()]
        self._network.eval()
        blocks = list(project(self._network, blocks_of(self._items), tuple(self._items.shape[1:])))
        z = torch.from_numpy(np.concatenate(blocks))
        for module, training in was_training:
            module.training = training
        return z

    def _look(self, step: int, stage: int, beta: float, z: Tensor) -> _Look:
        h = torch.tanh(beta * z)
        codes = h > 0
        loss: Callable[[Tensor], float] = lambda x: self._objective.likelihood(x, self._labels, x, self._labels).item()  # noqa: E731
        return _Look(
            step,
            stage,
            beta,
            codes,
            binary_loss=loss(codes.float() * 2 - 1),
            tanh_loss=loss(h),
            gap=(1 - h.abs()).mean().item(),
            saturated=(h.abs() > SATURATED).float().mean().item(),
        )


def _stage(began: _Look, ended: _Look, *, kept: bool) -> Stage:
    return Stage(
        began.stage,
        began.beta,
        began.step,
        ended.step - 1,
        began.binary_loss,
        ended.binary_loss,
        began.tanh_loss,
        ended.tanh_loss,
        ended.gap,
        ended.saturated,
        (began.codes != ended.codes).float().mean().item(),
        kept,
    )
