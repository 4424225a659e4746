"""Search structures: ways to find codes in one segment, and what they cost."""

from __future__ import annotations

from .clusters import ClusterStructure
from .folds import FoldStructure
from .multi_index import MultiIndex
from .scan import Scan
from .structure import Structure

STRUCTURES: dict[str, Structure] = {
    structure.name: structure for structure in (Scan(), MultiIndex(), ClusterStructure(), FoldStructure())
}
"""By name. The scan comes first: it answers anything, at once."""
