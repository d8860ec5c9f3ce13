"""Starting a ptyhost: without fork, `ptyhost/__main__.py` is executed for each."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

from . import detach

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class NoStarter(Exception):
    """There is no starter. Not raised here, since none is needed."""


#: The lock of a task is inheritable only while it is started.
_starting = threading.Lock()


def start(
    path: str,  # noqa: ARG001  where a starter would listen
    program: str,
    request: Mapping[str, Any],
    fds: Sequence[int],
    go: Callable[[], None],
    answer_by: float,  # noqa: ARG001
    deadline: float,
) -> tuple[dict[str, Any], bytes]:
    """Execute a ptyhost with a request and the descriptors of the task's lock and log, after calling `go`, and return
    its id and its report: one line of JSON, or less if it has failed.

    Raises TimeoutError if there is no report by the `deadline` (monotonic seconds), OSError, and what `go` raises;
    in all these cases nothing is running.
    """
    import msvcrt  # noqa: PLC0415

    go()
    lock, log = fds
    handle: int = msvcrt.get_osfhandle(lock)  # type: ignore[attr-defined,unused-ignore]
    command = [*detach.python(), program, request["directory"], request["socket"], str(handle)]
    if packages := detach.packages():
        command.append(packages)
    inherited = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [handle]})  # type: ignore[attr-defined,unused-ignore]
    with _starting:
        os.set_handle_inheritable(handle, True)  # type: ignore[attr-defined,unused-ignore]
        try:
            process = detach.start(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, startupinfo=inherited
            )
        finally:
            os.set_handle_inheritable(handle, False)  # type: ignore[attr-defined,unused-ignore]
    report = _Report(process, json.dumps(request["env"]).encode())
    report.join(max(deadline - time.monotonic(), 0.0))
    if report.is_alive():
        process.kill()
        report.join()
        raise TimeoutError
    process.returncode = 0  # nothing waits for it
    return {"host_pid": process.pid}, report.line


class _Report(threading.Thread):
    """Sends a ptyhost its environment, and reads its report."""

    def __init__(self, process: subprocess.Popen[bytes], data: bytes) -> None:
        super().__init__(daemon=True)
        self._process = process
        self._data = data
        self.line = b""
        self.start()

    def run(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            try:
                with self._process.stdin as sink:
                    sink.write(self._data)
            except OSError:
                pass  # it failed before it read its environment
            self.line = pipe.readline()


class Children:
    """Ptyhosts that are children of this process: not needed here."""

    def adopt(self, pid: int) -> None:
        """Do nothing."""

    def reap(self) -> None:
        """Do nothing."""
