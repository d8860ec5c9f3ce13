"""Where the files of a task are."""

from __future__ import annotations

import os

#: Bytes of the call of a function, and of its result.
CALL_MAX = 17 << 20
RESULT_MAX = 65 << 20


class TaskFiles:
    """The paths of one task's files; creates and reads none of them."""

    __slots__ = (
        "command",
        "dir",
        "environment",
        "exit",
        "function",
        "handle",
        "host",
        "lock",
        "log",
        "metrics",
        "output",
        "spec",
        "start",
    )

    def __init__(self, directory: str) -> None:
        self.dir = directory
        #: What to run; 0600, what was given of the environment may hold secrets.
        self.spec = os.path.join(directory, "spec.json")
        #: The environment of a task that is to start without a server, until it has; 0600, it may hold secrets.
        self.environment = os.path.join(directory, "environment.json")
        #: The line for the shell, where it is too long for an argument.
        self.command = os.path.join(directory, "command")
        #: The call that the command runs, if it is a function (functions.calls); 0600.
        self.function = os.path.join(directory, "function")
        #: Its ptyhost: pids, start time, boot id, host name, protocol version.
        self.host = os.path.join(directory, "host.json")
        #: The job of a batch system that is to host it, from before that is submitted.
        self.handle = os.path.join(directory, "handle.json")
        #: Why the command of such a job was not started.
        self.start = os.path.join(directory, "start.json")
        #: How it ended; written last.
        self.exit = os.path.join(directory, "exit.json")
        #: Locked from before the ptyhost starts until it is gone: if it is not locked, nothing runs.
        self.lock = os.path.join(directory, "lock")
        #: The errors of the ptyhost of the last attempt (core.hostlog); bounded.
        self.log = os.path.join(directory, "host.log")
        #: What metrics its attempts have told (core.metrics.stored), and how far the ring was read for it.
        self.metrics = os.path.join(directory, "metrics")
        #: The directory of the ring.
        self.output = os.path.join(directory, "output")

    def result(self, attempt: int) -> str:
        """Return the path of what the function has returned or raised in an attempt (functions.outcomes); 0600."""
        return os.path.join(self.dir, f"result-{attempt}")
