"""The commands in docs/cluster.md, as a new user would copy them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

_PAGE = Path(__file__).parent.parent.parent / "docs" / "cluster.md"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINE = "jupyter ptytasks "


def commands(heading: str) -> list[list[str]]:
    """Return the arguments of the commands below a heading, and before the next one."""
    _, _, rest = _PAGE.read_text(encoding="utf-8").partition(f"\n{heading}\n")
    text = re.split("^#", rest, maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for language, block in _BLOCK.findall(text) if not language for line in block.splitlines()]
    found = [shlex.split(line.removeprefix(_LINE)) for line in lines if line.startswith(_LINE)]
    assert found, f"no commands below {heading}"
    return found
