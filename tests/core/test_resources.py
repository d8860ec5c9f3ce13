"""Resources for batch systems: normalized to one form, and errors that name the field."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_ptytasks.core import resources
from jupyter_ptytasks.core.errors import BadRequest

HOUR = 3600


@pytest.mark.parametrize(
    ("given", "checked"),
    [
        ({"memory": "8G"}, {"memory": "8192M"}),
        ({"memory": "1.5 GiB"}, {"memory": "1536M"}),
        ({"memory": "2048k"}, {"memory": "2M"}),
        ({"gpus": 1}, {"gpus": "1"}),
        ({"gpus": "a100:2"}, {"gpus": "a100:2"}),
        ({"time": 90.7}, {"time": 90}),
        ({"time": "2h"}, {"time": 2 * HOUR}),
        ({"time": "1d 2h 3min"}, {"time": 26 * HOUR + 180}),
        ({"time": "2:00:00"}, {"time": 2 * HOUR}),
        ({"time": "1-12:00:00"}, {"time": 36 * HOUR}),
        ({"cpus": 4, "nodes": 2, "requeue": True}, {"cpus": 4, "nodes": 2, "requeue": True}),
        ({"partition": "gpu,long", "begin": "now+1hour"}, {"partition": "gpu,long", "begin": "now+1hour"}),
        ({"constraint": "[rack1|rack2]&ssd"}, {"constraint": "[rack1|rack2]&ssd"}),
        ({"extra": ["--exclusive", "--licenses=a:2"]}, {"extra": ["--exclusive", "--licenses=a:2"]}),
        ({"cpus": None, "memory": None}, {}),
    ],
)
def test_it_has_one_form(given: dict[str, Any], checked: dict[str, Any]) -> None:
    assert resources.check(given) == checked
    assert resources.check(checked) == checked


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cpus", 0),
        ("cpus", True),
        ("cpus", "4"),
        ("memory", "8"),
        ("memory", 8),
        ("memory", "0.1K"),
        ("gpus", "a100"),
        ("gpus", "--x:1"),
        ("gpus", True),
        # Minutes to Slurm; and minutes and seconds, which nobody means.
        ("time", "90"),
        ("time", "2:00"),
        ("time", ""),
        ("time", 59),
        ("time", "9999d"),
        ("time", float("nan")),
        ("partition", "a b"),
        ("partition", "-x"),
        ("partition", ""),
        ("account", 1),
        ("constraint", "a;b"),
        ("begin", "now + 1"),
        ("requeue", 1),
        ("nodes", 0),
        ("extra", "--exclusive"),
        ("extra", ["-x"]),
        ("extra", ["exclusive"]),
        ("extra", ["--licenses=a\nb"]),
        # What is ours, also shortened.
        ("extra", ["--output=/tmp/x"]),
        ("extra", ["--outp=/tmp/x"]),
        ("extra", ["--wrap=true"]),
        ("extra", ["--comment=x"]),
        ("extra", ["--array=1-3"]),
    ],
)
def test_what_is_wrong_is_named(name: str, value: Any) -> None:
    with pytest.raises(BadRequest) as caught:
        resources.check({name: value})
    assert caught.value.field == f"resources.{name}"
    assert caught.value.message.startswith(f"resources.{name}: ")


def test_there_is_nothing_else() -> None:
    with pytest.raises(BadRequest, match="tea") as caught:
        resources.check({"tea": 1})
    assert caught.value.field == "resources"
