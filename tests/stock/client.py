"""Drives that client: one node process with JSON lines as requests (see client.mjs)."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.npm import install

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
_PATIENCE = 60.0


class StockError(Exception):
    """What the client rejected with, and the HTTP status if that was the server's."""

    def __init__(self, message: str, status: int | None) -> None:
        super().__init__(message)
        self.status = status


class StockClient:
    """A page of JupyterLab without the page. `close` it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["node", "client.mjs"], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, operation: str, *arguments: Any) -> Any:
        """Return what an operation of client.mjs resolved with. Raises StockError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([operation, *arguments]) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise StockError(answer["error"], answer["status"])
        return answer["value"]

    def until(self, number: int, condition: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Return how a connection is, as soon as a condition holds."""
        deadline = time.monotonic() + _PATIENCE
        while not condition(found := self("look", number)):
            assert time.monotonic() < deadline, found
            time.sleep(0.02)
        return dict(found)

    def shows(self, number: int, text: str) -> dict[str, Any]:
        """Return how a connection is, as soon as it was told `text`."""
        return self.until(number, lambda look: text in look["text"])

    def type(self, number: int, text: str) -> None:
        """Type, as a terminal does."""
        self("send", number, "stdin", text)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


@pytest.fixture(scope="session")
def stock() -> Iterator[StockClient]:
    """The client; skips where there is no node to run it."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("JupyterLab's client needs node and npm")
    install(HERE)
    client = StockClient()
    yield client
    client.close()
