"""Lines as they stand in the end."""

from __future__ import annotations

import pytest

from jupyter_ptytasks.core.terminal.lines import lines_of


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", [""]),
        (b"one\r\ntwo\n", ["one", "two", ""]),
        (b"\x1b[1;31mred\x1b[0m plain", ["red plain"]),
        (b"\x1b]0;title\x07shown \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", ["shown link"]),
        (b" 10%|#   |\r 50%|##  |\r100%|####|\n", ["100%|####|", ""]),
        (b"a longer line\rshort", ["shortger line"]),
        (b"a longer line\r\x1b[Kshort", ["short"]),
        (b"a longer line\rshort\x1b[K", ["short"]),
        (b"a long bar\r          \rdone  \r\n", ["done", ""]),
        (b"blanks that were written stay  \n", ["blanks that were written stay  ", ""]),
        (b"abd\bc", ["abc"]),
        (b"12/100\b\b\b\b\b\b13/100", ["13/100"]),
        (b"\x07bell \x1b[?25lhidden\x1b(B", ["bell hidden"]),
        (b"caf\xc3\xa9 \xff\xfe", ["café \ufffd\ufffd"]),
        (b"cut \x1b[3", ["cut "]),
        ("日本\r語".encode(), ["語本"]),
    ],
)
def test_lines(data: bytes, lines: list[str]) -> None:
    assert lines_of(data) == lines
