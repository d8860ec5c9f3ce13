"""Python tracebacks: which exception was not caught, and where it was raised."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .aftermath import others
from .causes import cause
from .reason import LIBRARY, Ending, Reason, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .reason import Line

_HEAD = "Traceback (most recent call last)"
_NAME = re.compile(
    r"^(?P<path>(?:[A-Za-z_]\w*\.|<locals>\.)*)(?P<name>[A-Za-z_]\w*)(?:\((?P<of>\w+)\))?(?::(?:\s(?P<text>.*))?)?$"
)
_FRAME = re.compile(r'^\s*File "(?P<path>[^"]+)", line (?P<line>\d+)')
_RICH_FRAME = re.compile(r"^│ (?P<path>[^\s:].*?):(?P<line>\d+) in ")
_SYNTAX = re.compile(r"^(?:SyntaxError|IndentationError|TabError)\b")
_GROUP = re.compile(r"^(?P<indent>\s*)\+ Exception Group " + re.escape(_HEAD))
_IPYTHON = re.compile(r"^(?P<name>[A-Za-z_][\w.]*)\s+" + re.escape(_HEAD))
_IN_GROUP = re.compile(r"^\s+\| (?P<text>\S.*)$")
#: Exceptions that report another one, whose output is above.
_WRAPPERS = frozenset({
    "BrokenProcessPool", "CalledProcessError", "ChildFailedError", "ProcessExitedException", "ProcessRaisedException",
    "RayTaskError", "SystemExit", "TerminatedWorkerError", "TrainingFailedError", "WorkerCrashedError",
})  # fmt: skip
_DATALOADER = re.compile(r"DataLoader worker \(pid.* is killed by signal|exited unexpectedly$")
#: Text above a traceback that is only logged while the program continues.
_TOLD = re.compile(
    r"^(Exception ignored|--- Logging error|Task exception was never|Error in atexit|Exception in thread|Future)"
    r"|\b(DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL)\b|^\[?\d{4}-\d\d-\d\d"
)
_LOGGED = re.compile(r"\b(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)\b")
_NUMBERS = re.compile(r"\d+(?:\.\d+)?")
#: Number of other lines that may follow an exception: those of a multi-line message; and after one that was logged.
_MESSAGE_LINES = 15
#: Number of lines of other workers that may come between two lines of one.
_BESIDE = 8
#: Number of lines above an exception in which the traceback of a worker is searched for.
_REMOTE = 80


@dataclass(frozen=True)
class Exceptional:
    """An exception: the indexes of its traceback and of its own line. `is_wrapper`: it reports another one."""

    reason: Reason
    start: int
    at: int
    is_wrapper: bool = False


def uncaught(ending: Ending, lines: list[Line]) -> Exceptional | None:
    """Return the last exception of the output, unless it was evidently caught."""
    for at in range(len(lines) - 1, -1, -1):
        found = _starting_at(lines, at)
        if found is not None:
            return _in_worker(lines, found) if _ended_it(ending, lines, found) else None
    return _without_head(ending, lines)


def _without_head(ending: Ending, lines: list[Line]) -> Exceptional | None:
    """Return the last exception after the frames of a traceback that began before the first line."""
    for at in range(len(lines) - 1, 0, -1):
        named = _NAME.match(lines[at][1])
        start = at
        while named is not None and start > 0 and lines[start - 1][1].startswith("  "):
            start -= 1
        frames = [(line, frame) for line in lines[start:at] if (frame := _FRAME.match(line[1]))]
        if named is not None and frames:
            found = _exceptional(named, lines, at, start, frames, "")
            return found if _ended_it(ending, lines, found) else None
    return None


def _in_worker(lines: list[Line], found: Exceptional) -> Exceptional:
    """Return an exception that a process pool re-raises as it was raised in the worker, with its location."""
    above = range(found.start - 1, max(found.start - _REMOTE, 0) - 1, -1)
    remote = next((at for at in above if "RemoteTraceback" in lines[at][1]), None)
    heads = [at for at in range(remote, found.start) if _HEAD in lines[at][1]] if remote is not None else []
    inner = _starting_at(lines, heads[-1]) if heads else None
    if inner is None or lines[inner.at][1] != lines[found.at][1] or not inner.reason.message.endswith(")"):
        return found
    return replace(found, reason=inner.reason)


def _starting_at(lines: list[Line], at: int) -> Exceptional | None:
    text = lines[at][1]
    if _SYNTAX.match(text):
        return _syntax(lines, at)
    column = text.find(_HEAD)
    if column < 0:
        return None
    if (group := _within_group(lines, at)) is not None:
        return _group(lines, group)
    if "╭" in text[:column]:
        return _rich(lines, at)
    named = _IPYTHON.match(text)
    if named is not None and named["name"] not in ("Original", "Remote"):
        return _ipython(lines, at, named["name"])
    return _plain(lines, at, text[:column])


def _ended_it(ending: Ending, lines: list[Line], found: Exceptional) -> bool:
    """Return whether an exception may have ended the program: nothing was written after it, or no more than a long
    message, and the exit code is that of Python.
    """
    above = next((text for _, text in reversed(lines[max(found.start - 3, 0) : found.start]) if text.strip()), "")
    count = others(lines[found.at + 1 :])
    if above.startswith(("Exception ignored", "--- Logging error", "Exception in thread", "Error in atexit")):
        return False
    if count == 0:
        return True
    return ending.code == 1 and count <= _MESSAGE_LINES and not _TOLD.search(above) and not _went_on(lines, found)


def _went_on(lines: list[Line], found: Exceptional) -> bool:
    """Return whether the program has then written lines as before, except for numbers, or logged something."""
    before = {_NUMBERS.sub("0", text) for _, text in lines[: found.start] if text.strip()}
    after = [text for _, text in lines[found.at + 1 :]]
    return any(_NUMBERS.sub("0", text) in before or _LOGGED.search(text) for text in after)


# -- kinds of tracebacks ----------------------------------------------------------------------------------------------


def _plain(lines: list[Line], at: int, before: str) -> Exceptional | None:
    """Read a traceback as Python writes it. `before`: the text before it in its first line, such as the name of a
    worker, with which all its lines begin, or a progress bar.
    """
    near = lines[at + 1 : at + 1 + _BESIDE]
    prefix = before if any(text.startswith(f"{before}  File") for _, text in near) else ""
    indent = prefix if prefix.strip() else " " * (len(prefix) - len(prefix.lstrip()))
    if not prefix.strip() and before.strip():
        indent = ""
    frames: list[tuple[Line, re.Match[str]]] = []
    seen = 0
    for where in range(at + 1, len(lines)):
        number, text = lines[where]
        if not text.startswith(indent.rstrip()):
            continue  # another worker's
        text = text[len(indent) :]
        if not text.strip():
            if seen:
                return None  # it is incomplete
            continue
        frame = _FRAME.match(text)
        if text.startswith((" ", "\t")):
            seen += 1
            if frame is not None:
                frames.append(((number, lines[where][1]), frame))
            continue
        named = _NAME.match(text)
        if named is None:
            return None
        return _exceptional(named, lines, where, at, frames, indent)
    return None


def _syntax(lines: list[Line], at: int) -> Exceptional | None:
    """Read a syntax error, which has no traceback if it is in the main file."""
    start = at - 1
    while start >= 0 and lines[start][1].startswith("  "):
        start -= 1
    frames = [(line, found) for line in lines[start + 1 : at] if (found := _FRAME.match(line[1]))]
    named = _NAME.match(lines[at][1])
    if not frames or named is None:
        return None
    # The location of the error, not of the import.
    line, found = frames[-1]
    place = f"{found['path'].rpartition('/')[2]}:{found['line']}"
    said = reason(f"{lines[at][1]} ({place})", "exception", line, lines[at])
    return Exceptional(said, max(start, 0), at)


def _rich(lines: list[Line], at: int) -> Exceptional | None:
    """Read a traceback of rich: a box, and the exception below it."""
    frames: list[tuple[Line, re.Match[str]]] = []
    for where in range(at + 1, len(lines)):
        text = lines[where][1]
        frame = _RICH_FRAME.match(text)
        if frame is not None:
            frames.append((lines[where], frame))
        if text.startswith(("│", "╰", "╭")) or not text.strip():
            continue
        named = _NAME.match(text)
        return _exceptional(named, lines, where, at, frames, "") if named is not None else None
    return None


def _ipython(lines: list[Line], at: int, name: str) -> Exceptional | None:
    """Read a traceback of IPython, which names the exception first and last."""
    for where in range(at + 1, len(lines)):
        text = lines[where][1]
        named = _NAME.match(text)
        if named is not None and named["path"] + named["name"] == name:
            return _exceptional(named, lines, where, at, [], "")
    return None


def _within_group(lines: list[Line], at: int) -> int | None:
    """Return the index where the exception group that contains the line `at` begins."""
    for where in range(at, -1, -1):
        text = lines[where][1]
        if (found := _GROUP.match(text)) is not None and len(found["indent"]) <= 2:
            return where
        if not text.lstrip().startswith(("|", "+")):
            return None
    return None


def _group(lines: list[Line], start: int) -> Exceptional | None:
    """Read an exception group: its message, and those of its exceptions."""
    at, told, named = start, [], []
    for where in range(start + 1, len(lines)):
        text = lines[where][1]
        if not text.lstrip().startswith(("|", "+")):
            break
        at = where
        inner = _IN_GROUP.match(text)
        found = _NAME.match(inner["text"]) if inner is not None else None
        if found is not None and found["text"] is not None and not found["text"].startswith('"'):
            told.append(lines[where])
            named.append(f"{found['name']}: {found['text']}")
    if not named:
        return None
    first = re.sub(r" \(\d+ sub-exceptions?\)$", "", named[0])
    members = [one for one in named[1:] if "sub-exception" not in one]
    message = f"{first} ({'; '.join(members)})" if members else first
    return Exceptional(reason(message, "exception", *told), start, at)


def _exceptional(
    named: re.Match[str],
    lines: list[Line],
    where: int,
    start: int,
    frames: list[tuple[Line, re.Match[str]]],
    indent: str,
) -> Exceptional:
    """Return the exception that the line `where` names."""
    name, text = named["of"] or named["name"], (named["text"] or "").strip()
    told = [lines[where]]
    following = lines[where + 1] if where + 1 < len(lines) else None
    if not text and named.string.rstrip().endswith(":") and following is not None:
        # Its message begins on the next line.
        text = following[1][len(indent) :].strip("= -")
        told.append(following)
    own = [one for one in frames if not LIBRARY.search(one[0][1])] or frames
    place = ""
    if own:
        line, frame = own[-1]
        told.insert(0, line)
        if not frame["path"].startswith("<"):
            place = f" ({frame['path'].rpartition('/')[2]}:{frame['line']})"
    whole = f"{name}: {text}" if text else name
    is_wrapper = name in _WRAPPERS or named["name"] in _WRAPPERS or _DATALOADER.search(text) is not None
    if name == "KeyboardInterrupt":
        said = reason(f"interrupted{place.replace(' (', ' at ').rstrip(')')} (KeyboardInterrupt)", "signal", *told)
    elif (about := cause(whole)) is not None:
        said = reason(f"{about[1]}{place}", about[0], *told)
    else:
        said = reason(f"{whole}{place}", "exception", *told)
    return Exceptional(said, start, where, is_wrapper)
