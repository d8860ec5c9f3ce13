"""The notebooks in examples/ work from the first cell to the last."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from nbclient import NotebookClient

from tests.client.live import PATIENCE

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from tests.client.live import LiveServer

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
MIME = "application/vnd.jupyter.ptytask+json"


def execute(server: LiveServer, name: str) -> list[NotebookNode]:
    """Execute a copy of a notebook in the server's home, and give its cells of code."""
    place = server.home / "examples"
    shutil.copytree(EXAMPLES, place, dirs_exist_ok=True)
    notebook = nbformat.read(place / name, as_version=4)  # type: ignore[no-untyped-call]
    resources = {"metadata": {"path": str(place)}}
    for is_last in (False, True):
        client = NotebookClient(notebook, timeout=int(PATIENCE), resources=resources, kernel_name="python3")
        try:
            client.execute(env=server.environ)
            break
        except RuntimeError as error:
            # The ports of a kernel are chosen before it starts: another process may take one meanwhile.
            if is_last or "Kernel died before replying" not in str(error):
                raise
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def text(cell: NotebookNode) -> str:
    """Return the printed and displayed output of a cell, as text."""
    shown = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return "\n".join(shown)


def test_follow_a_training(live: LiveServer) -> None:
    _, start, listing, look, end, tail = execute(live, "follow-a-training.ipynb")
    assert start.outputs[0].data[MIME]["task"]["command"].startswith("python train.py --epochs 3 --seconds 6 ")
    assert "train" in text(listing)
    assert "'running'" in text(look)
    assert end.outputs[0].data[MIME]["task"]["state"] == "succeeded"
    lines = text(tail).splitlines()
    assert [line.split()[:2] for line in lines[:3]] == [["epoch", "2/3"], ["epoch", "3/3"], ["saved", "train.npz"]]


def test_many_tasks_and_a_notebook_with_parameters(live: LiveServer) -> None:
    _, sweep, end, tails, reports = execute(live, "many-tasks.ipynb")
    assert text(sweep).count("python train.py") == 3
    assert text(end) == "{'seed-1': 0, 'seed-2': 0, 'seed-3': 0}"
    assert text(tails) == "".join(f"seed-{seed} | saved seed-{seed}.npz\n" for seed in (1, 2, 3))
    assert text(reports).startswith("Executed: ")
    copy = nbformat.read(live.home / "examples" / "report-seed-1.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    assert any("seed-1: succeeded after " in text(cell) for cell in copy.cells if cell.cell_type == "code")


def test_a_sweep_of_six_on_two_slots(live: LiveServer) -> None:
    _, start, end, again, found = execute(live, "sweep.ipynb")
    table = text(start).splitlines()
    assert table[1].split()[:3] == ["lr", "seed", "state"]
    assert [line.split()[:2] for line in table[2:]] == [[lr, seed] for lr in ("0.01", "0.001") for seed in "123"]
    assert "4 succeeded, 2 failed" in text(end)
    assert "<td" in end.outputs[0].data["text/html"]
    assert "train[lr=0.01,seed=3] | cat: seed-3.ready" in text(again)
    assert "6 succeeded" in text(again)
    assert ast.literal_eval(text(found)) == {
        f"train[lr={lr},seed={seed}]": (2 if seed == 3 else 1, f"saved {lr}-{seed}.npz")
        for lr in (0.01, 0.001)
        for seed in (1, 2, 3)
    }


def test_the_report_is_self_contained(live: LiveServer) -> None:
    with live.client() as client:
        client.wait(client.create("echo the last thing", name="last")["id"], PATIENCE)
    _, title, view, tail = execute(live, "report.ipynb")
    assert text(title).startswith("the newest task: succeeded after ")
    assert view.outputs[0].data[MIME]["task"]["name"] == "last"
    assert text(tail) == "the last thing\n"


def test_they_are_kept_without_outputs() -> None:
    for path in EXAMPLES.glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        nbformat.validate(notebook)
        assert not [cell for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")], path
