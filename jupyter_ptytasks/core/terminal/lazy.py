"""Regular expressions that are compiled on first use.

Those with the widths of characters take about ten milliseconds, which would delay every start of a ptyhost, and
memory, even if all output is ASCII.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, AnyStr


def lazy(pattern: AnyStr) -> re.Pattern[AnyStr]:
    """Return an object that can be used like re.compile(pattern)."""
    return _Lazy(pattern)  # type: ignore[return-value]


class _Lazy:
    def __init__(self, pattern: str | bytes) -> None:
        self.pattern = pattern

    def __getattr__(self, name: str) -> Any:
        # Only called for missing attributes: from now on, access is as fast as for the pattern itself.
        method = getattr(re.compile(self.pattern), name)
        setattr(self, name, method)
        return method
