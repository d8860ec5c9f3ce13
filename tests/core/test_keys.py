"""Keys by their tmux names are the bytes that a terminal sends for them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.core.terminal.keys import encode, needs_mode
from tests.ptyhost.hosting import wait_until

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("key", "typed"),
    [
        ("C-c", b"\x03"),
        ("C-C", b"\x03"),
        ("^C", b"\x03"),
        ("^", b"^"),
        ("C-Space", b"\0"),
        ("C-\\", b"\x1c"),
        ("C-?", b"\x7f"),
        ("Enter", b"\r"),
        ("Escape", b"\x1b"),
        ("Tab", b"\t"),
        ("S-Tab", b"\x1b[Z"),
        ("BSpace", b"\x7f"),
        ("M-BSpace", b"\x1b\x7f"),
        ("M-x", b"\x1bx"),
        ("M-X", b"\x1bX"),
        ("C-M-a", b"\x1b\x01"),
        ("S-a", b"A"),
        ("Up", b"\x1b[A"),
        ("C-Up", b"\x1b[1;5A"),
        ("S-M-Left", b"\x1b[1;4D"),
        ("F1", b"\x1bOP"),
        ("F12", b"\x1b[24~"),
        ("S-F5", b"\x1b[15;2~"),
        ("PageDown", b"\x1b[6~"),
        ("C-DC", b"\x1b[3;5~"),
        ("y", b"y"),
        ("hello", b"hello"),
        ("日本", "日本".encode()),
        ("C-", b"C-"),
        ("", b""),
    ],
)
def test_a_key(key: str, typed: bytes) -> None:
    assert encode([key]) == typed


def test_cursor_keys_have_two_forms() -> None:
    assert encode(["Up", "Home", "x"], application=True) == b"\x1bOA\x1bOHx"
    assert needs_mode(["x", "Left"])
    assert not needs_mode(["x", "C-Left", "F1"])


@pytest.mark.parametrize("key", ["C-1", "C-日", "S-Enter", "C-S-a", "C-hello", "M-hello"])
def test_what_a_terminal_cannot_type(key: str) -> None:
    with pytest.raises(ValueError, match="is not a key"):
        encode([key])


@given(keys=st.lists(st.text("CMS-abUp^ ", max_size=8), max_size=5))
def test_nothing_else_is_raised(keys: list[str]) -> None:
    try:
        encode(keys)
    except ValueError:
        pass


#: Keys that tmux itself types into a program, held against ours. (Its Home and End are those of its own terminal.)
AS_TMUX = [
    "C-c",
    "C-a",
    "C-Space",
    "Up",
    "Down",
    "Left",
    "Right",
    "IC",
    "DC",
    "PPage",
    "NPage",
    "F1",
    "F4",
    "F5",
    "F12",
]
AS_TMUX += ["BSpace", "BTab", "Tab", "Enter", "Escape", "M-x", "C-M-a", "C-Up", "S-Left", "M-F2"]
READER = """
import os, sys, tty
tty.setraw(0)
os.write(1, b'ready')
with open(sys.argv[1], 'wb', 0) as file:
    while True:
        file.write(os.read(0, 99))
"""


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_they_are_what_tmux_types(tmp_path: Path) -> None:
    heard, socket = tmp_path / "heard", str(tmp_path / "tmux")

    def tmux(*words: str) -> str:
        run = subprocess.run(["tmux", "-S", socket, "-f", "/dev/null", *words], capture_output=True, text=True)
        return run.stdout

    tmux("new-session", "-d", "-x", "80", "-y", "24", sys.executable, "-c", READER, str(heard))
    try:
        wait_until(lambda: "ready" in tmux("capture-pane", "-p"))
        expected = b""
        for key in AS_TMUX:
            tmux("send-keys", key, "|")
            expected += encode([key]) + b"|"
        wait_until(lambda: heard.read_bytes().count(b"|") == len(AS_TMUX))
        heard_of, told = heard.read_bytes().split(b"|"), expected.split(b"|")
        assert dict(zip(AS_TMUX, heard_of, strict=False)) == dict(zip(AS_TMUX, told, strict=False))
    finally:
        tmux("kill-server")
