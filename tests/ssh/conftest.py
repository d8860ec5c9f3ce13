"""A server here and an sshd beside it, each with a home of its own, for each test."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

# As in tests/client.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from tests.client.live import LiveServer
from tests.ssh.sshd import SSHD, Sshd

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def there(tmp_path_factory: pytest.TempPathFactory, **env: str) -> Iterator[Sshd]:
    """Run an sshd whose logins have these variables, and yield it when it answers."""
    if SSHD is None or shutil.which("ssh") is None:
        # Where all tests shall run, that is a failure.
        (pytest.fail if os.environ.get("CI") else pytest.skip)("sshd is not installed (openssh-server)")
    found = Sshd(tmp_path_factory.mktemp("sshd").resolve(), **env)
    try:
        yield found.start()
    finally:
        found.stop()


@pytest.fixture
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """Yield an sshd that answers."""
    with there(tmp_path_factory) as found:
        yield found


@pytest.fixture
def live(request: pytest.FixtureRequest, sshd: Sshd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Yield a server whose `ssh` leads to the sshd, with the options of `parametrize`; in the end its tasks, here and
    there, are stopped.
    """
    command = [f"--PtyTasksApp.ssh_command={word}" for word in ("ssh", "-F", sshd.config)]
    server = LiveServer(tmp_path_factory.mktemp("near").resolve(), *command, *getattr(request, "param", ()))
    try:
        yield server.start()
    finally:
        if not sshd.is_up:
            sshd.start()
        server.stop()
