"""Processes that outlive their parent."""

from __future__ import annotations

import os
import subprocess
import sys

from . import tree, win32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

#: Variables that programs need to find the system, its files and themselves.
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
#: The variable with that directory (`packages`), for the scheduler, which sees no packages but starts ptyhosts.
_PACKAGES = "PTYTASKS_PACKAGES"
#: The error of CreateProcessW if processes may not leave the job of this one.
_ACCESS_DENIED = 5


def environment() -> dict[str, str]:
    """Return the environment of a detached process: only the variables of this one that Windows, Python and ptyhosts
    need.
    """
    kept = {name: value for name, value in os.environ.items() if name.upper() in _KEPT}
    return {**kept, _PACKAGES: packages()}


def packages() -> str:
    """Return the directory of pywinpty, without which no ptyhost works; empty if there is none."""
    import importlib.util  # noqa: PLC0415  a ptyhost needs it at its end, if at all

    found = importlib.util.find_spec("winpty")
    if found is not None and found.origin:
        return os.path.dirname(os.path.dirname(found.origin))
    return os.environ.get(_PACKAGES, "")


def python() -> list[str]:
    """Return the beginning of a command line: Python, isolated from this process's environment and packages."""
    # In a virtual environment, `executable` only starts the real Python, and ends it when it is terminated itself.
    program = getattr(sys, "_base_executable", None) or sys.executable
    return [program, "-I", "-S", "-X", "utf8", "-X", "faulthandler"]


def start(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a process without a window that outlives this process and, if breakaway is allowed, its job.
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
    """Return whether processes started by this one may leave its job; otherwise they end with that job."""
    return win32.may_leave()


def spawn(program: str, arguments: list[str], *, log: str, stdin: int | None = None) -> int:
    """Run a Python program that leaves this process's tree; return 0. `log` is its standard error. Raises OSError."""
    tree.let_leave()
    with open(log, "ab") as errors:
        null = subprocess.DEVNULL
        process = start(
            [*python(), program, *arguments], stdin=null if stdin is None else stdin, stdout=null, stderr=errors
        )
    process.returncode = 0  # nothing waits for it
    return 0


def become(arguments: list[str], log: str) -> None:
    """Start the Python program in `arguments` in place of this process, which exits (SystemExit). Raises OSError."""
    # Not os.execv: it splits arguments at spaces.
    spawn(arguments[0], arguments[1:], log=log)
    raise SystemExit


def leave() -> None:
    """Do nothing: a process started by `spawn` is already detached."""


def detach() -> None:
    """Do nothing: a ptyhost is started without a parent."""


def stay() -> None:
    """Do nothing: no batch system starts ptyhosts here."""


def keep_lock(argument: str) -> None:
    """Keep the lock that this process was started with, and do not pass it on to other processes."""
    os.set_handle_inheritable(int(argument), False)  # type: ignore[attr-defined,unused-ignore]


def release_lock(argument: str) -> None:
    """Release that lock before this process ends."""
    win32.close(int(argument))
