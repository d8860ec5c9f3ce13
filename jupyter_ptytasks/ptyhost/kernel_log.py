"""Which process the kernel has killed for want of memory, as its log says, if this process may read that.

It is read only for a command that was ended by a SIGKILL that was not sent from here. The log is that of the machine:
what it says counts if it is about the command itself, about this control group, or, a moment ago, about the same user.
"""

from __future__ import annotations

import os
import time

from ..core.terminal.lazy import lazy
from .memory_events import groups

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

#: The device of the log: each read gives a record. `dmesg_restrict` says who may open it.
_DEVICE = "/dev/kmsg"
#: Records, seconds and bytes of a record at most: a log has some thousands, and takes a few milliseconds.
_MOST = 50_000
_PATIENCE = 0.25
_RECORD = 8192
#: Seconds by which the clock of the log may be off, and in which a kill is a moment ago.
_SLACK = 60.0
#: The namespace of process ids that the log has: that of the machine, which has the same number everywhere.
_OUTSIDE = "pid:[4026531836]"
#: What a record begins with, in the form of the device or of `dmesg`.
_HEAD = lazy(
    r"(?:<\d+>)?(?:\d+,\d+,(?P<micros>\d+),[^;]*;|\[\s*(?P<seconds>\d+\.\d+)\](?:\[\s*[TC]\d+\])? ?)(?P<text>.*)"
)
_KILLED = lazy(
    r"(?:.*: )?Killed process (?P<pid>\d+)(?:, UID (?P<uid>\d+),)? \((?P<name>.{0,64}?)\)"
    r",?(?: UID (?P<uid_behind>\d+),)? (?P<sizes>total-vm:.*)"
)
_SIZE = lazy(r"(?:anon|file|shmem)-rss:(\d+)kB")
_UID = lazy(r"\bUID:(\d+)")
#: Since Linux 5.0 a line before that; earlier, of a control group only.
_SUMMARY = lazy(r"oom-kill:.*\btask_memcg=(?P<group>[^,]*),task=.*,pid=(?P<pid>\d+),uid=(?P<uid>\d+)")
_GROUP = lazy(r"Task in (?P<group>\S+) killed as a result of limit of ")


class Kill:
    """A process that was killed: when (`at`, seconds since boot), its `rss` in bytes; `uid` and `group` if known."""

    __slots__ = ("at", "group", "name", "pid", "rss", "uid")

    def __init__(self, at: float, pid: int, name: str, rss: int, uid: int | None, group: str | None) -> None:
        self.at, self.pid, self.name, self.rss, self.uid, self.group = at, pid, name, rss, uid, group

    def to_json(self, *, sure: bool) -> dict[str, Any]:
        """Return what the exit record says; `sure` if it was the command itself."""
        return {"pid": self.pid, "name": self.name, "rss": self.rss, "sure": sure}


def kills(records: Iterable[str]) -> list[Kill]:
    """Return the processes that were killed for want of memory, of the whole machine or of a control group."""
    found: list[Kill] = []
    group: str | None = None
    told: dict[int, tuple[str, int]] = {}
    for record in records:
        head = _HEAD.match(record)
        if head is None:
            continue
        text = head["text"]
        summary = _SUMMARY.match(text)
        if summary is not None:
            told[int(summary["pid"])] = (summary["group"], int(summary["uid"]))
            continue
        within = _GROUP.match(text)
        if within is not None:
            group = within["group"]
            continue
        killed = _KILLED.match(text)
        if killed is None:
            continue
        at = int(head["micros"]) / 1e6 if head["micros"] else float(head["seconds"])
        pid, uid = int(killed["pid"]), killed["uid"] or killed["uid_behind"] or _last(_UID.findall(killed["sizes"]))
        of_group, of_uid = told.get(pid, (group, None))
        rss = sum(map(int, _SIZE.findall(killed["sizes"]))) << 10
        found.append(Kill(at, pid, killed["name"][:32], rss, of_uid if uid is None else int(uid), of_group))
        group = None
    return found


def choose(
    found: list[Kill], *, pid: int, since: float, now: float, group: str | None, uid: int | None, same_pids: bool
) -> dict[str, Any] | None:
    """Return the kill that has to do with a command, as the exit record has it; None if none has.

    Args:
        pid: the command's; `same_pids` says whether the log counts processes as we do.
        since: when the command was started; `now`: both in seconds since the boot.
        group: the control group of the task, `/` where that says nothing.
        uid: its user.
    """
    for kill in reversed(found):
        if same_pids and kill.pid == pid and kill.at > since - _SLACK:
            return kill.to_json(sure=True)
    for kill in reversed(found):
        is_ours = kill.group == group if group not in (None, "/") else False
        if kill.at > max(since, now - _SLACK) and (is_ours or (same_pids and kill.uid is not None and kill.uid == uid)):
            return kill.to_json(sure=False)
    return None


def killed(pid: int, since: float) -> dict[str, Any] | None:
    """Return what the exit record says of a command that was started at `since` (monotonic seconds) and then killed.

    None if the log says nothing, or may not be read. Takes a quarter of a second at most; never raises.
    """
    try:
        same_pids = os.readlink("/proc/self/ns/pid") == _OUTSIDE
        own = groups("/proc/self/cgroup")
        getuid = getattr(os, "getuid", None)
        return choose(
            kills(_records(_DEVICE)),
            pid=pid,
            since=since,
            now=time.monotonic(),
            group=own.get("memory") or own.get(""),
            uid=getuid() if getuid is not None else None,
            same_pids=same_pids,
        )
    except OSError:
        return None


def _records(path: str) -> Iterator[str]:
    """Iterate over the records of the log. Raises OSError if it may not be read."""
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        deadline = time.monotonic() + _PATIENCE
        for _ in range(_MOST):
            try:
                record = os.read(fd, _RECORD)
            except BlockingIOError:
                return  # that was the last one
            except BrokenPipeError:
                continue  # it was overwritten; the next read gives one that is there
            if not record or time.monotonic() > deadline:
                return
            yield record.partition(b"\n")[0].decode("utf-8", "replace")
    finally:
        os.close(fd)


def _last(values: list[str]) -> str | None:
    return values[-1] if values else None
