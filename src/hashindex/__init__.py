"""Exact Hamming search over packed binary codes, without knobs; and the networks that make such codes.

>>> import numpy as np
>>> import hashindex as hx
>>> index = hx.HashIndex(n_bits=64)
>>> ids = index.add(hx.pack(np.random.default_rng(0).standard_normal((1000, 64))))
>>> hits = index.search(hx.pack(np.ones(64)), radius=20)
"""

from typing import TYPE_CHECKING

from .support.lazy import attributes

if TYPE_CHECKING:
    from .codes import hamming, pack, to_hex, unpack
    from .explain import Explanation
    from .index import HashIndex
    from .inputs.reading import from_bytes, from_ints, from_signed, from_words
    from .inputs.texts import from_bits, from_hex
    from .matches import ApproximateMatches, NearestMatches, RadiusMatches, ScoredMatches
    from .search.pairs import Pairs
    from .support.version import __version__

__all__ = [
    "ApproximateMatches",
    "Explanation",
    "HashIndex",
    "NearestMatches",
    "Pairs",
    "RadiusMatches",
    "ScoredMatches",
    "__version__",
    "from_bits",
    "from_bytes",
    "from_hex",
    "from_ints",
    "from_signed",
    "from_words",
    "hamming",
    "pack",
    "to_hex",
    "unpack",
]

_WHERE = {
    "HashIndex": "index",
    **dict.fromkeys(("hamming", "pack", "to_hex", "unpack"), "codes"),
    **dict.fromkeys(("from_bytes", "from_ints", "from_signed", "from_words"), "inputs.reading"),
    **dict.fromkeys(("from_bits", "from_hex"), "inputs.texts"),
    **dict.fromkeys(("ApproximateMatches", "NearestMatches", "RadiusMatches", "ScoredMatches"), "matches"),
    "Pairs": "search.pairs",
    "Explanation": "explain",
    "__version__": "support.version",
}

__getattr__ = attributes(__name__, _WHERE)  # each where it is first asked for: commands begin at once


def __dir__() -> list[str]:
    return [*globals(), *__all__]
