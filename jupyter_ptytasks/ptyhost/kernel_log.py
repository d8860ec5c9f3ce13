"""Which process the OOM killer has killed, from the kernel log, if this process may read it.

The log is only read if the command was ended by a SIGKILL that was not sent from here. It is the log of the whole
machine: an entry counts if it names the command itself or, if it is very recent, this cgroup or the same user.
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

#: The device of the log: each read returns one record. `dmesg_restrict` determines who may open it.
_DEVICE = "/dev/kmsg"
#: Limits: records, seconds, bytes of a record. A log has a few thousand records, which takes a few milliseconds.
_MOST = 50_000
_PATIENCE = 0.25
_RECORD = 8192
#: Seconds by which the clock of the log may differ, and within which a kill is very recent.
_SLACK = 60.0
#: The PID namespace of the log: the initial one, whose number is a constant of the kernel (PROC_PID_INIT_INO).
_OUTSIDE = "pid:[4026531836]"
#: The beginning of a record, in the format of the device or of `dmesg`.
_HEAD = lazy(
    r"(?:<\d+>)?(?:\d+,\d+,(?P<micros>\d+),[^;]*;|\[\s*(?P<seconds>\d+\.\d+)\](?:\[\s*[TC]\d+\])? ?)(?P<text>.*)"
)
_KILLED = lazy(
    r"(?:.*: )?Killed process (?P<pid>\d+)(?:, UID (?P<uid>\d+),)? \((?P<name>.{0,64}?)\)"
    r",?(?: UID (?P<uid_behind>\d+),)? (?P<sizes>total-vm:.*)"
)
_SIZE = lazy(r"(?:anon|file|shmem)-rss:(\d+)kB")
_UID = lazy(r"\bUID:(\d+)")
#: Since Linux 5.0, this line comes first; before, only for a cgroup.
_SUMMARY = lazy(r"oom-kill:.*\btask_memcg=(?P<group>[^,]*),task=.*,pid=(?P<pid>\d+),uid=(?P<uid>\d+)")
_GROUP = lazy(r"Task in (?P<group>\S+) killed as a result of limit of ")


class Kill:
    """A killed process: when (`at`, seconds since boot), its `rss` in bytes; `uid` and `group` if known."""

    __slots__ = ("at", "group", "name", "pid", "rss", "uid")

    def __init__(self, at: float, pid: int, name: str, rss: int, uid: int | None, group: str | None) -> None:
        self.at, self.pid, self.name, self.rss, self.uid, self.group = at, pid, name, rss, uid, group

    def to_json(self, *, sure: bool) -> dict[str, Any]:
        """Return the entry for the exit record; `sure` if it was the command itself."""
        return {"pid": self.pid, "name": self.name, "rss": self.rss, "sure": sure}


def kills(records: Iterable[str]) -> list[Kill]:
    """Return the processes that were killed for lack of memory, in the whole machine or in a cgroup."""
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
    """Return the kill that explains the end of a command, as in the exit record; None if there is none.

    Args:
        pid: the pid of the command; `same_pids` says whether the log uses our PID namespace.
        since: when the command was started, and `now`, both in seconds since boot.
        group: the cgroup of the task, `/` if that says nothing.
        uid: the user of the command.
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
    """Return the exit record's entry for a command that was started at `since` (monotonic seconds) and then killed.

    None if the log has no matching entry or may not be read. Takes a quarter of a second at most; never raises.
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
                return  # no more records
            except BrokenPipeError:
                continue  # this record was overwritten; the next read returns one that exists
            if not record or time.monotonic() > deadline:
                return
            yield record.partition(b"\n")[0].decode("utf-8", "replace")
    finally:
        os.close(fd)


def _last(values: list[str]) -> str | None:
    return values[-1] if values else None
