"""How an attempt ended, and the reason for it."""

from __future__ import annotations

import re
from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    #: A line of output: its number and its text.
    Line = tuple[int, str]

#: Limits: characters of a message, characters of an examined line, and number of reported lines.
MESSAGE_MAX = 240
LINE_MAX = 1000
TOLD_MAX = 6

#: A Python frame in code that is not the user's.
LIBRARY = re.compile(r"/(?:site|dist)-packages/|/lib(?:64)?/python\d|\"<")


@dataclass(frozen=True)
class Ending:
    """How an attempt ended: by exit `code` or `signal` (its name), for the `reason` of the exit record.

    `timeout` is the time limit in seconds; `oom_kills` counts the processes that the OOM killer killed in the task's
    cgroup while it ran, and `memory_limit` is the limit of the cgroup in bytes (None: unknown, or none);
    `max_rss` is the largest resident size of a process, in bytes; `signaled` is the last signal that a user sent
    through the server; `leftover` counts the processes that were left running. `kernel_kill` is the name of a process
    that the OOM killer killed according to the kernel log, `kernel_rss` its size in bytes, and `kernel_sure` says
    whether it was the command itself.
    """

    code: int | None = None
    signal: str | None = None
    reason: str = "exited"
    timeout: float | None = None
    oom_kills: int = 0
    memory_limit: int | None = None
    max_rss: int | None = None
    signaled: str | None = None
    leftover: int = 0
    kernel_kill: str = ""
    kernel_rss: int | None = None
    kernel_sure: bool = False

    @classmethod
    def from_record(cls, record: Mapping[str, Any], timeout: float | None = None) -> Ending:
        """Read an exit record; fields that are missing (from older ptyhosts) or invalid are unknown."""
        code, signal, reason = record.get("code"), record.get("signal"), record.get("reason", "exited")
        memory, usage, left = record.get("memory"), record.get("rusage"), record.get("leftover")
        signaled, kill = record.get("signaled"), record.get("kernel_kill")
        killed = kill.get("name") if isinstance(kill, dict) else None
        return cls(
            code=code if isinstance(code, int) else None,
            signal=signal if isinstance(signal, str) else None,
            reason=reason if isinstance(reason, str) else "exited",
            timeout=timeout,
            oom_kills=_count(memory, "oom_kills") or 0,
            memory_limit=_count(memory, "limit"),
            max_rss=_count(usage, "max_rss"),
            signaled=signaled if isinstance(signaled, str) else None,
            leftover=_count(left, "count") or 0,
            kernel_kill=killed if isinstance(killed, str) else "",
            kernel_rss=_count(kill, "rss"),
            kernel_sure=isinstance(kill, dict) and kill.get("sure") is True,
        )

    @property
    def number(self) -> str | None:
        """The signal that ended the command, or a program run by its shell: a shell exits with 128 + the number."""
        from ..signals import name_of  # noqa: PLC0415  few endings ask

        if self.signal is None and self.code is not None and 128 < self.code < 128 + 32:
            return name_of(self.code - 128)
        return self.signal


@dataclass(frozen=True)
class Reason:
    """Why an attempt failed: one sentence without a period, its kind (docs/why.md), and the lines that show it."""

    message: str
    kind: str
    lines: tuple[Line, ...] = ()


def reason(message: str, kind: str, *lines: Line) -> Reason:
    """Return a reason with bounded length."""
    text = " ".join(message.split())
    text = text if len(text) <= MESSAGE_MAX else text[: MESSAGE_MAX - 1].rstrip() + "…"
    return Reason(text, kind, tuple(lines[:TOLD_MAX]))


def _count(value: Any, name: str) -> int | None:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None
