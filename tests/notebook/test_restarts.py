"""Tasks started by a cell are found again after a restart of the kernel and of the server."""

from __future__ import annotations

import threading

import pytest

from jupyter_ptytasks import get, run
from jupyter_ptytasks.client import ServerNotFound
from tests.client.live import PATIENCE, LiveServer, free_port, until
from tests.notebook.kernel import Kernel

MIME = "application/vnd.jupyter.ptytask+json"
#: A task that says how far it is, and ends when it is told to.
WORK = "for i in $(seq 100000); do echo step $i; test -e done && exit 5; sleep 0.02; done"


def come_back(server: LiveServer) -> None:
    """Kill the server as hard as can be, and start it on another port with another token."""
    server.kill9()
    server.port, server.token = free_port(), "another"
    server.start()


def test_a_kernel_finds_its_task_after_its_restart(server: LiveServer) -> None:
    with Kernel(server) as kernel:
        kernel.run("%load_ext jupyter_ptytasks")
        cell = f"%%task train\n{WORK}"
        task_id = kernel.run(cell).view[MIME]["task"]["id"]
        kernel.restart()
        kernel.run("%load_ext jupyter_ptytasks\nfrom jupyter_ptytasks import get")
        again = kernel.run(cell)
        assert again.out.startswith("Reattached: task 'train'")
        assert again.view[MIME]["task"]["id"] == task_id
        kernel.run("train = get('train')")
        (server.home / "done").touch()
        assert kernel.run("train.wait().exit_status").text == "5"
        assert kernel.run("train.output().splitlines()[0]").text == "'step 1'"


def test_an_object_in_a_kernel_outlives_the_server(server: LiveServer) -> None:
    with Kernel(server) as kernel:
        kernel.run(f"from jupyter_ptytasks import run\ntrain = run({WORK!r}, name='train')")
        before = kernel.run("train.pid").text
        come_back(server)
        assert kernel.run("train.state, train.attempt").text == "('running', 1)"
        assert kernel.run("train.refresh().pid").text == before
        (server.home / "done").touch()
        assert kernel.run("(await train).exit_status").text == "5"


def test_waiting_and_following_survive_it(server: LiveServer) -> None:
    task = run(WORK, name="train")
    other = get(task.id)
    seen: list[str] = []
    states: list[str] = []

    def look() -> None:
        seen.extend(task)

    def wait() -> None:
        states.append(other.wait().state)

    threads = [threading.Thread(target=look), threading.Thread(target=wait)]
    for thread in threads:
        thread.start()
    until(lambda: seen, "some lines")
    come_back(server)
    count = len(seen)
    until(lambda: len(seen) > count, "more lines")
    (server.home / "done").touch()
    for thread in threads:
        thread.join(PATIENCE)
    assert seen == [f"step {number}" for number in range(1, len(seen) + 1)]
    assert (states, task.exit_status) == (["failed"], 5)


def test_a_view_is_shown_while_the_server_is_gone(server: LiveServer) -> None:
    task = run("echo before; sleep 1000", name="train")
    until(lambda: task.view()[MIME]["tail"] == "before\n", "its output")
    server.kill9()
    view = task._repr_mimebundle_()
    assert view[MIME]["tail"] == "before\n"
    assert "last known state: " in view["text/plain"]
    assert "last known state: " in view["text/html"]
    with pytest.raises(ServerNotFound):
        task.refresh()
    server.start()
    assert "as last known" not in task.view()["text/plain"]
    task.delete(stop=True)
