"""Answerer: what stands in for a terminal while nobody looks, so that a program that asks does not wait for seconds."""

from __future__ import annotations

import re

# With neither of these in it, output holds no query; in a coloured log they are found out far faster than queries are.
_SUSPECT = re.compile(rb"\x1b\[(?:[cn>?56]|0[cn])")
_SUSPECT_STRING = b"\x1b]1"
_QUERY = re.compile(rb"\x1b(?:\[(>?)0?c|\[(\??)([56])n|\](1[01]);\?(\x07|\x1b\\))")
# The beginning of a query, cut by the end of a read.
_CUT = re.compile(rb"\x1b(?:\[(?:>?0?|\??[56]?)|\](?:1(?:[01](?:;(?:\?\x1b?)?)?)?)?)?\Z")

# As xterm.js answers DA1 (a VT100 with advanced video) and DA2 (an xterm of patch 276).
_DEVICE = {b"": b"\x1b[?1;2c", b">": b"\x1b[>0;276;0c"}
# Light grey on black: what most terminals look like, and Lab's in its dark theme.
_COLOURS = {b"10": b"cccc/cccc/cccc", b"11": b"0000/0000/0000"}


class Answerer:
    """Answers, in the place of a viewer, DA1, DA2, DSR 5 and 6, and the OSC 10 and 11 that ask for colours."""

    __slots__ = ("_cut",)

    def __init__(self) -> None:
        self._cut = b""

    def feed(self, output: bytes) -> bytes:
        """Takes the next output of the program; gives what to type for it, mostly nothing."""
        if self._cut:
            output = self._cut + output
        elif b"\x1b" not in output:
            return b""
        cut = _CUT.search(output, max(0, len(output) - 8))
        self._cut = cut[0] if cut else b""
        if not _SUSPECT.search(output) and _SUSPECT_STRING not in output:
            return b""
        return b"".join(map(_answer, _QUERY.finditer(output)))


def _answer(query: re.Match[bytes]) -> bytes:
    device, private, report, colour, end = query.groups()
    if colour is not None:
        return b"\x1b]%s;rgb:%s%s" % (colour, _COLOURS[colour], end)
    if report is None:
        return _DEVICE[device]
    if report == b"5":
        return b"\x1b[%s0n" % private
    # The cursor is where no one looks: home.
    return b"\x1b[%s1;1R" % private
