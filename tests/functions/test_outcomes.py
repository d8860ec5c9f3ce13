"""Outcomes as bytes: values, exceptions with their original traceback, and lost results."""

from __future__ import annotations

import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.client import ExtraMissing, ResultLost, TaskFailed
from jupyter_ptytasks.core.paths import RESULT_MAX
from jupyter_ptytasks.functions import outcomes, pickling
from tests.functions.test_calls import ALIKE, VALUES, notebook

if TYPE_CHECKING:
    from jupyter_ptytasks.client.types import Task

TASK = cast("Task", {"name": "train", "state": "failed", "exit": {"code": 1, "signal": None}})


class Fussy(Exception):
    """Can be pickled, but not be unpickled."""

    def __init__(self, *, code: int) -> None:
        super().__init__(f"code {code}")


def raised(error: Exception) -> bytes:
    try:
        raise error
    except Exception as caught:  # noqa: BLE001
        return outcomes.raised(caught)


@ALIKE
@given(VALUES)
def test_a_value_arrives_as_it_was(value: Any) -> None:
    assert outcomes.result(outcomes.returned("train", value), TASK) == value


def test_an_exception_is_raised_with_its_traceback() -> None:
    with pytest.raises(ValueError, match="no such epoch") as caught:
        outcomes.result(raised(ValueError("no such epoch", 3)), TASK)
    assert caught.value.args == ("no such epoch", 3)
    shown = "".join(traceback.format_exception(caught.value))
    assert "in raised\n    raise error\nValueError: ('no such epoch', 3)\n" in shown
    assert "was the direct cause" in shown
    assert shown.index("in raised\n") < shown.index("was the direct cause")


@pytest.mark.parametrize("error", [Fussy(code=3), type("Held", (Exception,), {"lock": threading.Lock()})("code 3")])
def test_an_exception_that_cannot_be_pickled_is_reported_as_text(error: Exception) -> None:
    with pytest.raises(TaskFailed, match=r"task 'train' raised an exception: .*(Fussy|Held): code 3") as caught:
        outcomes.result(raised(error), TASK)
    assert "in raised\n    raise error\n" in caught.value.tail
    assert isinstance(caught.value.__cause__, outcomes.RemoteTraceback)
    assert caught.value.exit_status == 1


def test_a_traceback_is_bounded() -> None:
    with pytest.raises(ValueError, match=r"^x+$") as caught:
        outcomes.result(raised(ValueError("x" * (1 << 20))), TASK)
    assert len(str(caught.value.__cause__)) < 100_000
    with pytest.raises(TaskFailed):
        outcomes.result(raised(ValueError("x" * RESULT_MAX)), TASK)


def test_a_value_that_cannot_be_pickled_is_lost_and_the_part_is_named() -> None:
    with pytest.raises(ResultLost) as caught:
        outcomes.returned("train", {"model": [threading.Lock()]})
    assert str(caught.value) == "`result['model'][0]` of train cannot be pickled: cannot pickle '_thread.lock' object"
    with pytest.raises(ResultLost, match="the result of train cannot be pickled: cannot pickle 'generator' object"):
        outcomes.returned("train", (x for x in "ab"))
    with pytest.raises(ResultLost, match=r"`result\[1\]` of train takes more than 67108864 bytes.*\nSave"):
        outcomes.returned("train", [1, b"x" * RESULT_MAX])
    lost = outcomes.lost(ResultLost("gone", hint="Look elsewhere."))
    with pytest.raises(ResultLost, match="gone\nLook elsewhere"):
        outcomes.result(lost, TASK)


def test_a_value_that_cannot_be_read_here_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    data = outcomes.returned("train", notebook("class Best:\n    loss = 1")["Best"]())
    assert outcomes.result(data, TASK).loss == 1
    with pytest.raises(ResultLost, match=r"of task 'train' cannot be read here: it was written by another version"):
        outcomes.result(b"{}\n", TASK)
    with pytest.raises(ResultLost, match="EOFError"):
        outcomes.result(outcomes.returned("train", 1)[:-1], TASK)
    for name in [name for name in sys.modules if name.partition(".")[0] == "cloudpickle"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ExtraMissing, match="cloudpickle"):
        outcomes.result(data, TASK)


def test_data_needs_no_cloudpickle_to_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data = outcomes.returned("train", {"loss": [1, 2.5]})
    assert pickling.failure(1, 10) is None
    for name in [name for name in sys.modules if name.partition(".")[0] == "cloudpickle"]:
        monkeypatch.setitem(sys.modules, name, None)
    assert outcomes.result(data, TASK) == {"loss": [1, 2.5]}


@ALIKE
@given(st.binary())
def test_garbage_is_lost(data: bytes) -> None:
    with pytest.raises(ResultLost):
        outcomes.result(data, TASK)
