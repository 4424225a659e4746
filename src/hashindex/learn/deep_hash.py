"""What HashNet and the other deep methods share: a backbone, a hash layer, one training loop, codes = signs of z.

A method adds its objective, and its own hash layer where it has one.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import nn

from ..codes import pack
from ..inputs.items import check_finite, check_items, check_labels, listing_all
from ..inputs.numbers import check_at_least, check_n_bits
from . import model_file
from .backbones import default_backbone
from .encoding import blocks_of, project
from .training.checkpoint import Checkpoint
from .training.loop import Training, train
from .training.progress import reporter
from .training.seeding import own_random_state
from .training.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from ..index import HashIndex
    from ..inputs.items import Items
    from .losses.objective import Objective
    from .training.progress import History, Step


LARGEST = 1e15  # of a value to learn from: norms sum squares in float32


class DeepHash(ABC):
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

    network: nn.Sequential
    history: History

    def __init__(self, n_bits: int = 32, seed: int = 0, *, backbone: nn.Module | None = None, **training: Any) -> None:
        self.n_bits = check_n_bits(n_bits)
        self.seed = check_at_least(seed, "seed", 0)
        if self.seed >= 2**63:
            raise ValueError(f"seed must be below 2**63, got {seed}")
        if backbone is not None and not isinstance(backbone, nn.Module):
            raise TypeError(f"backbone must be a torch module, such as resnet18(), got {backbone!r}")
        self.backbone = backbone
        self.training = Training(**training)
        self.item_shape: tuple[int, ...] | None = None

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
        ArithmeticError
            The loss is no longer a number.
        """
        items = check_items(items)
        item_shape = tuple(items.shape[1:])
        classes = torch.from_numpy(check_labels(labels, len(items)))
        if len(items) < 2:
            raise ValueError(f"expected at least 2 items to learn from, got {len(items)}")
        check_finite(items, LARGEST)
        training = self.training.resolved(item_shape)
        keeper = None
        if checkpoint is not None:
            about = model_file.about_training(self, training, items, classes)
            keeper = Checkpoint(checkpoint, about, checkpoint_every)
        n_steps = training.n_steps or 0
        with own_random_state(self.seed), reporter(progress, type(self).__name__, n_steps) as report:
            network = self._build(items, torch.device(training.device or "cpu"))
            objective = self.objective(classes, n_steps).to(training.device)
            watch = self.watch(network, objective, items, classes)
            history = train(
                network, objective, items, classes, training, self.seed, report=report, watch=watch, checkpoint=keeper
            )
        self._become(network, item_shape)
        self.history = history
        watch.tell(self)
        return self

    def encode(self, items: Items | ArrayLike | torch.Tensor) -> NDArray[np.uint8]:
        """Return the packed codes, uint8 (n, ceil(n_bits / 8)), bit = 1 iff z > 0.

        An item's code does not depend on what is encoded along with it. Beside the codes, memory is that of one block
        of items.

        Raises
        ------
        RuntimeError
            Before `fit`.
        TypeError, ValueError
            Items of another kind or shape than in `fit`, values that are NaN or infinite.
        """
        items = check_items(items, self._shape())
        codes = np.empty((len(items), (self.n_bits + 7) // 8), np.uint8)
        start = 0
        with listing_all(items):
            for z in self._blocks(blocks_of(items)):
                codes[start : start + len(z)] = pack(z)
                start += len(z)
        return codes

    def project(self, items: Items | ArrayLike | torch.Tensor) -> NDArray[np.float32]:
        """Return the values z whose signs are the code, float32 (n, n_bits). Raises as `encode` does."""
        items = check_items(items, self._shape())
        with listing_all(items):
            return np.concatenate([np.empty((0, self.n_bits), np.float32), *self._blocks(blocks_of(items))])

    def stream(self, items: Iterable[ArrayLike | torch.Tensor]) -> Iterator[NDArray[np.uint8]]:
        """Return packed codes (m, code_size) block by block, in order, for items that come one by one or in batches.

        Any iterable will do, endless ones too: a generator, a PyTorch DataLoader (of items alone). Memory is that of
        one block. Each item gets the same code as from `encode`; raises as that does, at the item in question.
        """
        return map(pack, self._blocks(items))

    def encode_into(self, index: HashIndex, items: Iterable[ArrayLike | torch.Tensor]) -> NDArray[np.int64]:
        """Add the codes of a stream of items to an index and return their ids, int64 (n,).

        Raises as `stream` does, or ValueError if the index is for codes of another length; what was added before a
        bad item is removed again.
        """
        added: list[NDArray[np.int64]] = []
        try:
            for z in self._blocks(items):
                added.append(index.add(z > 0))  # bools, which tell a new index n_bits
        except BaseException:
            for ids in added:
                index.remove(ids)
            raise
        return np.concatenate([np.empty(0, np.int64), *added])

    def save(self, path: str | Path) -> None:
        """Write the trained model to a safetensors file, replacing what was there at once.

        RuntimeError before `fit`, OSError where nothing can be written.
        """
        state = {"network": self.network.state_dict(), "probe": self._probe()} if self._shape() else {}
        model_file.write(path, model_file.about(self, self._shape()), state)

    def export(self, path: str | Path, *, dtype: Literal["float32", "uint8"] = "float32") -> None:
        """Write the model as an ONNX file, items of a ``dtype`` -> codes: see `hashindex.learn.export.to_onnx`."""
        item_shape = self._shape()
        from .export import to_onnx

        to_onnx(self.network, self.n_bits, item_shape, path, dtype=dtype)

    @classmethod
    def load(cls, path: str | Path, *, backbone: nn.Module | None = None, device: str | None = None) -> Self:
        """Read a model that `save` wrote, or a checkpoint as far as it got.

        Raises
        ------
        ValueError
            The file is damaged, holds something else, another kind of model, or one trained with a ``backbone`` other
            than given.
        """
        about, state = model_file.read(path)
        model: Self = model_file.rebuild(cls, about, backbone, path)
        shape = tuple(about["item_shape"])
        where = torch.device(Training(device=device).resolved(shape).device or "cpu")
        with own_random_state(0):
            network = model._build(np.zeros((1, *shape), np.float32), where)
        try:
            network.load_state_dict(state["network"])
        except RuntimeError as error:
            raise ValueError(f"{path} was trained with another backbone, {about['backbone']}: {error}") from None
        model._become(network, shape)
        if "probe" in state and not torch.allclose(model._probe(), state["probe"], rtol=0.01, atol=0.01):
            raise ValueError(f"{path} was trained with another backbone, {about['backbone']}: this one's z differ")
        return model

    def _probe(self) -> torch.Tensor:
        """Return z of two fixed items: networks with the same weights may still differ in what they do with them."""
        items = np.random.default_rng(0).standard_normal((2, *self._shape())).astype(np.float32)
        return torch.from_numpy(self.project(items))

    def _blocks(self, items: Iterable[Any]) -> Iterator[NDArray[np.float32]]:
        item_shape = self._shape()
        if hasattr(items, "shape"):  # one array, or what reads like one: by blocks, not by items
            items = blocks_of(check_items(items, item_shape))
        return project(self.network, items, item_shape)

    def _shape(self) -> tuple[int, ...]:
        if self.item_shape is None:
            raise RuntimeError(f"this {type(self).__name__} has not been trained yet: call fit(items, labels) first")
        return self.item_shape

    def _become(self, network: nn.Sequential, item_shape: tuple[int, ...]) -> None:
        self.network = network.eval().requires_grad_(False)
        self.item_shape = item_shape

    def _build(self, items: Items, device: torch.device) -> nn.Sequential:
        """Put the hash layer behind the backbone."""
        item_shape = tuple(items.shape[1:])
        backbone = copy.deepcopy(self.backbone) if self.backbone is not None else default_backbone(item_shape)
        with torch.inference_mode():
            one = torch.from_numpy(np.array(items[:1], np.float32))
            shape = tuple(backbone.to(device).eval()(one.to(device)).shape)
        if len(shape) != 2:
            raise ValueError(f"the backbone must map (n, ...) to (n, width); one item gave shape {shape}")
        network = nn.Sequential(backbone, self.hash_layer(shape[1])).to(device)
        if len(item_shape) == 3:
            network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return network
