"""The public contract: docs/openapi.yaml has every route, and tests/contract/*.json are actual responses.

The samples are read by the front end's tests, too. `PTYTASKS_RECORD=1` writes them anew.
"""

from __future__ import annotations

import json
import os
import re
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import openapi_spec_validator
import pytest
import yaml

from jupyter_ptytasks.core import errors
from jupyter_ptytasks.server.rest import ROUTES, queries
from jupyter_ptytasks.server.rest.base import METHODS

if TYPE_CHECKING:
    from pydantic import BaseModel

    from tests.server.conftest import Rest

ROOT = Path(__file__).parent.parent.parent
OPENAPI: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text(encoding="utf-8"))
#: Each sample, and the schema that it is of.
SAMPLES = {
    "task": "Task",
    "finished": "Task",
    "list": "Page",
    "changes": "Changes",
    "status": "Status",
    "output": "Text",
    "stats": "Stats",
    "metrics": "Metrics",
    "sweeps": "SweepList",
    "error": "Error",
    "groups": "GroupList",
    "why": "Why",
    "screen": "Screen",
    "asking": "Task",
    "commands": "ShellCommands",
    "executed": "Executed",
    "places": "PlaceList",
    "place_options": "PlaceOptions",
    "details": "Details",
    "diff": "Difference",
    "clean_up": "CleanUp",
    "notes": "NotesText",
    "hit": "Hit",
    "searched": "Searched",
    "replay": "Replay",
}

#: Tells how far a task is, and a metric.
PROGRESS = """printf '\\033]7784;{"done":45,"total":100,"text":"step 45 of 100"}\\007'"""
PROGRESS += """; printf '\\033]7784;{"metrics":{"loss":0.31},"step":10}\\007'"""


def check(value: Any, schema: str) -> None:
    """Check that a value matches a schema of the document. Raises jsonschema.ValidationError."""
    jsonschema.Draft202012Validator({**OPENAPI, "$ref": f"#/components/schemas/{schema}"}).validate(value)


def shape(value: Any) -> Any:
    """Return the structure of a value: names and types."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else type(value).__name__


def sample(name: str) -> Any:
    return json.loads((ROOT / "tests" / "contract" / f"{name}.json").read_text(encoding="utf-8"))


def test_the_document_is_valid() -> None:
    openapi_spec_validator.validate(OPENAPI)


def test_every_body_and_response_has_a_valid_example() -> None:
    operations = [about for path in OPENAPI["paths"].values() for name, about in path.items() if name != "parameters"]
    for operation in operations:
        for told in (operation.get("requestBody", {}), *operation["responses"].values()):
            for content in told.get("content", {}).values():
                schema = content["schema"].get("items", content["schema"])
                named = schema.get("$ref", "").rpartition("/")[2]
                examples = (OPENAPI["components"]["schemas"][named] if named else schema)["examples"]
                assert examples
                for example in examples if named else ():
                    check(example, named)


def test_every_schema_is_used() -> None:
    used = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(OPENAPI)))
    assert set(OPENAPI["components"]["schemas"]) == used


def test_exactly_the_routes_of_the_server_are_in_the_document() -> None:
    offered = set()
    for route, handler in ROUTES:
        methods = [name for name in METHODS if hasattr(getattr(handler, name), "needs")]
        offered |= {(route.replace("([^/]+)", "{ref}"), method) for method in methods}
    told = {(path, method) for path, about in OPENAPI["paths"].items() for method in about if method != "parameters"}
    assert told == offered


#: Each query, and where it is asked. Bodies are written into the document by scripts/openapi.py.
QUERIES = {
    queries.TaskFilter: ("/tasks", "get"),
    queries.Removal: ("/tasks/{ref}", "delete"),
    queries.Wait: ("/tasks/{ref}/wait", "get"),
    queries.OutputQuery: ("/tasks/{ref}/output", "get"),
    queries.RawQuery: ("/tasks/{ref}/output/raw", "get"),
    queries.ReplayQuery: ("/tasks/{ref}/replay", "get"),
    queries.SearchQuery: ("/search", "get"),
    queries.ExportQuery: ("/tasks/{ref}/export", "get"),
    queries.CleanUpQuery: ("/cleanup", "get"),
    queries.RecordQuery: ("/tasks/{ref}/record", "get"),
    queries.ScreenQuery: ("/tasks/{ref}/screen", "get"),
    queries.Commands: ("/tasks/{ref}/commands", "get"),
    queries.Difference: ("/tasks/{ref}/diff", "get"),
    queries.Metrics: ("/tasks/{ref}/metrics", "get"),
    queries.Changes: ("/changes", "get"),
}
#: What of a schema says what is taken; all else is for people.
TELLING = {
    *("type", "enum", "required", "additionalProperties", "items", "minItems", "maxItems", "minLength", "maxLength"),
    *("minimum", "maximum", "exclusiveMinimum"),
}


def essence(schema: Any, root: dict[str, Any]) -> Any:
    """Return what a schema accepts, however it is written: with all references resolved, and `null` as one of several
    types.
    """
    while "$ref" in schema:
        schema = {**reduce(lambda at, name: at[name], schema["$ref"][2:].split("/"), root), **schema, "$ref": None}
        del schema["$ref"]
    choices = [essence(choice, root) for choice in schema.get("oneOf", schema.get("anyOf", ()))]
    if choices:
        null = {"type": ("null",)}
        others = [choice for choice in choices if choice != null]
        if len(others) > 1:
            return (*others, null) if null in choices else tuple(others)
        return {**others[0], "type": (*others[0]["type"], "null")}
    told = {name: value for name, value in schema.items() if name in TELLING}
    told["type"] = (told["type"],) if isinstance(told["type"], str) else tuple(told["type"])
    told["required"] = sorted(told.get("required", []))
    for name in ("items", "additionalProperties"):
        if isinstance(told.get(name), dict):
            told[name] = essence(told[name], root)
    if told.get("additionalProperties") is True:
        del told["additionalProperties"]
    told["properties"] = {name: essence(part, root) for name, part in schema.get("properties", {}).items()}
    return {name: value for name, value in told.items() if value not in ([], {})}


@pytest.mark.parametrize("model", QUERIES)
def test_queries_are_documented_as_they_are_accepted(model: type[BaseModel]) -> None:
    path, method = QUERIES[model]
    told = {about["name"]: about["schema"] for about in OPENAPI["paths"][f"/ptytasks/api{path}"][method]["parameters"]}
    taken = model.model_json_schema()
    assert told.keys() == taken["properties"].keys()
    for name, schema in told.items():
        found = essence(taken["properties"][name], taken)
        # What is not there is none; nobody writes it into an address.
        found["type"] = tuple(kind for kind in found["type"] if kind != "null")
        assert essence(schema, OPENAPI) == found, name
        assert schema.get("default", taken["properties"][name].get("default")) == taken["properties"][name].get(
            "default"
        )


def test_every_code_of_an_error_is_documented() -> None:
    def codes(kind: type[errors.PtyTasksError]) -> set[str]:
        return {kind.code}.union(*map(codes, kind.__subclasses__()))

    told = OPENAPI["components"]["schemas"]["Error"]["properties"]["code"]["anyOf"][0]["enum"]
    assert set(told) == codes(errors.PtyTasksError) - {errors.PtyTasksError.code}
    text = (ROOT / "docs" / "rest.md").read_text(encoding="utf-8")
    assert [code for code in told if f"`{code}`" not in text] == []


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_match_their_schemas(name: str) -> None:
    check(sample(name), SAMPLES[name])


@pytest.mark.parametrize("server_options", [{"PtyTasksApp": {"shell_command": ["bash"]}}])
async def test_the_server_answers_like_the_samples(rest: Rest, jp_data_dir: Path, tmp_path: Path) -> None:
    line = f"echo hello; {PROGRESS}; exec sleep 1000"
    before = (await rest("GET", "tasks")).json["revision"]
    task = await rest.create(line, name="train", tags=["gpu"], metadata={"run": 1})
    await rest.create(f"{PROGRESS}; read line; exit 3", name="failing")
    for name in ("train", "failing"):
        await rest.until(name, lambda task: task["progress"] and task["metrics"] and task["usage"])
    await rest("POST", "tasks", "failing", "input", body={"data": "go on", "newline": True})
    await rest("PUT", "groups", "gpu", body={"slots": 4, "paused": True, "reason": "driver update"})
    answers = {
        "finished": await rest.wait("failing"),
        "task": await rest.get("train"),
        "list": (await rest("GET", "tasks", limit=1)).json,
        "changes": (await rest("GET", "changes", since=before)).json,
        "status": (await rest("GET", "status")).json,
        "output": await rest.output("train"),
        "why": (await rest("GET", "tasks", "failing", "why")).json,
        "screen": (await rest("GET", "tasks", "failing", "screen")).json,
        "stats": (await rest("GET", "tasks", "train", "stats")).json,
        "metrics": (await rest("GET", "tasks", "train", "metrics")).json,
        "error": (await rest("POST", "tasks", body={"command": "true", "cwd": "no/such/place"})).json,
        "clean_up": (await rest("GET", "cleanup", state="failed")).json,
        "groups": {"groups": [(await rest("GET", "groups", "gpu")).json]},
    }
    answers["places"] = {"places": (await rest("GET", "places")).json["places"][:1]}
    answers["place_options"] = (await rest("GET", "places", "local", "options")).json
    params = {"lr": [0.001, 0.0001], "seed": "0:3"}
    await rest("POST", "sweeps", body={"command": "train {lr} {seed}", "params": params, "name": "train", "hold": True})
    answers["sweeps"] = (await rest("GET", "sweeps")).json
    await rest.create("read -p 'Proceed? [y/N] ' answer", name="asking")
    await rest.until("asking", lambda task: task["waiting"] and task["usage"])
    answers["asking"] = await rest.get("asking")
    await rest.create(None, name="shell", env={"HOME": str(tmp_path)})
    answers["executed"] = (await rest("POST", "tasks", "shell", "exec", body={"command": "echo hello"})).json
    answers["commands"] = (await rest("GET", "tasks", "shell", "commands")).json
    changes = {"name": "train-2", "command": "sleep 1000", "env": {"SEED": "1"}}
    assert (await rest("POST", "tasks", "train", "again", body=changes)).code == 201
    answers["details"] = (await rest("GET", "tasks", "train-2", "details")).json
    answers["diff"] = (await rest("GET", "tasks", "train-2", "diff")).json
    answers["notes"] = (await rest("GET", "tasks", "train", "notes")).json
    found = await rest("GET", "search", q="hello", tasks="train")
    answers["hit"], answers["searched"] = map(json.loads, found.body.splitlines())
    answers["replay"] = (await rest("GET", "tasks", "train", "replay")).json
    assert task["id"] == answers["task"]["id"]
    if os.environ.get("PTYTASKS_RECORD"):
        for name, answer in answers.items():
            text = json.dumps(answer, indent=2, ensure_ascii=False)
            text = text.replace(str(jp_data_dir), "/home/user/.local/share/jupyter").replace(task["cwd"], "/home/user")
            text = text.replace(str(tmp_path), "/home/user")
            (ROOT / "tests" / "contract" / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    assert set(answers) == set(SAMPLES)
    for name, answer in answers.items():
        check(answer, SAMPLES[name])
        assert shape(answer) == shape(sample(name)), name
