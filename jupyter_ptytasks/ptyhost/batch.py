"""A ptyhost that is the job of a batch system: it stays in the foreground, and exits like its command.

The node can read the directory of the task, with the handle of the job (`handle.json`). The process that submits the
job holds the task's lock until the handle is written; a process that abandons the job marks it in the handle. Each run
of the job is an attempt of the task: the batch system may requeue it (SLURM_RESTART_COUNT).
"""

from __future__ import annotations

import json
import os
import re
import sys
import time

from ..core import mounts
from ..core.elsewhere import runtime_dir, take_lock
from ..core.files import read_json
from ..core.hostlog import rotate
from ..core.paths import TaskFiles
from ..core.platform import detach
from ..core.signals import number_of
from . import start
from .record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: Seconds in which the process that submits the job, or the ptyhost of its last run, must release the task's lock.
_PATIENCE = 120.0
#: The variables of the job that the command gets: about its allocation, and for the tools of the batch system.
_OF_JOB = re.compile(
    r"SLURM_(?!EXPORT_ENV$).*|PBS_.*|LSB_.*|SGE_.*|_CONDOR_.*|PE_HOSTFILE|CUDA_.*|NVIDIA_.*|ROCR_.*|HIP_.*|ZE_.*|"
    r"GPU_.*|PMI.*|TMPDIR|HOSTNAME"
)
#: The exit codes of the job if its command was not run (EX_TEMPFAIL of sysexits.h), and if it was stopped but exited
#: with 0.
_NOT_RUN, _STOPPED = 75, 143
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND
#: Seconds for which the job stays after the end of its command: viewers get the ptyhost's last messages through a step
#: of the job, which ends with it.
_LAST_WORDS = 0.3
#: The largest share of a time limit that is reserved for the stop sequence.
_SHARE = 0.1


def main(directory: str, nonce: str) -> None:
    """Run a task as a job, and exit like the command: with its code, or with 128 plus the number of the signal. `nonce`
    identifies the handle for which the job was submitted.
    """
    detach.stay()
    files = TaskFiles(directory)
    rotate(files.log)
    for fd, path, mode in ((0, os.devnull, os.O_RDONLY), (1, os.devnull, os.O_WRONLY), (2, files.log, _APPEND)):
        source = os.open(path, mode, 0o600)
        os.dup2(source, fd)
        os.close(source)
    lock = take_lock(files, _PATIENCE)
    handle = read_json(files.handle)
    if lock is None or handle is None or handle.get("nonce") != nonce or handle.get("given_up"):
        print("the job was canceled" if lock is not None else "the task's lock is held", file=sys.stderr)
        raise SystemExit(_NOT_RUN)
    attempt = int(handle["attempt"])
    if not handle.get("once"):
        attempt += int(os.environ.get("SLURM_RESTART_COUNT") or 0)
    elif (read_json(files.host) or {}).get("attempt") == attempt:
        print("the batch system has rerun the job on its own", file=sys.stderr)
        raise SystemExit(_NOT_RUN)
    spec = _adapted(read_json(files.spec) or {}, handle, attempt)
    # Other machines read what is written here, and the file system of either side may cache it.
    spec["flush"] = handle.get("cached") is True or mounts.is_cached(directory)
    env = _environment(read_json(files.environment) or {}, spec)
    if not (spec.get("resources", {}).get("requeue") or spec.get("queue", {}).get("retry")):
        _remove(files.environment)  # it may contain secrets, and is not needed again
    _remove(files.start)
    try:
        # On a full disk, this uses the space of the removed environment.
        failure = Record(files.start)
    except OSError as error:
        print(f"{directory}: {error.strerror}; the command was not run", file=sys.stderr)
        raise SystemExit(_NOT_RUN) from None
    reading, writing = os.pipe()
    socket_path = os.path.join(runtime_dir(), f"{spec['id']}.sock")
    try:
        ended, _, _ = start.run(directory, socket_path, str(lock), env, writing, spec)
    except SystemExit:
        # The report is in the pipe, whose buffer is large enough.
        failure.write(json.loads(os.read(reading, 1 << 16)))
        raise SystemExit(_NOT_RUN) from None
    failure.discard()
    time.sleep(_LAST_WORDS)
    raise SystemExit(_code(ended))


def _adapted(spec: dict[str, Any], handle: Mapping[str, Any], attempt: int) -> dict[str, Any]:
    """Return the spec for this run of the job."""
    adapted = {**spec, "attempt": attempt, "node": os.environ.get("SLURMD_NODENAME", "")}
    if "grace" in handle:
        adapted["shutdown_grace"] = handle["grace"]
    limit = handle.get("limit")
    if limit is not None:
        # Stop it before the batch system does, which allows less time.
        ladder = sum(float(grace) for name, grace in spec["ladder"] if name != "SIGKILL")
        seconds = limit - min(ladder + 5.0, limit * _SHARE)
        own = spec.get("timeout")
        if own is None or own["seconds"] > seconds:
            adapted["timeout"] = {"warning": None, **(own or {}), "seconds": seconds}
    return adapted


def _environment(env: Mapping[str, str], spec: Mapping[str, Any]) -> dict[str, str]:
    of_job = {name: value for name, value in os.environ.items() if _OF_JOB.fullmatch(name)}
    return {**env, **of_job, **spec.get("given_env", {}), "PTYTASK_ATTEMPT": str(spec["attempt"])}


def _code(ended: Mapping[str, Any]) -> int:
    """Return the exit code of the job that corresponds to the exit record of the command."""
    if ended.get("signal"):
        try:
            return 128 + number_of(ended["signal"])
        except ValueError:
            return _STOPPED  # a signal without a name
    code = int(ended.get("code") or 0)
    return code if code or ended.get("reason") == "exited" else _STOPPED


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
