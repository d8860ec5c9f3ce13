"""`TypedDict` as pydantic takes it, which makes schemas of the types: that of `typing` only from Python 3.12 on."""

from __future__ import annotations

import sys

if sys.version_info >= (3, 12):
    from typing import NotRequired, TypedDict
else:
    from typing_extensions import NotRequired, TypedDict

__all__ = ["NotRequired", "TypedDict"]
