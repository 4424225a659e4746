"""Other ways to make codes, what HashNet is measured against: one file per method, one shape for all.

>>> codes = ITQ(n_bits=32).fit(x).encode(x)  # doctest: +SKIP

LSH, SH and ITQ need no labels; ITQCCA, KSH, SDH and BRE learn from them. `shallow.py` is what they share. The deep
methods train a network and need PyTorch, which is imported when one of them is asked for.
"""

from typing import TYPE_CHECKING

from ..lazy import attributes
from .bre import BRE
from .itq import ITQ
from .itq_cca import ITQCCA
from .ksh import KSH
from .lsh import LSH
from .sdh import SDH
from .sh import SH

if TYPE_CHECKING:
    from .cnnh import CNNH
    from .csq import CSQ
    from .dhn import DHN
    from .dnnh import DNNH
    from .greedyhash import GreedyHash
    from .orthohash import OrthoHash

_DEEP = {name: name.lower() for name in ("CNNH", "CSQ", "DHN", "DNNH", "GreedyHash", "OrthoHash")}

__all__ = [
    "BRE",
    "CNNH",
    "CSQ",
    "DHN",
    "DNNH",
    "ITQ",
    "ITQCCA",
    "KSH",
    "LSH",
    "SDH",
    "SH",
    "GreedyHash",
    "OrthoHash",
]


__getattr__ = attributes(__name__, _DEEP)
