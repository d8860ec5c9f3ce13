"""Where the files of a task are."""

from __future__ import annotations

import os

#: Maximum size of a pickled function call, in bytes.
CALL_MAX = 17 << 20
RESULT_MAX = 65 << 20


class TaskFiles:
    """The paths of one task's files; does not create or read them."""

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
        # Faster than join, for lists of thousands of tasks.
        inside = os.path.join(directory, "")
        #: What to run; 0600, since the given environment may hold secrets.
        self.spec = inside + "spec.json"
        #: The environment of a pending task, until it starts; 0600, since it may hold secrets.
        self.environment = inside + "environment.json"
        #: The shell command line, if it is too long for an argument.
        self.command = inside + "command"
        #: The call that the command runs, if it is a function (functions.calls); 0600.
        self.function = inside + "function"
        #: Its ptyhost: pids, start time, boot id, host name, protocol version.
        self.host = inside + "host.json"
        #: The job of a batch system that hosts it; written before the job is submitted.
        self.handle = inside + "handle.json"
        #: The directory for the files of the Parsl provider that has submitted it.
        self.job = inside + "job"
        #: Why the command of such a job was not started.
        self.start = inside + "start.json"
        #: How it ended; written last.
        self.exit = inside + "exit.json"
        #: Locked from before the ptyhost starts until it has exited: if it is not locked, nothing is running.
        self.lock = inside + "lock"
        #: The errors of the ptyhost of the last attempt (core.hostlog); bounded.
        self.log = inside + "host.log"
        #: The metrics of its attempts (core.metrics.stored), and how far the ring was read for them.
        self.metrics = inside + "metrics"
        #: The git state of its directory when the last attempt was started (provision.git).
        self.git = inside + "git.json"
        #: Notes of users: Markdown; 0600.
        self.notes = inside + "notes.md"
        #: The directory of the ring.
        self.output = inside + "output"

    def result(self, attempt: int) -> str:
        """Return the path of what the function returned or raised in an attempt (functions.outcomes); 0600."""
        return os.path.join(self.dir, f"result-{attempt}")
