"""The route for changes of the list of tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core import strict_json
from . import queries
from .base import TaskHandler, needs
from .page import page_of

if TYPE_CHECKING:
    from ..journal import Journal
    from ..store import Store


class Changes(TaskHandler):
    """`/changes`."""

    @needs("read")
    async def get(self) -> None:
        """Return the tasks that have changed since a revision, and the ids of deleted ones."""
        query = self.query(queries.Changes)
        journal: Journal = self.settings["ptytasks_journal"]
        store: Store = self.settings["ptytasks_store"]
        await store.refresh()
        revision = journal.revision
        since = journal.since(query.since)
        if since is None:
            self.send({"complete": False, "tasks": [], "deleted": [], "waits": {}, "revision": revision})
            return
        ids = dict.fromkeys([*since.ids, *(task.id for task in store.active if query.active)])
        found = {task_id: store.get(task_id) for task_id in ids}
        page = await page_of(
            [task for task in found.values() if task is not None],
            self.serializer.encoded,
            on_failure=self.serializer.log_failure,
        )
        deleted = [task_id for task_id, task in found.items() if task is None]
        # Only the list counts tasks that cannot be read.
        complete = page.omitted == 0 and not (deleted and store.ids.intersection(deleted))
        waits = {task_id: reason.to_json() for task_id, reason in since.waits.items()}
        rest = {"complete": complete, "deleted": deleted, "waits": waits, "revision": revision}
        self.send_encoded(b'{"tasks":[%b],%b' % (b",".join(page.told), strict_json.encode(rest)[1:]))
