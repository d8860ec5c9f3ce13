"""What `%%task` does: runs a cell as a task, or as a sweep of tasks."""

from __future__ import annotations

import sys
import traceback
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.display import display

from ..client import format as formats
from ..client import resources, turns
from ..core.sweeps import placeholders
from . import scripts
from .clients import connections
from .starting import start
from .sweeps import Sweep, sweep
from .task import Task
from .watching import follow

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping

    from ..client import Client
    from ..client.literals import Command, StateName
    from ..client.types import Sweep as SweepInfo

_LIVE: tuple[StateName, ...] = ("held", "queued", "starting", "running", "paused", "stopping")


class CellRunner:
    """Runs cells of an IPython `shell`."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell

    def run(self, asked: argparse.Namespace, cell: str) -> None:
        """Run a cell with the options in its first line. Raises UsageError, ClientError."""
        (self._run_sweep if asked.params else self._run_task)(asked, cell)

    def _run_task(self, asked: argparse.Namespace, cell: str) -> None:
        if asked.max_failures is not None:
            raise UsageError("--max-failures needs --sweep")
        server = connections()
        with server.client() as client, _known_variables():
            command = self._python(client, asked.name, cell) if asked.python else self._command(cell)
            if asked.restart:
                _stop_all(client, asked.name)
            info, found = start(client, command, if_exists="return", **_options(asked))
        if found:
            runtime = formats.duration(formats.runtime(info) or 0)
            print(f"Reattached: task {asked.name!r} has been running for {runtime}.")
            if info["command"] != command:
                print("The cell has changed since the task was started. Use --restart to run the new version.")
        task = Task(info, server)
        if asked.follow:
            follow(self._shell, task, asked.lines)
        else:
            view = display(task, display_id=True)  # type: ignore[no-untyped-call]
            if asked.wait:
                task.wait()
                view.update(task)
        if asked.wait or asked.follow:
            task.check()

    def _run_sweep(self, asked: argparse.Namespace, cell: str) -> None:
        if asked.follow:
            raise UsageError("--follow cannot be combined with --sweep")
        params = dict(asked.params)
        if len(params) < len(asked.params):
            raise UsageError("--sweep: each parameter can be given once")
        server = connections()
        with server.client() as client, _known_variables():
            command = self._python(client, asked.name, cell, params) if asked.python else self._template(cell, params)
            live = [one for one in client.sweeps() if one["name"] == asked.name and _is_live_sweep(one)]
            if asked.restart:
                for one in live:
                    Sweep(client.cancel_sweep(one["id"])["sweep"], server).wait()
            if live and not asked.restart:
                made = Sweep(live[0], server)
                print(f"Reattached: sweep {asked.name!r} has not ended yet.")
                if made.info["command"] != command or made.info["params"] != params:
                    print("The cell has changed since the sweep was started. Use --restart to run the new version.")
            else:
                made = sweep(command, params, max_failures=asked.max_failures, **_options(asked))
        view = display(made, display_id=True)  # type: ignore[no-untyped-call]
        if asked.wait:
            made.wait()
            view.update(made)
            made.check()

    def _template(self, cell: str, params: Mapping[str, str]) -> Command:
        """Return the cell as a command in which only the parameters are placeholders."""
        # The notebook's variables are expanded first, and may have the name of a parameter.
        kept = {f"{{{name}}}": f"\ue000{number}\ue001" for number, name in enumerate(params)}
        for placeholder, sign in kept.items():
            cell = cell.replace(placeholder, sign)
        template = placeholders.escape(self._command(cell))
        for placeholder, sign in kept.items():
            template = template.replace(sign, placeholder)
        return template

    def _command(self, cell: str) -> str:
        lines = cell.strip("\n").split("\n")
        command = "\n".join(_expanded(self._shell, line) for line in lines)
        if not command.strip():
            raise UsageError("%%task: the cell is empty")
        return command

    def _python(self, client: Client, name: str, cell: str, params: Iterable[str] = ()) -> list[str]:
        if not client.server.is_local:
            raise UsageError("--python needs a server on this machine, because the source is saved in a file")
        try:
            compile(cell, name, "exec")
        except SyntaxError as error:  # reported here, not in the output of a task
            said = "".join(traceback.format_exception_only(error))
            raise UsageError(f"--python: the cell is not a valid Python script\n{said.rstrip()}") from error
        path = placeholders.escape(scripts.keep(name, cell)) if params else scripts.keep(name, cell)
        return [sys.executable, "-m", "jupyter_ptytasks.execute.cell", path, *(f"{one}={{{one}}}" for one in params)]


def _options(asked: argparse.Namespace) -> dict[str, Any]:
    """Return the options of a cell as those of `run`."""
    moment: datetime | None = asked.at
    if asked.delay is not None:
        moment = datetime.now().astimezone() + timedelta(seconds=asked.delay)
    same = ("name", "cwd", "env", "group", "tags", "timeout", "hold", "priority", "slots", "gpus")
    if asked.retry is None and asked.retry_delay is not None:
        raise UsageError("--retry-delay needs --retry")
    if asked.place is not None and asked.python:
        raise UsageError("--place cannot be combined with --python")
    wanted = resources.from_options(vars(asked))
    if resources.is_here(asked.place):
        if wanted:
            raise UsageError("--cpus, --mem and the like need --place")
        if isinstance(asked.gpus, str):
            raise UsageError(f"--gpus {asked.gpus} needs --place; here it is a number, or a share of one")
    return {
        **{name: getattr(asked, name) for name in same},
        "after": [turns.after(one) for one in asked.after],
        "not_before": moment,
        "retry": turns.retry(asked.retry, asked.retry_delay),
        **({} if asked.place is None else {"place": asked.place, "resources": wanted}),
    }


@contextmanager
def _known_variables() -> Iterator[None]:
    """Raise UsageError if a variable to pass on is not set."""
    try:
        yield
    except KeyError as error:
        raise UsageError(f"--env {error.args[0]}: this variable is not set") from error


def _is_live_sweep(info: SweepInfo) -> bool:
    return any(info["states"][state] for state in _LIVE)


def _stop_all(client: Client, name: str) -> None:
    """Stop the live tasks with this name, and wait until they have ended."""
    for task in [client.stop(task["id"]) for task in client.all(name=name, state=_LIVE)]:
        client.wait(task["id"])


def _expanded(_ptytasks_shell: Any, _ptytasks_line: str) -> str:
    """Return a line with the notebook's variables expanded. IPython also expands our locals, hence their names."""
    return str(_ptytasks_shell.var_expand(_ptytasks_line))
