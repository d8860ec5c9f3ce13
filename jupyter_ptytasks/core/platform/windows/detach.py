"""Processes that outlive the process that starts them."""

from __future__ import annotations

import os
import subprocess
import sys

from . import tree, win32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

#: What programs need to find the system, its files and themselves.
_KEPT = frozenset(
    [
        "SYSTEMROOT",
        "SYSTEMDRIVE",
        "WINDIR",
        "COMSPEC",
        "PATH",
        "PATHEXT",
        "TEMP",
        "TMP",
        "USERPROFILE",
        "USERNAME",
        "USERDOMAIN",
        "LOCALAPPDATA",
        "APPDATA",
        "PROGRAMDATA",
        "COMPUTERNAME",
        "NUMBER_OF_PROCESSORS",
        "PROCESSOR_ARCHITECTURE",
        "PYTHONHOME",
        "PTYTASK_ID",
    ]
)
#: Names that directory (`packages`) for processes that see no packages and start ptyhosts: the scheduler.
_PACKAGES = "PTYTASKS_PACKAGES"
#: An error of CreateProcessW: processes must not leave the job of this one.
_ACCESS_DENIED = 5


def environment() -> dict[str, str]:
    """Return the environment of a process that leaves: what Windows, Python and ptyhosts need, and nothing else of this
    one's.
    """
    kept = {name: value for name, value in os.environ.items() if name.upper() in _KEPT}
    return {**kept, _PACKAGES: packages()}


def packages() -> str:
    """Return the directory of pywinpty, without which no ptyhost works here; empty if there is none."""
    import importlib.util  # noqa: PLC0415  a ptyhost needs it at its end, if at all

    found = importlib.util.find_spec("winpty")
    if found is not None and found.origin:
        return os.path.dirname(os.path.dirname(found.origin))
    return os.environ.get(_PACKAGES, "")


def python() -> list[str]:
    """Return the beginning of a command line: Python, isolated from this process's environment and packages."""
    # In an environment, `executable` only starts the real one, and ends it when it is ended itself.
    program = getattr(sys, "_base_executable", None) or sys.executable
    return [program, "-I", "-S", "-X", "utf8", "-X", "faulthandler"]


def start(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a process that has no window and ends neither with this process nor with its job, where that lets it leave.
    Raises OSError.
    """
    options.setdefault("cwd", os.environ.get("SYSTEMROOT"))  # not one that someone may want to remove
    no_window = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    leaving = getattr(subprocess, "CREATE_BREAKAWAY_FROM_JOB", 0)
    try:
        return subprocess.Popen(command, env=environment(), creationflags=no_window | leaving, **options)
    except PermissionError as error:
        if getattr(error, "winerror", None) != _ACCESS_DENIED:
            raise
    return subprocess.Popen(command, env=environment(), creationflags=no_window, **options)


def can_leave() -> bool:
    """Return whether what this process starts may leave its job; what may not ends with that job."""
    return win32.may_leave()


def spawn(program: str, arguments: list[str], *, log: str, stdin: int | None = None) -> int:
    """Run a Python program that leaves this process's tree; return 0. `log` is its standard error. Raises OSError."""
    tree.let_leave()
    with open(log, "ab") as errors:
        null = subprocess.DEVNULL
        process = start(
            [*python(), program, *arguments], stdin=null if stdin is None else stdin, stdout=null, stderr=errors
        )
    process.returncode = 0  # it is not waited for
    return 0


def become(arguments: list[str], log: str) -> None:
    """Start the Python program in `arguments` in place of this process, which ends (SystemExit). Raises OSError."""
    # Not os.execv: it passes arguments with spaces as several.
    spawn(arguments[0], arguments[1:], log=log)
    raise SystemExit


def leave() -> None:
    """Do nothing: a process that `spawn` starts has left."""


def detach() -> None:
    """Do nothing: a ptyhost is started without a parent that it could end with."""


def stay() -> None:
    """Do nothing: no batch system starts ptyhosts here."""


def keep_lock(argument: str) -> None:
    """Keep the lock that this process was started with, and hand it on to no other process."""
    os.set_handle_inheritable(int(argument), False)  # type: ignore[attr-defined,unused-ignore]


def release_lock(argument: str) -> None:
    """Release that lock before this process ends."""
    win32.close(int(argument))
