"""Locks between processes, on file systems with and without support for them."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.core.errors import InternalError, StoreUnavailable
from jupyter_ptytasks.core.platform.posix.locks import UNSUPPORTED
from jupyter_ptytasks.storage.locks import Locks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Which locks a file system refuses.
KINDS = {"none": (), "flock": ("flock",), "both": ("flock", "fcntl")}


@pytest.fixture(params=KINDS)
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a task, on a file system that refuses some locks; other directories know them all."""
    home = tmp_path / "home"
    (home / "task").mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in KINDS[request.param]:
        refuse_in(home, name, errno.ENOSYS, monkeypatch)
    return home


def refuse_in(home: Path, name: str, error: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real = getattr(fcntl, name)

    def lock(fd: int, *args: object) -> object:
        if os.readlink(f"/proc/self/fd/{fd}").startswith(f"{home}/"):
            raise OSError(error, os.strerror(error))
        return real(fd, *args)

    monkeypatch.setattr(fcntl, name, lock)


@pytest.fixture
def locks(home: Path, tmp_path: Path) -> Locks:
    return Locks(str(home), [str(tmp_path / "runtime")])


def test_one_has_it_at_a_time(locks: Locks, home: Path, tmp_path: Path) -> None:
    other = Locks(str(home), [str(tmp_path / "runtime")])
    assert not locks.is_held("task/lock")
    lock = locks.take("task/lock")
    assert lock is not None
    assert other.is_held("task/lock")
    assert other.take("task/lock", wait=0.02) is None
    with other.hold("task/lock", 0.0) as held:
        assert not held
    lock.close()
    lock.close()
    assert not other.is_held("task/lock")
    with other.hold("task/lock", 0.0) as held:
        assert held
        assert locks.is_held("task/lock")
    assert not locks.is_held("task/lock")


def test_a_child_that_inherits_it_keeps_holding_it(locks: Locks) -> None:
    lock = locks.take("task/lock")
    assert lock is not None
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[lock.fd])
    lock.close()
    assert locks.is_held("task/lock")
    child.communicate(b"\n")
    assert not locks.is_held("task/lock")


def test_a_missing_directory_has_no_lock(locks: Locks) -> None:
    assert not locks.is_held("gone/lock")
    with pytest.raises(FileNotFoundError):
        locks.take("gone/lock")


def test_locks_elsewhere_are_private(locks: Locks, home: Path, tmp_path: Path) -> None:
    with locks.hold("task/lock", 0.0) as held:
        assert held
    assert locks.at_home is not (tmp_path / "runtime").exists()
    if not locks.at_home:
        assert (tmp_path / "runtime").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("error", sorted(UNSUPPORTED))
def test_whatever_a_file_system_answers_that_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    refuse_in(tmp_path, "flock", error, monkeypatch)
    with Locks(str(tmp_path)).hold("lock", 0.0) as held:
        assert held


def test_a_disk_that_fails_is_not_one_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_in(tmp_path, "flock", errno.EIO, monkeypatch)
    with pytest.raises(InternalError, match="Input/output error"):
        Locks(str(tmp_path)).take("lock")


def test_no_locks_anywhere_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in ("flock", "fcntl"):
        refuse_in(tmp_path, name, errno.ENOSYS, monkeypatch)
    (tmp_path / "home").mkdir()
    with pytest.raises(StoreUnavailable, match=r"set PtyTasksApp\.runtime_dir"):
        Locks(str(tmp_path / "home")).take("lock")


@pytest.fixture(autouse=True)
def no_descriptor_is_left() -> Iterator[None]:
    before = len(os.listdir("/proc/self/fd"))
    yield
    assert len(os.listdir("/proc/self/fd")) == before
