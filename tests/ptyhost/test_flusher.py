"""Output of a job is flushed once a second, so that other machines see it."""

from __future__ import annotations

import os
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.core.ring.format import index_path, log_path
from jupyter_ptytasks.core.ring.writer import RingWriter
from jupyter_ptytasks.ptyhost import flusher
from jupyter_ptytasks.ptyhost.flusher import Flusher
from tests.ptyhost.hosting import wait_until

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Return how often each file was flushed; the first time that fails, as on a disk that is full."""
    found: Counter[str] = Counter()

    def fsync(fd: int) -> None:
        found[os.path.basename(os.readlink(f"/proc/self/fd/{fd}"))] += 1
        if found.total() == 1:
            raise OSError(28, "no space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(flusher, "_EVERY", 0.05)
    return found


def _are_flushed(flushed: Counter[str], base: int, times: int) -> bool:
    return all(flushed[os.path.basename(path("", base))] == times for path in (log_path, index_path))


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="the name of an open file is not told here")
def test_the_newest_segment_is_flushed_when_there_is_something_new(tmp_path: Path, flushed: Counter[str]) -> None:
    directory = str(tmp_path / "output")
    one = Flusher(directory)
    one.tell()  # there is no ring yet
    ring = RingWriter(directory, size=1 << 20, segment=1 << 12, rows=24, cols=80)
    for times, piece in enumerate((b"hello\n", b"again\n"), 1):
        ring.write(piece)
        one.tell()
        wait_until(partial(_are_flushed, flushed, 0, times), 60)
    ring.write(b"x" * 4095 + b"\n")
    last = ring.end
    one.tell()
    wait_until(partial(_are_flushed, flushed, last, 1), 60)
    ring.close()
