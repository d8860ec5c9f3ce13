"""The marks that our shells print (rc/): where prompts and commands begin and end, and what they are.

They are FinalTerm's, which many terminals support (`ESC ] 133 ; A` the prompt, `B` the typed text, `C` the output of a
command, `D ; exit code` its end), with additional fields: `ptytask=NONCE.ATTEMPT`, `n` the number of the command, `t`
Unix time, `d` a duration in milliseconds, `cwd`, `cmd` and, in a `D` without a command, `status`. Marks without the
nonce are ignored: other shells and programs print some, too. `E` is our own: the output ends here, before the text that
zsh adds if there is no line end.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: The beginning of every mark, and the maximum size of a mark in bytes.
INTRODUCER = b"\x1b]133;"
LONGEST = 1 << 15
PROMPT, INPUT, OUTPUT, DONE, END = "A", "B", "C", "D", "E"

_MARK = re.compile(rb"\x1b\]133;([A-E])((?:;[^\x00-\x1f\x7f]*)?)(?:\x07|\x1b\\)")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "s": ";"}
_DIGITS = re.compile(r"[0-9]{1,9}")
_TIME = re.compile(r"[0-9]{1,11}(?:\.[0-9]{1,9})?")


class Mark:
    """A mark in the output, from offset `start` up to `end`: its kind and its fields."""

    __slots__ = ("_fields", "code", "end", "kind", "start")

    def __init__(self, kind: str, code: str, fields: dict[str, str], start: int, end: int) -> None:
        self.kind = kind
        self.code = code
        self.start = start
        self.end = end
        self._fields = fields

    def attempt(self, nonce: str) -> int | None:
        """Return the attempt of the task with this nonce that has printed it; None if it is not from that task."""
        known, _, attempt = self._fields.get("ptytask", "").partition(".")
        return int(attempt) if known == nonce and _DIGITS.fullmatch(attempt) else None

    def number(self, name: str) -> int | None:
        """Return a field as an integer; None if it is not one."""
        value = self._fields.get(name, "")
        return int(value) if _DIGITS.fullmatch(value) else None

    def time(self) -> float | None:
        """Return when it was printed (Unix seconds); None if unknown."""
        found = _TIME.match(self._fields.get("t", ""))
        return float(found[0]) if found else None

    def text(self, name: str) -> str | None:
        """Return a field as text; None if there is none."""
        value = self._fields.get(name)
        return None if value is None else _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), value)

    @property
    def exit(self) -> int | None:
        """The exit code of a command; None if there is none."""
        return int(self.code) if _DIGITS.fullmatch(self.code) else None


def find(data: bytes, base: int) -> Iterator[Mark]:
    """Iterate over the marks in `data`, which begins at the offset `base`. Cheap if there are none."""
    at = data.find(INTRODUCER)
    while at >= 0:
        match = _MARK.match(data, at)
        if match is not None:
            yield _read(match, base)
        at = data.find(INTRODUCER, at + 1 if match is None else match.end())


def complete(data: bytes) -> int:
    """Return how many bytes of `data` precede an incomplete mark at its end."""
    at = data.rfind(b"\x1b]", max(len(data) - LONGEST, 0))
    if at < 0:
        return len(data) - data.endswith(b"\x1b")
    rest = data[at : at + LONGEST]
    if INTRODUCER.startswith(rest[: len(INTRODUCER)]) and b"\x07" not in rest and b"\x1b\\" not in rest:
        return at
    return len(data) - data.endswith(b"\x1b")


def _read(match: re.Match[bytes], base: int) -> Mark:
    words = match[2].decode("utf-8", "replace").split(";")[1:]
    code = words[0] if words and "=" not in words[0] else ""
    fields = dict(word.partition("=")[::2] for word in words if "=" in word)
    return Mark(match[1].decode(), code, fields, base + match.start(), base + match.end())
