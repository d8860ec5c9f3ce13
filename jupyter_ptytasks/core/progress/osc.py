"""Progress that a program reports by escape sequences: OSC 9;4, followed by the exact numbers of the helper.

OSC 9;4 is ConEmu's (`ESC ] 9 ; 4 ; state ; percent`, ended by BEL or ST), and understood by Windows Terminal, Ghostty,
WezTerm and others. OSC 7784 is ours (docs/protocol.md) and comes from `jupyter_ptytasks.progress`.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

#: The OSC that carries done, total and text; chosen because no terminal is known to use it.
PRIVATE = 7784

_REPORT = re.compile(
    rb"\x1b\](?:9;4;(?P<state>[0-4])(?:;(?P<percent>[0-9]{0,3}))?;?|%d;(?P<exact>[^\x00-\x1f\x7f]*))(?:\x07|\x1b\\)"
    % PRIVATE
)
_STATES = ("", "normal", "error", "indeterminate", "paused")


@dataclass(frozen=True)
class OscReport:
    """One report: cleared, or a state with the known details."""

    state: str
    fraction: float | None = None
    done: float | None = None
    total: float | None = None
    text: str = ""
    source: str = "osc"


def parse_osc(data: bytes) -> list[OscReport]:
    """Return all reports in `data`, in order; an empty state clears."""
    if b"\x1b]" not in data:
        return []
    found = []
    for match in _REPORT.finditer(data):
        if match["exact"] is not None:
            exact = _exact(match["exact"])
            if exact is not None:
                found.append(exact)
        else:
            state, percent = _STATES[int(match["state"])], match["percent"]
            known = percent and state != "indeterminate"
            found.append(OscReport(state, min(int(percent), 100) / 100 if known else None))
    return found


def _exact(body: bytes) -> OscReport | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or "metrics" in value:
        return None  # metrics are read by core.metrics
    done, total, text = _number(value.get("done")), _number(value.get("total")), value.get("text")
    text = text if isinstance(text, str) else ""
    if done is None or total is None or total <= 0:
        return OscReport("indeterminate", None, done, None, text, "helper")
    return OscReport("normal", min(max(done / total, 0.0), 1.0), done, total, text, "helper")


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:
        return None
