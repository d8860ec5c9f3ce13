"""A hub's culler stops idle servers, but not one with a running task until the task has run for very long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.client.live import until
from tests.hub.hub import start_servers, unix_time
from tests.ptyhost.hosting import is_alive

if TYPE_CHECKING:
    from jupyter_ptytasks.client import Task
    from tests.hub.hub import Hub, User

#: Servers behind a hub take their time to start, and some tests start several.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

#: Seconds without activity after which a server is culled: a few more than it takes until the hub hears of some.
IDLE = 10
#: Seconds for which a task counts.
CAP = 8


def test_a_server_with_a_running_task_is_not_culled(hub: Hub) -> None:
    busy = hub.add_user("busy")
    capped = hub.add_user("capped", PtyTasksApp={"keep_alive_days": CAP / 86400})
    start_servers(busy, capped)
    short, long = start_task(busy), start_task(capped)
    until(lambda: busy.last_activity > started(short), "the hub to hear of it")
    until(lambda: capped.last_activity > started(long), "the hub to hear of it")
    with hub.culler(IDLE):
        until(lambda: not capped.is_served, "the server with a task that has run very long to be culled")
        # But not for as long as it counted; and the other counts still.
        assert time.time() > started(long) + CAP + IDLE - 2
        assert busy.is_served

        with busy.client() as client:
            client.stop(short["id"], signals=["SIGKILL"])
        until(lambda: not busy.is_served, "the server to be culled whose task has ended")
    assert is_alive(long["pid"] or 0)


def start_task(user: User) -> Task:
    """Start something that runs as long as it may."""
    with user.client() as client:
        return client.create(["sleep", "1000"])


def started(task: Task) -> float:
    """Return the Unix time of a task's start."""
    assert task["started"] is not None
    return unix_time(task["started"])
