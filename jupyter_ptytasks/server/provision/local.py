"""Starts ptyhosts on this machine, as processes that are nobody's children."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from ...core.errors import HostUnreachable, ServiceFault, SpawnFailed, storage_fault
from .base import Launched, Provisioner

if TYPE_CHECKING:
    from ...core.paths import TaskFiles

#: Named as a program: the server imports nothing of it, so that each can be of another version.
_MAIN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "ptyhost", "__main__.py")
#: Seconds until a ptyhost must have told how its start went. A directory on a network drive may take its time.
_PATIENCE = 30.0


class LocalProvisioner(Provisioner):
    """Starts `python -I -S` detached: in a session of its own, and forked once more by itself."""

    name = "local"

    def launch(self, files: TaskFiles, socket_path: str, lock: int) -> Launched:
        """See Provisioner.launch."""
        command = [sys.executable, "-I", "-S", "-X", "utf8", _MAIN, files.dir, socket_path, str(lock)]
        try:
            # Should the ptyhost itself fail, what Python says of it is found there.
            with open(os.path.join(files.dir, "host.log"), "ab", opener=_private) as log:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    cwd="/",
                    env={"PATH": os.defpath},
                    pass_fds=(lock,),
                    start_new_session=True,
                )
        except OSError as error:
            raise storage_fault(error, "the ptyhost could not be started") from error
        try:
            report = _read_report(process)
        finally:
            process.wait()  # it has forked and left, or failed
        if "error" in report:
            said = report["error"]
            if "field" in said:
                raise SpawnFailed(said["message"], field=said["field"])
            raise storage_fault(OSError(said.get("errno"), said["message"]), "the ptyhost could not start")
        return Launched(report["pid"], report["host_pid"], report["started"])


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _read_report(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout is not None
    with process.stdout as pipe:
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        if not poll.poll(_PATIENCE * 1000):
            raise HostUnreachable(f"the ptyhost did not start within {_PATIENCE:.0f} s")
        line = pipe.readline()
    try:
        report = json.loads(line)
    except ValueError:
        report = None
    if not isinstance(report, dict):
        raise ServiceFault("the ptyhost failed to start; its host.log may tell why")
    return report
