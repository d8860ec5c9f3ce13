"""Write the schemas of request bodies into docs/openapi.yaml, as the server's models have them. With `--check`, only
look whether they are up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic.json_schema import models_json_schema

from jupyter_ptytasks.server.rest import bodies, group_bodies, sweep_bodies

if TYPE_CHECKING:
    from pydantic import BaseModel

DOCUMENT = Path(__file__).parent.parent / "docs" / "openapi.yaml"
MODULES = (bodies, group_bodies, sweep_bodies)
BODIES = (bodies.Body, bodies.NewTerminal)
#: All that follows this line is written here.
MARK = "    # Request bodies, written by scripts/openapi.py from the models in jupyter_ptytasks/server/rest.\n"


def schemas() -> dict[str, Any]:
    """Return the schema of each body, by the name of its model."""
    named = (value for module in MODULES for value in vars(module).values())
    models = dict.fromkeys(model for model in named if isinstance(model, type) and issubclass(model, BODIES))
    taken: list[tuple[type[BaseModel], Literal["validation"]]] = [
        # Those that others derive from are bodies of no request.
        (model, "validation")
        for model in models
        if not model.__subclasses__()
    ]
    _, found = models_json_schema(taken, ref_template="#/components/schemas/{model}")
    return {name: _plain(schema) for name, schema in sorted(found["$defs"].items())}


def _plain(schema: Any) -> Any:
    """Return a schema without what pydantic adds: a title for every field, and null as a default."""
    if isinstance(schema, list):
        return [_plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: part for name, part in schema.items() if name != "title" and (name, part) != ("default", None)}
    if "description" in kept:
        kept["description"] = " ".join(kept["description"].split())
    return {
        name: {field: _plain(about) for field, about in part.items()} if name == "properties" else _plain(part)
        for name, part in kept.items()
    }


def document(text: str) -> str:
    """Return the text of the document with the schemas as they are now."""
    written = yaml.safe_dump(schemas(), sort_keys=False, allow_unicode=True, width=112)
    return text.partition(MARK)[0] + MARK + "".join(f"    {line}" for line in written.splitlines(keepends=True))


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
