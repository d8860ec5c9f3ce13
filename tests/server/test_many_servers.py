"""Many busy servers on one data directory: a task that is reported as started runs once, and one reported as failed
does not run.
"""

from __future__ import annotations

import contextlib
import random
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.client import RequestFailed
from tests.client.live import LiveServer, ended, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jupyter_ptytasks.client import Client, Task

#: In one of twenty creates another server is the first to see the task run, or end.
CREATES = 500
RESTARTS = 150
#: What may be answered to a verb that came too late: the task had ended, or was deleted.
LATE = {"invalid_state", "task_not_found", "conflict"}


@pytest.fixture(params=[2, 3])
def servers(request: pytest.FixtureRequest, start_server: Callable[..., LiveServer]) -> list[LiveServer]:
    """Servers with one data directory."""
    servers = [start_server("--PtyTasksApp.max_live_tasks=1000") for _ in range(request.param)]
    (servers[0].home / "marks").mkdir()
    return servers


@contextlib.contextmanager
def polled(servers: list[LiveServer]) -> Iterator[None]:
    """Request the tasks of all servers, continuously."""
    done = threading.Event()

    def poll(server: LiveServer) -> None:
        with server.client() as client:
            while not done.wait(0.002):
                client.list(limit=20)

    pollers = [threading.Thread(target=poll, args=(server,)) for server in servers]
    for poller in pollers:
        poller.start()
    try:
        yield
    finally:
        done.set()
        for poller in pollers:
            poller.join()


def at_once(servers: list[LiveServer], work: Callable[[Client, int], Any], count: int) -> list[Any]:
    """Run `work` `count` times, with clients of all servers at the same time, and return the results."""
    numbers = iter(range(count))
    results: list[Any] = []
    failures: list[BaseException] = []

    def run(server: LiveServer) -> None:
        with server.client() as client:
            try:
                results.extend(work(client, number) for number in numbers)
            except BaseException as error:
                failures.append(error)
                raise

    workers = [threading.Thread(target=run, args=(server,)) for server in servers * 2]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures
    return results


def runs(live: LiveServer, task_id: str) -> int:
    """Return how many times the command of a task has run: each run leaves a mark."""
    marks = live.home / "marks"
    return sum(1 for _ in marks.glob(f"{task_id}.*"))


#: By the shell itself: the sooner a task has ended, the narrower the race.
MARK = ': > "$HOME/marks/$PTYTASK_ID.$$"'


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_create_is_answered_by_the_task_that_runs(servers: list[LiveServer]) -> None:
    def create(client: Client, number: int) -> Task:
        return client.create(f"{MARK}; exit 0", name=f"task {number}")

    with polled(servers):
        told = at_once(servers, create, CREATES // len(servers))
    assert len({task["id"] for task in told}) == len(told)
    assert {task["state"] for task in told} <= {"running", "succeeded"}
    with servers[0].client() as client:
        for task in told:
            assert ended(client, task["id"])["state"] == "succeeded"
        assert {task["id"] for task in client.list(limit=1000)["tasks"]} == {task["id"] for task in told}
    assert Counter(runs(servers[0], task["id"]) for task in told) == {1: len(told)}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_restart_runs_once(servers: list[LiveServer]) -> None:
    with servers[0].client() as client:
        names = [f"task {number}" for number in range(10)]
        tasks = {name: client.create(f"{MARK}; exec sleep 1000", name=name, stop_grace=5.0) for name in names}
        until(lambda: all(runs(servers[0], task["id"]) == 1 for task in tasks.values()))

    def restart(client: Client, number: int) -> None:
        name = names[number % len(names)]
        with contextlib.suppress(RequestFailed) as _:
            client.restart(name, signals=["SIGKILL"])

    with polled(servers):
        at_once(servers, restart, RESTARTS // len(servers))
        with servers[-1].client() as client:
            until(lambda: all(client.get(name)["state"] == "running" for name in names))
    with servers[0].client() as client:
        for name, task in tasks.items():
            now = client.get(name)
            assert (now["state"], now["id"]) == ("running", task["id"])
        until(lambda: all(runs(servers[0], task["id"]) == client.get(task["id"])["attempt"] for task in tasks.values()))
        sleeping = [one for one in servers[0].processes() if one.name() == "sleep"]
        assert len(sleeping) == len(names)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_random_verbs(servers: list[LiveServer]) -> None:
    """Whatever is asked for, by whomever: an answer is that it is done or that it came too late, and what runs is what
    the servers tell.
    """
    chance = random.Random(1)
    names = [f"task {number}" for number in range(6)]
    verbs = ["create", "stop", "restart", "pause", "resume", "delete", "update", "signal"]
    plan = [(chance.choice(verbs), chance.choice(names)) for _ in range(250)]
    refused: Counter[str] = Counter()

    def act(client: Client, number: int) -> None:
        verb, name = plan[number]
        try:
            if verb == "create":
                client.create("exec sleep 1000", name=name, if_exists="return", stop_grace=5.0)
            elif verb in ("stop", "restart"):
                getattr(client, verb)(name, signals=["SIGKILL"])
            elif verb == "update":
                client.update(name, tags=[str(number)])
            elif verb == "signal":
                client.signal(name, "SIGCONT")
            elif verb == "delete":
                client.delete(name, stop=True)
            else:
                getattr(client, verb)(name)
        except RequestFailed as error:
            refused[error.code] += 1

    with polled(servers):
        at_once(servers, act, len(plan))
    assert set(refused) <= LATE, refused
    with servers[0].client() as one, servers[-1].client() as other:
        # One that was stopped for a restart is started again, whether its client still waits or not.
        until(lambda: not [task for task in one.list()["tasks"] if task["state_reason"] == "restarting"])
        until(lambda: not one.list(state=["starting", "stopping"])["tasks"])

        def told(client: Client) -> set[tuple[str, str, int]]:
            return {(task["id"], task["state"], task["attempt"]) for task in client.list()["tasks"]}

        until(lambda: told(one) == told(other), "the servers to agree")
        alive = {task["id"] for task in one.list()["tasks"] if task["alive"]}
        until(lambda: all(one.get(task_id)["connected"] for task_id in alive))
        for task in one.list()["tasks"]:
            assert task["state_reason"] not in ("invalid_state", "start_interrupted", "internal_error"), task
        sleeping = [process.environ()["PTYTASK_ID"] for process in servers[0].processes() if process.name() == "sleep"]
        assert sorted(sleeping) == sorted(alive)
