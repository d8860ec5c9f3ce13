"""Processes that outlive the process that starts them: how they leave its tree, and what they inherit."""

from __future__ import annotations

import os
import re
import signal
import sys

#: The name (`set_name`) of a process that has not become a ptyhost yet.
SPARE = b"ptyhost spare"
#: linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36
#: What Python itself may need to start: where its libraries are, for the loaders of Linux, macOS, AIX, HP-UX and Nix,
#: and where its modules are. And the task in whose process tree all this is, if any.
_KEPT = re.compile(
    r"LD_LIBRARY_PATH(_\d+)?|DYLD_.*|LIBPATH|SHLIB_PATH|NIX_LD(_.*)?|PYTHONHOME|PYTHONPLATLIBDIR|__PYVENV_LAUNCHER__"
    r"|PTYTASK_ID"
)
#: glibc's malloc (mallopt(3)) keeps 16 KiB in reserve instead of 128, which every task would pay for, and has one heap
#: for all threads.
_FRUGAL = {"MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_TOP_PAD_": "16384", "MALLOC_ARENA_MAX": "1"}


def environment() -> dict[str, str]:
    """Return the environment of a process that `spawn` starts: what Python needs, and nothing else of this one's."""
    kept = {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name)}
    return {"PATH": os.defpath, **_FRUGAL, **kept}


def python() -> list[str]:
    """Return the beginning of a command line: Python, isolated from this process's packages and, as it is run in
    `environment`, from its variables.
    """
    # If isolated, Python would ignore PYTHONHOME. No other variable that it uses is in that environment.
    isolated = ["-s"] if "PYTHONHOME" in os.environ else ["-I"]
    return [sys.executable, *isolated, "-S", "-X", "utf8", "-X", "faulthandler"]


def spawn(program: str, arguments: list[str], *, log: str, stdin: int | None = None) -> int:
    """Run a Python program that leaves this process's tree (`leave`); return the exit code of its first process: 0 when
    it has left.

    It is isolated from this process's environment and packages. `log` is its standard error, and the descriptor `stdin`
    its standard input. Raises OSError.
    """
    env = environment()
    argv = [*python(), program, *arguments]
    null = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0)
    opened = [
        null if stdin is None else (os.POSIX_SPAWN_DUP2, stdin, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_RDWR, 0),
        (os.POSIX_SPAWN_OPEN, 2, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
    ]
    settable = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
    pid = os.posix_spawn(argv[0], argv, env, file_actions=opened, setsigmask=(), setsigdef=settable)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def become(arguments: list[str], log: str) -> None:  # noqa: ARG001  the standard error stays as it is
    """Run the Python program in `arguments` in place of this process. Raises OSError."""
    os.execv(sys.executable, [sys.executable, "-I", "-S", "-X", "utf8", *arguments])


def leave() -> None:
    """Leave the tree of the process that started this one with `spawn`, with the standard descriptors only."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")
    try:
        inherited = [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        return
    for fd in inherited:
        if fd > 2:
            try:
                os.close(fd)
            except OSError:
                pass  # the one by which they were listed


def detach() -> None:
    """Become a ptyhost without a parent, in the session of this process, which ends: it survives the process that
    started it, and neither the SIGHUP of that process's terminal nor signals to its group reach it. Raises OSError.
    """
    # Until the ptyhost has its handlers: a server may assume that it is ready.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    if os.fork():
        os._exit(0)
    stay()


def stay() -> None:
    """Become a ptyhost in place of this process, for whose end its parent waits, such as a batch system for its job."""
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    os.chdir("/")
    _adopt_orphans()


def _adopt_orphans() -> None:
    """Become a child subreaper (prctl(2), Linux): what the task leaves behind becomes a child of this process and stays
    in its tree. Without that a task runs all the same.
    """
    if not sys.platform.startswith("linux"):
        return
    arguments = (_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        # What ctypes is built on, for this one call: ctypes itself would cost every task a third of a MiB.
        import _ctypes  # noqa: PLC0415

        prctl = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")  # type: ignore[arg-type]
        _ctypes.call_cdeclfunction(prctl, arguments)
    except (ImportError, AttributeError, OSError):
        try:
            import ctypes  # noqa: PLC0415

            ctypes.CDLL(None).prctl(*arguments)
        except (ImportError, AttributeError, OSError):
            pass


def rename(title: str) -> None:
    """Show `title` as the command line of this process (ps(1)), as far as there is room where its arguments were.

    Linux only: proc(5), "cmdline". Elsewhere a forked process keeps the command line of the one that has forked it.
    """
    try:
        stat = os.open("/proc/self/stat", os.O_RDONLY)
        fields = os.read(stat, 4096).rpartition(b")")[2].split()
        os.close(stat)
        begin, end = int(fields[45]), int(fields[46])
        text = title.encode("utf-8", "surrogateescape")[: end - begin - 2]
        memory = os.open("/proc/self/mem", os.O_RDWR)
        # The last byte tells the kernel that this is no list of arguments any more.
        os.pwrite(memory, text.ljust(end - begin - 1, b"\0") + b"\1", begin)
        os.close(memory)
    except (OSError, ValueError, IndexError):
        pass  # it has another name in a list of processes, and nothing else


def set_name(name: bytes) -> bytes:
    """Give this process a short name of up to 15 bytes, and return the one it had: proc(5), "comm". Others see it even
    when the process has ended. Linux only.
    """
    try:
        file = os.open("/proc/self/comm", os.O_RDWR)
    except OSError:
        return name
    try:
        before = os.read(file, 64).rstrip(b"\n")
        os.write(file, name)
    finally:
        os.close(file)
    return before


def can_leave() -> bool:
    """Return True: nothing that the system has done with this process keeps others from outliving it."""
    return True


def keep_lock(argument: str) -> None:
    """Keep the lock that this process was started with, and hand it on to no other process."""
    os.set_inheritable(int(argument), False)


def release_lock(argument: str) -> None:
    """Release that lock before this process ends."""
    os.close(int(argument))
