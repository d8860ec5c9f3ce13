"""Functions as tasks on a real server: values, exceptions, storage, and access."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import pickle
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
import traceback
from operator import add, truediv
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import pytest

from jupyter_ptytasks import get, get_sweep, progress, run, sweep, tasks
from jupyter_ptytasks.client import NotPicklable, RequestFailed, ResultLost, StillRunning, TaskFailed, TaskNotFound
from tests.client.live import PATIENCE, LiveServer, until
from tests.notebook.kernel import Kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jupyter_ptytasks import Task

P = ParamSpec("P")
R = TypeVar("R")


def directory(server: LiveServer, task: Task) -> Path:
    return server.home / "data" / "ptytasks" / "tasks" / task.id


def by_value(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function one of no module: its task need not import this one, which takes seconds."""
    function.__module__ = "__main__"
    return function


@by_value
def greet(name: str, times: int = 1) -> list[str]:
    for number in range(times):
        print(f"hello {name}")
        progress(number + 1, times)
    return [name] * times


@by_value
def power(base: int, exponent: int = 2, *, plus: float = 0.0) -> float:
    if base < 0:
        raise ValueError(f"{base} is negative")
    return float(base**exponent) + plus


# -- many of them ------------------------------------------------------------------------------------------------------


def test_a_sweep_of_a_function(here: LiveServer) -> None:
    made = sweep(power, base=[1, 2], exponent=range(3), plus=[0.5], name="powers")
    assert [task.params for task in made.tasks][:2] == [
        {"base": 1, "exponent": 0, "plus": 0.5}, {"base": 1, "exponent": 1, "plus": 0.5},
    ]  # fmt: skip
    assert made.results(PATIENCE) == [1.5, 1.5, 1.5, 1.5, 2.5, 4.5]
    assert get_sweep("powers").results() == made.results()
    again = made.tasks[-1].again()
    assert again.result(PATIENCE) == 4.5
    failing = sweep(functools.partial(power, plus=1.0), base=[3, -3])
    with pytest.raises(ValueError, match="-3 is negative"):
        failing.results(PATIENCE)
    assert failing.tasks[0].result() == 10.0
    failing.retry()  # runs the function again, not its command without one
    with pytest.raises(ValueError, match="-3 is negative"):
        failing.results(PATIENCE)
    assert [task.attempt for task in failing.tasks] == [1, 2]
    for task in (made.tasks[0], failing.tasks[0]):
        assert stat.S_IMODE((directory(here, task) / "function").stat().st_mode) == 0o600


@pytest.mark.usefixtures("here")
def test_sweeps_of_functions_that_cannot_be() -> None:
    before = len(tasks())
    with pytest.raises(TypeError, match="unexpected keyword argument 'seed'"):
        sweep(power, base=[1], seed=[2])
    with pytest.raises(TypeError, match="missing a required argument: 'base'"):
        sweep(power, exponent=[1])
    with pytest.raises(TypeError, match="base='1,2': the values of a function's parameter are a list"):
        sweep(power, base="1,2")
    lock = threading.Lock()

    @by_value
    def locked(base: int) -> tuple[int, object]:
        return base, lock

    with pytest.raises(NotPicklable, match="locked uses `lock`"):
        sweep(locked, base=[1], name="none")
    assert len(tasks()) == before


# -- a function is a task ---------------------------------------------------------------------------------------------


def test_a_function_prints_reports_and_returns(here: LiveServer) -> None:
    task = run(greet, "Ada", times=3, group="greetings", tags=["f"])
    assert task.result() == ["Ada"] * 3
    assert task.output() == "hello Ada\n" * 3
    assert (task.name, task.group, task.tags, task.exit_status) == ("greet", "greetings", ["f"], 0)
    assert task.command == [sys.executable, "-m", "jupyter_ptytasks.execute.function", "greet"]
    assert task.progress is not None
    assert task.progress["fraction"] == 1
    assert get("greet").result(0) == get(task.id).result() == ["Ada"] * 3


def test_it_runs_where_and_as_this_process_does(here: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    (here.home / "mine").mkdir()
    (here.home / "mine" / "of_mine.py").write_text("import os, sys\ndef where(): return sys.prefix, os.getcwd()\n")
    (here.home / "there").mkdir()
    monkeypatch.syspath_prepend("mine")
    import of_mine  # type: ignore[import-not-found]  # noqa: PLC0415

    assert run(of_mine.where, cwd="there").result() == (sys.prefix, f"{here.home}/there")
    assert run(lambda: os.isatty(0) and (sys.argv, os.environ.get("PTYTASK_FUNCTION"))).result() == (["lambda"], None)
    assert run(input, "name? ", name="asks").send_input("Ada").result() == "Ada"


def test_coroutines_are_run_and_generators_are_not(here: LiveServer) -> None:
    async def double(x: int) -> int:
        await asyncio.sleep(0)
        return 2 * x

    def count() -> Iterator[int]:
        yield 1

    assert run(double, 4).result() == 8
    assert run(functools.partial(double, x=5)).result() == 10
    with pytest.raises(TypeError, match="count is a generator function"):
        run(count)
    with pytest.raises(ResultLost, match="result of lambda cannot be pickled: cannot pickle 'generator' object"):
        run(lambda: (x for x in "ab")).result()


def test_arguments_of_the_function_are_distinguished_from_options(here: LiveServer) -> None:
    def fit(name: str, timeout: int = 5) -> tuple[str, int]:
        return name, timeout

    with pytest.raises(TypeError, match=r"'name' is an option of run\(\) and a parameter of fit\(\)"):
        run(fit, name="net")
    with pytest.raises(TypeError, match=r"fit\(\): missing a required argument: 'name'"):
        run(fit)
    with pytest.raises(TypeError, match="only a function has arguments: 'b', lr"):
        run("true", "b", lr=1)
    assert not tasks(name="net")
    task = run(functools.partial(fit, name="net", timeout=7), name="task", timeout="1h")
    assert (task.name, task.result()) == ("task", ("net", 7))
    assert run(fit, "net", name="task").result() == ("net", 5)


def test_unpicklable_objects_are_reported_before_the_start(here: LiveServer) -> None:
    lock = threading.Lock()
    before = len(tasks())
    with pytest.raises(
        NotPicklable, match=r"^lambda uses `lock`, which cannot be pickled: cannot pickle '_thread.lock'"
    ):
        run(lambda: lock)
    with pytest.raises(NotPicklable, match=r"^the argument `name\['x'\]` of greet takes more than 16777216 bytes"):
        run(greet, {"x": b"x" * (17 << 20)})
    assert len(tasks()) == before


def test_a_task_may_be_an_argument_of_another_and_its_token_does_not_go_along(here: LiveServer) -> None:
    first = run(add, 1, 2, url=here.url, token=here.token)
    second = run(add, 3, 4)
    total = run(lambda tasks: sum(task.result() for task in tasks), [first, second], after=[first, second])
    assert total.result(PATIENCE) == 10
    copy = pickle.loads(pickle.dumps(first))
    assert (copy, copy._connections._address) == (first, (here.url, ""))


# -- how it ends ------------------------------------------------------------------------------------------------------


def test_its_exception_is_raised_with_the_traceback_in_the_task(here: LiveServer) -> None:
    def train(lr: float) -> None:
        raise ValueError(f"diverged at {lr}")

    task = run(train, 1e-3)
    with pytest.raises(ValueError, match="diverged") as caught:
        task.result()
    shown = "".join(traceback.format_exception(caught.value))
    line = 'in train\n    raise ValueError(f"diverged at {lr}")\nValueError: diverged at 0.001\n'
    assert line in shown
    assert "was the direct cause" in shown
    assert line in task.output()
    assert task.output().startswith("Traceback (most recent call last):\n  File")
    assert "jupyter_ptytasks/execute" not in task.output()
    assert (task.state, task.exit_status) == ("failed", 1)


def test_other_ends_are_those_of_the_task(here: LiveServer) -> None:
    assert run(sys.exit).result() is None
    with pytest.raises(TaskFailed, match=r"'leaves': failed \(exit 3\)"):
        run(sys.exit, 3, name="leaves").result()
    with pytest.raises(TaskFailed, match="SIGKILL"):
        run(lambda: os.kill(os.getpid(), signal.SIGKILL)).result()
    with pytest.raises(ResultLost, match="no result: it runs no function, or one that ended its process"):
        run(os._exit, 0).result()
    with pytest.raises(ResultLost, match="'true' has no result"):
        run("true").result()
    with pytest.raises(StillRunning, match=r"within 0\.1 s"):
        run(time.sleep, 1000, name="sleeper").result(0.1)
    get("sleeper").stop()
    with pytest.raises(TaskFailed, match="cancelled"):
        get("sleeper").result()


def test_a_function_that_handles_the_interrupt_keeps_its_value(here: LiveServer) -> None:
    def best_so_far() -> str:
        try:
            print("training", flush=True)
            time.sleep(1000)
        except KeyboardInterrupt:
            return "epoch 3"
        return "all"

    task = run(best_so_far)
    until(lambda: "training" in task.output(), "the function")
    task.stop()
    assert task.result() == "epoch 3"
    assert task.state == "cancelled"


def test_a_result_that_cannot_be_kept_fails_the_task(here: LiveServer) -> None:
    task = run(lambda: {"model": [threading.Lock()]})
    said = "`result['model'][0]` of lambda cannot be pickled: cannot pickle '_thread.lock' object"
    with pytest.raises(ResultLost) as caught:
        task.result()
    assert (str(caught.value), task.output(), task.exit_status) == (said, f"{said}\n", 1)
    with pytest.raises(ResultLost, match="result of lambda takes more than 67108864 bytes when it is pickled"):
        run(lambda: bytes(70 << 20)).result()
    large = run(os.urandom, 60 << 20).result()
    assert len(large) == 60 << 20


def test_a_module_that_is_not_there_fails_the_task(here: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    (here.home / "gone_soon.py").write_text("def work(): pass\n")
    monkeypatch.syspath_prepend(str(here.home))
    import gone_soon  # type: ignore[import-not-found]  # noqa: PLC0415

    task = run(gone_soon.work, hold=True)
    (here.home / "gone_soon.py").unlink()
    with here.client() as client:
        client.release(task.id)
    with pytest.raises(ResultLost, match="cannot be run here: ModuleNotFoundError: No module named 'gone_soon'"):
        task.result()
    assert task.exit_status == 1


# -- again and again --------------------------------------------------------------------------------------------------


@by_value
def count_runs(path: str, fail: int = 0) -> int:
    with open(path, "a") as file:
        file.write("x")
    runs = os.path.getsize(path)
    if runs <= fail:
        raise RuntimeError(f"run {runs}")
    return runs


def test_each_attempt_has_a_result_of_its_own(here: LiveServer) -> None:
    task = run(count_runs, "runs")
    assert task.result() == 1
    assert task.restart().result() == 2
    assert (task.attempt, get(task.id).result()) == (2, 2)
    assert sorted(path.name for path in directory(here, task).glob("result*")) == ["result-2"]
    twin = task.again(name="twin")
    assert (twin.result(), task.result()) == (3, 2)


def test_a_retry_that_succeeds_is_the_result(here: LiveServer) -> None:
    task = run(count_runs, "tries", 1, retry={"max": 3, "delay": 0})
    assert (task.result(PATIENCE), task.attempt) == (2, 2)
    with pytest.raises(RuntimeError, match="run 2"):
        run(count_runs, "more-tries", 9, retry={"max": 1, "delay": 0}).result(PATIENCE)


def test_a_live_one_of_the_name_is_returned(here: LiveServer) -> None:
    task = run(time.sleep, 1000, name="only")
    assert run(add, 1, 2, name="only", if_exists="return") == task
    task.delete(stop=True)


def test_it_is_forgotten_with_the_task(here: LiveServer) -> None:
    task = run(add, 1, 2).wait()
    assert (directory(here, task) / "function").exists()
    task.delete()
    until(lambda: not directory(here, task).exists(), "the directory to be gone")
    with pytest.raises(TaskNotFound):
        task.result()


def test_the_queue_starts_it_and_a_held_one_waits(here: LiveServer) -> None:
    with here.client() as client:
        client.set_group("one", slots=1)
        held = run(add, 1, 1, group="one", hold=True)
        queued = [run(add, number, 1, group="one") for number in range(3)]
        last = run(add, 1, 9, after=[held])
        assert [task.result(PATIENCE) for task in queued] == [1, 2, 3]
        assert (held.state, last.state) == ("held", "queued")
        client.release(held.id)
    assert (held.result(PATIENCE), last.result(PATIENCE)) == (2, 10)


def test_the_queue_needs_no_server(server: LiveServer) -> None:
    with server.client() as client:
        client.set_group("one", slots=1)
    queued = [run(count_runs, "runs", group="one") for _ in range(2)]
    server.kill9()
    until(lambda: (server.home / "runs").exists() and (server.home / "runs").stat().st_size == 2, "both to run")
    server.start()
    assert sorted(task.result(PATIENCE) for task in queued) == [1, 2]


def test_waiting_for_a_result_survives_a_killed_server(server: LiveServer) -> None:
    def wait() -> str:
        while not os.path.exists("go"):
            time.sleep(0.02)
        return "gone on"

    task = run(wait)
    found: list[str] = []
    waiting = threading.Thread(target=lambda: found.append(task.result()))
    waiting.start()
    server.kill9()
    (server.home / "go").touch()
    server.start()
    waiting.join(PATIENCE)
    assert found == ["gone on"]


# -- from a notebook, and from another one later ----------------------------------------------------------------------

NOTEBOOK = """
from dataclasses import dataclass
from jupyter_ptytasks import get, run
rate = 0.5
@dataclass
class Model:
    weights: list
def step(weight):
    return weight * rate
def train(model, steps=1):
    import multiprocessing
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for _ in range(steps):
            model.weights = pool.map(step, model.weights)
    print("trained", model)
    return model
def broken():
    bad = Model(None)
    return step(bad.weights)
"""


def test_functions_and_classes_of_a_notebook_go_there_and_come_back(here: LiveServer) -> None:
    with Kernel(here) as kernel:
        kernel.run(NOTEBOOK)
        trained = kernel.run("best = run(train, Model([4.0, 8.0]), steps=2).result(); isinstance(best, Model), best")
        assert trained.text == "(True, Model(weights=[1.0, 2.0]))"
        assert get("train").output() == "trained Model(weights=[1.0, 2.0])\n"
        failed = kernel.run("run(broken).result()", fails=True)
        assert failed.error == "TypeError"
        assert "return weight * rate" in failed.traceback
        assert "return step(bad.weights)" in failed.traceback
        assert "RemoteTraceback" in failed.traceback
        lost = kernel.run("import threading\nlock = threading.Lock()\nrun(lambda: lock)", fails=True)
        assert lost.error == "NotPicklable"
        assert kernel.run("(await run(step, 3).result_async())").text == "1.5"
    with Kernel(here) as another:
        another.run("from jupyter_ptytasks import get")
        assert another.run("get('train').result().weights").text == "[1.0, 2.0]"
        assert another.run("get('train').restart().result().weights").text == "[1.0, 2.0]"
        assert "TypeError" in another.run("get('broken').result()", fails=True).traceback


def test_an_interrupt_ends_the_waiting_and_not_the_function(here: LiveServer) -> None:
    with Kernel(here) as kernel:
        kernel.run("import time\nfrom jupyter_ptytasks import run\nt = run(time.sleep, 1000, name='stays')")
        waiting = kernel.run("print('waiting', flush=True)\nt.result()", fails=True, interrupt_at="waiting")
        assert waiting.error == "KeyboardInterrupt"
    assert get("stays").state == "running"
    get("stays").delete(stop=True)


def test_a_script_sends_its_own_functions(here: LiveServer) -> None:
    (here.home / "script.py").write_text(
        "from jupyter_ptytasks import run\nbase = 40\ndef answer(x): return base + x\nprint(run(answer, 2).result())\n"
    )
    command = [sys.executable, "-W", "error", "script.py"]
    ran = subprocess.run(command, cwd=here.home, env=os.environ, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("42\n", "")


def test_a_server_on_another_machine_runs_it_with_its_own_python(
    here: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_ptytasks.client.discovery.Server.is_local", False)
    task = run(lambda a: (sys.executable, a), 1, name="far", url=here.url, token=here.token)
    assert task.result() == (here.python, 1)
    assert task.command == 'exec "$PTYTASK_PYTHON" -m jupyter_ptytasks.execute.function lambda'
    assert get("far", url=here.url, token=here.token).result() == (here.python, 1)


# -- who can read it --------------------------------------------------------------------------------------------------


def test_arguments_and_results_are_in_private_files_and_nowhere_else(here: LiveServer) -> None:
    # It must not stand in this file, whose source goes along.
    secret = "-".join(("s3cr3t", "argument"))
    task = run(lambda given: given.upper(), secret, name="quiet", group="private")
    assert task.result() == secret.upper()
    files = directory(here, task)
    assert stat.S_IMODE(files.stat().st_mode) == 0o700
    holders = [path for path in here.home.rglob("*") if path.is_file() and secret.encode() in path.read_bytes().lower()]
    assert sorted(holders) == [files / "function", files / "result-1"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in holders} == {0o600}
    assert secret not in json.dumps(task.refresh().info).lower()


def test_a_function_that_another_user_may_have_written_is_not_run(here: LiveServer) -> None:
    task = run(Path.touch, Path("ran"), hold=True)
    (directory(here, task) / "function").chmod(0o666)
    with here.client() as client:
        client.release(task.id)
    assert task.wait().exit_status == 2
    assert "not a file that this user alone can change" in " ".join(task.output().split())
    assert not (here.home / "ran").exists()
    with pytest.raises(TaskFailed):
        task.result()


def test_a_result_that_another_user_may_have_written_is_not_read(here: LiveServer) -> None:
    task = run(add, 1, 2).wait()
    (directory(here, task) / "result-1").chmod(0o666)
    with pytest.raises(RequestFailed, match="not a file that this user alone can change"):
        task.result()
    (directory(here, task) / "result-1").unlink()
    (directory(here, task) / "result-1").symlink_to("/etc/passwd")
    with pytest.raises(RequestFailed, match="cannot be read"):
        task.result()


# -- the examples of submitit's documentation -------------------------------------------------------------------------


def test_submitit_add(here: LiveServer) -> None:
    task = run(add, 5, 7)
    assert task.id
    assert task.result() == 12


def test_submitit_map_array(here: LiveServer) -> None:
    with here.client() as client:
        client.set_group("at-most-two", slots=2)
    sums = [run(add, a, b, group="at-most-two") for a, b in zip([1, 2, 3, 4], [10, 20, 30, 40], strict=True)]
    assert [task.result(PATIENCE) for task in sums] == [11, 22, 33, 44]


def test_submitit_concurrent_jobs(here: LiveServer) -> None:
    several = [run(time.sleep, 0.1 * number) for number in range(5)]
    assert [task.result() for task in several] == [None] * 5
    assert sum(not task.live for task in several) == 5


def test_submitit_asyncio(here: LiveServer) -> None:
    def slow_multiplication(x: float, y: float) -> float:
        time.sleep(x * y / 10)
        return x * y

    async def main() -> set[float]:
        several = [run(slow_multiplication, x, y) for x, y in ((1, 2), (2, 2), (3, 1))]
        return {await result for result in asyncio.as_completed([task.result_async() for task in several])}

    assert asyncio.run(main()) == {2, 3, 4}


def test_submitit_errors(here: LiveServer) -> None:
    task = run(truediv, 1, 0)
    with pytest.raises(ZeroDivisionError) as caught:
        task.result()
    assert "ZeroDivisionError: division by zero" in str(caught.value.__cause__)
    assert "ZeroDivisionError: division by zero" in task.output()


def test_submitit_commands_and_their_environment(here: LiveServer) -> None:
    python = run(subprocess.check_output, ["which", "python"], text=True).result().strip()
    assert Path(python).parent == Path(sys.executable).parent
    assert run(shutil.which, "python").result() == python
