"""Processes that outlive their parent: how they leave its process tree, and what they inherit."""

from __future__ import annotations

import os
import re
import signal
import sys

#: The name (`set_name`) of a process that has not become a ptyhost yet.
SPARE = b"ptyhost spare"
#: linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36
#: Variables that Python itself may need to start: library paths for the loaders of Linux, macOS, AIX, HP-UX and Nix,
#: and the path of its modules. Also the task in whose process tree this process is, if any.
_KEPT = re.compile(
    r"LD_LIBRARY_PATH(_\d+)?|DYLD_.*|LIBPATH|SHLIB_PATH|NIX_LD(_.*)?|PYTHONHOME|PYTHONPLATLIBDIR|__PYVENV_LAUNCHER__"
    r"|PTYTASK_ID"
)
#: Let glibc's malloc (mallopt(3)) keep 16 KiB in reserve instead of 128, since every task pays for it, and use one heap
#: for all threads.
_FRUGAL = {"MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_TOP_PAD_": "16384", "MALLOC_ARENA_MAX": "1"}


def environment() -> dict[str, str]:
    """Return the environment of a process that `spawn` starts: only the variables of this one that Python needs."""
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
    """Run a Python program that leaves this process's tree (`leave`); return the exit code of its first process: 0 if
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
                pass  # the descriptor that was used to list them


def detach() -> None:
    """Become a ptyhost without a parent, in the session of this process, which exits: it survives the process that
    started it, and is not reached by SIGHUP from that process's terminal or by signals to its group. Raises OSError.
    """
    # Until the ptyhost has installed its handlers: a server may assume that it is ready.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    if os.fork():
        os._exit(0)
    stay()


def stay() -> None:
    """Become a ptyhost in place of this process, whose parent waits for it, such as a batch system for its job."""
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    os.chdir("/")
    _adopt_orphans()


def _adopt_orphans() -> None:
    """Become a child subreaper (prctl(2), Linux): processes that the task leaves behind become children of this process
    and stay in its tree. Tasks also run without this.
    """
    if not sys.platform.startswith("linux"):
        return
    arguments = (_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        # Not ctypes, just for this one call: it would cost every task a third of a MiB.
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
    """Show `title` as the command line of this process (ps(1)), as far as it fits where its arguments were.

    Linux only: proc(5), "cmdline". Elsewhere a forked process keeps the command line of its parent.
    """
    try:
        stat = os.open("/proc/self/stat", os.O_RDONLY)
        fields = os.read(stat, 4096).rpartition(b")")[2].split()
        os.close(stat)
        begin, end = int(fields[45]), int(fields[46])
        text = title.encode("utf-8", "surrogateescape")[: end - begin - 2]
        memory = os.open("/proc/self/mem", os.O_RDWR)
        # The last byte tells the kernel that this is no longer a list of arguments.
        os.pwrite(memory, text.ljust(end - begin - 1, b"\0") + b"\1", begin)
        os.close(memory)
    except (OSError, ValueError, IndexError):
        pass  # only the name in process lists differs


def set_name(name: bytes) -> bytes:
    """Give this process a short name of up to 15 bytes, and return its previous name: proc(5), "comm". It is visible
    even after the process has ended. Linux only.
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
    """Return True: nothing on this system keeps other processes from outliving this one."""
    return True


def keep_lock(argument: str) -> None:
    """Keep the lock that this process was started with, and do not pass it on to other processes."""
    os.set_inheritable(int(argument), False)


def release_lock(argument: str) -> None:
    """Release that lock before this process ends."""
    os.close(int(argument))
