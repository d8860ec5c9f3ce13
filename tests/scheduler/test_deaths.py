"""The end of a process wakes the scheduler, once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from jupyter_ptytasks.core.platform import events
from jupyter_ptytasks.scheduler.deaths import Deaths

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has pidfd_open")


def test_an_end_is_reported_once() -> None:
    poll = events.Poll()
    deaths = Deaths(poll)
    with subprocess.Popen(["sleep", "1000"]) as one, subprocess.Popen(["sleep", "1000"]) as other:
        assert deaths.watch([one.pid, other.pid])
        assert poll.poll(0) == []
        one.kill()
        ready = [fd for fd, _ in poll.poll(10_000)]
        assert len(ready) == 1
        deaths.noticed(ready)
        assert poll.poll(0) == []
        # Until its end is written down: what cannot be told any more has to be looked for.
        assert not deaths.watch([one.pid, other.pid])
        assert poll.poll(0) == []
        assert deaths.watch([other.pid])
        deaths.close()
        other.kill()
        assert poll.poll(0) == []


def test_what_cannot_be_watched() -> None:
    deaths = Deaths(events.Poll())
    assert not deaths.watch([None])
    assert not deaths.watch([1 << 22 | 1])
    assert deaths.watch([])
