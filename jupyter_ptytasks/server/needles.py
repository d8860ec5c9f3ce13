"""Needles of regular expressions: text that every match contains."""

from __future__ import annotations

import re

from ..core.terminal.needles import Needle

#: The flag that ignores case: wherever it is, it applies to the whole expression.
_ANY_CASE = re.compile(r"\(\?[ms]*i")
#: One element of an expression: a quantifier, a set, the start of a group, a class or an assertion, an escaped
#: character, or any other character.
_STEP = re.compile(
    r"(?P<repeat>\{\d*,?\d*\}|[*+?])|(?P<set>\[\^?\]?(?:[^\]\[\\]|\\.)*\])|(?P<open>\((?:\?(?::|P<\w+>))?)(?!\?)"
    r"|(?P<any>[.^$)|]|\(\?[ims]+\)|\\[bBdDsSwW])|\\(?P<escaped>[^\w])|(?P<char>[^\\\[({])",
    re.DOTALL,
)
#: Characters that cannot be searched for in bytes: line ends, and U+FFFD, which stands for invalid UTF-8.
_UNTOLD = re.compile("[\x00-\x1f\x7f\ufffd\ud800-\udfff]")


def needle_of(pattern: str, *, ignore_case: bool = False) -> Needle | None:
    """Return the longest text that is known to be in every match; None if there is none or it cannot be determined.

    `pattern` is a valid regular expression without look-around, conditions, and flags besides i, m and s.
    """
    any_case = ignore_case or _ANY_CASE.search(pattern) is not None
    runs = [""]
    depth = pos = 0
    while pos < len(pattern):
        step = _STEP.match(pattern, pos)
        if step is None or (depth == 0 and step[0] == "|"):
            return None
        pos = step.end()
        char = step["escaped"] or step["char"]
        if step["open"]:
            depth += 1
        elif step[0] == ")":
            depth -= 1
        if depth > 0:
            continue
        if char and not _UNTOLD.match(char) and (char.isascii() or not any_case):
            runs[-1] += char
            continue
        if step["repeat"] and step["repeat"] != "+":
            runs[-1] = runs[-1][:-1]
        runs.append("")
    longest = max(runs, key=len)
    return Needle(longest, any_case=any_case) if longest else None
