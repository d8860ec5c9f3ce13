"""Tokens of decoded text: the grammar of `vt`, in the form needed for drawing, where text and tokens alternate."""

from __future__ import annotations

from .lazy import lazy

_OTHER = r"[^\x00-\x7f]"
_CONTROL = r"[\x00-\x17\x19\x1c-\x1f\x7f]"
_HEADER = r"[\x00-\x17\x19\x1c-\x3f\x7f]*"
_ABORTED = r"(?=\x1b)|\Z"
_END = r"(?:\x1b\\|[\x18\x1a]|(?=\x1b(?!\\))|\Z)"
#: Everything that is not text, as in vt.TOKEN, but for text without incomplete tokens; repetitions are one token.
#: It begins with a character set, which `re` finds much faster than alternatives.
TOKEN = lazy(
    r"([\x00-\x1f\x7f](?:(?<=\x1b)(?:"
    r"\[[0-9;:]*m(?:\x1b\[[0-9;:]*m)*|\[[0-9;:]*[@-~]|[78DEHMc=>no|}~\\]|\x1b*(?=\x1b)|" + _CONTROL + r"*(?:"
    r"\[" + _HEADER + r"(?:[@-~]|[\x18\x1a]|" + _OTHER + "|" + _ABORTED + r")"
    r"|\][^\x07\x18\x1a\x1b]*(?:\x07|" + _END + r")"
    r"|P" + _HEADER + r"(?:[@-~][^\x18\x1a\x1b]*" + _END + r"|[\x18\x1a]|" + _OTHER + r"|\x1b\\|" + _ABORTED + r")"
    r"|[X^_][\x00-\x17\x19\x1c-\x7f]*(?:" + _END + "|" + _OTHER + r")"
    r"|[ -/][\x00-\x17\x19\x1c-/\x7f]*(?:[0-~]|[\x18\x1a]|" + _OTHER + "|" + _ABORTED + r")"
    r"|[0-OQ-WYZ\\`-~]|[\x18\x1a]|" + _OTHER + "|" + _ABORTED + r"))"
    r"|(?<=\r)(?:\n|\r*(?!\n))|(?<=\n)\n*|(?<=\x08)\x08*|(?<=\t)\t*|(?<=[\x0b\x0c])[\x0b\x0c]*|(?<=[\x0e\x0f])"
    r"|(?<=\x7f)\x7f*|(?<=[\x00-\x07\x10-\x1a\x1c-\x1f])[\x00-\x07\x10-\x1a\x1c-\x1f]*))"
)
#: Tokens on the alternate screen that may leave it, or whose effect outlasts it.
LASTING = lazy(
    r"\x1b(?:c|\](?:4|5|1[0-9]|9;4|7784|104|105|11[0-9])|\[[^@-~]*[hlp]|[()*+.%-][^\x1b]|[no|}~])|[\x0e\x0f]"
)
