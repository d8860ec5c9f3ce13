"""The last lines of an output, as a terminal would have them, with their colours."""

from __future__ import annotations

import pytest

from jupyter_ptytasks.notebook.colours import last_lines, plain

RED, BOLD, PLAIN = "\x1b[31m", "\x1b[1m", "\x1b[0m"


def lines(text: str, count: int = 10, limit: int = 4096, *, whole: bool = True) -> str:
    return last_lines(text.encode(), count, limit, columns=80, whole=whole)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("one\r\ntwo", "one\ntwo\n"),
        (f"{RED}red{PLAIN} not\r\n", f"{RED}red{PLAIN} not\n"),
        (f"{RED}{BOLD}both\x1b[m", f"{RED}{BOLD}both{PLAIN}\n"),
        (f"{RED}goes on\r\nthere{PLAIN} ends", f"{RED}goes on{PLAIN}\n{RED}there{PLAIN} ends\n"),
        (f"10%|{RED}#{PLAIN}   \r20%|{RED}##{PLAIN}  \r30%", f"30%|{RED}##{PLAIN}\n"),
        ("a long line\r\x1b[Kshort", "short\n"),
        ("a long line\x1b[2K\rshort", "short\n"),
        ("ab\x08c", "ac\n"),
        ("ab\x1b[6Gx\x1b[3Dy\x1b[2Cz", "ab y xz\n"),
        ("\x1b]0;title\x07\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\x1b[?25l\x07", "link\n"),
        ("first\r\nsecond\r\n\x1b[2A\x1b[2Kchanged\r\n", "changed\nsecond\n"),  # as rich draws
        ("日本\r\ncafé\xff", "日本\ncaféÿ\n"),
    ],
)
def test_what_stands_there_in_the_end(text: str, shown: str) -> None:
    assert lines(text) == shown


def test_a_bar_that_was_drawn_a_thousand_times_is_one_line() -> None:
    bar = "".join(f"\rstep {number}/1000 |{'#' * (number // 50):20}|" for number in range(1001))
    assert lines(f"begin\r\n{bar}") == f"begin\nstep 1000/1000 |{'#' * 20}|\n"
    assert lines(f"{bar[-3000:]}", whole=False) == f"step 1000/1000 |{'#' * 20}|\n"


def test_it_is_bounded() -> None:
    numbers = "".join(f"{number}\r\n" for number in range(100))
    assert lines(numbers, 3) == "97\n98\n99\n"
    assert lines("cut off\r\n1\r\n2\r\n", whole=False) == "1\n2\n"
    assert lines("x" * 50 + "\r\n" + "y" * 50, limit=60) == "y" * 50 + "\n"
    assert lines(RED + "é" * 100, limit=60) == "é" * 29 + "\n"


def test_without_colours() -> None:
    assert plain(f"{RED}red{PLAIN}\nnot\n") == "red\nnot\n"
