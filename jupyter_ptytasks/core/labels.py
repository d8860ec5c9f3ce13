"""Changes of the labels of a task, relative to what they are when it is changed."""

from __future__ import annotations

from dataclasses import dataclass, field

from .errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .model import Task

TAGS_MAX = 32


@dataclass(frozen=True)
class Relabeling:
    """Sets the `fields` of a task, then removes some of its tags and adds others, so that tags which are added by
    several clients at the same time are all kept.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    def __call__(self, task: Task) -> Task:
        """Return the changed task. Raises BadRequest if it would have too many tags."""
        changed = task.with_(**self.fields)
        kept = (tag for tag in changed.tags if tag not in self.remove)
        tags = tuple(dict.fromkeys((*kept, *self.add)))
        if len(tags) > max(TAGS_MAX, len(changed.tags)):
            raise BadRequest(
                f"add_tags: the task {task.name!r} would have {len(tags)} tags; the limit is {TAGS_MAX}",
                field="add_tags",
            )
        return changed.with_(tags=tags)
