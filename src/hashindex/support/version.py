"""The version that is installed."""

from .machine import installed

__version__ = installed("hashindex") or "0+unknown"  # run from the source tree
