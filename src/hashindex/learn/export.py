"""Trained models as ONNX files: backbone, hash layer and packing in one graph, for any ONNX runtime."""

from __future__ import annotations

import copy
import logging
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..inputs.numbers import check_n_bits
from ..support.files import replacing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DTYPES = {"float32": torch.float32, "uint8": torch.uint8}


def to_onnx(
    network: nn.Module,
    n_bits: int,
    item_shape: tuple[int, ...],
    path: str | Path,
    *,
    dtype: Literal["float32", "uint8"] = "float32",
) -> None:
    """Write a trained network as an ONNX file that maps ``items`` to ``codes``.

    ``codes`` are uint8 (n, code_size) for any n, bit = 1 iff z > 0, in the order of ``numpy.packbits``: what
    `HashIndex.add` takes. They are those of ``encode``, but for rounding: another runtime may differ in the last
    digits of z, and so in the bit of a z next to 0. The file replaces what was there at once; it holds the weights, in
    float32, and ``n_bits`` as metadata.

    Parameters
    ----------
    network
        Items -> z (n, n_bits): the ``network`` of a trained model. It is not changed.
    n_bits, item_shape
        The model's: the length of its codes and the shape of one item.
    path
        The file to write.
    dtype
        Of ``items``; "uint8" spares users of images the conversion.

    Raises
    ------
    ImportError
        The package that writes ONNX is not installed.
    ValueError
        The dtype is unknown, or the network does not map items of the shape to (n, n_bits).
    """
    if dtype not in DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, got {dtype!r}")
    n_bits = check_n_bits(n_bits)
    try:
        import onnxscript  # noqa: F401 - torch.onnx needs it
    except ImportError as error:
        raise ImportError("ONNX files need onnxscript: pip install 'hashindex[onnx]'") from error
    encoder = CodeNetwork(copy.deepcopy(network).float().cpu()).eval()
    items = torch.zeros((2, *item_shape), dtype=DTYPES[dtype])  # a batch of one would stay one
    _check_output(encoder.network, items, n_bits)
    model = _serialized(encoder, items, n_bits)
    with replacing(path) as new:
        new.write_bytes(model)


class CodeNetwork(nn.Module):
    """A network and the packing of its signs: items -> codes, uint8 (n, code_size), as `hashindex.codes.pack` does."""

    place: Tensor

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        # The order of numpy.packbits: the first of eight bits is the most significant.
        self.register_buffer("place", torch.tensor([128, 64, 32, 16, 8, 4, 2, 1], dtype=torch.int32))

    def forward(self, items: Tensor) -> Tensor:
        """Return the codes of items; the bit of a NaN is 0."""
        z = self.network(items.float())
        bits = functional.pad((z > 0).int(), (0, -z.shape[1] % 8))
        octets = bits.reshape(bits.shape[0], bits.shape[1] // 8, 8)
        return (octets * self.place).sum(2, dtype=torch.int32).to(torch.uint8)


def _check_output(network: nn.Module, items: Tensor, n_bits: int) -> None:
    with torch.no_grad():
        try:
            shape = tuple(network(items.float()).shape)
        except RuntimeError as error:
            raise ValueError(f"the network takes no items of shape {tuple(items.shape[1:])}: {error}") from error
    if shape != (2, n_bits):
        raise ValueError(f"the network must map (n, ...) to (n, {n_bits}); two items gave shape {shape}")


def _serialized(encoder: CodeNetwork, items: Tensor, n_bits: int) -> bytes:
    with _quiet():
        program = torch.onnx.export(
            encoder,
            (items,),
            input_names=["items"],
            output_names=["codes"],
            dynamic_shapes=({0: torch.export.Dim("n")},),
            dynamo=True,
            verbose=False,
        )
    assert program is not None  # it is, given no path
    program.model.metadata_props["n_bits"] = str(n_bits)
    for node in program.model.graph:
        node.metadata_props.clear()  # stack traces, with the paths of this machine
    model: bytes = program.model_proto.SerializeToString()
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what PyTorch says of its own deprecations and of packages it would also have looked at."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logger.setLevel(level)
