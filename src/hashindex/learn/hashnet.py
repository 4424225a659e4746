"""HashNet: data -> backbone -> hash layer -> tanh(beta z) -> pairwise loss; codes are the signs of z.

Cao, Long, Wang and Yu, "HashNet: Deep Learning to Hash by Continuation", ICCV 2017 (arXiv 1702.00758).
"""

from __future__ import annotations

import copy
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from ..codes import pack
from ..inputs import check_n_bits
from .augment import jitter
from .backbone import conv_net, mlp
from .checks import check_inputs, to_labels, to_tensor
from .continuation import Continuation
from .loss import PairWeights, pair_weights, pairwise_loss, similarity
from .progress import History, Step, reporter
from .sampler import balanced_batches, shuffled_batches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike, NDArray

    from .checks import Inputs

# Items encoded at once. Each block is filled up to this size, so that every item meets the same arithmetic whatever
# is encoded along with it: a query alone gets the bits it gets in a batch.
_BLOCK = 64


class HashNet:
    """Learns codes that are near each other, in Hamming distance, for items of the same class.

    >>> model = HashNet(n_bits=32).fit(images, labels)  # doctest: +SKIP
    >>> codes = model.encode(images)  # uint8 (n, 4), ready for HashIndex.add  # doctest: +SKIP

    Parameters
    ----------
    n_bits
        Length of the codes.
    seed
        Fixes everything random: the same seed gives the same codes on the CPU with the same number of torch threads.
        No global random state changes.
    n_steps, batch_size
        Training steps, and items per step; all batch_size**2 pairs of a batch enter its loss.
    learning_rate
        The highest rate (AdamW); it rises for a tenth of the steps and then falls to zero along a cosine.
    alpha
        Scale of the adaptive sigmoid; None is 10 / n_bits, so that alpha <h, h> stays within -10..10.
    continuation
        Whether beta grows in stages; False keeps it at 1.
    weighted
        Whether similar and dissimilar pairs count the same in total; False counts every pair once.
    augment
        Whether training images are shifted by up to a pixel and get a little noise. Features never change.
    backbone
        A module that maps (n, ...) to (n, width); fit trains a copy of it. None is a small network by the shape
        of the data: `conv_net` for images, `mlp` for features.
    device
        Where to compute; None is the GPU if there is one.

    Attributes
    ----------
    network
        The trained module, images or features -> z.
    history
        The course of the training.

    Raises
    ------
    ValueError
        n_bits is not in 1..65536, n_steps < 1, batch_size < 2, or a rate is not positive.
    """

    network: nn.Module
    history: History

    def __init__(
        self,
        n_bits: int = 32,
        seed: int = 0,
        *,
        n_steps: int = 700,
        batch_size: int = 256,
        learning_rate: float = 1e-2,
        alpha: float | None = None,
        continuation: bool = True,
        weighted: bool = True,
        augment: bool = True,
        backbone: nn.Module | None = None,
        device: str | torch.device | None = None,
    ) -> None:
        self.n_bits = check_n_bits(n_bits)
        self.alpha = 10 / self.n_bits if alpha is None else alpha
        for name, value, least in (("n_steps", n_steps, 1), ("batch_size", batch_size, 2)):
            if value < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")
        for name, rate in (("learning_rate", learning_rate), ("alpha", self.alpha)):
            if not 0 < rate < math.inf:
                raise ValueError(f"{name} must be a positive number, got {rate}")
        self.seed = seed
        self.n_steps = n_steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.continuation = Continuation(n_steps) if continuation else Continuation(n_steps, n_stages=1, first=1.0)
        self.weighted = weighted
        self.augment = augment
        self.backbone = backbone
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._item_shape: tuple[int, ...] | None = None

    def fit(
        self,
        inputs: Inputs,
        labels: ArrayLike | torch.Tensor,
        *,
        progress: bool | Callable[[Step], None] = False,
    ) -> HashNet:
        """Train from scratch and return self; a fit that fails leaves the model as it was.

        Parameters
        ----------
        inputs
            Images (n, channels, height, width) or features (n, n_features), real, NumPy or PyTorch.
        labels
            Class numbers, int (n,), or multi-hot 0/1 (n, n_classes): then one class in common makes a pair similar.
        progress
            True shows a bar with stage, beta and loss where tqdm is installed; a callable gets every `Step`.

        Raises
        ------
        TypeError
            Inputs are not real numbers, or labels not integers.
        ValueError
            Another shape, fewer than 2 items, values that are NaN or infinite.
        """
        data = to_tensor(check_inputs(inputs))
        classes = to_labels(labels, len(data))
        if len(data) < 2:
            raise ValueError(f"expected at least 2 items to learn from, got {len(data)}")
        with _own_random_state(self.seed), reporter(progress, self.n_steps) as report:
            network = self._build(data)
            steps = list(self._train(network, data, classes, report))
        self.network = network.eval()
        self.history = History(*(np.array(column) for column in zip(*steps, strict=True)))
        self._item_shape = tuple(data.shape[1:])
        return self

    def encode(self, inputs: Inputs) -> NDArray[np.uint8]:
        """Return the packed codes, uint8 (n, ceil(n_bits / 8)), bit = 1 iff z > 0.

        An item's code does not depend on what is encoded along with it. Memory is that of one block of items.

        Raises
        ------
        RuntimeError
            Before `fit`.
        TypeError, ValueError
            Items of another kind or shape than in `fit`, values that are NaN or infinite.
        """
        return pack(self.project(inputs))

    def project(self, inputs: Inputs) -> NDArray[np.float32]:
        """Return the values z whose signs are the code, float32 (n, n_bits). Raises as `encode` does."""
        if self._item_shape is None:
            raise RuntimeError("this HashNet has not been trained yet: call fit(images, labels) first")
        inputs = check_inputs(inputs, self._item_shape)
        outputs = np.empty((len(inputs), self.n_bits), np.float32)
        filled = torch.zeros(_BLOCK, *self._item_shape)
        for start in range(0, len(inputs), _BLOCK):
            block = to_tensor(inputs[start : start + _BLOCK])
            filled[: len(block)] = block
            with torch.inference_mode():
                z = self.network(filled.to(self.device))
            outputs[start : start + _BLOCK] = z[: len(block)].float().cpu().numpy()
        return outputs

    def _build(self, data: torch.Tensor) -> nn.Module:
        """Put the hash layer behind the backbone; its norm keeps z at unit scale, where tanh can still learn."""
        if self.backbone is not None:
            backbone = copy.deepcopy(self.backbone)
        elif data.ndim == 2:
            backbone = mlp(data.shape[1])
        else:
            backbone = conv_net((data.shape[1], data.shape[2], data.shape[3]))
        with torch.inference_mode():
            shape = tuple(backbone.to(self.device).eval()(data[:1].to(self.device)).shape)
        if len(shape) != 2:
            raise ValueError(f"the backbone must map (n, ...) to (n, width); one item gave shape {shape}")
        hash_layer = nn.Sequential(nn.Linear(shape[1], self.n_bits), nn.BatchNorm1d(self.n_bits, affine=False))
        return nn.Sequential(backbone, hash_layer).to(self.device).train()

    def _train(
        self, network: nn.Module, data: torch.Tensor, labels: torch.Tensor, report: Callable[[Step], None]
    ) -> Iterator[Step]:
        generator = torch.Generator().manual_seed(self.seed)
        weights = pair_weights(labels) if self.weighted else PairWeights(1.0, 1.0)
        if labels.ndim == 1:
            batches = balanced_batches(labels, self.batch_size, generator=generator)
        else:
            batches = shuffled_batches(len(data), self.batch_size, generator=generator)
        optimiser = torch.optim.AdamW(network.parameters(), lr=self.learning_rate)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, self.learning_rate, self.n_steps, pct_start=0.1)
        for step, batch in zip(range(self.n_steps), batches, strict=False):
            inputs, classes = data[batch], labels[batch]
            if self.augment and data.ndim == 4:
                inputs = jitter(inputs, generator=generator)
            if self.weighted and labels.ndim == 1:  # balanced batches hold more similar pairs than the data set
                weights = pair_weights(classes)
            similar = similarity(classes, classes).to(self.device)
            stage, beta = self.continuation.stage(step), self.continuation.beta(step)
            h = torch.tanh(beta * network(inputs.to(self.device)))
            loss = pairwise_loss(h, h, similar, weights, self.alpha)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
            done = Step(step, stage, beta, loss.item())
            report(done)
            yield done


def _rate(progress: float) -> float:
    """Share of the learning rate at progress 0..1: a linear rise over the first tenth, then half a cosine."""
    return (progress + 1e-3) / 0.101 if progress < 0.1 else (1 + math.cos(math.pi * (progress - 0.1) / 0.9)) / 2


@contextmanager
def _own_random_state(seed: int) -> Iterator[None]:
    """Seed the global generators, which draw initial weights, and put back their states afterwards."""
    gpus = list(range(torch.cuda.device_count()))
    with torch.random.fork_rng(devices=gpus):
        torch.default_generator.manual_seed(seed)
        if gpus:
            torch.cuda.manual_seed_all(seed)
        yield
