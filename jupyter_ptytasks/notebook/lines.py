"""What `%task VERB` does, by the name of the verb."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from ..client import format as formats
from ..client import is_live, turns
from .groups import group, groups
from .starting import get, tasks
from .sweeps import Sweep, get_sweep
from .task import Task
from .task_list import TaskList
from .watching import follow

if TYPE_CHECKING:
    import argparse

#: Tasks that ended more seconds ago are only shown by `ls -a`.
_RECENT = 86400.0


class LineVerbs:
    """The verbs: each takes the parsed line, and returns what the notebook of `shell` displays. All raise UsageError
    and ClientError.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell

    def ls(self, said: argparse.Namespace) -> TaskList:
        found = tasks(group=said.group, tag=said.tag)
        return TaskList(task for task in found if said.all or _is_recent(task))

    def show(self, said: argparse.Namespace) -> Task:
        return get(said.ref)

    def logs(self, said: argparse.Namespace) -> None:
        task = get(said.ref)
        if said.follow:
            follow(self._shell, task, said.lines)
        else:
            print(task.output(said.lines, grep=said.grep), end="")

    def wait(self, said: argparse.Namespace) -> Any:
        if said.until or said.match is not None:
            return _each(said, lambda task: _wait_until(task, said))
        return _each(said, lambda task: task.wait(said.timeout, check=True))

    def why(self, said: argparse.Namespace) -> None:
        task = get(said.ref)
        told = task.why()
        print(formats.why(task.info))
        for one in told["lines"]:
            print(f"{one['line']:6} | {one['text']}")

    def stop(self, said: argparse.Namespace) -> Any:
        signals = ["SIGKILL"] if said.now else None
        found = _each(said, lambda task: task.stop(grace=said.grace, signals=signals))
        if said.wait:
            for task in [found] if isinstance(found, Task) else found:
                task.wait()
        return found

    def pause(self, said: argparse.Namespace) -> Any:
        return _each(said, Task.pause)

    def resume(self, said: argparse.Namespace) -> Any:
        return _each(said, Task.resume)

    def restart(self, said: argparse.Namespace) -> Any:
        return _each(said, Task.restart)

    def again(self, said: argparse.Namespace) -> Task:
        return get(said.ref).again(name=said.name)

    def queue(self, said: argparse.Namespace) -> None:
        found = [task.as_heard for task in tasks(state=("held", "queued"), group=said.group)]
        for info in sorted(found, key=formats.turn):
            print(f"{info['name']}  {info['group']}  {formats.why(info)}")
        if not found:
            print("no task is waiting")

    def group(self, said: argparse.Namespace) -> Any:
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

    def move(self, said: argparse.Namespace) -> Any:
        where = {"before": said.before, "after": said.after, "to": said.to}
        if said.group is None and not any(where.values()):
            raise UsageError("%task move: one of --before, --after, --first and --last is needed, or --group")

        def move(task: Task) -> None:
            nonlocal where
            task.move(**where, group=said.group)
            where = {"after": task.id}

        return _each(said, move)

    def hold(self, said: argparse.Namespace) -> Any:
        return _each(said, Task.hold)

    def release(self, said: argparse.Namespace) -> Any:
        if said.sweep:
            return TaskList(task for one in [get_sweep(ref) for ref in said.refs] for task in one.release())
        return _each(said, Task.release)

    def sweep(self, said: argparse.Namespace) -> Sweep:
        return get_sweep(said.ref)

    def retry(self, said: argparse.Namespace) -> TaskList:
        return get_sweep(said.ref).retry(*([said.states] if said.states else []))

    def cancel(self, said: argparse.Namespace) -> TaskList:
        return get_sweep(said.ref).cancel()

    def input(self, said: argparse.Namespace) -> None:
        text = " ".join(said.text)
        newline = None if said.keys else True
        get(said.ref).send_input(text, keys=said.keys, newline=newline, only_if_waiting=said.if_waiting)

    def exec(self, said: argparse.Namespace) -> None:
        words = said.words[1:] if said.words[0] == "--" else said.words
        told = get(said.ref).exec(words[0] if len(words) == 1 else shlex.join(words), said.timeout)
        print(told["output"], end="" if told["output"].endswith("\n") else "\n")
        if told["reason"] == "timeout":
            print("[the command is still running]")
        elif told["exit"]:
            print(f"[exit code {told['exit']}]")

    def commands(self, said: argparse.Namespace) -> None:
        for one in get(said.ref).commands():
            code = "running" if one["running"] else "?" if one["exit"] is None else one["exit"]
            took = "" if one["duration"] is None else formats.duration(one["duration"])
            print(f"{code!s:>7}  {took:>8}  {formats.visible(one['command'] or '')}".rstrip())

    def delete(self, said: argparse.Namespace) -> None:
        for ref in said.refs:
            (get_sweep if said.sweep else get)(ref).delete(stop=said.stop)


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


def _is_recent(task: Task) -> bool:
    info = task.as_heard
    return is_live(info) or formats.ago(info["ended"] or info["created"]) < _RECENT
