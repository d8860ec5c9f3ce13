"""Reasons from the system: signals, exit codes, messages of shells; memory and time limits."""

from __future__ import annotations

import re

from .aftermath import is_aftermath
from .causes import DISK_FULL, MEMORY, cause
from .reason import LIBRARY, Ending, Reason, reason
from .said import said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .reason import Line

#: The meaning of signals that programs cause themselves.
_CRASHES = {
    "SIGSEGV": "segmentation fault: an invalid memory access",
    "SIGBUS": "bus error: an invalid memory access, or a mapped file that was truncated or had no room",
    "SIGILL": "illegal instruction: the program was built for another processor",
    "SIGFPE": "arithmetic error: a division by zero",
    "SIGABRT": "the program aborted",
    "SIGTRAP": "the program aborted at a trap",
    "SIGSYS": "a system call was refused by the sandbox",
    "SIGXCPU": "the limit of CPU time was reached",
    "SIGXFSZ": "the limit of the size of files was reached",
}
#: Messages before a program aborts. The first group is the sentence.
_ABORTS = (
    re.compile(r"^\S+: \S+:\d+: (?:.*: )?(Assertion .* failed\.?)"),
    re.compile(r"(\*\*\* .* \*\*\*: terminated)"),
    re.compile(r"^((?:free|malloc|realloc|munmap_chunk|corrupted|double free)\S*: .*|corrupted .*|double free.*)$"),
    re.compile(r"^FATAL ERROR: (.*)"),
    re.compile(r"^(memory allocation of \d+ bytes failed)"),
    re.compile(r"^(?:F\d{4} .*|.*\[FATAL\] ?|.*Check failed): ?(.*)"),
)
_TERMINATE = re.compile(r"terminate called (?:after throwing an instance of '(?P<type>[^']+)'|(?P<other>.*))")
_WHAT = re.compile(r"^\s*what\(\):\s*(?P<what>.*)")
_FATAL_PYTHON = re.compile(r"Fatal Python error: (?P<what>.*)")
_FRAME = re.compile(r'^\s+File "(?P<path>[^"]+)", line (?P<line>\d+)')
#: Messages of shells about commands that they cannot find or run.
_SHELL = r"\S*?(?:ba|z|da|k|a|fi)?sh"
_NOT_FOUND = (
    re.compile(r"^(?:\S+: )?(?:line )?(?:\d+: )?(?P<what>[^:\s]+): (?:command )?not found$"),
    re.compile(r"^\S*zsh:(?:\d+:)? command not found: (?P<what>.+)$"),
    re.compile(r"^fish: Unknown command: (?P<what>.+)$"),
    re.compile(rf"^{_SHELL}: (?:line )?(?:\d+: )?(?P<what>[^:]+): No such file or directory$"),
    re.compile(rf"^{_SHELL}: (?:line )?(?:\d+: )?(?P<what>[^:]+): cannot execute: required file not found$"),
    re.compile(r"^(?:env|nohup|timeout|nice|xargs): (?:.* command |.* run )?\W?(?P<what>[^\s:]+?)\W?: No such file"),
)
_NOT_RUN = (
    re.compile(
        rf"^{_SHELL}: (?:line )?(?:\d+: )?(?P<what>[^:]+): "
        r"(?P<why>Permission denied|Is a directory|Exec format error|cannot execute.*)$",
        re.IGNORECASE,
    ),
    re.compile(r"^\S*zsh:(?:\d+:)? (?P<why>permission denied|exec format error): (?P<what>.+)$"),
)
_SHELL_KILLED = re.compile(r"^(?:\S+: line \d+:\s+)?\s*\d*\s*Killed\b")
#: Number of lines in which such messages are searched for.
_NEAR = 12
_SHELL_SAYS = re.compile(rf"^{_SHELL}: (?:-c: )?(?:line )?\d+: (?P<what>.+)$")


def timed_out(ending: Ending) -> Reason:
    """Return the reason of a task that was stopped at its time limit."""
    if ending.timeout is None:
        return reason("time limit reached", "time_limit")
    return reason(f"stopped at its time limit of {_duration(ending.timeout)}", "time_limit")


def by_signal(ending: Ending, lines: list[Line]) -> Reason | None:
    """Return the reason if a signal ended the command, or its child in a shell; None if none did, or for an interrupt,
    for which programs print their own message.
    """
    name = ending.number
    if name is None or (name == "SIGINT" and ending.signaled != name):
        return None
    if name == "SIGKILL":
        return _killed(ending, lines)
    if name in _CRASHES:
        return _crash(name, lines)
    if ending.signal is None and name not in ("SIGTERM", "SIGHUP", "SIGPIPE", "SIGINT"):
        return None  # an ordinary exit code
    if name == "SIGPIPE":
        return reason("the program that was to read its output had ended (SIGPIPE)", "signal")
    return reason(f"ended by {name}{_sender(ending, name)}", "signal")


def _killed(ending: Ending, lines: list[Line]) -> Reason:
    """Return the reason for a SIGKILL. Only the kernel knows whether it sent the signal; cgroups show it."""
    killed = [line for line in lines[-_NEAR:] if _SHELL_KILLED.match(line[1])]
    if ending.signaled == "SIGKILL":
        return reason(f"killed by SIGKILL{_sender(ending, 'SIGKILL')}", "signal", *killed)
    if ending.oom_kills or (ending.kernel_kill and ending.kernel_sure):
        return for_want_of_memory(ending, "", *killed)
    if ending.kernel_kill:
        used = f", which used {_size(ending.kernel_rss)}" if ending.kernel_rss else ""
        what = f"killed by SIGKILL; the OOM killer has killed {ending.kernel_kill}{used}"
        return reason(what, MEMORY, *killed)
    for line in reversed(lines[-_NEAR:]):
        found = cause(line[1])
        if found is not None and found[0] == MEMORY:
            return reason(f"killed (SIGKILL), {found[1]}", MEMORY, line)
    used = f"; it had used {_size(ending.max_rss)}" if ending.max_rss else ""
    return reason(f"killed by SIGKILL, perhaps by the OOM killer{used}", "signal", *killed)


def for_want_of_memory(ending: Ending, by: str, *lines: Line) -> Reason:
    """Return the reason if the OOM killer killed a process of the task. `by`: how the rest of the task noticed."""
    what = "a process of the task was killed" if by else "killed"
    limit = f" at a limit of {_size(ending.memory_limit)}" if ending.memory_limit else ""
    size = ending.max_rss or ending.kernel_rss
    used = f"; its largest process had used {_size(size)}" if size else ""
    noticed = f" ({by})" if by else ""
    return reason(f"{what} by the OOM killer{limit}{used}{noticed}", MEMORY, *lines)


def _crash(name: str, lines: list[Line]) -> Reason:
    near = lines[-_NEAR * 6 :]
    for at in range(len(near) - 1, -1, -1):
        text = near[at][1]
        thrown = _TERMINATE.search(text)
        if thrown is not None:
            return _thrown(thrown, near, at)
        found = cause(text)
        if found is not None and not is_aftermath(text) and not _WHAT.match(text):
            return reason(found[1], found[0], near[at])
        fatal = _FATAL_PYTHON.search(text)
        if fatal is not None:
            frames = [line for line in near[at + 1 :] if _FRAME.match(line[1])]
            frame = next((line for line in frames if not LIBRARY.search(line[1])), None)
            told = [near[at]] if frame is None else [near[at], frame]
            return reason(f"{_CRASHES[name].partition(':')[0]}{_at(frame)} ({name})", "crash", *told)
        if name == "SIGABRT":
            for pattern in _ABORTS:
                aborted = pattern.search(text)
                if aborted is not None:
                    return reason(f"{aborted[1]} ({name})", "crash", near[at])
    return reason(f"{_CRASHES[name]} ({name})", "crash")


def _thrown(thrown: re.Match[str], lines: list[Line], at: int) -> Reason:
    """Return the reason for an uncaught C++ exception."""
    what = next((found for _, text in lines[at + 1 : at + 3] if (found := _WHAT.match(text))), None)
    kind = thrown["type"] or thrown["other"]
    text = f"{kind}: {what['what']}" if what is not None and what["what"] != kind else f"{kind} (terminate)"
    told = lines[at : at + 1 + (what is not None)]
    return said(text, *told)


def _at(frame: Line | None) -> str:
    found = _FRAME.match(frame[1]) if frame is not None else None
    return f" at {found['path'].rpartition('/')[2]}:{found['line']}" if found is not None else ""


def by_shell(ending: Ending, lines: list[Line]) -> Reason | None:
    """Return the reason if a command could not be found (127) or run (126), if the shell says which."""
    patterns = {127: _NOT_FOUND, 126: _NOT_RUN}.get(ending.code or 0, ())
    for line in reversed(lines[-_NEAR:]):
        for pattern in patterns:
            found = pattern.match(line[1].strip())
            if found is None:
                continue
            if ending.code == 127:
                missing = "the interpreter of " if "required file" in line[1] else ""
                return reason(f"command not found: {missing}{found['what']}", "not_found", line)
            what = f"command cannot be executed: {found['what']}: {found['why'].lower()}"
            return reason(what, "not_executable", line)
    return None


def by_code(ending: Ending, lines: list[Line]) -> Reason:
    """Return the remaining reasons: a full disk, a limit, or just the exit code."""
    last = [line for line in lines[-_NEAR:] if not is_aftermath(line[1])][-1:]
    if ending.signal is not None or ending.code == 130:
        return reason(f"interrupted (SIGINT){_sender(ending, 'SIGINT')}", "signal")
    for line in reversed(lines[-_NEAR:]):
        about = cause(line[1])
        if about is not None and about[0] == DISK_FULL:
            return reason(about[1], about[0], line)
    by_its_shell = _SHELL_SAYS.match(last[0][1]) if last else None
    if by_its_shell is not None:
        return reason(by_its_shell["what"], "error", *last)
    if ending.code == 127:
        return reason("a command was not found (exit code 127)", "not_found", *last)
    if ending.code == 126:
        return reason("a command could not be executed (exit code 126)", "not_executable", *last)
    if ending.code == 124:
        return reason("exited with code 124, as `timeout` does when its time is over", "exit", *last)
    return reason(f"exited with code {ending.code}", "exit", *last)


def _sender(ending: Ending, name: str) -> str:
    return ", which was sent through the server" if ending.signaled == name else ""


def _size(count: int | None) -> str:
    value, unit = float(count or 0) / (1 << 20), "MiB"
    if value >= 1000:
        value, unit = value / 1024, "GiB"
    return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"


def _duration(seconds: float) -> str:
    parts = []
    left = round(seconds, 3)
    for unit, name in ((86400, "d"), (3600, "h"), (60, "min")):
        count, left = divmod(left, unit)
        if count:
            parts.append(f"{int(count)} {name}")
    if left or not parts:
        parts.append(f"{left:g} s")
    return " ".join(parts[:2])
