"""The keys that detach, told from all others that are typed."""

from __future__ import annotations

import re

#: Twice a key that hardly anything uses: what reaches the task late while the second is waited for is never missed.
DEFAULT = "ctrl-\\,ctrl-\\"

_KEY = re.compile(r"ctrl-([a-z@\[\]\\^_])|(.)", re.IGNORECASE)


class DetachKeys:
    """Finds a sequence of keys in what is typed. `spec` is as docker has it: `ctrl-p,ctrl-q`, `ctrl-a,d`.

    A key that may begin the sequence is held back until the next one. Raises ValueError for what names no keys.
    """

    def __init__(self, spec: str = DEFAULT) -> None:
        self.spec = spec
        keys = [_KEY.fullmatch(part) for part in spec.split(",")]
        if not all(keys):
            raise ValueError(f"{spec!r} names no keys; something like ctrl-p,ctrl-q does")
        self._keys = [_encodings(key[1], key[2]) for key in keys if key]
        self._matched = 0
        self._held = b""

    def __str__(self) -> str:
        return self.spec.replace(",", " ")

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """Give what of it is for the task, and whether the keys were found in it; what follows them is dropped."""
        passed = b""
        at = 0
        while at < len(data):
            if self._matched:
                found = self._keys[self._matched].match(data, at)
                if found is None:
                    # It was no detaching after all. The same byte may begin it anew.
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
    """Give what a terminal may send for a key: programs can switch it to send Ctrl keys as sequences (kitty, xterm)."""
    if control is None:
        return re.compile(re.escape((plain or "").encode()))
    code = ord(control.lower())
    byte = bytes([ord(control.upper()) & 0x1F])
    return re.compile(b"%b|\x1b\\[%d;5(?::1)?u|\x1b\\[27;5;%d~" % (re.escape(byte), code, code))
