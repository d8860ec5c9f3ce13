"""The magics: `%%task NAME` runs a cell as a task, `%task VERB NAME` manages tasks."""

from __future__ import annotations

import shlex
import sys
import traceback
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.display import display

from ..client import ClientError, StillRunning, is_live, resources, turns
from ..client import format as formats
from ..core.sweeps import placeholders
from . import scripts
from .clients import connections
from .groups import group, groups
from .options import CELL, read_verb, split
from .starting import get, start, tasks
from .sweeps import Sweep, get_sweep, sweep
from .task import Task
from .task_list import TaskList

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping

    from IPython.core.interactiveshell import InteractiveShell

    from ..client import Client
    from ..client.literals import Command, StateName
    from ..client.types import Sweep as SweepInfo

_LIVE: tuple[StateName, ...] = ("held", "queued", "starting", "running", "paused", "stopping")
#: Tasks that ended more seconds ago are shown by `ls -a` only.
_RECENT = 86400.0
#: Seconds between two updates of a view with --follow.
_UPDATE = 1.0


def load(shell: InteractiveShell) -> None:
    """Register the magics and their completion."""
    shell.register_magics(TaskMagics)
    try:
        from . import completion  # noqa: PLC0415
    except ImportError:
        return  # IPython before 8.6 has no context matchers
    completion.install(shell)


@magics_class
class TaskMagics(Magics):
    """`%%task` and `%task`."""

    @line_cell_magic  # type: ignore[untyped-decorator,unused-ignore]
    def task(self, line: str, cell: str | None = None) -> Any:
        """Run the cell as a background task (`%%task NAME`), or manage tasks (`%task stop NAME`).

        See `%%task --help` and `%task --help`.
        """
        with _short_errors():
            if cell is not None:
                asked = CELL.read(split(line))
                if asked is not None and asked.params:
                    self._run_sweep(asked, cell)
                elif asked is not None:
                    self._run(asked, cell)
                return None
            verb, said = read_verb(line)
            return said and getattr(self, f"_{verb}")(said)

    # -- a cell -------------------------------------------------------------------------------------------------------

    def _run(self, asked: argparse.Namespace, cell: str) -> None:
        if asked.max_failures is not None:
            raise UsageError("--max-failures needs --sweep")
        server = connections()
        with server.client() as client, _known_variables():
            command = self._python(client, asked.name, cell) if asked.python else self._shell(cell)
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
            self._follow(task, asked.lines)
        else:
            view = display(task, display_id=True)  # type: ignore[no-untyped-call]
            if asked.wait:
                task.wait()
                view.update(task)
        if asked.wait or asked.follow:
            task.check()

    def _run_sweep(self, asked: argparse.Namespace, cell: str) -> None:
        if asked.follow:
            raise UsageError("--follow shows one task, and --sweep makes several")
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
        template = placeholders.escape(self._shell(cell))
        for placeholder, sign in kept.items():
            template = template.replace(sign, placeholder)
        return template

    def _shell(self, cell: str) -> str:
        lines = cell.strip("\n").split("\n")
        command = "\n".join(_expanded(self.shell, line) for line in lines)
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

    def _follow(self, task: Task, lines: int) -> None:
        if not hasattr(self.shell, "kernel"):
            for text in task.follow(lines):  # a terminal: displays cannot be updated in place
                print(text, end="", flush=True)
            return
        view = display(task.view(lines), raw=True, display_id=True)  # type: ignore[no-untyped-call]
        while is_live(task.as_heard):
            try:
                task.wait(_UPDATE)
            except StillRunning:
                pass
            view.update(task.view(lines), raw=True)

    # -- a line -------------------------------------------------------------------------------------------------------

    def _ls(self, said: argparse.Namespace) -> TaskList:
        found = tasks(group=said.group, tag=said.tag)
        return TaskList(task for task in found if said.all or _is_recent(task))

    def _show(self, said: argparse.Namespace) -> Task:
        return get(said.ref)

    def _logs(self, said: argparse.Namespace) -> None:
        task = get(said.ref)
        if said.follow:
            self._follow(task, said.lines)
        else:
            print(task.output(said.lines, grep=said.grep), end="")

    def _wait(self, said: argparse.Namespace) -> Any:
        if said.until or said.match is not None:
            return _each(said, lambda task: _wait_until(task, said))
        return _each(said, lambda task: task.wait(said.timeout, check=True))

    def _why(self, said: argparse.Namespace) -> None:
        task = get(said.ref)
        told = task.why()
        print(formats.why(task.info))
        for one in told["lines"]:
            print(f"{one['line']:6} | {one['text']}")

    def _stop(self, said: argparse.Namespace) -> Any:
        signals = ["SIGKILL"] if said.now else None
        found = _each(said, lambda task: task.stop(grace=said.grace, signals=signals))
        if said.wait:
            for task in [found] if isinstance(found, Task) else found:
                task.wait()
        return found

    def _pause(self, said: argparse.Namespace) -> Any:
        return _each(said, Task.pause)

    def _resume(self, said: argparse.Namespace) -> Any:
        return _each(said, Task.resume)

    def _restart(self, said: argparse.Namespace) -> Any:
        return _each(said, Task.restart)

    def _again(self, said: argparse.Namespace) -> Task:
        return get(said.ref).again(name=said.name)

    def _queue(self, said: argparse.Namespace) -> None:
        found = [task.as_heard for task in tasks(state=("held", "queued"), group=said.group)]
        for info in sorted(found, key=formats.turn):
            print(f"{info['name']}  {info['group']}  {formats.why(info)}")
        if not found:
            print("no task is waiting")

    def _group(self, said: argparse.Namespace) -> Any:
        try:
            settings = turns.group(said.slots, said.gpus, said.per_gpu, said.on_failure)
        except ValueError as error:
            raise UsageError(f"%task group: {error}") from error
        if said.name is None:
            if settings or said.pause or said.resume or said.retry or said.delete:
                raise UsageError("%task group: which group?")
            return groups()
        found = group(said.name, **settings)
        if said.delete:
            return found.delete()
        if said.retry:
            return found.retry()
        if said.pause:
            found.pause(said.reason, tasks=said.tasks)
        elif said.resume:
            found.resume(tasks=said.tasks)
        return found

    def _move(self, said: argparse.Namespace) -> Any:
        where = {"before": said.before, "after": said.after, "to": said.to}
        if said.group is None and not any(where.values()):
            raise UsageError("%task move: one of --before, --after, --first and --last is needed, or --group")

        def move(task: Task) -> None:
            nonlocal where
            task.move(**where, group=said.group)
            where = {"after": task.id}

        return _each(said, move)

    def _hold(self, said: argparse.Namespace) -> Any:
        return _each(said, Task.hold)

    def _release(self, said: argparse.Namespace) -> Any:
        if said.sweep:
            return TaskList(task for one in [get_sweep(ref) for ref in said.refs] for task in one.release())
        return _each(said, Task.release)

    def _sweep(self, said: argparse.Namespace) -> Sweep:
        return get_sweep(said.ref)

    def _retry(self, said: argparse.Namespace) -> TaskList:
        return get_sweep(said.ref).retry(*([said.states] if said.states else []))

    def _cancel(self, said: argparse.Namespace) -> TaskList:
        return get_sweep(said.ref).cancel()

    def _input(self, said: argparse.Namespace) -> None:
        text = " ".join(said.text)
        newline = None if said.keys else True
        get(said.ref).send_input(text, keys=said.keys, newline=newline, only_if_waiting=said.if_waiting)

    def _exec(self, said: argparse.Namespace) -> None:
        words = said.words[1:] if said.words[0] == "--" else said.words
        told = get(said.ref).exec(words[0] if len(words) == 1 else shlex.join(words), said.timeout)
        print(told["output"], end="" if told["output"].endswith("\n") else "\n")
        if told["reason"] == "timeout":
            print("[the command is still running]")
        elif told["exit"]:
            print(f"[exit code {told['exit']}]")

    def _commands(self, said: argparse.Namespace) -> None:
        for one in get(said.ref).commands():
            code = "running" if one["running"] else "?" if one["exit"] is None else one["exit"]
            took = "" if one["duration"] is None else formats.duration(one["duration"])
            print(f"{code!s:>7}  {took:>8}  {formats.visible(one['command'] or '')}".rstrip())

    def _delete(self, said: argparse.Namespace) -> None:
        for ref in said.refs:
            (get_sweep if said.sweep else get)(ref).delete(stop=said.stop)


def _options(asked: argparse.Namespace) -> dict[str, Any]:
    """Return what a cell says about its tasks."""
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
    """Say so if a variable is to be passed on that is not set."""
    try:
        yield
    except KeyError as error:
        raise UsageError(f"--env {error.args[0]}: this variable is not set") from error


def _is_live_sweep(info: SweepInfo) -> bool:
    return any(info["states"][state] for state in _LIVE)


def _wait_until(task: Task, said: argparse.Namespace) -> None:
    reason = task.wait_until(*said.until, match=said.match, quiet=said.quiet, timeout=said.timeout)
    asked = task.waiting if reason == "waiting" else None
    print(f"{task.name}: {reason}" + (f": {asked['prompt']}" if asked else ""))


def _each(said: argparse.Namespace, do: Any) -> Task | TaskList:
    """Call `do` for the named tasks and return them. All are looked up first, in case of a typo."""
    found = TaskList(get(ref) for ref in said.refs)
    for task in found:
        do(task)
    return found[0] if len(found) == 1 else found


def _stop_all(client: Client, name: str) -> None:
    """Stop the live tasks of this name, and wait until they have ended."""
    for task in [client.stop(task["id"]) for task in client.all(name=name, state=_LIVE)]:
        client.wait(task["id"])


def _is_recent(task: Task) -> bool:
    info = task.as_heard
    return is_live(info) or formats.ago(info["ended"] or info["created"]) < _RECENT


def _expanded(_ptytasks_shell: Any, _ptytasks_line: str) -> str:
    """Return a line with the notebook's variables expanded. IPython also expands our locals, hence their names."""
    return str(_ptytasks_shell.var_expand(_ptytasks_line))


@contextmanager
def _short_errors() -> Iterator[None]:
    """Make IPython show the message of an error without a traceback, which would only show our own code."""
    try:
        yield
    except ClientError as error:
        text = f"{type(error).__name__}: {error}"
        error._render_traceback_ = lambda: text.split("\n")  # type: ignore[attr-defined]
        raise
