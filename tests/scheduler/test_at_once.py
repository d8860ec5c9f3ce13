"""Concurrent calls, with results in the order of the requests."""

from __future__ import annotations

import _thread
import threading
from typing import Any

import pytest

from jupyter_ptytasks.scheduler.at_once import at_once


def test_calls_do_not_wait_for_each_other() -> None:
    """Each waits for the others, so none would end if they ran one after the other."""
    barrier = threading.Barrier(4, timeout=30)

    def meet(number: int) -> int:
        barrier.wait()
        return number * number

    assert at_once(meet, [(number,) for number in range(4)]) == [0, 1, 4, 9]
    assert at_once(meet, []) == []


@pytest.mark.parametrize("bad", range(3))
def test_an_error_is_raised_when_all_have_ended(bad: int) -> None:
    ended: list[int] = []

    def fail(number: int) -> None:
        if number == bad:
            raise LookupError(number)
        ended.append(number)

    with pytest.raises(LookupError, match=str(bad)):
        at_once(fail, [(number,) for number in range(3)])
    assert sorted([*ended, bad]) == [0, 1, 2]


def test_without_threads_it_is_done_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    assert at_once(divmod, [(7, 2), (9, 4)]) == [(3, 1), (2, 1)]
