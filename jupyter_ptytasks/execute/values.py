"""Values on a command line, as Python has them."""

from __future__ import annotations

import json
from typing import Any

_PYTHON_WORDS = {"True": True, "False": False, "None": None}


def read(text: str) -> Any:
    """Parse a value from the command line: JSON, True, False or None; anything else is text."""
    if text in _PYTHON_WORDS:
        return _PYTHON_WORDS[text]
    try:
        return json.loads(text)
    except ValueError:
        return text
