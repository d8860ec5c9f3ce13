"""Starts ptyhosts on this machine, detached from the server."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from ...core.errors import HostUnreachable, InternalError, SpawnFailed, storage_fault
from ...core.hostlog import last_line
from ...core.platform import launch
from .base import Launched, Provisioner

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

    from ...core.paths import TaskFiles

_PACKAGE = os.path.abspath(os.path.join(os.path.dirname(__file__), os.pardir, os.pardir))
#: Run as a program: the server imports nothing of it, so that their versions may differ.
_MAIN = os.path.join(_PACKAGE, "ptyhost", "__main__.py")
#: Seconds until a ptyhost must have reported how its start went. A directory on a network drive may be slow.
_PATIENCE = 30.0


class LocalProvisioner(Provisioner):
    """Starts `python -I -S` detached: in a session of its own, where it forks once more."""

    name = "local"

    def __init__(self) -> None:
        self._children = launch.Children()

    def launch(self, files: TaskFiles, socket_path: str, lock: int, env: Mapping[str, str]) -> Launched:
        """See Provisioner.launch."""
        self.reap()
        own_env = launch.environment()
        # If isolated, Python would ignore PYTHONHOME. No other variable that it uses is in its environment.
        isolated = ["-s"] if "PYTHONHOME" in own_env else ["-I"]
        options = [*isolated, "-S", "-X", "utf8", "-X", "faulthandler"]
        argv = [sys.executable, *options, _MAIN, files.dir, socket_path]
        try:
            _keep_log(files.log)
            # Errors of the ptyhost are written there.
            with open(files.log, "ab", opener=_private) as log:
                process = launch.start(argv, lock=lock, env=own_env, log=log)
        except OSError as error:
            raise storage_fault(error, "the ptyhost could not be started") from error
        try:
            line = _exchange(process, json.dumps(dict(env)).encode())
        except TimeoutError as error:
            raise HostUnreachable(f"the ptyhost did not start within {_PATIENCE:.0f} s") from error
        finally:
            process.wait()  # it has forked and exited, or failed
        launched = _read_report(line, files)
        self._children.adopt(launched.host_pid)
        return launched

    def reap(self) -> None:
        """See Provisioner.reap."""
        self._children.reap()


def _keep_log(path: str) -> None:
    """Keep the log of the previous attempt."""
    try:
        if os.stat(path).st_size:
            os.replace(path, f"{path}.1")
    except FileNotFoundError:
        pass


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _exchange(process: subprocess.Popen[bytes], data: bytes) -> bytes:
    return launch.exchange(process, data, _PATIENCE)


def _read_report(line: bytes, files: TaskFiles) -> Launched:
    """Return what a ptyhost has started. Raises what Provisioner.launch raises."""
    try:
        report = json.loads(line)
    except ValueError:
        report = None
    if not isinstance(report, dict):
        why = last_line(files.log)
        raise InternalError(f"the ptyhost failed to start{': ' if why else ''}{why}")
    failure: dict[str, Any] | None = report.get("error")
    if failure is not None:
        if failure.get("field"):
            raise SpawnFailed(failure["message"], field=failure["field"])
        if failure.get("errno") is None:
            raise InternalError(f"the ptyhost could not start: {failure['message']}")
        raise storage_fault(OSError(failure["errno"], failure["message"]), "the ptyhost could not start")
    return Launched(report["pid"], report["host_pid"], report["started"])
