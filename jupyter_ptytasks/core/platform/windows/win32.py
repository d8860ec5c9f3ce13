"""Windows API calls that Python does not have: thin ctypes wrappers without logic."""

from __future__ import annotations

import functools
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Share modes for `open_file`: nothing; reading; reading, writing, deleting and renaming.
SHARE_NOTHING, SHARE_READ, SHARE_ALL = 0, 1, 7
#: Milliseconds for `wait`: no limit.
FOREVER = 0xFFFFFFFF

_GENERIC_READ, _GENERIC_WRITE = 0x80000000, 0x40000000
_OPEN_EXISTING, _OPEN_ALWAYS = 3, 4
_ATTRIBUTE_NORMAL = 0x80
_INVALID_HANDLE = (1 << 64) - 1
#: Access rights: SYNCHRONIZE and PROCESS_QUERY_LIMITED_INFORMATION; PROCESS_TERMINATE and
#: PROCESS_SUSPEND_RESUME.
_LOOK, _ACT = 0x00100000 | 0x1000, 0x0001 | 0x0800
_IDLE_PRIORITY = 0x40
_JOB_PIDS, _JOB_LIMITS = 3, 9
_KILL_ON_JOB_CLOSE, _BREAKAWAY_OK, _SILENT_BREAKAWAY_OK = 0x2000, 0x0800, 0x1000
#: Maximum number of processes of one job that are listed.
_PIDS_MAX = 8192
_SNAPSHOT_PROCESSES = 2
#: CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT.
_CLOSING = (2, 5, 6)
#: STD_INPUT_HANDLE and STD_OUTPUT_HANDLE of a console.
INPUT, OUTPUT = 0xFFFFFFF6, 0xFFFFFFF5


class _Calls:
    """The libraries, and the signatures of their functions."""

    def __init__(self) -> None:
        import ctypes  # noqa: PLC0415  no other system has what is loaded here
        from ctypes import wintypes as w  # noqa: PLC0415

        class Limits(ctypes.Structure):
            """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

            _fields_ = (
                ("times", ctypes.c_int64 * 2), ("flags", w.DWORD), ("sets", ctypes.c_size_t * 2), ("active", w.DWORD),
                ("affinity", ctypes.c_size_t), ("priority", w.DWORD * 2), ("io", ctypes.c_uint64 * 6),
                ("memory", ctypes.c_size_t * 4),
            )  # fmt: skip

        class Pids(ctypes.Structure):
            """JOBOBJECT_BASIC_PROCESS_ID_LIST."""

            _fields_ = (("assigned", w.DWORD), ("listed", w.DWORD), ("pids", ctypes.c_size_t * _PIDS_MAX))

        class Memory(ctypes.Structure):
            """PROCESS_MEMORY_COUNTERS."""

            _fields_ = (
                ("size", w.DWORD),
                ("faults", w.DWORD),
                ("peak", ctypes.c_size_t),
                ("rest", ctypes.c_size_t * 7),
            )

        class Entry(ctypes.Structure):
            """PROCESSENTRY32W."""

            _fields_ = (
                ("size", w.DWORD), ("usage", w.DWORD), ("pid", w.DWORD), ("heap", ctypes.c_size_t), ("module", w.DWORD),
                ("threads", w.DWORD), ("parent", w.DWORD), ("priority", ctypes.c_long), ("flags", w.DWORD),
                ("name", w.WCHAR * 260),
            )  # fmt: skip

        self.ctypes, self.w = ctypes, w
        self.Limits, self.Pids, self.Memory, self.Entry = Limits, Pids, Memory, Entry
        win_dll, handler = ctypes.WinDLL, ctypes.WINFUNCTYPE  # type: ignore[attr-defined,unused-ignore]
        self.handler = handler(w.BOOL, w.DWORD)
        self.kernel = kernel = win_dll("kernel32", use_last_error=True)
        self.nt = win_dll("ntdll")
        handle, number, pointer = w.HANDLE, w.DWORD, ctypes.c_void_p
        functions: tuple[tuple[Any, Any, list[Any]], ...] = (
            (kernel.CreateFileW, handle, [w.LPCWSTR, number, number, pointer, number, number, handle]),
            (kernel.CreateJobObjectW, handle, [pointer, w.LPCWSTR]),
            (kernel.GetCurrentProcess, handle, []),
            (kernel.SetPriorityClass, w.BOOL, [handle, number]),
            (kernel.OpenProcess, handle, [number, w.BOOL, number]),
            (kernel.AssignProcessToJobObject, w.BOOL, [handle, handle]),
            (kernel.IsProcessInJob, w.BOOL, [handle, handle, pointer]),
            (kernel.SetInformationJobObject, w.BOOL, [handle, ctypes.c_int, pointer, number]),
            (kernel.QueryInformationJobObject, w.BOOL, [handle, ctypes.c_int, pointer, number, pointer]),
            (kernel.WaitForSingleObject, number, [handle, number]),
            (kernel.GetExitCodeProcess, w.BOOL, [handle, pointer]),
            (kernel.GetProcessTimes, w.BOOL, [handle, pointer, pointer, pointer, pointer]),
            (kernel.K32GetProcessMemoryInfo, w.BOOL, [handle, pointer, number]),
            (kernel.TerminateProcess, w.BOOL, [handle, w.UINT]),
            (kernel.CloseHandle, w.BOOL, [handle]),
            (kernel.SetConsoleCtrlHandler, w.BOOL, [pointer, w.BOOL]),
            (kernel.GetStdHandle, handle, [number]),
            (kernel.GetConsoleMode, w.BOOL, [handle, pointer]),
            (kernel.SetConsoleMode, w.BOOL, [handle, number]),
            (kernel.FlushConsoleInputBuffer, w.BOOL, [handle]),
            (kernel.ReadConsoleW, w.BOOL, [handle, pointer, number, pointer, pointer]),
            (kernel.CreateToolhelp32Snapshot, handle, [number, number]),
            (kernel.Process32FirstW, w.BOOL, [handle, pointer]),
            (kernel.Process32NextW, w.BOOL, [handle, pointer]),
            (self.nt.NtSuspendProcess, ctypes.c_long, [handle]),
            (self.nt.NtResumeProcess, ctypes.c_long, [handle]),
        )
        for function, result, arguments in functions:
            function.restype, function.argtypes = result, arguments

    def error(self) -> OSError:
        """Return the error of the last call."""
        ctypes: Any = self.ctypes
        found: OSError = ctypes.WinError(ctypes.get_last_error())
        return found


@functools.lru_cache(maxsize=1)
def _calls() -> _Calls:
    return _Calls()


# -- files ------------------------------------------------------------------------------------------------------------


def open_file(path: str, *, write: bool, share: int, create: bool) -> int:
    """Open a file with a share mode and return its descriptor, which is not inheritable. Raises OSError:
    PermissionError also if the file is open elsewhere in an incompatible mode.
    """
    import msvcrt  # noqa: PLC0415

    calls = _calls()
    access = _GENERIC_READ | (_GENERIC_WRITE if write else 0)
    how = _OPEN_ALWAYS if create else _OPEN_EXISTING
    handle = calls.kernel.CreateFileW(path, access, share, None, how, _ATTRIBUTE_NORMAL, None)
    if handle in (None, _INVALID_HANDLE):
        error = calls.error()
        error.filename = path
        raise error
    flags = (os.O_RDWR if write else os.O_RDONLY) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)
    fd: int = msvcrt.open_osfhandle(handle, flags)  # type: ignore[attr-defined,unused-ignore]
    return fd


# -- processes --------------------------------------------------------------------------------------------------------


def open_process(pid: int) -> int:
    """Return a handle for querying a process and waiting for it; 0 if it does not exist or is not ours."""
    return int(_calls().kernel.OpenProcess(_LOOK, False, pid) or 0)


def close(handle: int) -> None:
    """Close a handle."""
    _calls().kernel.CloseHandle(handle)


def wait(handle: int, milliseconds: int) -> bool:
    """Wait for the end of a process; return whether it has ended."""
    ended: bool = _calls().kernel.WaitForSingleObject(handle, milliseconds) == 0
    return ended


def exit_code(handle: int) -> int:
    """Return the exit code of a process that has ended: an unsigned 32-bit integer."""
    calls = _calls()
    code = calls.w.DWORD()
    calls.kernel.GetExitCodeProcess(handle, calls.ctypes.byref(code))
    return int(code.value)


def times(handle: int) -> tuple[int, float, float]:
    """Return when a process was created (in 100 ns), and its user and system CPU time in seconds."""
    calls = _calls()
    created, ended, system, user = (calls.ctypes.c_uint64() for _ in range(4))
    calls.kernel.GetProcessTimes(handle, *map(calls.ctypes.byref, (created, ended, system, user)))
    return created.value, user.value / 1e7, system.value / 1e7


def peak_memory(handle: int) -> int:
    """Return the peak memory usage of a process in bytes."""
    calls = _calls()
    found = calls.Memory(size=calls.ctypes.sizeof(calls.Memory))
    calls.kernel.K32GetProcessMemoryInfo(handle, calls.ctypes.byref(found), found.size)
    peak: int = found.peak
    return peak


def terminate(pid: int, code: int) -> None:
    """Terminate a process, if it exists and is ours."""
    _act(pid, lambda handle: _calls().kernel.TerminateProcess(handle, code))


def suspend(pid: int) -> None:
    """Suspend a process, if it exists and is ours. If suspended twice, it must be resumed twice."""
    _act(pid, _calls().nt.NtSuspendProcess)


def resume(pid: int) -> None:
    """Resume a process, if it exists and is ours."""
    _act(pid, _calls().nt.NtResumeProcess)


def _act(pid: int, what: Any) -> None:
    handle = _calls().kernel.OpenProcess(_ACT, False, pid)
    if handle:
        what(handle)
        close(handle)


def parents() -> dict[int, int]:
    """Return the parent of every process, by pid."""
    calls = _calls()
    snapshot = calls.kernel.CreateToolhelp32Snapshot(_SNAPSHOT_PROCESSES, 0)
    if snapshot in (None, _INVALID_HANDLE):
        return {}
    found = {}
    entry = calls.Entry(size=calls.ctypes.sizeof(calls.Entry))
    more = calls.kernel.Process32FirstW(snapshot, calls.ctypes.byref(entry))
    while more:
        found[entry.pid] = entry.parent
        more = calls.kernel.Process32NextW(snapshot, calls.ctypes.byref(entry))
    close(snapshot)
    return found


def be_idle() -> None:
    """Let this process run only while no other wants to, if the system lets it."""
    calls = _calls()
    calls.kernel.SetPriorityClass(calls.kernel.GetCurrentProcess(), _IDLE_PRIORITY)


# -- jobs -------------------------------------------------------------------------------------------------------------


def enter_job() -> int:
    """Put this process, and so all its descendants, into a new job that terminates them when its last handle is closed;
    return the handle. Raises OSError.
    """
    calls = _calls()
    job: int = calls.kernel.CreateJobObjectW(None, None)
    _limit(job, _KILL_ON_JOB_CLOSE)
    if not calls.kernel.AssignProcessToJobObject(job, calls.kernel.GetCurrentProcess()):
        raise calls.error()
    return job


def let_leave(job: int) -> None:
    """Allow processes started with CREATE_BREAKAWAY_FROM_JOB to leave a job. Raises OSError."""
    _limit(job, _KILL_ON_JOB_CLOSE | _BREAKAWAY_OK)


def may_leave() -> bool:
    """Return whether processes started by this one may leave its innermost job, if it is in a job."""
    calls = _calls()
    is_in_job = calls.w.BOOL()
    calls.kernel.IsProcessInJob(calls.kernel.GetCurrentProcess(), None, calls.ctypes.byref(is_in_job))
    if not is_in_job.value:
        return True
    limits = calls.Limits()
    size = calls.ctypes.sizeof(limits)
    asked = calls.kernel.QueryInformationJobObject(None, _JOB_LIMITS, calls.ctypes.byref(limits), size, None)
    return bool(asked and limits.flags & (_BREAKAWAY_OK | _SILENT_BREAKAWAY_OK))


def _limit(job: int, flags: int) -> None:
    calls = _calls()
    limits = calls.Limits(flags=flags)
    size = calls.ctypes.sizeof(limits)
    if not calls.kernel.SetInformationJobObject(job, _JOB_LIMITS, calls.ctypes.byref(limits), size):
        raise calls.error()


def job_pids(job: int) -> set[int]:
    """Return the processes of a job."""
    calls = _calls()
    found = calls.Pids()
    size = calls.ctypes.sizeof(found)
    calls.kernel.QueryInformationJobObject(job, _JOB_PIDS, calls.ctypes.byref(found), size, None)
    return set(found.pids[: found.listed])


# -- console ----------------------------------------------------------------------------------------------------------

_handlers: list[Any] = []


def hear_interrupts() -> None:
    """Enable ^C for programs that are started from now on: it is disabled for the first program of a process group and
    its children.
    """
    _calls().kernel.SetConsoleCtrlHandler(None, False)


def on_closing(action: Any) -> None:
    """Call `action`, in a new thread, when the session ends; the system terminates this process soon after."""
    calls = _calls()
    handler = calls.handler(lambda event: event in _CLOSING and bool(action() or True))
    _handlers.append(handler)  # it must not be garbage-collected
    calls.kernel.SetConsoleCtrlHandler(handler, True)


def console_mode(which: int) -> int:
    """Return the mode of this process's console at its INPUT or OUTPUT. Raises OSError if there is none."""
    calls = _calls()
    mode = calls.w.DWORD()
    if not calls.kernel.GetConsoleMode(calls.kernel.GetStdHandle(which), calls.ctypes.byref(mode)):
        raise calls.error()
    return int(mode.value)


def set_console_mode(which: int, mode: int) -> None:
    """Set the mode. Raises OSError if there is no console, or it does not support the mode."""
    calls = _calls()
    if not calls.kernel.SetConsoleMode(calls.kernel.GetStdHandle(which), mode):
        raise calls.error()


def flush_console() -> None:
    """Discard unread input."""
    calls = _calls()
    calls.kernel.FlushConsoleInputBuffer(calls.kernel.GetStdHandle(INPUT))


def read_console(units: int) -> bytes:
    """Wait for keys; return at most `units` UTF-16 code units (little-endian), `b""` if the console is gone."""
    calls = _calls()
    buffer = calls.ctypes.create_string_buffer(2 * units)
    count = calls.w.DWORD()
    stdin = calls.kernel.GetStdHandle(INPUT)
    if not calls.kernel.ReadConsoleW(stdin, buffer, units, calls.ctypes.byref(count), None):
        return b""
    read: bytes = buffer.raw[: 2 * count.value]
    return read
