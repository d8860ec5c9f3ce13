"""Drives the oracle: one node process with xterm.js and JSON lines as requests; and the pytest fixture `xterm`."""

from __future__ import annotations

import codecs
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

    def lines(self, *streams: bytes, rows: int = 24, cols: int = 80) -> list[list[tuple[str, str]]]:
        """Return the lines of fresh terminals that are fed `streams`: plain, and with SGR sequences.

        They end with the last one that shows anything. Blanks at the end of a line are left out, unless they show.
        """
        operations: list[list[Any]] = []
        for stream in streams:
            operations += [["new", {"rows": rows, "cols": cols, "scrollback": 100_000}]]
            operations += [["write", _decoded(stream)], ["lines"]]
        found = [[(plain, ansi) for plain, ansi in lines] for lines in self.ask(operations)[2::3]]
        for lines in found:
            while lines and not lines[-1][0]:
                lines.pop()
        return found

    def answers(self, stream: bytes, *, rows: int = 24, cols: int = 80) -> list[str]:
        """What a fresh terminal types by itself when it is fed `stream`."""
        text = stream.decode("utf-8", "replace")
        answers: list[str] = self.ask([["new", {"rows": rows, "cols": cols}], ["write", text], ["answers"]])[2]
        return answers

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()


def _decoded(stream: bytes) -> str:
    """Decode as a viewer's text is: a character that the end cuts is yet to come."""
    return codecs.getincrementaldecoder("utf-8")("replace").decode(stream)


@pytest.fixture(scope="session")
def xterm() -> Iterator[Xterm]:
    """xterm.js; skips where there is no node to run it."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("the oracle is xterm.js, which needs node and npm")
    install(HERE)
    oracle = Xterm()
    yield oracle
    oracle.close()
