"""What is a masked array: its masked values have no meaning in codes, ids or numbers."""

from __future__ import annotations

import sys
from typing import Any


def is_masked(values: Any) -> bool:
    """Whether values are a masked array; NumPy's module for them, slow to import, is there if anybody has one."""
    module = sys.modules.get("numpy.ma")
    return module is not None and isinstance(values, module.MaskedArray)
