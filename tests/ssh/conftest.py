"""A server and an sshd on this machine, each with its own home directory, for each test."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

# As in tests/client.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from tests.client.live import LiveServer
from tests.elsewhere import host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.ssh.sshd import Sshd


@pytest.fixture
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """Yield an sshd that answers."""
    with host(tmp_path_factory) as found:
        yield found


@pytest.fixture
def live(request: pytest.FixtureRequest, sshd: Sshd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Yield a server whose `ssh` leads to the sshd, with the options of `parametrize`; in the end its tasks, here and
    there, are stopped.
    """
    server = LiveServer(tmp_path_factory.mktemp("near").resolve(), *sshd.options, *getattr(request, "param", ()))
    try:
        yield server.start()
    finally:
        if not sshd.is_up:
            sshd.start()
        server.stop()
