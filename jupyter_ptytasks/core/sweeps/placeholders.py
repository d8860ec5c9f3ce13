"""Replaces placeholders such as `{lr}` in a command with values, which never break out of their argument."""

from __future__ import annotations

import re

from ..errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: The name of a parameter: like an option, without the dashes.
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_BRACES = re.compile(rf"\{{\{{|\}}\}}|\{{({NAME.pattern})\}}|[{{}}]")
#: Text that has no special meaning for a shell in any context.
_PLAIN = re.compile(r"[A-Za-z0-9_+:,./-][A-Za-z0-9_@%+=:,./-]*")
_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_WORD_BREAKS = frozenset(" \t\n;&|()")


def names_in(command: str | list[str]) -> list[str]:
    """Return the names of the placeholders in a command, each once. Raises BadRequest for an unmatched brace."""
    words = [command] if isinstance(command, str) else command
    return list(dict.fromkeys(name for word in words for _, name in _parts(word) if name))


def fill(command: str | list[str], values: Mapping[str, str]) -> str | list[str]:
    """Return a command with its placeholders replaced by values, and `{{` and `}}` by `{` and `}`.

    In a shell command line, values are quoted for their context. Raises BadRequest with the `field` `command` if the
    context is not certain.
    """
    if isinstance(command, str):
        return _fill_line(_parts(command), values)
    return ["".join(text + (values[name] if name else "") for text, name in _parts(word)) for word in command]


def escape(text: str) -> str:
    """Escape text so that `fill` returns it unchanged."""
    return text.replace("{", "{{").replace("}", "}}")


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Iterate over the text before each placeholder and its name; the last name is empty."""
    before, end = "", 0
    for found in _BRACES.finditer(text):
        before += text[end : found.start()]
        end = found.end()
        if found[1]:
            yield before, found[1]
            before = ""
        elif found[0] in ("{{", "}}"):
            before += found[0][0]
        else:
            near = text[max(found.start() - 10, 0) : found.start() + 20]
            raise _bad(f"{near!r} has a brace that belongs to no placeholder; write {found[0] * 2} for {found[0]}")
    yield before + text[end:], ""


def _fill_line(parts: Iterable[tuple[str, str]], values: Mapping[str, str]) -> str:
    place = _Place()
    filled = ""
    for text, name in parts:
        place.pass_over(text)
        filled += text
        if name:
            filled += place.quoted(name, values[name])
    return filled


class _Place:
    """The context of the next character in a shell command line: outside quotes, in `'` or `"`, or one that only the
    shell itself can tell: after `$(`, a backtick, a here-document and the like, and in comments.
    """

    def __init__(self) -> None:
        self._quote = ""
        self._unsure = False
        self._comment = False
        self._escaped = False
        #: Whether the next character may continue the name of a variable.
        self._in_name = False
        self._last = " "

    def pass_over(self, text: str) -> None:
        """Advance to the end of `text`."""
        at = 0
        while at < len(text):
            at += self._step(text, at)

    def quoted(self, name: str, value: str) -> str:
        """Return a value quoted for this context. Raises BadRequest if the context is not certain."""
        if self._in_name or self._escaped:
            raise _bad(f"{{{name}}} follows a $ or a backslash; write ${{{{name}}}} for a variable of the shell")
        self._last = "x"
        if _PLAIN.fullmatch(value):
            return value
        if self._unsure or self._comment:
            raise _bad(f"a value of {{{name}}} cannot be quoted here; pass a list of arguments, or use its variable")
        if self._quote == '"':
            return re.sub(r'([\\"$`])', r"\\\1", value)
        # In fish, a backslash is special in single quotes.
        inside = re.sub(r"['\\]", lambda found: "'\"'\"'" if found[0] == "'" else "'\"\\\\\"'", value)
        return inside if self._quote else f"'{inside}'"

    def _step(self, text: str, at: int) -> int:
        """Process the character at `at`, or several that belong together; return how many."""
        char, before, self._last = text[at], self._last, text[at]
        if self._escaped:
            self._escaped = False
        elif self._comment:
            self._comment = char != "\n"
        elif self._quote == "'":
            self._quote = "" if char == "'" else "'"
        elif char == "\\":
            self._escaped, self._in_name = True, False
        elif char == "$":
            variable = _VARIABLE.match(text, at)
            self._in_name = variable is None
            if variable is not None:
                self._last = "}"
                return len(variable[0])
        elif self._in_name and (char.isalnum() or char == "_"):
            pass
        else:
            # `$(`, `${` with more than a name, `$'` and `$"`.
            self._unsure |= char == "`" or (self._in_name and before == "$" and char in "({'\"[")
            self._in_name = False
            self._pass_plain(text, at, before)
        return 1

    def _pass_plain(self, text: str, at: int, before: str) -> None:
        char = text[at]
        if char == '"':
            self._quote = "" if self._quote else '"'
        elif not self._quote:
            if char == "'":
                self._quote = "'"
            self._comment = char == "#" and before in _WORD_BREAKS
            self._unsure |= text.startswith("<<", at)


def _bad(message: str) -> BadRequest:
    return BadRequest(f"command: {message}", field="command")
