"""Ownership and permissions of files, directories and sockets on systems with modes."""

from __future__ import annotations

import os
import socket
import stat
from typing import TYPE_CHECKING

import pytest

if os.name != "posix":
    pytest.skip("files have no modes, and Python no unix sockets here", allow_module_level=True)

from jupyter_ptytasks.core.files import read_own, write_bytes
from jupyter_ptytasks.core.platform.posix.endpoint import SUN_PATH_MAX, SocketAddress
from jupyter_ptytasks.core.platform.posix.files import private_dir

if TYPE_CHECKING:
    from pathlib import Path


def test_files_that_others_can_write_are_not_read(tmp_path: Path) -> None:
    path = str(tmp_path / "own")
    write_bytes(path, b"mine")
    assert read_own(path, 4) == b"mine"
    with pytest.raises(OSError, match="more than 3 bytes"):
        read_own(path, 3)
    os.symlink(path, tmp_path / "link")
    os.mkfifo(tmp_path / "pipe", 0o600)
    for other in ("link", "pipe", "."):
        with pytest.raises(OSError, match=r"link|this user alone"):
            read_own(str(tmp_path / other), 4)
    for mode in (0o620, 0o602):
        os.chmod(path, mode)
        with pytest.raises(PermissionError):
            read_own(path, 4)
    os.chmod(path, 0o644)
    assert read_own(path, 4) == b"mine"
    if os.geteuid() == 0:
        os.chown(path, 12345, -1)
        with pytest.raises(PermissionError):
            read_own(path, 4)


def test_private_dir_is_made_private(tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.mkdir(mode=0o755)
    private_dir(str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_private_dir_is_not_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(PermissionError):
        private_dir(str(tmp_path / "link"))


def test_a_socket_may_lie_deep(tmp_path: Path) -> None:
    directory = tmp_path / ("d" * 80) / ("e" * 80)
    directory.mkdir(parents=True)
    path = str(directory / "s.sock")
    assert len(path) > SUN_PATH_MAX
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        with SocketAddress(path) as address:
            server.bind(address)
        server.listen()
        with SocketAddress(path) as address:
            client.connect(address)
    assert stat.S_ISSOCK(os.stat(path).st_mode)
