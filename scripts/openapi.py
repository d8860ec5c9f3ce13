"""Write the schemas of bodies into docs/openapi.yaml: of requests as the server's models have them, of responses as the
client's types do. With `--check`, only look whether they are up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import ConfigDict, TypeAdapter, with_config
from pydantic.json_schema import models_json_schema
from typing_extensions import is_typeddict

from jupyter_ptytasks.client import types
from jupyter_ptytasks.server.rest import bodies, change_bodies, group_bodies, sweep_bodies, talking_bodies

if TYPE_CHECKING:
    from pydantic import BaseModel

DOCUMENT = Path(__file__).parent.parent / "docs" / "openapi.yaml"
EXAMPLES = Path(__file__).parent / "openapi_examples.yaml"
MODULES = (bodies, change_bodies, talking_bodies, group_bodies, sweep_bodies)
BODIES = (bodies.Body, bodies.NewTerminal)
REF = "#/components/schemas/{model}"
#: All that follows this line is written here.
MARK = """\
  # Written by scripts/openapi.py: requests from the models in jupyter_ptytasks/server/rest, responses from the types in
  # jupyter_ptytasks/client/types/, with scripts/openapi_examples.yaml.
"""


class _Examples(list[Any]):
    """Examples, which are written in few lines."""


yaml.SafeDumper.add_representer(
    _Examples, lambda dumper, values: dumper.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=True)
)


def requests() -> dict[str, Any]:
    """Return the schema of each body of a request, by the name of its model."""
    named = (value for module in MODULES for value in vars(module).values())
    models = dict.fromkeys(model for model in named if isinstance(model, type) and issubclass(model, BODIES))
    taken: list[tuple[type[BaseModel], Literal["validation"]]] = [
        # Those that others derive from are bodies of no request.
        (model, "validation")
        for model in models
        if not model.__subclasses__()
    ]
    _, found = models_json_schema(taken, ref_template=REF)
    return dict(found["$defs"])


def responses() -> dict[str, Any]:
    """Return the schema of each body of a response and of its parts, by the name of its type, with examples."""
    kinds = [kind for kind in vars(types).values() if is_typeddict(kind) and kind.__module__.startswith(types.__name__)]
    # The server sends nothing else.
    config = ConfigDict(extra="forbid", use_attribute_docstrings=True)
    adapters = [TypeAdapter(with_config(config)(kind)) for kind in kinds]
    _, found = TypeAdapter.json_schemas([(at, "validation", one) for at, one in enumerate(adapters)], ref_template=REF)
    schemas: dict[str, Any] = found["$defs"]
    for name, examples in yaml.safe_load(EXAMPLES.read_text(encoding="utf-8")).items():
        schemas[name]["examples"] = _Examples(examples)
    return schemas


def schemas() -> dict[str, Any]:
    """Return all schemas by their names."""
    taken, sent = requests(), responses()
    both = taken.keys() & sent.keys()
    if both:
        raise ValueError(f"both a request and a response: {', '.join(sorted(both))}")
    found = {**taken, **sent}
    states = found["State"]["enum"]
    return {name: _plain(schema, () if name == "State" else states) for name, schema in sorted(found.items())}


def _plain(schema: Any, states: object) -> Any:
    """Return a schema without what pydantic adds, a title for every field, and null as a default; and with a reference
    in place of the `states`.
    """
    if isinstance(schema, list):
        return [_plain(part, states) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("enum") == states:
        return {"$ref": REF.format(model="State")}
    kept = {name: part for name, part in schema.items() if name != "title" and (name, part) != ("default", None)}
    if "description" in kept:
        kept["description"] = " ".join(kept["description"].split())
    return {name: part if name == "examples" else _inner(name, part, states) for name, part in kept.items()}


def _inner(name: str, part: Any, states: object) -> Any:
    if name == "properties":
        return {field: _plain(about, states) for field, about in part.items()}
    return _plain(part, states)


def document(text: str) -> str:
    """Return the text of the document with the schemas as they are now."""
    written = yaml.safe_dump(schemas(), sort_keys=False, allow_unicode=True, width=112)
    lines = "".join(f"    {line}" for line in written.splitlines(keepends=True))
    return text.partition(MARK)[0] + MARK + "  schemas:\n" + lines


def main() -> None:
    """Write the schemas, or look at them."""
    text = DOCUMENT.read_text(encoding="utf-8")
    now = document(text)
    if "--check" not in sys.argv:
        DOCUMENT.write_text(now, encoding="utf-8")
    elif text != now:
        sys.exit(f"{DOCUMENT.name} is out of date: run scripts/openapi.py")


if __name__ == "__main__":
    main()
