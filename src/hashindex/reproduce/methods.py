"""The rows of the listings: HashNet, HashNet without its parts, and every baseline."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .. import baselines
from ..learn import HashNet


class Model(Protocol):
    """What every method can do."""

    def fit(self, x: Any, labels: Any, /) -> Any:
        """Learn from items and labels."""

    def encode(self, x: Any, /) -> NDArray[np.uint8]:
        """Make packed codes."""


class Method(NamedTuple):
    """One way to make codes, a row of a listing."""

    name: str
    make: Callable[..., Model]  # n_bits, seed, and for deep methods the options of `Training`
    learns: Literal["network", "pixels", "features"]  # a network of its own, or codes of what it is given


def _fixed_alpha(n_bits: int, seed: int, **training: Any) -> HashNet:
    return HashNet(n_bits, seed, alpha=10 / n_bits, **training)


def _baseline(name: str, n_bits: int, seed: int, **training: Any) -> Model:
    model: Model = getattr(baselines, name)(n_bits, seed, **training)
    return model


HASHNET = Method("HashNet", HashNet, "network")
# Class-balanced batches make up for rare similar pairs too: HashNet-W does without both.
WITHOUT_WEIGHTS = Method(
    "HashNet without weights, batches at random", partial(HashNet, weights=None, balanced=False), "network"
)
BALANCED_ONLY = Method("HashNet without weights, batches balanced", partial(HashNet, weights=None), "network")
WITHOUT_CONTINUATION = Method("HashNet without continuation", partial(HashNet, continuation=False), "network")
FIXED_ALPHA = Method("HashNet, alpha fixed", _fixed_alpha, "network")
WITH_PARTIAL = Method("HashNet+C", partial(HashNet, partial=True), "network")
ABLATIONS = (WITHOUT_WEIGHTS, WITHOUT_CONTINUATION)

NO_NETWORK = ("LSH", "SH", "ITQ", "ITQ-CCA", "BRE", "KSH", "SDH")
ON_PIXELS = tuple(Method(name, partial(_baseline, name.replace("-", "")), "pixels") for name in NO_NETWORK)
ON_FEATURES = tuple(
    Method(f"{name}, classifier's features", partial(_baseline, name.replace("-", "")), "features")
    for name in NO_NETWORK
)
# As HashNet-W: the paper's DHN draws its batches at random.
DHN = Method("DHN", partial(_baseline, "DHN", balanced=False), "network")
DHN_BALANCED = Method("DHN, batches balanced", partial(_baseline, "DHN"), "network")
CNNH, DNNH, GREEDYHASH, CSQ, ORTHOHASH = (
    Method(name, partial(_baseline, name), "network") for name in ("CNNH", "DNNH", "GreedyHash", "CSQ", "OrthoHash")
)
DEEP = (CNNH, DNNH)
MODERN = (GREEDYHASH, CSQ, ORTHOHASH)
