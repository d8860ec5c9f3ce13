"""Notebooks as tasks: executed in their own kernel, with and without papermill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import nbformat
import psutil
import pytest

from jupyter_ptytasks import run_notebook
from jupyter_ptytasks.client import TaskFailed
from tests.client.live import PATIENCE, LiveServer, until

if TYPE_CHECKING:
    from pathlib import Path

PARAMETERS = ["parameters"]


def notebook(path: Path, *cells: str | tuple[str, list[str]], language: str = "python") -> Path:
    """Write a notebook of such cells; some have tags."""
    v4 = nbformat.v4
    made = [
        v4.new_code_cell(cell) if isinstance(cell, str) else v4.new_code_cell(cell[0], metadata={"tags": cell[1]})  # type: ignore[no-untyped-call]
        for cell in cells
    ]
    spec = {"name": "python3", "display_name": "Python 3", "language": language}
    whole = v4.new_notebook(cells=[v4.new_markdown_cell("# Notes"), *made], metadata={"kernelspec": spec})  # type: ignore[no-untyped-call]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(whole, path)  # type: ignore[no-untyped-call]
    return path


def outputs(path: Path) -> list[str]:
    """Return the printed output of each cell of a copy; None for cells that were not executed."""
    cells = json.loads(path.read_text())["cells"]
    return [
        "".join("".join(output.get("text", [])) for output in cell["outputs"])
        for cell in cells
        if cell["cell_type"] == "code"
    ]


@pytest.fixture(params=["papermill", "without"])
def env(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Return an environment with papermill, and one without."""
    if request.param == "papermill":
        pytest.importorskip("papermill")
        return {}
    return without_papermill(tmp_path)


def without_papermill(path: Path) -> dict[str, str]:
    """Return an environment in which papermill cannot be imported."""
    (path / "papermill").mkdir()
    (path / "papermill" / "__init__.py").write_text("raise ImportError('papermill is hidden')\n")
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(path), os.environ.get("PYTHONPATH"))))}


def test_a_notebook_runs_with_parameters(here: LiveServer, env: dict[str, str]) -> None:
    path = notebook(
        here.home / "nb" / "train.ipynb",
        ("lr, name, flags = 1, 'x', []", PARAMETERS),
        "import os; print(lr, repr(name), flags, other, wide)",
        "print(os.getcwd())",
    )
    values: dict[str, Any] = {"name": "1", "flags": [True, None, {"a": "b c"}], "wide": float("inf")}
    task = run_notebook("nb/train.ipynb", values, lr=1e-3, other="$x", env=env, tags=["t"]).wait(check=True)
    assert (task.name, task.tags, task.metadata, task.cwd) == ("train", ["t"], {"notebook": str(path)}, str(here.home))
    copy = path.with_name("train.executed.ipynb")
    given, injected, printed, where = outputs(copy)
    assert (given, injected) == ("", "")
    assert printed == "0.001 '1' [True, None, {'a': 'b c'}] $x inf\n"
    assert where == f"{path.parent}\n"  # as in JupyterLab
    tagged = [cell["metadata"].get("tags") for cell in json.loads(copy.read_text())["cells"]]
    assert tagged[1:3] == [["parameters"], ["injected-parameters"]]
    assert printed in task.output()
    assert task.output().splitlines()[-1] == f"Executed: {copy}"
    assert copy.stat().st_mode == path.stat().st_mode
    # Once more, from the copy: its parameters are set again.
    again = run_notebook(copy, values, lr=2, other="y", env=env, name="again", output="nb/second.ipynb")
    assert again.wait(check=True).name == "again"
    second = outputs(here.home / "nb" / "second.ipynb")
    assert len(second) == 4
    assert second[2] == "2 '1' [True, None, {'a': 'b c'}] y inf\n"


def test_a_cell_that_fails_fails_the_task(here: LiveServer) -> None:
    path = notebook(here.home / "fails.ipynb", "print('first')", "1 / zero", "print('never')")
    task = run_notebook(path, zero=0)
    with pytest.raises(TaskFailed) as caught:
        task.wait(check=True)
    assert task.exit_status == 1
    assert "ZeroDivisionError" in caught.value.tail
    assert "never" not in task.output()
    copy = path.with_name("fails.executed.ipynb")
    cells = [cell for cell in json.loads(copy.read_text())["cells"] if cell["cell_type"] == "code"]
    assert [bool(cell["outputs"]) for cell in cells] == [False, True, True, False]
    assert not list(here.home.glob(".*.part"))


def test_the_copy_is_saved_after_each_cell_and_output_comes_at_once(here: LiveServer) -> None:
    gate = here.home / "gate"
    waiting = "import os, sys\nfrom time import sleep\nsleep(0.5); print('waits', file=sys.stderr)\n"
    waiting += f"while not os.path.exists('{gate}'): sleep(0.05)"
    path = notebook(here.home / "long.ipynb", "print('one')", waiting, "list(range(100))", "'last'")
    task = run_notebook(path)
    until(lambda: "waits" in task.output(), "the second cell")
    assert outputs(path.with_name("long.executed.ipynb")) == ["one\n", "", "", ""]
    gate.touch()
    task.wait(check=True)
    text = "".join(task.follow())
    for done in (0, 1, 4):
        assert f"\x1b]9;4;1;{25 * done}" in text
    lines = task.output().splitlines()
    assert "cell 1 of 4: print('one')" in lines
    assert "… 80 more lines" in lines
    assert "'last'" in lines


@pytest.mark.parametrize("signals", [["SIGINT"], ["SIGTERM"]])
def test_one_that_is_stopped_keeps_what_was_done(here: LiveServer, signals: list[str]) -> None:
    path = notebook(here.home / "stopped.ipynb", "print('one')", "import time\nprint('waits'); time.sleep(1000)")
    task = run_notebook(path)
    until(lambda: "waits" in task.output(), "the second cell")
    assert any("ipykernel" in " ".join(process.cmdline()) for process in psutil.Process(task.pid).children())
    task.stop(signals=signals, grace=PATIENCE).wait()
    assert task.state == "cancelled"
    copy = path.with_name("stopped.executed.ipynb")
    assert outputs(copy)[0] == "one\n"
    assert outputs(copy)[1].startswith("waits\n")
    assert task.output().splitlines()[-1] == f"Stopped by {signals[0]}. Partial results: {copy}"
    assert not [process for process in here.processes() if "ipykernel" in " ".join(process.cmdline())]


def execute(*arguments: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the program itself."""
    command = [sys.executable, "-m", "jupyter_ptytasks.execute", *arguments]
    return subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, timeout=PATIENCE)


def test_parameters_on_a_command_line_are_json_or_text(here: LiveServer) -> None:
    path = notebook(here.home / "cli.ipynb", "print([a, b, c, d, e, f])")
    pairs = {"a": "1e-3", "b": "plain text", "c": "True", "d": "[1, null]", "e": '"1"', "f": "2026-11-21"}
    ran = execute(
        path, "--output", here.home / "out.ipynb", *(word for pair in pairs.items() for word in ("-p", *pair))
    )
    assert ran.returncode == 0, ran.stderr
    assert outputs(here.home / "out.ipynb")[1] == "[0.001, 'plain text', True, [1, None], '1', '2026-11-21']\n"
    assert "\x1b]9;4" not in ran.stdout


def test_what_cannot_be_run_is_reported(here: LiveServer) -> None:
    path = notebook(here.home / "fine.ipynb", "1")
    assert "is not a valid variable name" in execute(path, "-p", "a b", "1").stderr
    ran = execute("nowhere.ipynb")
    assert (ran.returncode, "nowhere.ipynb" in ran.stderr) == (2, True)
    ran = execute(path, "--kernel", "cobol")
    assert (ran.returncode, "kernel 'cobol' is not installed here" in ran.stderr) == (2, True)
    (here.home / "broken.ipynb").write_text("{ half")
    assert execute("broken.ipynb").returncode == 2


def test_without_papermill_only_python_has_parameters(here: LiveServer, tmp_path: Path) -> None:
    other = notebook(here.home / "other.ipynb", "1", language="julia")
    ran = execute(other, "-p", "a", "1", **without_papermill(tmp_path))
    assert (ran.returncode, "pip install papermill" in ran.stderr) == (2, True)


def test_what_cannot_be_passed_on_is_reported(here: LiveServer) -> None:
    path = notebook(here.home / "fine.ipynb", "1")
    with pytest.raises(TypeError, match="'a' is not a JSON value"):
        run_notebook(path, a=object())
    with pytest.raises(TypeError, match="given twice: a"):
        run_notebook(path, {"a": 1}, a=2)
    with pytest.raises(FileNotFoundError, match="no such notebook"):
        run_notebook("nowhere.ipynb")
