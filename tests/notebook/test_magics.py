"""The magics, in a real kernel."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.client.live import PATIENCE, ended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.client.live import LiveServer
    from tests.notebook.kernel import Cell, Kernel

MIME = "application/vnd.jupyter.ptytask+json"


@pytest.fixture(scope="module")
def cells(kernel: Kernel) -> Kernel:
    """Return the kernel, with the magics loaded."""
    kernel.run("%load_ext jupyter_ptytasks")
    return kernel


@pytest.fixture
def sleeper(live: LiveServer) -> Iterator[str]:
    """Yield the name of a running task."""
    with live.client() as client:
        client.create("sleep 1000", name="sleeper")
        yield "sleeper"
        client.delete("sleeper", stop=True)


def shown(cell: Cell) -> dict[str, Any]:
    """Return the task that a cell displays."""
    task: dict[str, Any] = cell.view[MIME]["task"]
    return task


def test_a_cell_is_a_task_and_the_kernel_is_free(cells: Kernel, live: LiveServer) -> None:
    cell = cells.run("%%task made -g night -t a -t b -e SEED=3 --timeout 2h\necho $SEED\nread line")
    task = shown(cell)
    assert (task["name"], task["group"], task["tags"], task["timeout"]) == ("made", "night", ["a", "b"], 7200)
    assert (task["command"], task["cwd"]) == ("echo $SEED\nread line", str(live.home))
    assert task["state"] == "running"
    assert cells.run("%task show made").result[MIME]["task"]["id"] == task["id"]
    cells.run("%task input made hello")
    assert cells.run("t = %task wait made\nt.state").text == "'succeeded'"
    assert cells.run("%task logs made -n 2").out == "3\nhello\n"
    assert "made" in cells.run("%task").text
    assert cells.run("%task again made -n twin").result[MIME]["task"]["name"] == "twin"
    cells.run("%task delete made")
    cells.run("%task rm twin --stop")
    assert "TaskNotFound: " in cells.run("%task show twin", fails=True).traceback
    assert "TaskNotFound: " in cells.run("%task show made", fails=True).traceback


def test_a_cell_waits_for_its_turn(cells: Kernel, live: LiveServer) -> None:
    cells.run("%%task first --hold --priority 2 --slots 3 --gpus 0 --retry 2 --retry-delay 5m\necho one")
    cell = cells.run("%%task second --queue night --after first:any --delay 1h\necho two")
    with live.client() as client:
        first, second = client.get("first"), client.get("second")
        assert (first["state"], first["priority"], first["slots"], first["gpus"]) == ("held", 2, 3, 0)
        assert first["retry"] is not None
        assert (first["retry"]["max"], first["retry"]["delay"]) == (2, 300.0)
        assert (shown(cell)["state"], second["group"]) == ("queued", "night")
        assert second["after"] == [{"ref": first["id"], "when": "any"}]
        assert second["not_before"] is not None
        for name in ("second", "first"):
            client.delete(name, stop=True)
    assert "'soon' is not a time" in cells.run("%%task no --at soon\ntrue", fails=True).err


def test_the_same_cell_reattaches_while_the_task_lives(cells: Kernel, live: LiveServer) -> None:
    code = "%%task again\nsleep 1000"
    first = shown(cells.run(code))
    cell = cells.run(code)
    assert cell.out.startswith("Reattached: task 'again' has been running for ")
    assert "changed" not in cell.out
    assert shown(cell)["id"] == first["id"]
    changed = cells.run("%%task again\necho changed")
    assert "Use --restart to run the new version" in changed.out
    assert shown(changed)["id"] == first["id"]
    restarted = cells.run("%%task again --restart --wait\necho changed")
    assert restarted.out == ""
    assert (shown(restarted)["state"], restarted.view[MIME]["tail"]) == ("succeeded", "changed\n")
    with live.client() as client:
        assert client.get(first["id"])["state"] == "cancelled"
    # It has ended: the cell starts another one.
    anew = cells.run(code)
    assert (anew.out, shown(anew)["state"]) == ("", "running")
    cells.run("%task delete again --stop")


def test_variables_are_put_in_as_in_bang_lines(cells: Kernel) -> None:
    cells.run("lr, names, cell, line = 0.5, ['a b', 'c'], 'C', 'L'")
    cell = cells.run(
        "%%task v-$lr --wait\necho {lr * 2} $lr {names[0]!r} $cell $line $$HOME\nfor i in 1 2; do echo $i; done\n"
        "echo '{}' {not python}"
    )
    assert shown(cell)["name"] == "v-0.5"
    assert shown(cell)["command"].splitlines() == [
        "echo 1.0 0.5 'a b' C L $HOME",
        "for i in 1 2; do echo $i; done",
        "echo '{}' {not python}",
    ]


def test_a_cell_of_python_is_a_script(cells: Kernel, live: LiveServer) -> None:
    (live.home / "beside.py").write_text("ANSWER = 42\n")
    source = """%%task script --python --wait
import sys, beside, multiprocessing
def double(x): return 2 * x
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(double, [beside.ANSWER]), '{kept}', {'main', 'path'} & set(globals()))
"""
    cell = cells.run(source)
    assert cell.view[MIME]["tail"] == "[84] {kept} set()\n"
    path = live.home / "data" / "ptytasks" / "cells"
    (kept,) = path.iterdir()
    assert kept.stat().st_mode & 0o77 == 0
    assert shown(cell)["command"][-1] == str(kept)
    cells.run(source)
    assert len(list(path.iterdir())) == 1
    failed = cells.run("%%task script --python --wait\n\n1 / 0", fails=True)
    assert "line 2, in <module>" in failed.traceback
    assert "ZeroDivisionError" in failed.traceback
    slip = cells.run("%%task script --python\n\n1 /", fails=True)
    assert "line 2" in slip.err
    assert "SyntaxError" in slip.err


def test_waiting_shows_the_end_and_fails_with_the_task(cells: Kernel) -> None:
    cell = cells.run("%%task works --wait\necho well")
    assert (cell.updates, shown(cell)["state"]) == (1, "succeeded")
    cell = cells.run("%%task breaks --wait\necho oh no; exit 4", fails=True)
    assert shown(cell)["state"] == "failed"
    assert cell.error == "TaskFailed"
    assert cell.traceback.splitlines()[:2] == ["TaskFailed: task 'breaks': failed (exit 4) after 0s", "oh no"]


def test_following_keeps_the_last_lines_in_one_display(cells: Kernel) -> None:
    cell = cells.run("%%task talks --follow -n 3\nfor i in $(seq 9); do echo $i; sleep 0.3; done")
    assert cell.out == ""
    assert cell.updates >= 2
    assert cell.view["text/plain"].splitlines()[-3:] == ["7", "8", "9"]
    assert cell.view["text/plain"].startswith("task talks (")
    logs = cells.run("%task logs talks -f -n 2")
    assert logs.view["text/plain"].splitlines()[2:] == ["8", "9"]


def test_an_interrupt_is_not_the_tasks(cells: Kernel, live: LiveServer) -> None:
    cells.run("%%task stays\nsleep 1000")
    cell = cells.run("print('now'); get_ipython().run_line_magic('task', 'wait stays')", fails=True, interrupt_at="now")
    assert cell.error == "KeyboardInterrupt"
    assert "Task 'stays' keeps running in the background" in cell.err
    with live.client() as client:
        assert client.get("stays")["state"] == "running"
    cells.run("%task delete stays --stop")


def test_several_are_dealt_with_at_once(cells: Kernel, live: LiveServer) -> None:
    for name in ("one", "two"):
        cells.run(f"%%task {name}\nsleep 1000")
    assert cells.run("%task pause one two").text.count("paused") == 2
    cells.run("%task resume one two")
    assert "TaskNotFound: " in cells.run("%task stop one three", fails=True).traceback
    with live.client() as client:
        assert client.get("one")["state"] == "running"
    assert cells.run("%task stop one two --now --wait").text.count("cancelled  SIGKILL") == 2
    cells.run("%task restart one")
    assert cells.run("%task wait one --timeout 100ms", fails=True).error == "StillRunning"
    cells.run("%task stop one --grace 20")
    with live.client() as client:
        assert ended(client, "one")["state"] == "cancelled"
    cells.run("%task delete one two")


def test_pending_tasks_are_shown_moved_and_released(cells: Kernel, live: LiveServer) -> None:
    for name in ("late", "early", "never"):
        cells.run(f"%%task {name} -g line --hold\ntrue")
    cells.run("%task move early never --before late")
    lines = cells.run("%task queue -g line").out.splitlines()
    assert lines == [f"{name}  line  held until it is released" for name in ("early", "never", "late")]
    cells.run("%task move early --last")
    assert [line.split()[0] for line in cells.run("%task queue -g line").out.splitlines()] == ["never", "late", "early"]
    cells.run("%task move late --group other")
    assert cells.run("%task queue -g other").out.split()[0] == "late"
    assert cells.run("%task why late").out == "held until it is released\n"
    cells.run("%task hold never")
    cells.run("%task release late early")
    with live.client() as client:
        assert ended(client, "early")["state"] == ended(client, "late")["state"] == "succeeded"
    assert cells.run("%task why late").out == "succeeded\n"
    cells.run("%task delete late early never --stop")
    assert cells.run("%task queue -g line").out == "no task is waiting\n"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("%%task\necho", "NAME"),
        ("%%task x --wat\necho", "--wat"),
        ("%%task x --retry-delay 5m\necho", "--retry-delay needs --retry"),
        ("%%task x --mem 1G\necho", "--cpus, --mem and the like need --place"),
        ("%%task x --gpus a100:2\necho", "--gpus a100:2 needs --place"),
        ("%%task x --timeout soon\necho", "'soon' is not a valid duration"),
        ("%%task x -n 0\necho", "number of lines"),
        ("%%task x -e NOT_THERE\necho", "NOT_THERE"),
        ("%%task x\n\n", "the cell is empty"),
        ("%%task x 'y\necho", "No closing quotation"),
        ("%task jump", "ls, show, logs"),
        ("%task stop", "usage: %task stop"),
        ("%task move x", "one of --before, --after, --first and --last is needed, or --group"),
        ("%task logs x -f --grep y", "not allowed with"),
    ],
)
def test_a_typo_is_reported_briefly(cells: Kernel, code: str, said: str) -> None:
    cell = cells.run(code, fails=True)
    assert cell.error == "UsageError"
    assert said in cell.err
    assert "Traceback" not in cell.err


def test_a_path_that_is_not_a_directory_is_reported(cells: Kernel) -> None:
    cell = cells.run("%%task x --cwd nowhere\necho", fails=True)
    assert cell.traceback.startswith("RequestFailed: no such directory")


def test_help(cells: Kernel) -> None:
    assert "--restart" in cells.run("%%task --help\nx").out
    assert "%task logs" in cells.run("%task --help").out
    assert "--follow" in cells.run("%task logs --help").out


@pytest.mark.parametrize(
    ("code", "completed"),
    [
        ("%task st", ["%task stop"]),
        ("%task stop ", ["%task stop 'grid[x=1]'", "%task stop 'two words'", "%task stop sleeper"]),
        ("%task stop sl", ["%task stop sleeper"]),
        ("%task stop x tw", ["%task stop x 'two words'"]),
        ("%task stop 'two w", ["%task stop 'two words'"]),
        ("%task stop --n", ["%task stop --now"]),
        ("t = %task show sle", ["t = %task show sleeper"]),
        ("%%task sle", ["%%task sleeper"]),
        ("%%task sleeper --f", ["%%task sleeper --follow"]),
        ("%%task sleeper\nsle", []),
        ("%%task x -g nig", ["%%task x -g night"]),
        ("%%task x --after sle", ["%%task x --after sleeper"]),
        ("%task queue --group nig", ["%task queue --group night"]),
        ("%task retry ", ["%task retry grid"]),
        ("%task delete --sweep ", ["%task delete --sweep grid"]),
        ("%task release gri", ["%task release 'grid[x=1]'"]),
        ("%task ls gri", []),
    ],
)
def test_completion(cells: Kernel, sleeper: str, live: LiveServer, code: str, completed: list[str]) -> None:
    with live.client() as client:
        client.create("sleep 1000", name="two words", if_exists="return")
        client.set_group("night")
        client.create_sweep("true {x}", {"x": [1]}, name="grid", hold=True)
        try:
            assert cells.complete(code) == completed
        finally:
            client.delete("two words", stop=True)
            client.delete_sweep("grid", stop=True)


def test_completion_of_other_things_is_left_alone(cells: Kernel) -> None:
    assert "%task" in cells.complete("%ta")
    assert cells.complete("impor") == ["import"]


def test_a_terminal_shows_what_comes(live: LiveServer) -> None:
    """In terminal IPython, displays cannot be updated: the output is printed."""
    code = "%load_ext jupyter_ptytasks\nget_ipython().run_cell_magic('task', 'plain --follow', 'echo one; echo two')"
    script = live.home / "plain.ipy"
    script.write_text(code)
    ran = subprocess.run(
        [sys.executable, "-m", "IPython", "--simple-prompt", "--colors=nocolor", str(script)],
        env=live.environ,
        cwd=live.home,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert ran.stdout.endswith("one\ntwo\n"), ran.stderr
