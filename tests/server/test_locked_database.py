"""While another process has locked the database: reads use memory, tasks keep running, and writes fail in time."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.client import RequestFailed
from jupyter_ptytasks.storage.sqlite_file import BUSY
from tests.client.live import LiveServer, ended, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jupyter_ptytasks.client import Client

#: Seconds that an answer may take on a machine that is busy: less than one write waits for its turn.
SOON = BUSY * 0.8

#: How another process has the database: it writes, is about to write, or reads (then nobody can commit).
HOLDS = ["BEGIN EXCLUSIVE", "BEGIN IMMEDIATE", "BEGIN; SELECT * FROM tasks"]

READS: dict[str, Callable[[Client], Any]] = {
    "list": lambda client: client.list(),
    "get": lambda client: client.get("nap"),
    "status": lambda client: client.status(),
    "output": lambda client: client.output("nap"),
    "raw": lambda client: client.raw("nap"),
    "wait": lambda client: client.wait("nap", 0.01),
    "stats": lambda client: client.stats("nap"),
    "signal": lambda client: client.signal("nap", "SIGCONT"),
    "input": lambda client: client.send_input("nap", "x"),
    "pause": lambda client: client.pause("nap"),
    "resume": lambda client: client.resume("nap"),
}

WRITES: dict[str, Callable[[Client], Any]] = {
    "create": lambda client: client.create(["true"]),
    "update": lambda client: client.update("nap", tags=["a"]),
    "delete": lambda client: client.delete("gone"),
    "restart": lambda client: client.restart("done"),
}


@pytest.fixture
def live(start_server: Callable[..., LiveServer]) -> LiveServer:
    """A server with one task that runs and one that has ended."""
    live = start_server()
    with live.client() as client:
        client.create("echo hello; exec sleep 1000", name="nap")
        for name in ("done", "gone"):
            client.create(["echo", name], name=name)
            assert ended(client, name)["output"]["lines"] == 1
        until(lambda: client.get("nap")["output"]["lines"] == 1)
    return live


@contextlib.contextmanager
def held(live: LiveServer, how: str) -> Iterator[None]:
    """Have the database in another process, as far as sqlite can tell: its locks are those of a process."""
    sql = sqlite3.connect(live.home / "data" / "ptytasks" / "tasks.db", isolation_level=None)
    try:
        for statement in how.split(";"):
            sql.execute(statement).fetchone()
        yield
    finally:
        sql.close()


def timed(live: LiveServer, work: dict[str, Callable[[Client], Any]], results: dict[str, Any]) -> dict[str, float]:
    """Run all of `work` at the same time, and return the seconds that each took."""
    took: dict[str, float] = {}

    def run(name: str) -> None:
        with live.client() as client:
            began = time.monotonic()
            try:
                results[name] = work[name](client)
            except RequestFailed as error:
                results[name] = (error.http_status, error.code)
            took[name] = time.monotonic() - began

    workers = [threading.Thread(target=run, args=(name,)) for name in work]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return took


@pytest.mark.parametrize("how", HOLDS)
def test_readers_do_not_wait(live: LiveServer, how: str) -> None:
    results: dict[str, Any] = {}
    with held(live, how):
        took = timed(live, READS, results)
        assert max(took.values()) < SOON, took
        # And so on, for as long as it takes: not each look in its turn.
        again = timed(live, {f"{name} {turn}": work for name, work in READS.items() for turn in range(3)}, {})
        assert max(again.values()) < SOON, again
    assert not [result for result in results.values() if isinstance(result, tuple)], results
    assert {task["name"] for task in results["list"]["tasks"]} == {"nap", "done", "gone"}
    assert results["output"]["output"].strip().startswith("hello")


@pytest.mark.parametrize("how", HOLDS)
def test_writes_are_refused_after_one_timeout_and_leave_nothing_half_done(live: LiveServer, how: str) -> None:
    results: dict[str, Any] = {}
    with live.client() as client:
        before = client.list()["tasks"]
        with held(live, how):
            creates = {f"create {turn}": WRITES["create"] for turn in range(5)}
            took = timed(live, {**creates, **WRITES}, results)
        assert max(took.values()) < 2 * BUSY, took
        assert set(results.values()) == {(503, "store_unavailable")}
        until(lambda: client.status()["stale"] is None)
        after = client.list()["tasks"]
        assert [task["id"] for task in after] == [task["id"] for task in before]
        assert [(task["state"], task["tags"], task["attempt"]) for task in after] == [
            (task["state"], task["tags"], task["attempt"]) for task in before
        ]
        assert [client.output(name)["output"] for name in ("done", "gone")] == ["done\n", "gone\n"]
        assert client.restart("done")["attempt"] == 2
    assert len([one for one in live.processes() if one.name() == "sleep"]) == 1


def test_a_task_is_stopped_all_the_same_and_its_end_is_written_down_later(live: LiveServer) -> None:
    with live.client() as client:
        with held(live, HOLDS[0]):
            until(lambda: client.status()["stale"])
            began = time.monotonic()
            assert client.stop("nap", signals=["SIGKILL"])["state"] == "stopping"
            assert time.monotonic() - began < SOON
            until(lambda: not [one for one in live.processes() if one.name() == "sleep"])
            with pytest.raises(RequestFailed) as refused:
                client.signal("nap", "SIGCONT")
            assert refused.value.code == "invalid_state"
        assert ended(client, "nap")["state"] == "cancelled"


def test_a_server_that_finds_the_database_taken_says_so_until_it_is_free(live: LiveServer) -> None:
    live.kill9()
    with held(live, HOLDS[0]):
        live.start()
        with live.client() as client:
            assert status_of(client) == (503, "store_unavailable")
            assert "locked by another process" in str(client.status()["problem"])
    with live.client() as client:
        until(lambda: status_of(client) == (200, ""))
        until(lambda: client.get("nap")["connected"])
        # What adopts tasks goes on to the queue, and only then says that all is well.
        until(lambda: client.status()["problem"] is None)
    log = (live.home / "server.log").read_text()
    assert log.count("Traceback") == 0


def status_of(client: Client) -> tuple[int, str]:
    """Return how a list of tasks is answered."""
    try:
        client.list()
    except RequestFailed as error:
        return error.http_status or 0, error.code
    return 200, ""
