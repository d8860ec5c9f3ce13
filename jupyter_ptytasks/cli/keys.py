"""Recognizes the detach keys in typed input."""

from __future__ import annotations

import re

#: A rarely used key, twice: holding the first back until the next key is rarely noticed.
DEFAULT = "ctrl-\\,ctrl-\\"

_KEY = re.compile(r"ctrl-([a-z@\[\]\\^_])|(.)", re.IGNORECASE)


class DetachKeys:
    """Finds a sequence of keys in typed input.

    A key that may begin the sequence is held back until the next one is typed.

    Args:
        spec: the keys as docker writes them, such as `ctrl-p,ctrl-q` or `ctrl-a,d`. ValueError if it is not valid.
    """

    def __init__(self, spec: str = DEFAULT) -> None:
        self.spec = spec
        keys = [_KEY.fullmatch(part) for part in spec.split(",")]
        if not all(keys):
            raise ValueError(f"{spec!r} is not a valid key sequence; use something like ctrl-p,ctrl-q")
        self._keys = [_encodings(key[1], key[2]) for key in keys if key]
        self._matched = 0
        self._held = b""

    def __str__(self) -> str:
        return self.spec.replace(",", " ")

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """Return the part of `data` for the task, and whether the keys were found; input after them is dropped."""
        passed = b""
        at = 0
        while at < len(data):
            if self._matched:
                found = self._keys[self._matched].match(data, at)
                if found is None:
                    # Not the sequence after all; this byte may start a new one.
                    passed, self._held, self._matched = passed + self._held, b"", 0
                    continue
            else:
                found = self._keys[0].search(data, at)
                if found is None:
                    return passed + data[at:], False
                passed += data[at : found.start()]
            self._held += found[0]
            self._matched += 1
            at = found.end()
            if self._matched == len(self._keys):
                return passed, True
        return passed, False


def _encodings(control: str | None, plain: str | None) -> re.Pattern[bytes]:
    """Return a pattern for what terminals send for a key: some programs switch on escape sequences for Ctrl keys."""
    if control is None:
        return re.compile(re.escape((plain or "").encode()))
    code = ord(control.lower())
    byte = bytes([ord(control.upper()) & 0x1F])
    return re.compile(b"%b|\x1b\\[%d;5(?::1)?u|\x1b\\[27;5;%d~" % (re.escape(byte), code, code))
