"""From a request to what a ptyhost runs: arguments, environment, name and limits."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..core import execve, names, shell_line
from ..core.errors import BadRequest
from ..core.model import Kind, TaskRequest, TimeWarning
from ..core.names import LOCAL
from ..core.queue.turn import Turn
from ..core.sweeps import combinations as sweeps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    #: The signals that stop a task, each with a grace period in seconds.
    StopSequence = tuple[tuple[str, float], ...]

#: The first signal of the default stop sequence. A command gets the signal of Ctrl-C, so that a training can write a
#: checkpoint; an interactive shell ignores SIGINT and SIGTERM, and ends on SIGHUP.
_FIRST_SIGNALS = {Kind.COMMAND: "SIGINT", Kind.SHELL: "SIGHUP"}

#: Variables that a task must not inherit: secrets of Jupyter and of a hub (JUPYTERHUB_API_TOKEN,
#: JUPYTER_PTYTASKS_TOKEN, JUPYTER_GATEWAY_HTTP_PWD …), and those of the server's own terminal and working directory.
_STRIPPED = re.compile(
    r"(JUPYTER|JPY_|EG_|CONFIGPROXY_).*(TOKEN|PASSW|PWD|SECRET|COOKIE|CRYPT|CREDENTIAL).*"
    r"|JUPYTERHUB_OAUTH_.*|JPY_.*|PTYTASK_.*|COLUMNS|LINES|TERM|TERM_PROGRAM.*|PWD|OLDPWD"
)


@dataclass(frozen=True)
class SpawnDefaults:
    """The server's defaults for every task: shell, environment and directory, the size of terminals and rings (bytes),
    and the grace period of each signal that stops it (seconds). `marks_shells`: shells mark their prompts and commands.
    """

    shell: tuple[str, ...]
    environ: Mapping[str, str]
    root: str
    provisioner: str
    server_url: str
    rows: int
    cols: int
    ring_size: int
    segment_size: int
    grace: float
    marks_shells: bool = True

    def stop_sequence(self, kind: Kind) -> StopSequence:
        """Return the default stop sequence."""
        return ((_FIRST_SIGNALS[kind], self.grace), ("SIGTERM", self.grace), ("SIGKILL", 0.0))


def build(
    request: TaskRequest,
    task_id: str,
    created: float,
    defaults: SpawnDefaults,
    taken: Iterable[str],
    *,
    shares_files: bool,
) -> dict[str, Any]:
    """Return the spec of a new task: a JSON object, saved as spec.json, for rebuilding and rerunning the task.

    `taken` are the names in use, for numbering shells; `shares_files`: the task sees the files of this machine. Raises
    BadRequest for a directory that does not exist.
    """
    kind = Kind.SHELL if request.command is None else Kind.COMMAND
    name = request.name or (_shell_name(taken) if request.command is None else command_name(request.command))
    spec: dict[str, Any] = {
        "version": 1,
        "id": task_id,
        "name": name,
        "attempt": 1,
        "kind": kind.value,
        "command": request.command if request.command is not None else list(defaults.shell),
        "argv": _arguments(request.command, defaults.shell),
        # If it does not share our files, the directory is relative to the home directory there.
        "cwd": _directory(request.cwd, defaults.root) if shares_files else request.cwd or "~",
        "rows": request.rows or defaults.rows,
        "cols": request.cols or defaults.cols,
        "group": request.group,
        "tags": list(request.tags),
        "metadata": dict(request.metadata),
        "created": created,
        "timeout": None,
        "ladder": request.ladder or defaults.stop_sequence(kind),
        "ring": {"size": defaults.ring_size, "segment": defaults.segment_size},
        "provisioner": request.place or defaults.provisioner,
    }
    if kind is Kind.SHELL and defaults.marks_shells:
        spec["marks"] = secrets.token_hex(8)
    if request.timeout is not None:
        warning = request.warning and {"signal": request.warning.signal, "before": request.warning.before}
        spec["timeout"] = {"seconds": request.timeout, "warning": warning}
    # A restart uses the server's spawn_defaults at that time, and the variables given by the user. Nothing else of the
    # environment is stored, since it may contain secrets of the server, such as cloud credentials.
    spec["given_env"] = dict(request.env)
    if turn := request.turn.to_json():
        spec["queue"] = turn
    if request.sweep is not None:
        spec["sweep"] = request.sweep.to_json()
    if request.params:
        spec["params"] = dict(request.params)
    if request.resources:
        spec["resources"] = dict(request.resources)
    if request.metrics:
        spec["metrics"] = dict(request.metrics)
    if request.function is not None:
        spec["function"] = True
    if request.again_of:
        spec["again_of"] = request.again_of
    return spec


def revised(
    spec: Mapping[str, Any], request: TaskRequest, defaults: SpawnDefaults, *, shares_files: bool
) -> dict[str, Any]:
    """Return the changes to the spec of a pending task for `request`. Raises BadRequest."""
    fresh = build(request, spec["id"], spec["created"], defaults, (), shares_files=shares_files)
    return {name: fresh[name] for name in ("kind", "command", "argv", "cwd", "given_env")}


def request_of(spec: Mapping[str, Any], name: str | None, function: bytes | None = None) -> TaskRequest:
    """Return the request for another task like that of `spec`, named `name` or the same: with the same command and
    `function`, given environment, parameters, limits, labels and queue settings, except what it waited for. It belongs
    to no sweep, and gets the server's current defaults.
    """
    limit = spec.get("timeout") or {}
    warning = limit.get("warning")
    # An older version may have accepted a name that is invalid now.
    usual = spec["name"] if names.fault(spec["name"], of_task=True) is None else None
    return TaskRequest(
        place="" if spec["provisioner"] == LOCAL else spec["provisioner"],
        command=None if spec["kind"] == Kind.SHELL.value else spec["command"],
        name=name or usual,
        cwd=spec["cwd"],
        env=spec.get("given_env", {}),
        rows=spec["rows"],
        cols=spec["cols"],
        group=spec["group"],
        tags=tuple(spec["tags"]),
        timeout=limit.get("seconds"),
        warning=TimeWarning(warning["signal"], warning["before"]) if warning else None,
        ladder=tuple((str(signal), float(grace)) for signal, grace in spec["ladder"]),
        metadata=spec["metadata"],
        turn=replace(Turn.from_json(spec.get("queue", {})), rank="", after=(), not_before=None),
        params=spec.get("params", {}),
        resources=spec.get("resources", {}),
        metrics=spec.get("metrics", {}),
        function=function,
        again_of=spec["id"],
    )


def environment(spec: Mapping[str, Any], defaults: SpawnDefaults, function: str = "") -> dict[str, str]:
    """Return the whole environment of a task: the server's without unsuitable variables, variables about the task, and
    those given by the user. The command of a function finds the call at the path `function`.

    Raises SpawnFailed with the `field` `command` or `env` if no program can be started with it (core.execve).
    """
    env = {name: value for name, value in defaults.environ.items() if not _STRIPPED.fullmatch(name)}
    env["TERM"] = "xterm-256color"
    env["COLORTERM"] = env.get("COLORTERM", "truecolor")
    env["PTYTASK_ID"] = spec["id"]
    env["PTYTASK_NAME"] = spec["name"]
    env.update(sweeps.variables(spec.get("params", {})))
    if "sweep" in spec:
        env["PTYTASK_SWEEP"] = spec["sweep"]["id"]
    # Whatever `python` means in the task, this one has jupyter_ptytasks: "$PTYTASK_PYTHON" -m jupyter_ptytasks.execute
    env["PTYTASK_PYTHON"] = sys.executable
    env["JUPYTER_SERVER_ROOT"] = defaults.root
    if defaults.server_url:
        env["JUPYTER_SERVER_URL"] = defaults.server_url
    env["PWD"] = spec["cwd"]
    env.update(spec["given_env"])
    if spec.get("function"):
        env["PTYTASK_FUNCTION"] = function
    # A shell command line may have any length: if it is too long for an argument, a file is used.
    *others, last = spec["argv"]
    execve.encode([*others, "" if isinstance(spec["command"], str) else last], env)
    return env


def _arguments(command: str | Sequence[str] | None, shell: Sequence[str]) -> list[str]:
    if command is None:
        return list(shell)
    if isinstance(command, str):
        return shell_line.by_argument(shell[0], command)
    return list(command)


def _directory(cwd: str | None, root: str) -> str:
    # Always absolute: on Windows, `D:data` is relative to the directory of that drive.
    path = os.path.abspath(os.path.join(root, os.path.expanduser(cwd or "")))
    if not os.path.isdir(path):
        raise BadRequest(f"no such directory: {path}", field="cwd")
    return path


def command_name(command: str | Sequence[str]) -> str:
    """Return the default name of a task."""
    return names.from_line(command if isinstance(command, str) else shlex.join(command))


def _shell_name(taken: Iterable[str]) -> str:
    used = set(taken)
    return next(name for number in range(1, len(used) + 2) if (name := f"shell-{number}") not in used)
