"""Finds the starter, which forks ptyhosts for processes like this one, or starts it if it is not running.

A forked ptyhost inherits from the starter what an executed process would inherit from us. So the name of the starter's
socket is a hash of everything that is inherited (the user, limits, control group, namespaces and so on), the machine,
the interpreter, and the version of this package. A process that differs in any of these, such as a server after an
upgrade, uses another starter.
"""

from __future__ import annotations

import os
import sys
import time

from ..core.errors import HostUnreachable, InternalError
from ..core.hostlog import last_line
from ..core.machine import boot_id, hostname
from ..core.platform import detach, endpoint, files, launch, processes
from ..storage.locks import Locks

try:
    # Not from hashlib, which also loads OpenSSL: half a megabyte of the scheduler's memory.
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

#: Seconds for which the name of the socket is cached.
_FRESH = 10.0
#: How often a starter is started for one ptyhost: it may be killed before it forks.
_TRIES = 5
#: Seconds to wait while others start one.
_LOCK_WAIT = 10.0
#: Reserves space for the process titles of ptyhosts, which overwrite the arguments of the starter.
_ROOM = " " * 1024


class Starter:
    """The starter for this process, with its socket in `runtime_dir`. `program` is the path of the ptyhost."""

    def __init__(self, runtime_dir: str, program: str) -> None:
        self._runtime_dir = runtime_dir
        self._program = program
        self._locks = Locks(runtime_dir)
        self._log = os.path.join(runtime_dir, "starter.log")
        self._known = ""
        self._looked = 0.0
        self._children = launch.Children()

    def start(self, request: Mapping[str, Any], fds: Sequence[int], go: Callable[[], None], patience: float) -> bytes:
        """Fork a ptyhost, send it a request and descriptors, and return its report: one line of JSON, or less if it
        failed. `go` is called during its preparations, and returns when its command may run.

        Raises TimeoutError after `patience` seconds, InternalError or OSError if no starter can be started, and what
        `go` raises; then nothing runs.
        """
        deadline = time.monotonic() + patience
        tries = 0
        while True:
            path = self._path()
            # Wait half of the remaining time: a starter that hangs is replaced.
            answer_by = (time.monotonic() + deadline) / 2
            try:
                answer, report = launch.start(path, self._program, request, fds, go, answer_by, deadline)
            except launch.NoStarter:
                if time.monotonic() >= deadline:
                    raise TimeoutError from None
                if tries == _TRIES:
                    raise self._failure() from None
                tries += 1
                self._revive(path, hangs=time.monotonic() >= answer_by)
                continue
            for pid in (answer.get("starter"), answer.get("host_pid")):
                if pid is not None:
                    self._children.adopt(pid)
            return report

    def reap(self) -> None:
        """Reap ended processes, if they are children of this process after all."""
        self._children.reap()

    def _path(self) -> str:
        """Return where a starter for this process listens, if there is one."""
        now = time.monotonic()
        if not self._known or now - self._looked >= _FRESH:
            self._looked = now
            whose: list[object] = [
                hostname(),
                boot_id(),
                processes.surroundings(),
                sorted(detach.environment().items()),
            ]
            whose += [sys.executable, _stamp(sys.executable), self._program, *_stamps(os.path.dirname(self._program))]
            digest = blake2b(repr(whose).encode("utf-8", "surrogatepass"), digest_size=8)
            self._known = os.path.join(self._runtime_dir, f"starter-{digest.hexdigest()}.sock")
        return self._known

    def _revive(self, path: str, *, hangs: bool) -> None:
        """Start a starter, unless another process has just done so. Raises InternalError or OSError."""
        files.private_dir(self._runtime_dir)
        with self._locks.hold("starter.lock", _LOCK_WAIT) as held:
            if not held:
                raise HostUnreachable("another process takes too long to start the starter of ptyhosts")
            if not hangs and os.path.exists(path) and not endpoint.is_dead(path):
                return
            with open(self._log, "w", encoding="utf-8", opener=_private):
                pass  # empty it: `_failure` reads the reason from it
            listener = endpoint.Endpoint(path)
            try:
                code = detach.spawn(self._program, ["--starter", path, _ROOM], log=self._log, stdin=listener.fileno())
            except BaseException:
                listener.close()
                raise
            listener.hand_over()
        if code != 0:
            raise self._failure()

    def _failure(self) -> InternalError:
        why = last_line(self._log)
        return InternalError(f"the ptyhost failed to start{': ' if why else ''}{why}")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _stamps(ptyhost: str) -> Iterator[object]:
    """Iterate over values that distinguish the files of ptyhosts from another version at the same path."""
    for directory in (ptyhost, os.path.join(os.path.dirname(ptyhost), "core")):
        for place, _, names in os.walk(directory):
            yield from ((name, _stamp(os.path.join(place, name))) for name in names if name.endswith(".py"))


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
