"""Why a task failed, in Python and in notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks import run
from jupyter_ptytasks.client import TaskFailed
from jupyter_ptytasks.notebook.magics import TaskMagics

if TYPE_CHECKING:
    from tests.client.live import LiveServer

REASON = "fatal: the remote hung up"
FAILS = f"echo '{REASON}'; exit 2"


def test_a_task_says_why(here: LiveServer, capsys: pytest.CaptureFixture[str]) -> None:
    task = run(FAILS, name="why").wait()
    told = task.why()
    assert (told["kind"], told["message"], told["lines"]) == ("error", REASON, [{"line": 0, "text": REASON}])
    with pytest.raises(TaskFailed, match=f"exit 2.*: {REASON}"):
        task.check()
    shown = task._repr_mimebundle_()
    assert REASON in shown["text/plain"].splitlines()[0]
    assert f">{REASON}</div>" in shown["text/html"]
    magics: Any = TaskMagics(shell=None)
    magics.task("why why")
    assert capsys.readouterr().out == f"failed: {REASON}\n     0 | {REASON}\n"


def test_a_success_has_no_reason(here: LiveServer, capsys: pytest.CaptureFixture[str]) -> None:
    task = run("true", name="fine").wait()
    assert task.why()["kind"] is None
    magics: Any = TaskMagics(shell=None)
    magics.task("why fine")
    assert capsys.readouterr().out == "succeeded\n"
