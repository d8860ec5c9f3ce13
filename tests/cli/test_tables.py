"""The tables in tests/contract, which JupyterLab's formatting has to match as well (tables.spec.ts)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from jupyter_ptytasks.cli.values import STYLES
from jupyter_ptytasks.client import format as formats
from jupyter_ptytasks.client.literals import StateName
from jupyter_ptytasks.core.states import ACTIVE, ENDED, PENDING, State
from jupyter_ptytasks.core.terminal.answers import answer
from jupyter_ptytasks.core.terminal.replies import split
from tests.cli.test_measures import told


def table(name: str) -> Any:
    """Return a table of tests/contract."""
    return json.loads((Path(__file__).parents[1] / "contract" / f"{name}.json").read_text(encoding="utf-8"))


STATES, FORMAT, REPLIES = table("states"), table("format"), table("replies")


def test_the_states_are_those_of_the_table() -> None:
    names = [entry["state"] for entry in STATES]
    assert [state.value for state in State] == names
    assert list(get_args(StateName)) == names
    assert list(STYLES) == names


@pytest.mark.parametrize("entry", STATES, ids=[entry["state"] for entry in STATES])
def test_a_state(entry: dict[str, Any]) -> None:
    state = State(entry["state"])
    phases = {"pending": PENDING, "active": ACTIVE, "ended": ENDED}
    assert [phase for phase, states in phases.items() if state in states] == [entry["phase"]]
    task = {**told(), "state": entry["state"], "exit": None, "started": None, "ended": None}
    # Here it has the name by which it is asked for: `ls --state cancelled`.
    assert formats.in_brief(task) == entry["state"].replace("_", " ")  # type: ignore[arg-type]


@pytest.mark.parametrize("entry", FORMAT["durations"], ids=str)
def test_durations(entry: dict[str, Any]) -> None:
    assert formats.duration(entry["seconds"]) == entry["text"]


@pytest.mark.parametrize("entry", FORMAT["sizes"], ids=str)
def test_sizes(entry: dict[str, Any]) -> None:
    assert formats.size(entry["bytes"]) == entry["text"]


@pytest.mark.parametrize("entry", FORMAT["percents"], ids=str)
def test_percents(entry: dict[str, Any]) -> None:
    assert formats.percent(entry["fraction"]) == entry["percent"]


@pytest.mark.parametrize("entry", FORMAT["loads"], ids=str)
def test_loads(entry: dict[str, Any]) -> None:
    assert formats.load(entry["percents"]) == entry["text"]


@pytest.mark.parametrize("entry", FORMAT["reasons"], ids=str)
def test_reasons(entry: dict[str, Any]) -> None:
    task = {**told(), "state": "failed", "state_message": entry["message"]}
    assert formats.reason(task) == entry["text"]  # type: ignore[arg-type]


@pytest.mark.parametrize("entry", FORMAT["inputs"], ids=str)
def test_durations_that_are_typed(entry: dict[str, Any]) -> None:
    if entry["seconds"] is None:
        with pytest.raises(ValueError, match="duration"):
            formats.seconds(entry["text"])
    else:
        assert formats.seconds(entry["text"]) == pytest.approx(entry["seconds"])


@pytest.mark.parametrize("entry", REPLIES["inputs"], ids=[entry["what"] for entry in REPLIES["inputs"]])
def test_replies(entry: dict[str, str]) -> None:
    assert split(entry["typed"] + entry["replies"]) == (entry["typed"], entry["replies"])


@pytest.mark.parametrize("entry", REPLIES["answers"], ids=ascii)
def test_answers(entry: dict[str, str]) -> None:
    assert answer(entry["query"].encode()).decode() == entry["answer"]
    assert split(entry["answer"]) == ("", entry["answer"])
