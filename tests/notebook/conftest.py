"""A real server and real kernels."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

# Tests are found one by one, without a package around them: what they share is imported from the root of the project.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from jupyter_ptytasks.notebook.clients import connections
from tests.client.conftest import live
from tests.client.live import LiveServer
from tests.notebook.kernel import Kernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["live"]


@pytest.fixture(scope="module")
def kernel(live: LiveServer) -> Iterator[Kernel]:
    """Yield a kernel that runs in the server's home directory."""
    with Kernel(live) as kernel:
        yield kernel


@pytest.fixture
def here(live: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveServer]:
    """Work in the server's home ourselves."""
    go(live, monkeypatch)
    yield live
    connections().close()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveServer]:
    """Return a server of the test's own, and work in its home."""
    server = LiveServer(tmp_path.resolve() / "h")
    try:
        server.start()
        go(server, monkeypatch)
        yield server
    finally:
        connections().close()
        server.stop()


def go(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment of a user who works there."""
    for name in list(os.environ):
        if name.startswith(("JUPYTER", "JPY_", "PTYTASK")):
            monkeypatch.delenv(name)
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(server.home)
