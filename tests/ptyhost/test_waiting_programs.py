"""Detection of waiting in real programs, all of them at once."""

from __future__ import annotations

import sys

import pytest

from tests.ptyhost.waiting_programs import WAITS, WORKS, Stage

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel is asked")


def test_programs_that_wait() -> None:
    here = [program for program in WAITS if program.is_here]
    # Those of Python, of a shell and of the usual tools are everywhere.
    assert len(here) >= 25, [program.name for program in WAITS if not program.is_here]
    with Stage(here) as stage:
        stage.watch(0.0, 60.0)
    assert [(seen.program.name, seen.told) for seen in stage.seen if not seen.is_right] == []
    for seen in stage.seen:
        _, prompt, sure = seen.told[-1]
        assert sure == seen.program.sure, seen.program.name
        if seen.program.prompt is not None:
            assert prompt.rstrip() == seen.program.prompt.rstrip(), seen.program.name


def test_programs_that_only_look_so() -> None:
    here = [program for program in WORKS if program.is_here]
    assert len(here) >= 15
    with Stage(here) as stage:
        stage.watch(6.0, 6.0)
    assert [(seen.program.name, seen.told) for seen in stage.seen if seen.told] == []
