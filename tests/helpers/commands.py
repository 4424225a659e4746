"""Running commands, and the store of hashes that tests of them begin with."""

from __future__ import annotations

from collections.abc import Callable

import hashindex as hx
from reference import codes_of

CODES = codes_of(3, 50, 256)
LINES = [f"{text}\timg/{i}.jpg" for i, text in enumerate(hx.to_hex(CODES))]
Run = Callable[..., tuple[int, str, str]]
