"""Finished output is read before it is searched, by a process that does not outlive its server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psutil

from jupyter_ptytasks.core.ring import known_file
from jupyter_ptytasks.storage.locks import Locks
from tests.client.live import LiveServer, ended, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_ptytasks.client import Client, Task

BARS = "for i in $(seq 4000); do printf '\\r%4d of 4000 |##########|' $i; done; echo; echo the last line"


def ring_of(live: LiveServer, task: Task) -> str:
    return str(live.home / "data" / "ptytasks" / "tasks" / task["id"] / "output")


def readers(live: LiveServer) -> list[psutil.Process]:
    """Return the processes that read ahead for a server."""
    return [process for process in live.processes() if any("readahead" in word for word in process.info["cmdline"])]


def hits(client: Client) -> list[object]:
    return [dict(found)["text"] for found in client.search("the last line") if "text" in found]


def test_output_is_read_ahead_once_it_is_complete(start_server: Callable[..., LiveServer]) -> None:
    live = start_server()
    with live.client() as client:
        task = ended(client, client.create(BARS)["id"])
        short = ended(client, client.create("echo short")["id"])
        ring = ring_of(live, task)
        until(lambda: known_file.is_current(ring), "the output to be read")
        known = known_file.read(ring, (0, task["output"]["end"]), (task["rows"], task["cols"]))
        assert known is not None
        assert known.rest is not None
        assert "the last line" in str([*known.parts, *known.rest])
        until(lambda: not readers(live), "the process to end")
        assert not os.path.exists(known_file.path_of(ring_of(live, short))), "it is not worth it"

        # Output that no server has read since it ended is read by the next one.
        os.unlink(known_file.path_of(ring))
        live.kill9()
        live = start_server()
    with live.client() as client:
        assert hits(client) == ["the last line"]
        until(lambda: known_file.is_current(ring) and not readers(live), "the output to be read")
        assert hits(client) == ["the last line"]

        # While another server of these tasks reads, this one's process waits, and ends with its server.
        data, run = live.home / "data" / "ptytasks", live.runtime / "ptytasks"
        with Locks(str(data), [str(run)]).hold("readahead.lock", 0) as is_held:
            assert is_held
            ended(client, client.create(BARS)["id"])
            until(lambda: readers(live), "a process to wait")
            (reader,) = readers(live)
            assert reader.nice() == 19
            assert not {name for name in reader.environ() if "TOKEN" in name}
            live.kill9()
            until(lambda: not reader.is_running() or reader.status() == psutil.STATUS_ZOMBIE, "it to end")
