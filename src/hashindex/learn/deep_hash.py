"""What HashNet and the other deep methods share: a backbone, a hash layer, one training loop, codes = signs of z.

A method adds its objective, and its own hash layer where it has one.
"""

from __future__ import annotations

import copy
import inspect
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import is_lazy

from ..inputs.items import as_float32, check_finite, check_items, check_labels
from ..inputs.numbers import check_at_least, check_n_bits
from . import model_file
from .backbones import default_backbone
from .encoding import Encoder
from .model_file import bytes_of, digest
from .training.checkpoint import Checkpoint
from .training.continuation import Continuation
from .training.loop import train
from .training.options import Training
from .training.progress import reporter
from .training.seeding import own_random_state
from .training.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Self

    from numpy.typing import ArrayLike
    from typing_extensions import Unpack

    from ..inputs.items import Items
    from .losses.objective import Objective
    from .training.options import TrainingOptions
    from .training.progress import History, Step

LARGEST = 1e15  # of a value to learn from: norms sum squares in float32
N_DIGESTED = 256  # items that tell one training from another, spread evenly over all


class DeepHash(Encoder, ABC):
    """A network that makes codes, trained by whatever objective a subclass names.

    Attributes
    ----------
    network
        The trained module, items -> z (n, n_bits): a sequence of the backbone and the hash layer.
    history
        The course of the training; `save` does not keep it.
    item_shape
        Shape of one item, (n_features,) or (channels, height, width); None before `fit`.
    """

    history: History

    def __init__(
        self, n_bits: int = 32, seed: int = 0, *, backbone: nn.Module | None = None, **training: Unpack[TrainingOptions]
    ) -> None:
        self.n_bits = check_n_bits(n_bits)
        self.seed = check_at_least(seed, "seed", 0)
        if self.seed >= 2**63:
            raise ValueError(f"seed must be below 2**63, got {seed}")
        if backbone is not None and not isinstance(backbone, nn.Module):
            raise TypeError(f"backbone must be a torch module, such as resnet18(), got {backbone!r}")
        self.backbone = backbone
        self.training = Training(**training)

    @abstractmethod
    def objective(self, labels: torch.Tensor, n_steps: int) -> Objective:
        """Make what the network learns by, given the labels of all training items."""

    def hash_layer(self, width: int) -> nn.Module:
        """Make features (n, width) -> z (n, n_bits); the norm keeps z at unit scale, where tanh can still learn."""
        return nn.Sequential(nn.Linear(width, self.n_bits), nn.BatchNorm1d(self.n_bits, affine=False))

    def watch(self, network: nn.Sequential, objective: Objective, items: Items, labels: torch.Tensor) -> Watch:  # noqa: ARG002
        """Make what looks at the network while it learns: nothing, unless a method has something to show."""
        return Watch()

    def fit(
        self,
        items: Items | ArrayLike | torch.Tensor,
        labels: ArrayLike | torch.Tensor,
        *,
        progress: bool | Callable[[Step], None] = False,
        checkpoint: str | Path | None = None,
        checkpoint_every: int = 100,
    ) -> Self:
        """Train from scratch and return self; a fit that fails leaves the model as it was.

        Parameters
        ----------
        items
            Images (n, channels, height, width) or features (n, n_features), real numbers: arrays, memory maps, tensors,
            or anything else with shape, dtype and rows to index. Only batches of it are brought into memory.
        labels
            Class numbers, int (n,), or multi-hot 0/1 (n, n_classes): then one class in common makes a pair similar.
        progress
            True shows a bar with stage, beta and loss where tqdm is installed; a callable gets every `Step`.
        checkpoint
            A file, written every ``checkpoint_every`` steps. If it is there already, the training goes on from it:
            on the CPU, with the same number of threads, the result is the same bit for bit as without the break.

        Raises
        ------
        TypeError
            Items are not real numbers, or labels not integers.
        ValueError
            Another shape, fewer than 2 items, values that are NaN, infinite or above 1e15, images that cannot be read;
            the checkpoint is damaged or of another training.
        RuntimeError
            The device cannot be used here.
        ArithmeticError
            The loss is no longer a number.
        """
        items = check_items(items)
        item_shape = tuple(items.shape[1:])
        classes = torch.from_numpy(check_labels(labels, len(items)))
        if len(items) < 2:
            raise ValueError(f"expected at least 2 items to learn from, got {len(items)}")
        training = self.training.resolved(item_shape)
        check_finite(items, LARGEST)
        keeper = None
        if checkpoint is not None:
            about = self._about_training(training, items, classes)
            keeper = Checkpoint(checkpoint, about, checkpoint_every)
        n_steps = training.n_steps or 0
        with own_random_state(self.seed), reporter(progress, type(self).__name__, n_steps) as report:
            network = self._build(items, torch.device(training.device or "cpu"))
            objective = self.objective(classes, n_steps).to(training.device)
            watch = self.watch(network, objective, items, classes)
            history = train(
                network, objective, items, classes, training, self.seed, report=report, watch=watch, checkpoint=keeper
            )
        self._set_network(network, item_shape)
        self.history = history
        vars(self).update(watch.seen())
        return self

    def save(self, path: str | Path) -> None:
        """Write the trained model to a safetensors file, replacing what was there at once.

        RuntimeError before `fit`, OSError where nothing can be written.
        """
        state = {"network": self.network.state_dict(), "probe": self._probe()} if self._shape() else {}
        model_file.write(path, self._about(self._shape()), state)

    @classmethod
    def load(cls, path: str | Path, *, backbone: nn.Module | None = None, device: str | None = None) -> Self:
        """Read a model that `save` wrote, or a checkpoint as far as it got.

        Raises
        ------
        ValueError
            The file is damaged, holds something else, another kind of model, or one trained with a ``backbone`` other
            than given.
        RuntimeError
            The device cannot be used here.
        """
        about, state = model_file.read(path)
        model = cls._untrained(about, backbone, path)
        shape = tuple(about["item_shape"])
        where = torch.device(Training(device=device).resolved(shape).device or "cpu")
        with own_random_state(0):
            network = model._build(np.zeros((1, *shape), np.float32), where)
        try:
            network.load_state_dict(state["network"])
        except RuntimeError as error:
            raise ValueError(f"{path} was trained with another backbone, {about['backbone']}: {error}") from None
        model._set_network(network, shape)
        if "probe" in state and not torch.allclose(model._probe(), state["probe"], rtol=0.01, atol=0.01):
            raise ValueError(f"{path} was trained with another backbone, {about['backbone']}: this one's z differ")
        return model

    def _build(self, items: Items, device: torch.device) -> nn.Sequential:
        """Put the hash layer behind the backbone."""
        item_shape = tuple(items.shape[1:])
        backbone = copy.deepcopy(self.backbone) if self.backbone is not None else default_backbone(item_shape)
        with torch.no_grad():  # what a backbone makes at its first call must be fit to train
            one = torch.from_numpy(np.array(items[:1], np.float32))
            shape = tuple(backbone.to(device).eval()(one.to(device)).shape)
        if len(shape) != 2:
            raise ValueError(f"the backbone must map (n, ...) to (n, width); one item gave shape {shape}")
        network = nn.Sequential(backbone, self.hash_layer(shape[1])).to(device)
        if len(item_shape) == 3:
            network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return network

    def _probe(self) -> torch.Tensor:
        """Return z of two fixed items: networks with the same weights may still differ in what they do with them."""
        items = np.random.default_rng(0).standard_normal((2, *self._shape())).astype(np.float32)
        return torch.from_numpy(self.project(items))

    def _about(self, item_shape: tuple[int, ...]) -> dict[str, Any]:
        """Return what model this is, for its file: class, options, shape of the items."""
        names = [name for name in inspect.signature(type(self).__init__).parameters if hasattr(self, name)]
        options = {name: _to_json(getattr(self, name)) for name in names if name not in ("backbone", "training")}
        return {
            "class": type(self).__name__,
            "options": options,
            "training_options": vars(self.training),
            "backbone": None if self.backbone is None else repr(self.backbone),
            "item_shape": list(item_shape),
        }

    def _about_training(self, training: Training, items: Items, labels: torch.Tensor) -> dict[str, Any]:
        """Return what training of the model this is; of many items, a digest of some has to do."""
        some = np.unique(np.linspace(0, len(items) - 1, N_DIGESTED).astype(np.int64))
        weights = [] if self.backbone is None else [*self.backbone.parameters(), *self.backbone.buffers()]
        return {
            **self._about(tuple(items.shape[1:])),
            "training": vars(training),
            "n_items": len(items),
            "items": digest(as_float32(items[some])),
            "labels": digest(labels.numpy()),
            "weights": digest(*(bytes_of(tensor) for tensor in weights if not is_lazy(tensor))),
        }

    @classmethod
    def _untrained(cls, about: dict[str, Any], backbone: nn.Module | None, path: str | Path) -> Self:
        """Make the untrained model that a file is about."""
        if about["class"] != cls.__name__:
            raise ValueError(f"{path} holds a {about['class']}, not a {cls.__name__}: call {about['class']}.load")
        if (about["backbone"] is None) != (backbone is None):
            wanted = "its default backbone" if backbone is not None else f"a backbone of its own, {about['backbone']}"
            argument = ", backbone=..." if backbone is None else ""
            raise ValueError(f"{path} was trained with {wanted}: load(path{argument})")
        options = {name: _from_json(value) for name, value in about["options"].items()}
        return cls(**options, backbone=backbone, **about["training_options"])


def _to_json(option: Any) -> Any:
    return {"schedule": option.options()} if isinstance(option, Continuation) else option


def _from_json(option: Any) -> Any:
    return Continuation.from_options(option["schedule"]) if isinstance(option, dict) else option
