"""From what a user asks for to what a ptyhost runs: arguments, environment, name and limits."""

from __future__ import annotations

import os
import re
import shlex
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..core.errors import BadRequest
from ..core.model import Kind, Request, Task
from ..core.states import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: How a task is stopped unless it says otherwise: as by Ctrl-C, so that a training can write its checkpoint; then
#: firmly; then at once.
LADDER = (("SIGINT", 10.0), ("SIGTERM", 10.0), ("SIGKILL", 0.0))
#: An interactive shell ignores the first two and obeys a hang-up.
SHELL_LADDER = (("SIGHUP", 10.0), ("SIGTERM", 10.0), ("SIGKILL", 0.0))
KILL_LADDER = (("SIGKILL", 0.0),)

#: What a task must not inherit: secrets of the server, and what was true of the server's own terminal.
_UNFIT = re.compile(
    r"JUPYTER_TOKEN|JUPYTERHUB_(API_TOKEN|COOKIE_.*|OAUTH_.*)|JPY_.*|CONFIGPROXY_AUTH_TOKEN|PTYTASK_.*|COLUMNS|LINES|TERM|TERM_PROGRAM.*"
)

_NAME_MAX = 40


@dataclass(frozen=True)
class Surroundings:
    """What a server adds to every task: its shell, its environment, its directory and the size of rings."""

    shell: tuple[str, ...]
    environ: Mapping[str, str]
    root: str
    server_url: str = ""
    rows: int = 40
    cols: int = 120
    ring_size: int = 64 << 20
    segment_size: int = 4 << 20
    ladder: tuple[tuple[str, float], ...] = LADDER
    provisioner: str = field(default="local")


def build(request: Request, task_id: str, created: float, around: Surroundings, taken: Iterable[str]) -> dict[str, Any]:
    """Give the spec of a new task: a JSON object, kept as spec.json, from which the task can be told and run again.

    `taken` are the names in use, for numbering shells. Raises BadRequest for a directory that is none.
    """
    kind = Kind.SHELL if request.command is None else Kind.COMMAND
    name = request.name or (_shell_name(taken) if request.command is None else _command_name(request.command))
    spec: dict[str, Any] = {
        "version": 1,
        "id": task_id,
        "name": name,
        "attempt": 1,
        "kind": kind.value,
        "command": request.command if request.command is not None else list(around.shell),
        "argv": _arguments(request.command, around.shell),
        "cwd": _directory(request.cwd, around.root),
        "rows": request.rows or around.rows,
        "cols": request.cols or around.cols,
        "group": request.group,
        "tags": list(request.tags),
        "metadata": dict(request.metadata),
        "created": created,
        "timeout": None,
        "ladder": request.ladder or (around.ladder if kind is Kind.COMMAND else SHELL_LADDER),
        "ring": {"size": around.ring_size, "segment": around.segment_size},
        "provisioner": around.provisioner,
    }
    if request.timeout is not None:
        warning = request.warning and {"signal": request.warning.signal, "before": request.warning.before}
        spec["timeout"] = {"seconds": request.timeout, "warning": warning}
    # Kept apart too: a restart takes the server's surroundings as they are then, and what the user gave as it was.
    spec["given_env"] = dict(request.env)
    spec["env"] = environment(spec, around)
    return spec


def next_attempt(spec: dict[str, Any], attempt: int, around: Surroundings) -> dict[str, Any]:
    """Give the spec with which the task is run once more."""
    return {**spec, "attempt": attempt, "env": environment(spec, around)}


def environment(spec: Mapping[str, Any], around: Surroundings) -> dict[str, str]:
    """Give the whole environment of a task: the server's without what is unfit, what tells the task of itself, what
    the user gave.
    """
    env = {name: value for name, value in around.environ.items() if not _UNFIT.fullmatch(name)}
    env["TERM"] = "xterm-256color"
    env["COLORTERM"] = env.get("COLORTERM", "truecolor")
    env["PTYTASK_ID"] = spec["id"]
    env["PTYTASK_NAME"] = spec["name"]
    # Whatever `python` means in the task, this one has jupyter_ptytasks: "$PTYTASK_PYTHON" -m jupyter_ptytasks.execute
    env["PTYTASK_PYTHON"] = sys.executable
    env["JUPYTER_SERVER_ROOT"] = around.root
    if around.server_url:
        env["JUPYTER_SERVER_URL"] = around.server_url
    return {**env, **spec["given_env"]}


def task_of(spec: Mapping[str, Any], state: State = State.STARTING) -> Task:
    """Give the task that a spec tells of."""
    limit = spec.get("timeout")
    return Task(
        id=spec["id"],
        name=spec["name"],
        command=spec["command"],
        kind=Kind(spec["kind"]),
        cwd=spec["cwd"],
        state=state,
        created=spec["created"],
        attempt=spec["attempt"],
        rows=spec["rows"],
        cols=spec["cols"],
        group=spec["group"],
        tags=tuple(spec["tags"]),
        metadata=spec["metadata"],
        timeout=limit["seconds"] if limit else None,
        provisioner=spec.get("provisioner", "local"),
    )


def _arguments(command: str | Sequence[str] | None, shell: Sequence[str]) -> list[str]:
    if command is None:
        return list(shell)
    if isinstance(command, str):
        return [shell[0], "-c", command]
    return list(command)


def _directory(cwd: str | None, root: str) -> str:
    path = os.path.join(root, os.path.expanduser(cwd or ""))
    path = os.path.normpath(path)
    if not os.path.isdir(path):
        raise BadRequest(f"there is no directory {path}", field="cwd")
    return path


def _command_name(command: str | Sequence[str]) -> str:
    """Give a name that tells the command: its line, shortened."""
    line = command if isinstance(command, str) else shlex.join(command)
    words = "".join(char if char.isprintable() else " " for char in line).split()
    name = " ".join(words)
    return name if len(name) <= _NAME_MAX else name[: _NAME_MAX - 1] + "…"


def _shell_name(taken: Iterable[str]) -> str:
    names = set(taken)
    return next(name for number in range(1, len(names) + 2) if (name := f"shell-{number}") not in names)
