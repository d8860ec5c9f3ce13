"""What the outside relies on: docs/openapi.yaml tells every route, and tests/contract/*.json are answers as they are.

The samples are read by the front end's tests, too. `PTYTASKS_RECORD=1` writes them anew.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import openapi_spec_validator
import pytest
import yaml

from jupyter_ptytasks.server.rest import ROUTES

if TYPE_CHECKING:
    from tests.server.conftest import Rest

ROOT = Path(__file__).parent.parent.parent
OPENAPI: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text(encoding="utf-8"))
#: Each sample, and the schema that it is of.
SAMPLES = {
    "task": "Task",
    "finished": "Task",
    "list": "TaskList",
    "status": "Status",
    "output": "Output",
    "stats": "Stats",
    "error": "Error",
}

#: Tells how far a task is.
PROGRESS = """printf '\\033]7784;{"done":45,"total":100,"text":"step 45 of 100"}\\007'"""


def check(value: Any, schema: str) -> None:
    """Look that a value is what the document says. Raises jsonschema.ValidationError."""
    jsonschema.Draft202012Validator({**OPENAPI, "$ref": f"#/components/schemas/{schema}"}).validate(value)


def shape(value: Any) -> Any:
    """Give what a value consists of: names and types."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else type(value).__name__


def sample(name: str) -> Any:
    return json.loads((ROOT / "tests" / "contract" / f"{name}.json").read_text(encoding="utf-8"))


def test_the_document_is_valid() -> None:
    openapi_spec_validator.validate(OPENAPI)


def test_every_route_and_verb_is_in_the_document_and_no_other() -> None:
    offered = set()
    for route, handler in ROUTES:
        path = route.replace("([^/]+)", "{ref}")
        head, choice, verbs = path.partition("(")
        paths = [head + verb for verb in verbs.rstrip(")").split("|")] if choice else [path]
        methods = [name for name in ("get", "post", "patch", "put", "delete") if name in vars(handler)]
        offered |= {(path, method) for path in paths for method in methods}
    told = {(path, method) for path, about in OPENAPI["paths"].items() for method in about if method != "parameters"}
    assert told == offered


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_fit_their_schemas(name: str) -> None:
    check(sample(name), SAMPLES[name])


async def test_the_server_answers_like_the_samples(rest: Rest, jp_data_dir: Path) -> None:
    line = f"echo hello; {PROGRESS}; exec sleep 1000"
    task = await rest.create(line, name="train", tags=["gpu"], metadata={"run": 1})
    await rest.create(f"{PROGRESS}; read line; exit 3", name="failing")
    for name in ("train", "failing"):
        await rest.until(name, lambda task: task["progress"] and task["usage"])
    await rest("POST", "tasks", "failing", "input", body={"data": "go on", "newline": True})
    answers = {
        "finished": await rest.wait("failing"),
        "task": await rest.get("train"),
        "list": (await rest("GET", "tasks", limit=1)).json,
        "status": (await rest("GET", "status")).json,
        "output": await rest.output("train"),
        "stats": (await rest("GET", "tasks", "train", "stats")).json,
        "error": (await rest("POST", "tasks", body={"command": "true", "cwd": "no/such/place"})).json,
    }
    assert task["id"] == answers["task"]["id"]
    if os.environ.get("PTYTASKS_RECORD"):
        for name, answer in answers.items():
            text = json.dumps(answer, indent=2, ensure_ascii=False)
            text = text.replace(str(jp_data_dir), "/home/user/.local/share/jupyter").replace(task["cwd"], "/home/user")
            (ROOT / "tests" / "contract" / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    assert set(answers) == set(SAMPLES)
    for name, answer in answers.items():
        check(answer, SAMPLES[name])
        assert shape(answer) == shape(sample(name)), name
