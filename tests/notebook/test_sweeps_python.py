"""Sweeps in Python and in cells: a table of parameters, states and progress; retry, cancel, wait."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks import get_sweep, sweep, tasks
from jupyter_ptytasks.client import NotFound, RequestFailed, StillRunning, TaskFailed
from jupyter_ptytasks.notebook.sweeps import Sweep

if TYPE_CHECKING:
    from tests.client.live import LiveServer
    from tests.notebook.kernel import Kernel


class Scalar:
    """A number as NumPy has them."""

    def __init__(self, number: int) -> None:
        self._number = number

    def item(self) -> int:
        return self._number


def test_a_whole_sweep_is_released_and_deleted(here: LiveServer) -> None:
    made = sweep("true {x}", x=[1, 2], name="whole", hold=True)
    with pytest.raises(RequestFailed, match="2 of the tasks have not ended"):
        made.delete()
    assert [task.params for task in made.release()] == [{"x": 1}, {"x": 2}]
    assert made.wait(check=True).release() == []
    made.delete()
    with pytest.raises(NotFound):
        get_sweep("whole")
    sweep("sleep 1000 # {x}", x=[1, 2], name="whole").delete(stop=True)
    assert tasks(sweep="whole") == []


def test_a_sweep_is_made_waited_for_and_run_again(here: LiveServer) -> None:
    command = "[ {seed} = 0 ] || [ -e go ] && echo {lr} $SAID"
    made = sweep(
        command, lr=[1e-3, 0.5], seed=range(2), name="s", group="g", tags=["t"], env={"SAID": "hi"}, timeout="1h"
    )
    assert isinstance(made, Sweep)
    with pytest.raises(TaskFailed, match="seed=1"):
        made.wait(check=True)
    assert made.states == {"succeeded": 2, "failed": 2}
    assert [task.params for task in made.tasks] == [{"lr": lr, "seed": seed} for lr in (1e-3, 0.5) for seed in (0, 1)]
    assert {(task.group, *task.tags, task.info["timeout"]) for task in made.tasks} == {("g", "t", 3600.0)}
    assert made.tasks[0].output() == "0.001 hi\n"
    assert repr(made).splitlines()[:3] == [
        f"sweep s ({made.id}): 2 succeeded, 2 failed",
        "lr     seed  state      progress  exit  ran",
        "0.001  0     succeeded            0     0s",
    ]
    (here.home / "go").touch()
    again = made.retry()
    assert [task.params["seed"] for task in again] == [1, 1]
    assert made.wait(check=True) is made
    assert made.states == {"succeeded": 4}
    assert [task.attempt for task in made.tasks] == [1, 2, 1, 2]
    found = get_sweep("s")
    assert (found.id, found.live, len(tasks(sweep="s"))) == (made.id, False, 4)
    view = found._repr_mimebundle_()
    assert "<b>s</b> 4 succeeded" in view["text/html"]
    assert ">0.001</td>" in view["text/html"]
    with pytest.raises(NotFound):
        get_sweep("nobody")


def test_it_is_canceled_and_awaited(here: LiveServer) -> None:
    made = sweep([sys.executable, "-c", "import time; time.sleep({x})"], {"x": "1000,1001"}, slots=1, retry=2)
    with pytest.raises(StillRunning, match=r"has not ended within 0\.1 s"):
        made.wait(0.1)
    assert made.live
    assert len(made.cancel()) == 2

    async def end() -> Sweep:
        return await made

    assert asyncio.run(end()).states == {"cancelled": 2}


def test_modes_and_values(here: LiveServer) -> None:
    made = sweep(
        "true {path} {number} {flag}",
        {"path": [Path("a b"), Path("c")], "number": [Scalar(1), Scalar(2)], "flag": [True, False]},
        mode="zip", hold=True,
    )  # fmt: skip
    assert [task.params for task in made.tasks] == [
        {"path": "a b", "number": 1, "flag": True}, {"path": "c", "number": 2, "flag": False},
    ]  # fmt: skip
    assert "a b   1       true   held" in repr(made)
    made.cancel()
    drawn = sweep("true {x}", x="0:100", mode="random", count=2, random_seed=1, hold=True)
    assert len(drawn.tasks) == 2
    drawn.cancel()


def test_an_invalid_sweep_is_reported_and_nothing_starts(here: LiveServer) -> None:
    before = len(tasks())
    with pytest.raises(TypeError, match="lots=1: neither"):
        sweep("true {x}", x=[1], lots=1)
    with pytest.raises(TypeError, match="x: None is not"):
        sweep("true {x}", x=[None])
    with pytest.raises(RequestFailed, match=r"\{y\} is not a parameter"):
        sweep("true {y}", x=[1])
    with pytest.raises(KeyError, match="NOT_SET"):
        sweep("true {x}", x=[1], env=["NOT_SET"])
    assert len(tasks()) == before


# -- cells ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cells(kernel: Kernel) -> Kernel:
    """Return the kernel, with the magics loaded."""
    kernel.run("%load_ext jupyter_ptytasks")
    return kernel


def states(cell: Any) -> str:
    return str(cell.view["text/plain"].splitlines()[0].partition(": ")[2])


def test_a_cell_is_a_sweep(cells: Kernel, live: LiveServer) -> None:
    cells.run("lr, word = 7, 'notebook'")
    code = "%%task cell --sweep lr=1e-3,1e-4 --sweep seed=0:2 -e A=b --wait\necho {lr} {seed} {word} $$A ${{HOME%x}}"
    cell = cells.run(code)
    assert states(cell) == "4 succeeded"
    assert cells.run("from jupyter_ptytasks import get_sweep\nprint(get_sweep('cell').tasks[0].output())").out == (
        f"1e-3 0 notebook b {live.home}\n\n"
    )


def test_a_cell_in_python_has_variables(cells: Kernel) -> None:
    code = "%%task py --python --sweep lr=1e-3,2 --sweep use-amp=True,no --wait\nd = {}\nprint(lr * 2, use_amp, d)"
    assert states(cells.run(code)) == "4 succeeded"
    told = cells.run("for t in get_sweep('py').tasks: print(t.output(), end='')").out
    assert told == "0.002 True {}\n0.002 no {}\n4 True {}\n4 no {}\n"


def test_the_same_cell_reattaches_while_it_lives(cells: Kernel) -> None:
    code = "%%task nap --sweep x=1000,1001 --max-failures 1\nsleep {x}"
    first = cells.run(code)
    again = cells.run(code)
    assert again.out == "Reattached: sweep 'nap' has not ended yet.\n"
    assert again.view["text/plain"].split(":")[0] == first.view["text/plain"].split(":")[0]
    changed = cells.run("%%task nap --sweep x=1000\nsleep {x}")
    assert "Use --restart" in changed.out
    anew = cells.run("%%task nap --restart --wait --sweep x=0\nsleep {x}")
    assert (anew.out, states(anew)) == ("", "1 succeeded")
    told = cells.run("from jupyter_ptytasks import tasks\nprint(sorted(t.state for t in tasks(q='nap[')))").out
    assert told == "['cancelled', 'cancelled', 'succeeded']\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--sweep lr", "not of the form PARAM=VALUES"),
        ("--sweep x=1 --sweep x=2", "given once"),
        ("--sweep x=1 --follow", "--follow cannot be combined"),
        ("--max-failures 2", "needs --sweep"),
        ("--sweep x=1 -e NOT_SET", "NOT_SET: this variable is not set"),
        ("--sweep y=1", "neither {y} nor PTYTASK_PARAM_Y"),
    ],
)
def test_invalid_sweep_cells(cells: Kernel, line: str, message: str) -> None:
    cell = cells.run(f"%%task bad {line}\ntrue {{x}}", fails=True)
    assert message in cell.err + cell.traceback
