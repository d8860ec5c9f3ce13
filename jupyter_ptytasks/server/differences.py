"""Differences between two tasks: field by field; for the environment, only names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..core.model import Task


def compared(before: tuple[Task, Mapping[str, Any]], after: tuple[Task, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the `changes` from one task to another, each given with its spec: fields that differ, as pairs of values
    (None: missing); and the names of variables in the given `environment` that were added, removed or changed.
    """
    old, new = dict(_facts(*before)), dict(_facts(*after))
    # In display order; fields that only the old task has come last.
    changes = [
        {"field": field, "before": old.get(field), "after": new.get(field)}
        for field in dict.fromkeys([*new, *old])
        if old.get(field) != new.get(field)
    ]
    return {"changes": changes, "environment": _names(before[1].get("given_env", {}), after[1].get("given_env", {}))}


def _facts(task: Task, spec: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "name", task.name
    yield "command", task.command
    yield "cwd", task.cwd
    yield "place", task.provisioner
    for name, value in task.params.items():
        yield f"params.{name}", value
    for name, value in (task.git or {}).items():
        yield f"git.{name}", value
    yield "timeout", task.timeout
    yield "stop", [[signal, float(grace)] for signal, grace in spec["ladder"]]
    yield "group", task.group
    yield "priority", task.turn.priority
    yield "slots", task.turn.slots
    yield "gpus", task.turn.gpus
    for name, value in task.resources.items():
        yield f"resources.{name}", value
    yield "tags", list(task.tags)


def _names(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, list[str]]:
    return {
        "added": sorted(new.keys() - old.keys()),
        "removed": sorted(old.keys() - new.keys()),
        "changed": sorted(name for name in new.keys() & old.keys() if new[name] != old[name]),
    }
