"""Drives the oracle: one node process with xterm.js in it, asked by JSON lines; and the pytest fixture `xterm`."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import reject

from tests.npm import install

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent

Snapshot = dict[str, Any]
"""As xterm.mjs writes it: `normal` and `alt` (lines, cursor, margins, tabs, saved cursor), `pen`, `modes`, `title`."""


class Xterm:
    """One node process that serves any number of terminals, one after the other.

    Bytes are decoded as the server decodes them for a viewer: UTF-8, with U+FFFD for what is none. A character may be
    cut between two chunks.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["node", "xterm.mjs"], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, operations: list[list[Any]]) -> list[Any]:
        """What each of `operations` (see xterm.mjs) answered; a case that breaks xterm.js itself is no case."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(operations) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the oracle died: its message stands above"
        results = json.loads(answer)
        if not isinstance(results, list):
            reject()
        return results

    def show(
        self, *streams: bytes, rows: int = 24, cols: int = 80, scrollback: int = 1000, version: int = 6
    ) -> list[Snapshot]:
        """The snapshots of fresh terminals of one size, each fed one of `streams`."""
        size = {"rows": rows, "cols": cols, "scrollback": scrollback, "version": version}
        operations: list[list[Any]] = []
        for stream in streams:
            operations += [["new", size], ["write", stream.decode("utf-8", "replace")], ["snapshot"]]
        return self.ask(operations)[2::3]

    def answers(self, stream: bytes, *, rows: int = 24, cols: int = 80) -> list[str]:
        """What a fresh terminal types by itself when it is fed `stream`."""
        text = stream.decode("utf-8", "replace")
        answers: list[str] = self.ask([["new", {"rows": rows, "cols": cols}], ["write", text], ["answers"]])[2]
        return answers

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()


@pytest.fixture(scope="session")
def xterm() -> Iterator[Xterm]:
    """xterm.js; skips where there is no node to run it."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("the oracle is xterm.js, which needs node and npm")
    install(HERE)
    oracle = Xterm()
    yield oracle
    oracle.close()
