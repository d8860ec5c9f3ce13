"""What the failure of a task means for pending tasks of its group. Pure decisions."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..states import State
from .decisions import waits_here
from .groups import OnFailure
from .turn import FAILURES, runs_again

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .groups import Group
    from .turn import Queueable

#: The reason of a task that was lost because its machine rebooted.
REBOOT = "reboot"


@dataclass
class Consequences:
    """The groups to pause, and the ids of tasks to cancel, each with the reason in words."""

    pause: dict[str, str] = field(default_factory=dict)
    cancel: dict[str, str] = field(default_factory=dict)


def consequences(tasks: Iterable[Queueable], groups: Mapping[str, Group]) -> Consequences:
    """Return the consequences of failed tasks that will not be retried.

    A failure affects the tasks of its group that were pending at that time, and each group once: not later tasks, and
    not after the group was resumed. Tasks that are pending at another place are not affected: that place starts them,
    and does not know about groups. This is idempotent.
    """
    result = Consequences()
    waiting: dict[str, list[Queueable]] = {}
    failed: dict[str, list[Queueable]] = {}
    for task in tasks:
        if waits_here(task):
            waiting.setdefault(task.group, []).append(task)
        elif task.state in FAILURES and not runs_again(task):
            failed.setdefault(task.group, []).append(task)
    for name, pending in waiting.items():
        group = groups.get(name)
        if group is None or group.paused or (group.is_free and group.on_failure is OnFailure.CONTINUE):
            continue
        recent = [task for task in failed.get(name, ()) if (task.ended or 0.0) > group.since]
        first = min(task.created for task in pending)
        concerned = [task for task in recent if first <= (task.ended or 0.0)]
        if not concerned:
            continue
        lost = [task for task in concerned if task.state is State.LOST and task.state_reason == REBOOT]
        last = max(concerned, key=lambda task: task.ended or 0.0)
        words = f"{last.name} has ended: {last.state.value.replace('_', ' ')}"
        if group.on_failure is OnFailure.CANCEL:
            moment = last.ended or 0.0
            result.cancel.update({task.id: words for task in pending if task.created <= moment})
        elif lost:
            count = "a task" if len(lost) == 1 else f"{len(lost)} tasks"
            result.pause[name] = f"the machine was restarted while {count} ran"
        elif group.on_failure is OnFailure.PAUSE:
            result.pause[name] = words
    return result
