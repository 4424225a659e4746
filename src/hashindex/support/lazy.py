"""Packages whose names are imported when they are first asked for: what is heavy waits until it is wanted."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def attributes(package: str, where: Mapping[str, str]) -> Callable[[str], Any]:
    """Make the ``__getattr__`` (PEP 562) of a package that finds each name in the submodule ``where`` says."""

    def find(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            module = import_module(f"{package}.{where[name]}")
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise ImportError(f"{package}.{name} needs PyTorch: pip install 'hashindex[train]'") from error
        found = getattr(module, name)
        setattr(sys.modules[package], name, found)  # asked for once
        return found

    return find


def needed(module: str, wants: str, extra: str) -> Any:
    """Import ``module`` for who ``wants`` it; ImportError that names the ``extra`` of this package that brings it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise
        raise ImportError(f"{wants} needs {error.name}: pip install 'hashindex[{extra}]'") from None
