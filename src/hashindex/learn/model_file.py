"""Models and checkpoints on disk: a safetensors file whose metadata says in JSON what the tensors belong to."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..support import files

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = "hashindex model 1"
_TENSOR, _PAIRS = "tensor", "pairs"  # how the JSON speaks of tensors and of dicts, whose keys may be numbers


def write(path: str | Path, about: dict[str, Any], state: dict[str, Any]) -> None:
    """Write the file, replacing what was there at once: a crash leaves the old one whole."""
    tensors: dict[str, torch.Tensor] = {}
    skeleton = _split(state, "", tensors)
    metadata = {"format": FORMAT, "about": _json(about), "state": _json(skeleton)}
    metadata["digest"] = _content_digest(metadata, tensors)
    content = safetensors_torch().save(tensors, metadata)
    with files.replacing(path) as new:
        new.write_bytes(content)


def check_writable(path: str | Path) -> None:
    """Find out now what would only fail after hours: OSError or ImportError if `write` cannot write there."""
    safetensors_torch()
    files.check_writable(path)


def read(path: str | Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the file is about and the state in it.

    Raises
    ------
    OSError
        The file cannot be read.
    ValueError
        It is no file of `write`, or damaged.
    """
    safetensors_torch()
    from safetensors import SafetensorError, safe_open

    Path(path).open("rb").close()  # its absence is an OSError with the name

    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except SafetensorError as error:
        raise ValueError(f"{path} is no model file of hashindex: {error}") from None
    if metadata.get("format") != FORMAT:
        raise ValueError(f"{path} is no model file of hashindex: format {metadata.get('format')!r}, not {FORMAT!r}")
    if metadata.pop("digest", None) != _content_digest(metadata, tensors):
        raise ValueError(f"{path} is damaged: its content is not what was written")
    return json.loads(metadata["about"]), _join(json.loads(metadata["state"]), tensors)


def check_same(found: dict[str, Any], wanted: dict[str, Any], path: Path) -> None:
    """ValueError that names what differs between the training of a checkpoint and this one."""
    there, here = _flat(found), _flat(json.loads(_json(wanted)))
    differing = [name for name in here if name not in there or there[name] != here[name]]
    if differing:
        told = "; ".join(f"{name}: {there.get(name)} there, {here[name]} here" for name in differing)
        raise ValueError(f"{path} is the checkpoint of another training ({told}); delete it or name another file")


def bytes_of(tensor: torch.Tensor) -> NDArray[np.uint8]:
    """Return the memory of a tensor, uint8 (n,)."""
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()


def digest(*arrays: NDArray[Any]) -> str:
    """Return 16 hexadecimal digits that tell these arrays from others."""
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(np.ascontiguousarray(array).data)
    return sha.hexdigest()[:16]


def _split(tree: Any, name: str, tensors: dict[str, torch.Tensor]) -> Any:
    """Return the tree as JSON, its tensors put aside under their names."""
    if isinstance(tree, torch.Tensor):
        tensors[name] = tree.detach().cpu().contiguous().clone()
        return {_TENSOR: name}
    if isinstance(tree, dict):
        return {_PAIRS: [[key, _split(value, f"{name}.{key}".lstrip("."), tensors)] for key, value in tree.items()]}
    if isinstance(tree, (list, tuple)):
        return [_split(value, f"{name}.{i}", tensors) for i, value in enumerate(tree)]
    return tree


def _join(tree: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if isinstance(tree, list):
        return [_join(value, tensors) for value in tree]
    if isinstance(tree, dict):
        if _TENSOR in tree:
            return tensors[tree[_TENSOR]]
        return {key: _join(value, tensors) for key, value in tree[_PAIRS]}
    return tree


def _content_digest(metadata: dict[str, str], tensors: dict[str, torch.Tensor]) -> str:
    texts = [np.frombuffer(json.dumps(metadata, sort_keys=True).encode(), np.uint8)]
    return digest(*texts, *(bytes_of(tensors[name]) for name in sorted(tensors)))


def _flat(about: dict[str, Any], name: str = "") -> dict[str, Any]:
    """Return a dict of dicts as one, keys joined by dots."""
    flat: dict[str, Any] = {}
    for key, value in about.items():
        flat |= _flat(value, f"{name}{key}.") if isinstance(value, dict) else {f"{name}{key}": value}
    return flat


def _json(tree: Any) -> str:
    return json.dumps(tree, default=lambda number: number.item())  # of NumPy


def safetensors_torch() -> Any:
    """Return the package that reads and writes the files; ImportError says how to install it."""
    try:
        import safetensors.torch
    except ImportError as error:
        raise ImportError("saving models needs safetensors: pip install 'hashindex[train]'") from error
    return safetensors.torch
