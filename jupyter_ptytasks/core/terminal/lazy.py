"""Regular expressions that are compiled when they are first used.

Those that know the width of characters take some ten milliseconds, which every start of a ptyhost would take longer,
and memory, also where all output is ASCII.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, AnyStr


def lazy(pattern: AnyStr) -> re.Pattern[AnyStr]:
    """Return what can be used like re.compile(pattern)."""
    return _Lazy(pattern)  # type: ignore[return-value]


class _Lazy:
    def __init__(self, pattern: str | bytes) -> None:
        self.pattern = pattern

    def __getattr__(self, name: str) -> Any:
        # Only called for what is not there yet: from now on it is as fast as the pattern itself.
        method = getattr(re.compile(self.pattern), name)
        setattr(self, name, method)
        return method
