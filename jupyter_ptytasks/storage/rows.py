"""A task as a row of the database: columns for fields used in queries, JSON for the rest."""

from __future__ import annotations

import json

from ..core.model import Exit, Kind, Output, Task
from ..core.queue.turn import Turn
from ..core.states import State
from ..core.sweeps.combinations import Sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

_PLAIN = (
    "command", "cwd", "created", "state_reason", "state_message", "attempt", "pid", "host_pid", "rows", "cols",
    "started", "ended", "last_output", "group", "metadata", "usage", "progress", "metrics", "timeout",
    "provisioner", "pinned", "leftover", "gpu_share", "why", "resources", "job",
    "git", "again_of", "notes",
)  # fmt: skip


_NUMBER = (int, float, type(None))
_TYPES: Mapping[str, tuple[type, ...]] = {
    "command": (str, list), "cwd": (str,), "created": (int, float), "state_reason": (str,), "state_message": (str,),
    "attempt": (int,), "rows": (int,), "cols": (int,), "pid": _NUMBER, "host_pid": _NUMBER, "started": _NUMBER,
    "ended": _NUMBER, "last_output": _NUMBER, "timeout": _NUMBER, "group": (str,), "metadata": (dict,),
    "usage": (dict,), "progress": (dict, type(None)), "metrics": (dict, type(None)), "provisioner": (str,),
    "pinned": (bool,), "leftover": (int,), "gpus": (list,), "gpu_share": (int, float), "why": (str,),
    "resources": (dict,), "job": (dict,), "git": (dict, type(None)), "again_of": (str,), "notes": (str,),
    "earlier": (list,),
}  # fmt: skip
#: The states known to this version.
STATES = frozenset(state.value for state in State)


def write(sql: sqlite3.Connection, task: Task) -> None:
    """Store a task, replacing the row with its id."""
    body = {name: getattr(task, name) for name in _PLAIN}
    body["kind"] = task.kind.value
    body["tags"] = list(task.tags)
    body["gpus"] = list(task.gpus)
    body["queue"] = task.turn.to_json()
    if task.earlier:
        body["earlier"] = list(task.earlier)
    if task.sweep is not None:
        body["sweep"] = task.sweep.to_json()
    if task.params:
        body["params"] = dict(task.params)
    body["exit"] = [task.exit.code, task.exit.signal]
    body["output"] = [task.output.start, task.output.end, task.output.lines, task.output.lost]
    sql.execute(
        "INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?, ?)",
        (task.id, task.name, task.state.value, task.revision, json.dumps(body, separators=(",", ":"))),
    )


def is_complete(row: sqlite3.Row) -> bool:
    """Return whether a row has all fields: versions without a queue drop the fields that they do not know whenever they
    write a task.
    """
    return '"queue":' in row["body"]


def read(row: sqlite3.Row) -> Task | None:
    """Return the task of a row; None if it is damaged or from a newer version."""
    try:
        body = json.loads(row["body"])
        if not all(isinstance(body[name], types) for name, types in _TYPES.items() if name in body):
            return None
        return Task(
            id=row["id"],
            name=row["name"],
            state=State(row["state"]),
            revision=row["revision"],
            kind=Kind(body["kind"]),
            tags=tuple(body["tags"]),
            gpus=tuple(body.get("gpus", ())),
            turn=Turn.from_json(body.get("queue", {})),
            sweep=Sweep.from_json(body["sweep"]) if "sweep" in body else None,
            params=dict(body.get("params", {})),
            earlier=tuple(body.get("earlier", ())),
            exit=Exit(*body["exit"]),
            output=Output(*(int(bound) for bound in body["output"])),
            # Older versions wrote fewer fields.
            **{name: body[name] for name in _PLAIN if name in body},
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
