"""Other ways to make codes, what HashNet is measured against: one file per method, one shape for all.

>>> codes = ITQ(n_bits=32).fit(x).encode(x)  # doctest: +SKIP

LSH, SH and ITQ need no labels; ITQCCA, KSH, SDH and BRE learn from them. `shallow.py` is what they share. The deep
methods train a network and need PyTorch, which is imported when one of them is asked for.
"""

from typing import TYPE_CHECKING

from ..support.lazy import attributes
from .shallow.bre import BRE
from .shallow.itq import ITQ
from .shallow.itq_cca import ITQCCA
from .shallow.ksh import KSH
from .shallow.lsh import LSH
from .shallow.sdh import SDH
from .shallow.sh import SH

if TYPE_CHECKING:
    from .deep.cnnh import CNNH
    from .deep.csq import CSQ
    from .deep.dhn import DHN
    from .deep.dnnh import DNNH
    from .deep.greedyhash import GreedyHash
    from .deep.orthohash import OrthoHash

_DEEP = {name: f"deep.{name.lower()}" for name in ("CNNH", "CSQ", "DHN", "DNNH", "GreedyHash", "OrthoHash")}

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
