"""The folder for what is kept from one run to the next and may be lost."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """``HASHINDEX_CACHE``, else ``hashindex`` in the user's cache folder; RuntimeError if there is no home folder."""
    named = os.environ.get("HASHINDEX_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hashindex"
