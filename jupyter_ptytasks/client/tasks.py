"""The client's methods that start, find, change and delete tasks."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, cast

from .connection import SLOW, Connection, decoded, path_of, without_none

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .literals import Command, HowMetricsAreRead, IfExists, StateName, Warn, WarningKind
    from .types import After, Changes, Page, Resources, Retry, Task

#: The HTTP status if `if_exists` found a task; 201 if one was started.
_FOUND = 200


class TaskMethods(Connection):
    """Tasks, and lists of them."""

    #: Whether the last `create` returned an existing task instead of starting one.
    found = False

    def list(
        self,
        *,
        state: Iterable[StateName] = (),
        name: str | None = None,
        group: str | None = None,
        tag: str | None = None,
        sweep: str | None = None,
        q: str | None = None,
        since: str | None = None,
        warning: Iterable[WarningKind] = (),
        sort: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page:
        """List tasks that match all given filters, newest first, one page at a time.

        Args:
            sweep: the id or name of a sweep.
            q: a substring of the id, name, command, group or a tag.
            since: only tasks that ended at this time (ISO 8601 with an offset from UTC) or later, or have not ended.
            warning: only tasks with one of these warnings.
            sort: another order: `name`, `state`, `why`, `created`, `started`, `ended`, `duration`, `group`, `tags`,
                `command`, `memory`, `git`, a parameter (`params.lr`), or a metric: its last, lowest or highest value
                (`metrics.loss`, `min.loss`, `max.loss`). A leading `-` reverses the order.
            limit: size of the page, at most 1000.
            cursor: the `next_cursor` of the previous page.
        """
        given = {
            "name": name,
            "group": group,
            "tag": tag,
            "sweep": sweep,
            "q": q,
            "since": since,
            "warning": ",".join(warning) or None,
            "sort": sort,
            "limit": limit,
            "cursor": cursor,
        }
        return cast("Page", self._get("tasks", state=",".join(state) or None, **given))

    def changes(self, since: str, *, active: bool = False) -> Changes:
        """Return the changes since the `revision` of a page or of earlier changes; `active` adds running tasks."""
        return cast("Changes", self._get("changes", since=since, active=active or None))

    def all(
        self,
        *,
        state: Iterable[StateName] = (),
        name: str | None = None,
        group: str | None = None,
        tag: str | None = None,
        sweep: str | None = None,
        q: str | None = None,
        since: str | None = None,
        warning: Iterable[WarningKind] = (),
        sort: str | None = None,
    ) -> Iterator[Task]:
        """Iterate over all matching tasks, newest first or by `sort`. For the filters see `list`."""
        cursor: str | None = None
        while True:
            page = self.list(
                state=state,
                name=name,
                group=group,
                tag=tag,
                sweep=sweep,
                q=q,
                since=since,
                warning=warning,
                sort=sort,
                cursor=cursor,
            )
            yield from page["tasks"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def create(
        self,
        command: Command | None = None,
        *,
        name: str | None = None,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        rows: int | None = None,
        cols: int | None = None,
        group: str | None = None,
        tags: Sequence[str] = (),
        timeout: float | None = None,
        timeout_warning: Warn | None = None,
        stop_grace: float | None = None,
        stop_signals: Sequence[str] | None = None,
        if_exists: IfExists = "new",
        place: str | None = None,
        resources: Resources | Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        hold: bool = False,
        priority: int | None = None,
        slots: int | None = None,
        gpus: float | None = None,
        after: Sequence[str | After] = (),
        not_before: str | None = None,
        retry: Retry | None = None,
        metrics: HowMetricsAreRead | None = None,
        function: bytes | None = None,
    ) -> Task:
        """Start or queue a task and return it. See docs/rest.md for the options, and docs/queue.md for the queue.

        Args:
            command: a shell command line, or a list of arguments; None for an interactive shell.
            if_exists: what to do if a live task has this name. `found` is True if that task was returned.
            place: where it runs, such as `ssh:gpu1`; by default on the server's machine. `cwd` is a directory there.
            resources: requested from a batch system, such as `{"cpus": 4, "gpus": "1", "time": "2h"}`.
            hold: do not start it before `release`.
            priority: tasks of a group with a higher one start first.
            slots: how many slots of its group it uses.
            gpus: how many GPUs it gets: whole ones, or a share of one below 1; by default as configured in its group.
            after: ids or names of tasks that must succeed first, or `{"ref", "when": "ok" | "any" | "failed"}`.
            not_before: the earliest time to start, in ISO 8601 with a UTC offset.
            retry: how to retry it if it fails.
            metrics: how metrics are read from its output (docs/metrics.md).
            function: the call that `command` runs (functions.calls.pack).

        Raises:
            RequestFailed: the command could not be started; no task was created.
        """
        given = {
            "command": command,
            "name": name,
            "cwd": cwd,
            "env": env,
            "rows": rows,
            "cols": cols,
            "group": group,
            "tags": list(tags) or None,
            "timeout": timeout,
            "timeout_warning": timeout_warning,
            "stop_grace": stop_grace,
            "stop_signals": stop_signals,
            "if_exists": if_exists,
            "place": place,
            "resources": resources,
            "metadata": metadata,
            "hold": hold or None,
            "priority": priority,
            "slots": slots,
            "gpus": gpus,
            "after": list(after) or None,
            "not_before": not_before,
            "retry": retry,
            "metrics": metrics,
            "function": None if function is None else base64.b64encode(function).decode(),
        }
        response = self._transport.request("POST", "tasks", json=without_none(given))
        self.found = response.status_code == _FOUND
        return cast("Task", decoded(response.content))

    def get(self, ref: str) -> Task:
        """Return a task."""
        return self._task("GET", path_of(ref))

    def update(
        self,
        ref: str,
        *,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        add_tags: Sequence[str] | None = None,
        remove_tags: Sequence[str] | None = None,
        group: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        pinned: bool | None = None,
        command: Command | None = None,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        priority: int | None = None,
        slots: int | None = None,
        gpus: float | None = None,
        after: Sequence[str | After] | None = None,
        not_before: str | None = None,
        retry: Retry | None = None,
    ) -> Task:
        """Change a task's labels, pin it, or change what it runs and waits for, and return it. None means unchanged.

        `tags` replaces all tags; `add_tags` and `remove_tags` leave alone those that others add at the same time. What
        a task runs and waits for can be changed until it starts; see `create`.
        """
        given = {
            "name": name,
            "tags": tags,
            "add_tags": add_tags,
            "remove_tags": remove_tags,
            "group": group,
            "metadata": metadata,
            "pinned": pinned,
            "command": command,
            "cwd": cwd,
            "env": env,
            "priority": priority,
            "slots": slots,
            "gpus": gpus,
            "after": after,
            "not_before": not_before,
            "retry": retry,
        }
        return self._task("PATCH", path_of(ref), json=without_none(given))

    def update_all(
        self,
        ids: Iterable[str],
        *,
        add_tags: Sequence[str] | None = None,
        remove_tags: Sequence[str] | None = None,
        pinned: bool | None = None,
    ) -> Sequence[str]:
        """Change the tags of many tasks, given by their ids, or pin them: all of them or none. Return the ids of those
        that have changed. Tasks that no longer exist are left out.
        """
        given = {"tasks": list(ids), "add_tags": add_tags, "remove_tags": remove_tags, "pinned": pinned}
        response = self._transport.request("PATCH", "tasks", json=without_none(given), timeout=SLOW)
        return cast("Sequence[str]", decoded(response.content)["changed"])

    def delete(self, ref: str, *, stop: bool = False, force: bool = False) -> None:
        """Delete a finished task and its output.

        Args:
            stop: stop a live task first, with its stop sequence.
            force: also delete a task that runs on another machine, without stopping it.
        """
        params = {name: "1" for name, said in (("stop", stop), ("force", force)) if said}
        self._transport.request("DELETE", path_of(ref), params=params, timeout=SLOW if stop else None)
