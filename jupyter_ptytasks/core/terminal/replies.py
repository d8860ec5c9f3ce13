"""Replies: distinguishes automatic replies of terminals to queries from what a person types.

Sequences as in xterm's ctlseqs. With several viewers, each of them replies to a live query, but only one reply must
reach the program.
"""

from __future__ import annotations

import re

# DA1-3, DSR and CPR, DECRPM, window reports, kitty's keyboard flags, DECRPSS and other DCS, colors and other OSC,
# kitty's graphics. A CPR looks like a modified F3: the reply is more likely.
_REPLY = re.compile(
    r"\x1b\[[?>=][0-9;]*c|\x1b\[\??[0-9;]*n|\x1b\[\??[0-9]+;[0-9]+R|\x1b\[\??[0-9;]*\$y|\x1b\[[0-9;]+t|\x1b\[\?[0-9]*u"
    r"|\x1b[P_][^\x1b]*\x1b\\|\x1b\][0-9][^\x07\x1b]*(?:\x07|\x1b\\)"
)


def split(text: str) -> tuple[str, str]:
    """Split the input `text` into what was typed and automatic replies, each in order."""
    if "\x1b" not in text:
        return text, ""
    answered = _REPLY.findall(text)
    return (_REPLY.sub("", text), "".join(answered)) if answered else (text, "")
