"""Groups in Python and with `%task group`: configure, pause, retry, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks import group, groups, run
from jupyter_ptytasks.client import NotFound, RequestFailed
from jupyter_ptytasks.client.discovery import URL
from jupyter_ptytasks.notebook.clients import connections

if TYPE_CHECKING:
    from tests.client.live import LiveServer
    from tests.notebook.kernel import Kernel


def test_a_group_is_configured_paused_and_forgotten(here: LiveServer) -> None:
    made = group("gpu-a", slots=2, on_failure="pause")
    assert (made.name, made.info["slots"], made.info["on_failure"]) == ("gpu-a", 2, "pause")
    assert repr(made.pause("driver update")) == "gpu-a: 0 of 2 slots used, 0 running, 0 waiting, paused: driver update"
    waits = run("true", name="waits", group="gpu-a")
    assert [task.id for task in group("gpu-a").tasks] == [waits.id]
    assert made._repr_mimebundle_()["text/html"] == (
        "<div>gpu-a: 0 of 2 slots used, 0 running, 1 waiting, paused: driver update</div>"
    )
    assert made.resume().info["paused"] is False
    assert waits.wait().state == "succeeded"
    assert made.set(slots=None).info["slots"] is None
    assert "gpu-a" in [one.name for one in groups()]
    with pytest.raises(RequestFailed, match="slots"):
        made.set(slots=-1)
    waits.delete()
    made.delete()
    with pytest.raises(NotFound, match="no group has the name 'gpu-a'"):
        group("gpu-a")


def test_its_tasks_are_those_of_its_server(here: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    made = group("gpu-d", url=here.url, token=here.token, slots=1)
    task = run("true", name="there", group="gpu-d").wait()
    # Nothing listens where a server would be found without its address.
    connections().close()
    monkeypatch.setenv(URL, "http://127.0.0.1:9/")
    assert [one.id for one in made.tasks] == [task.id]
    assert [one.id for one in made.retry(["succeeded"])] == [task.id]


def test_failed_tasks_of_a_group_are_rerun(here: LiveServer) -> None:
    made = group("gpu-b", slots=1)
    failed = run("[ -e now ]", name="again-b", group="gpu-b").wait()
    assert run("true", name="fine-b", group="gpu-b").wait().state == "succeeded"
    again = made.retry()
    assert [task.id for task in again] == [failed.id]
    assert again[0].wait().info["attempt"] == 2
    assert made.retry(["succeeded"])[0].name == "fine-b"


def test_groups_by_magic(kernel: Kernel) -> None:
    assert kernel.run("%load_ext jupyter_ptytasks").err == ""
    made = kernel.run("%task group gpu-c --slots 3 --pause --reason 'not now'")
    assert made.result["text/plain"] == "gpu-c: 0 of 3 slots used, 0 running, 0 waiting, paused: not now"
    assert "paused" not in kernel.run("%task group gpu-c --resume").result["text/plain"]
    assert "gpu-c: 0 of 3 slots used" in kernel.run("%task group").result["text/plain"]
    assert (
        kernel.run("%task group gpu-c --retry").result["text/plain"]
        == kernel.run("%task ls -g gpu-c").result["text/plain"]
    )
    assert "gpu-c: no limit" in kernel.run("%task group gpu-c --slots none").result["text/plain"]
    assert kernel.run("%task group gpu-c --delete").result == {}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--slots 2", "which group?"),
        ("g --slots many", "'many' is not a number"),
        ("g --pause --resume", "not allowed"),
    ],
)
def test_lines_that_configure_no_group(kernel: Kernel, line: str, message: str) -> None:
    kernel.run("%load_ext jupyter_ptytasks")
    cell = kernel.run(f"%task group {line}", fails=True)
    assert message in cell.err + cell.traceback
