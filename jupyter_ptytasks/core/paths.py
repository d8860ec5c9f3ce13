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
        "git",
        "handle",
        "host",
        "job",
        "lock",
        "log",
        "metrics",
        "notes",
        "output",
        "spec",
        "start",
    )

    def __init__(self, directory: str) -> None:
        self.dir = directory
        # Lists of thousands of tasks ask for them: joining each would take longer.
        inside = os.path.join(directory, "")
        #: What to run; 0600, what was given of the environment may hold secrets.
        self.spec = inside + "spec.json"
        #: The environment of a task that is to start without a server, until it has; 0600, it may hold secrets.
        self.environment = inside + "environment.json"
        #: The line for the shell, where it is too long for an argument.
        self.command = inside + "command"
        #: The call that the command runs, if it is a function (functions.calls); 0600.
        self.function = inside + "function"
        #: Its ptyhost: pids, start time, boot id, host name, protocol version.
        self.host = inside + "host.json"
        #: The job of a batch system that is to host it, from before that is submitted.
        self.handle = inside + "handle.json"
        #: The directory for the files of who has submitted it for us.
        self.job = inside + "job"
        #: Why the command of such a job was not started.
        self.start = inside + "start.json"
        #: How it ended; written last.
        self.exit = inside + "exit.json"
        #: Locked from before the ptyhost starts until it is gone: if it is not locked, nothing runs.
        self.lock = inside + "lock"
        #: The errors of the ptyhost of the last attempt (core.hostlog); bounded.
        self.log = inside + "host.log"
        #: What metrics its attempts have told (core.metrics.stored), and how far the ring was read for it.
        self.metrics = inside + "metrics"
        #: What git said of its directory when the last attempt was started (provision.git).
        self.git = inside + "git.json"
        #: What people have noted about it: Markdown; 0600.
        self.notes = inside + "notes.md"
        #: The directory of the ring.
        self.output = inside + "output"

    def result(self, attempt: int) -> str:
        """Return the path of what the function has returned or raised in an attempt (functions.outcomes); 0600."""
        return os.path.join(self.dir, f"result-{attempt}")
