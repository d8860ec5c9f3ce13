"""One real server for all tests of a module; tests that kill the server have their own."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

# Tests are found one by one, without a package around them: what they share is imported from the root of the project.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from tests.client.live import LiveServer
from tests.oracle.client import xterm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_ptytasks.client import Client

__all__ = ["xterm"]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Yield a running server."""
    server = LiveServer(tmp_path_factory.mktemp("live").resolve())
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def client(live: LiveServer) -> Iterator[Client]:
    """Yield a client of the server."""
    with live.client() as client:
        yield client
