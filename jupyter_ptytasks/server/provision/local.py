"""Starts ptyhosts on this machine, as processes that are nobody's children."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from ...core.errors import HostUnreachable, InternalError, SpawnFailed, storage_fault
from ...core.hostlog import last_line
from .base import Launched, Provisioner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...core.paths import TaskFiles

_PACKAGE = os.path.abspath(os.path.join(os.path.dirname(__file__), os.pardir, os.pardir))
#: Named as a program: the server imports nothing of it, so that each can be of another version.
_MAIN = os.path.join(_PACKAGE, "ptyhost", "__main__.py")
#: Seconds until a ptyhost must have told how its start went. A directory on a network drive may take its time.
_PATIENCE = 30.0
#: Seconds that one has to end which has not.
_FAREWELL = 5.0
#: What Python itself may need to start: where its libraries are, for the loaders of Linux, macOS, AIX, HP-UX and Nix,
#: and where its modules are.
_LOADER = re.compile(
    r"LD_LIBRARY_PATH(_\d+)?|DYLD_.*|LIBPATH|SHLIB_PATH|NIX_LD(_.*)?|PYTHONHOME|PYTHONPLATLIBDIR|__PYVENV_LAUNCHER__"
)
#: glibc's malloc (mallopt(3)) keeps 16 KiB in reserve instead of 128, which every task would pay for.
_FRUGAL = {"MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_TOP_PAD_": "16384"}


class LocalProvisioner(Provisioner):
    """Starts `python -I -S` detached: in a session of its own, and forked once more by itself."""

    name = "local"

    def __init__(self) -> None:
        #: Ptyhosts that are our children after all: we are the first process of a container, or a subreaper.
        self._children: set[int] = set()

    def launch(self, files: TaskFiles, socket_path: str, lock: int, env: Mapping[str, str]) -> Launched:
        """See Provisioner.launch."""
        self.reap()
        loader = {name: value for name, value in os.environ.items() if _LOADER.fullmatch(name)}
        # Isolated, Python would not look at PYTHONHOME. There is nothing else in its environment that it would heed.
        isolated = ["-s"] if "PYTHONHOME" in loader else ["-I"]
        options = [*isolated, "-S", "-X", "utf8", "-X", "faulthandler"]
        try:
            _keep_log(files.log)
            # What goes wrong in the ptyhost is found there.
            with open(files.log, "ab", opener=_private) as log:
                process = subprocess.Popen(
                    [sys.executable, *options, _MAIN, files.dir, socket_path, str(lock)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    cwd="/",
                    env={"PATH": os.defpath, **_FRUGAL, **loader},
                    pass_fds=(lock,),
                    start_new_session=True,
                )
        except OSError as error:
            raise storage_fault(error, "the ptyhost could not be started") from error
        try:
            line = _exchange(process, json.dumps(dict(env)).encode())
        except TimeoutError as error:
            raise HostUnreachable(f"the ptyhost did not start within {_PATIENCE:.0f} s") from error
        finally:
            process.wait()  # it has forked and left, or failed
        launched = _read_report(line, files)
        self._adopt(launched.host_pid)
        return launched

    def _adopt(self, pid: int) -> None:
        try:
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                self._children.add(pid)
        except ChildProcessError:
            pass  # as it should be: it is somebody else's

    def reap(self) -> None:
        """See Provisioner.reap."""
        # Each by its own number: what else ends below us is somebody else's to wait for.
        for pid in list(self._children):
            try:
                if os.waitpid(pid, os.WNOHANG) != (0, 0):
                    self._children.discard(pid)
            except ChildProcessError:
                self._children.discard(pid)


def _keep_log(path: str) -> None:
    """Put the log of the attempt before this one aside."""
    try:
        if os.stat(path).st_size:
            os.replace(path, f"{path}.1")
    except FileNotFoundError:
        pass


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _exchange(process: subprocess.Popen[bytes], data: bytes) -> bytes:
    """Give the ptyhost its input, and return its report. Raises TimeoutError.

    Both at once: it may fail before it has read, and it reads before it reports.
    """
    assert process.stdin is not None
    assert process.stdout is not None
    deadline = time.monotonic() + _PATIENCE
    line = b""
    rest = memoryview(data)
    with process.stdin as stdin, process.stdout as stdout:
        os.set_blocking(stdin.fileno(), False)
        os.set_blocking(stdout.fileno(), False)
        while not line.endswith(b"\n"):
            poll = select.poll()
            poll.register(stdout, select.POLLIN)
            if rest:
                poll.register(stdin, select.POLLOUT)
            else:
                stdin.close()
            left = deadline - time.monotonic()
            events = dict(poll.poll(left * 1000)) if left > 0 else {}
            if not events:
                _give_up(process)
                raise TimeoutError
            if stdout.fileno() in events:
                part = os.read(stdout.fileno(), 1 << 16)
                if not part:
                    break
                line += part
            elif rest:
                try:
                    rest = rest[os.write(stdin.fileno(), rest) :]
                except BrokenPipeError:
                    rest = rest[:0]
    return line


def _give_up(process: subprocess.Popen[bytes]) -> None:
    """Tell a ptyhost to end that hangs somewhere: it starts nothing any more, or stops what it has just started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    assert process.stdout is not None
    deadline = time.monotonic() + _FAREWELL
    poll = select.poll()
    poll.register(process.stdout, select.POLLIN)
    # Until nobody has its standard output any more: neither it nor the command's process.
    while (left := deadline - time.monotonic()) > 0 and poll.poll(left * 1000):
        if not os.read(process.stdout.fileno(), 1 << 16):
            return


def _read_report(line: bytes, files: TaskFiles) -> Launched:
    """Return what a ptyhost has started. Raises what Provisioner.launch raises."""
    try:
        report = json.loads(line)
    except ValueError:
        report = None
    if not isinstance(report, dict):
        why = last_line(files.log)
        raise InternalError(f"the ptyhost failed to start{': ' if why else ''}{why}")
    said: dict[str, Any] | None = report.get("error")
    if said is not None:
        if said.get("field"):
            raise SpawnFailed(said["message"], field=said["field"])
        if said.get("errno") is None:
            raise InternalError(f"the ptyhost could not start: {said['message']}")
        raise storage_fault(OSError(said["errno"], said["message"]), "the ptyhost could not start")
    return Launched(report["pid"], report["host_pid"], report["started"])
