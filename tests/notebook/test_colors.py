"""The last lines of a task, as saved in the output of cells."""

from __future__ import annotations

import pytest

from jupyter_ptytasks.notebook.colors import bounded, plain

RED, PLAIN = "\x1b[31m", "\x1b[0m"


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        ("", 10, ""),
        ("one\ntwo", 10, "one\ntwo\n"),
        ("one\n\n", 10, "one\n\n"),
        (f"{RED}one{PLAIN}\ntwo\n", 100, f"{RED}one{PLAIN}\ntwo\n"),
        ("x" * 50 + "\n" + "y" * 50, 60, "y" * 50 + "\n"),
        (RED + "é" * 100 + PLAIN, 60, "é" * 29 + "\n"),
    ],
)
def test_it_is_bounded(text: str, limit: int, kept: str) -> None:
    assert bounded(text, limit) == kept


def test_without_colors() -> None:
    assert plain(f"{RED}red{PLAIN}\nnot\n") == "red\nnot\n"
