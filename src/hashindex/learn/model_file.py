"""Models and checkpoints on disk: a safetensors file whose metadata says in JSON what the tensors belong to."""

from __future__ import annotations

import hashlib
import inspect
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.parameter import is_lazy

from ..inputs.items import as_float32
from ..support.files import replacing
from .training.continuation import Continuation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..inputs.items import Items
    from .deep_hash import DeepHash
    from .training.loop import Training

FORMAT = "hashindex model 1"
N_DIGESTED = 256  # items, spread evenly over all
_TENSOR, _PAIRS = "tensor", "pairs"  # how the JSON speaks of tensors and of dicts, whose keys may be numbers


def about(model: DeepHash, item_shape: tuple[int, ...]) -> dict[str, Any]:
    """Say what model this is: class, options, shape of the items."""
    names = [name for name in inspect.signature(type(model).__init__).parameters if hasattr(model, name)]
    options = {name: _plain(getattr(model, name)) for name in names if name not in ("backbone", "training")}
    return {
        "class": type(model).__name__,
        "options": options,
        "training_options": vars(model.training),
        "backbone": None if model.backbone is None else repr(model.backbone),
        "item_shape": list(item_shape),
    }


def about_training(model: DeepHash, training: Training, items: Items, labels: torch.Tensor) -> dict[str, Any]:
    """Say what training of the model this is; of many items, a digest of some has to do."""
    some = np.unique(np.linspace(0, len(items) - 1, N_DIGESTED).astype(np.int64))
    weights = [] if model.backbone is None else [*model.backbone.parameters(), *model.backbone.buffers()]
    return {
        **about(model, tuple(items.shape[1:])),
        "training": vars(training),
        "n_items": len(items),
        "items": _digest(as_float32(items[some])),
        "labels": _digest(labels.numpy()),
        "weights": _digest(*(_bytes(tensor) for tensor in weights if not is_lazy(tensor))),
    }


def rebuild(cls: type[Any], about: dict[str, Any], backbone: torch.nn.Module | None, path: str | Path) -> Any:
    """Make the untrained model that a file is about."""
    if about["class"] != cls.__name__:
        raise ValueError(f"{path} holds a {about['class']}, not a {cls.__name__}: call {about['class']}.load")
    if (about["backbone"] is None) != (backbone is None):
        wanted = "its default backbone" if backbone is not None else f"a backbone of its own, {about['backbone']}"
        raise ValueError(f"{path} was trained with {wanted}: load(path{', backbone=...' if backbone is None else ''})")
    options = {name: _lively(value) for name, value in about["options"].items()}
    return cls(**options, backbone=backbone, **about["training_options"])


def write(path: str | Path, about: dict[str, Any], state: dict[str, Any]) -> None:
    """Write the file, replacing what was there at once: a crash leaves the old one whole."""
    tensors: dict[str, torch.Tensor] = {}
    skeleton = _split(state, "", tensors)
    metadata = {"format": FORMAT, "about": _json(about), "state": _json(skeleton)}
    metadata["digest"] = _content_digest(metadata, tensors)
    content = safetensors_torch().save(tensors, metadata)
    with replacing(path) as new:
        new.write_bytes(content)


def check_writable(path: str | Path) -> None:
    """Find out now what would only fail after hours: OSError if `write` cannot write there."""
    path = Path(path)
    safetensors_torch()
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file in it")
    with tempfile.TemporaryFile(dir=path.parent):
        pass


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


def _plain(option: Any) -> Any:
    return {"schedule": option.options()} if isinstance(option, Continuation) else option


def _lively(option: Any) -> Any:
    return Continuation.from_options(option["schedule"]) if isinstance(option, dict) else option


def _content_digest(metadata: dict[str, str], tensors: dict[str, torch.Tensor]) -> str:
    texts = [np.frombuffer(json.dumps(metadata, sort_keys=True).encode(), np.uint8)]
    return _digest(*texts, *(_bytes(tensors[name]) for name in sorted(tensors)))


def _bytes(tensor: torch.Tensor) -> NDArray[np.uint8]:
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()


def _digest(*arrays: NDArray[Any]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]


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
