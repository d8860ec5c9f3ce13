"""Errors of programs that are not Python, at the end of their output."""

from __future__ import annotations

import re
from dataclasses import dataclass

from . import builds
from .aftermath import is_aftermath, others
from .said import at_place, block_end, first, said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .reason import Line, Reason
    from .said import Reader

#: Number of lines in which an error is searched for.
_WINDOW = 200


@dataclass(frozen=True)
class Said:
    """A reason, and the index of its line."""

    reason: Reason
    at: int


def last_error(lines: list[Line]) -> Said | None:
    """Return the last error in a form that only errors have; otherwise the error in the very last line."""
    for at in range(len(lines) - 1, max(len(lines) - _WINDOW, 0) - 1, -1):
        for read, behind in _READERS.items():
            found = read(lines, at)
            if found is not None and others(lines[found[1] + 1 :]) <= behind:
                return Said(found[0], at)
    return _last_line(lines)


_RUST = re.compile(r"^thread '[^']*'(?: \(\d+\))? panicked at (?P<rest>.*?):?$")
_RUST_OLD = re.compile(r"^'(?P<what>.*)', (?P<where>\S+:\d+:\d+)$")
_RUST_BEHIND = re.compile(r"^(note: |stack backtrace:|\s+\d+: |\s+at )")


def _rust(lines: list[Line], at: int) -> tuple[Reason, int] | None:
    found = _RUST.match(lines[at][1])
    if found is None:
        return None
    old = _RUST_OLD.match(found["rest"])
    told = lines[at : at + 1 if old is not None else at + 2]
    what, where = (old["what"], old["where"]) if old is not None else (told[-1][1].strip(), found["rest"])
    end = block_end(lines, at + len(told) - 1, _RUST_BEHIND)
    return said(f"panic: {what}{at_place(where.rpartition(':')[0])}", *told, kind="panic"), end


def _place(pattern: re.Pattern[str], lines: list[Line]) -> str:
    """Return the location in the first line that matches the pattern; empty if there is none."""
    frame = first(pattern, lines)
    return at_place(frame["path"], frame["line"]) if frame is not None else ""


_GO = re.compile(r"^(?:panic: (?P<panic>.*)|fatal error: (?P<fatal>.*))$")
_GO_ROUTINE = re.compile(r"^goroutine \d+")
_GO_PLACE = re.compile(r"^\s+(?P<path>(?!\S*/src/runtime/)\S*\.go):(?P<line>\d+)")
_GO_BEHIND = re.compile(r"^(goroutine \d+|\s|\S+\(.*\)$|created by |exit status |\[signal |runtime stack:|runtime\.)")


def _go(lines: list[Line], at: int) -> tuple[Reason, int] | None:
    found = _GO.match(lines[at][1])
    if found is None or first(_GO_ROUTINE, lines[at + 1 : at + 8]) is None:
        return None
    end = block_end(lines, at, _GO_BEHIND)
    place = _place(_GO_PLACE, lines[at + 1 : end + 1])
    what = f"panic: {found['panic']}" if found["panic"] else found["fatal"]
    return said(f"{what}{place}", lines[at], kind="panic"), end


_JAVA = re.compile(r'^Exception in thread "[^"]*" (?P<what>(?P<path>(?:[\w$]+\.)*)[\w$]+(?:: .*)?)$')
_JAVA_PLACE = re.compile(r"^\s+at .*\((?P<path>[^():]+):(?P<line>\d+)\)")
_JAVA_BEHIND = re.compile(r"^(\s+at |\s+\.\.\. \d+ more|Caused by: |\s+Suppressed: )")


def _java(lines: list[Line], at: int) -> tuple[Reason, int] | None:
    found = _JAVA.match(lines[at][1])
    if found is None:
        return None
    end = block_end(lines, at, _JAVA_BEHIND)
    causes = [line for line in lines[at + 1 : end + 1] if line[1].startswith("Caused by: ")]
    place = _place(_JAVA_PLACE, lines[at + 1 : end + 1])
    what = found["what"]
    if not what.startswith("java.lang.OutOfMemoryError"):
        what = what[len(found["path"]) :]
    return said(f"{what}{place}", lines[at], *causes[-1:]), end


_NODE = re.compile(r"^(?:Uncaught )?(?P<what>(?:[A-Z]\w*(?:Error|Exception)|Error)(?: \[\w+\])?(?:: .*)?)$")
_NODE_FRAME = re.compile(r"^\s+at ")
_NODE_PLACE = re.compile(r"[(\s](?:file://)?(?P<path>(?!node:)(?!\S*/node_modules/)[^()\s]+):(?P<line>\d+):\d+\)?$")
_NODE_BEHIND = re.compile(r"^(\s|\{|\}|Node\.js v)")


def _node(lines: list[Line], at: int) -> tuple[Reason, int] | None:
    found = _NODE.match(lines[at][1])
    if found is None or first(_NODE_FRAME, lines[at + 1 : at + 2]) is None:
        return None
    end = block_end(lines, at, _NODE_BEHIND)
    place = _place(_NODE_PLACE, lines[at + 1 : end + 1])
    return said(f"{found['what']}{place}", lines[at]), end


_JULIA = re.compile(r"^ERROR: (?:LoadError: )*(?P<what>.+)$")
_JULIA_STACK = re.compile(r"^(Stacktrace:|in expression starting at )")
_JULIA_PLACE = re.compile(r"^in expression starting at (?P<path>.*):(?P<line>\d+)$")
_JULIA_BEHIND = re.compile(r"^(Stacktrace:|\s|in expression starting at |caused by: |\.\.\.)")
_MESSAGE_LINES = 8


def _julia(lines: list[Line], at: int) -> tuple[Reason, int] | None:
    found = _JULIA.match(lines[at][1])
    if found is None:
        return None
    stack = _index(_JULIA_STACK, lines, at)
    if stack is None:
        return None
    end = block_end(lines, stack, _JULIA_BEHIND)
    place = _place(_JULIA_PLACE, lines[at : end + 1])
    return said(f"{found['what']}{place}", lines[at]), end


_R = re.compile(r"^Error(?: in (?P<call>.*?))?\s?: ?(?P<what>.*)$")
_R_END = re.compile(r"^Execution halted")


def _r(lines: list[Line], at: int) -> tuple[Reason, int] | None:
    found = _R.match(lines[at][1])
    end = _index(_R_END, lines, at) if found is not None else None
    if found is None or end is None:
        return None
    told = lines[at : at + 1 if found["what"].strip() else at + 2]
    what = found["what"].strip() or told[-1][1].strip()
    where = f" in {found['call'].strip()}" if found["call"] else ""
    return said(f"error{where}: {what}", *told), end


_RUBY = re.compile(r"^(?P<path>[^\s:]+):(?P<line>\d+):in [`'].*': (?P<what>.*) \((?P<name>[A-Z][\w:]*)\)$")
_RUBY_BEHIND = re.compile(r"^\s+from ")
_PHP = re.compile(
    r"^(?:PHP )?(?:Fatal|Parse) error:\s+(?:Uncaught )?(?P<what>.*?)"
    r"(?: in (?P<path>\S+)(?: on line |:)(?P<line>\d+))?$"
)
_PHP_BEHIND = re.compile(r"^(Stack trace:|#\d|\s+thrown)")
_PERL = re.compile(r"^(?P<what>.+) at (?P<path>\S+) line (?P<line>\d+)(?:, <.*> (?:line|chunk) \d+)?\.$")
_LUA = re.compile(r"^\S*lua\S*: (?P<what>.*)$")
_LUA_STACK = re.compile(r"^stack traceback:")
_LUA_BEHIND = re.compile(r"^(stack traceback:|\s)")


def _script(lines: list[Line], at: int) -> tuple[Reason, int] | None:
    """Read a one-line error of Ruby, PHP, Perl or Lua."""
    text = lines[at][1]
    ruby = _RUBY.match(text)
    if ruby is not None:
        told = said(f"{ruby['name']}: {ruby['what']}{at_place(ruby['path'], ruby['line'])}", lines[at])
        return told, block_end(lines, at, _RUBY_BEHIND)
    php = _PHP.match(text)
    if php is not None:
        told = said(f"{php['what']}{at_place(php['path'], php['line'])}", lines[at])
        return told, block_end(lines, at, _PHP_BEHIND)
    perl = _PERL.match(text)
    if perl is not None:
        return said(f"{perl['what']}{at_place(perl['path'], perl['line'])}", lines[at]), at
    lua = _LUA.match(text)
    if lua is not None and first(_LUA_STACK, lines[at + 1 : at + 3]) is not None:
        return said(lua["what"], lines[at]), block_end(lines, at, _LUA_BEHIND)
    return None


def _index(pattern: re.Pattern[str], lines: list[Line], at: int) -> int | None:
    """Return the index of a matching line shortly after a message."""
    near = range(at + 1, min(at + 1 + _MESSAGE_LINES, len(lines)))
    return next((index for index in near if pattern.match(lines[index][1])), None)


#: The readers, and how many other lines may follow, from other threads or the end of the program.
_READERS: dict[Reader, int] = {
    _rust: 3, _go: 3, _java: 3, _node: 0, _julia: 0, _r: 0, _script: 0, builds.tests: 1, builds.build: 1
}  # fmt: skip

#: The beginning of a program's final error line: `error: …`, `prog: error: …`; or its end: `…: No such file`.
_ERROR = re.compile(r"^(?:\S+: )?(?:fatal error|error|fatal|Error|ERROR|FATAL|Fatal|E)(?:\[\S+\])?: \S.*$")
_ERRNO = re.compile(
    r"^\S+: .*(?:No such file or directory|Permission denied|Is a directory|Not a directory|File exists"
    r"|Connection refused|Connection timed out|No space left on device|Operation not permitted|Read-only file system"
    r"|Disk quota exceeded|Cannot allocate memory|Name or service not known|Temporary failure in name resolution)\.?$"
)


def _last_line(lines: list[Line]) -> Said | None:
    """Return the error in the very last line, if it has the form of an error."""
    for at in range(len(lines) - 1, -1, -1):
        text = lines[at][1].strip()
        if not is_aftermath(text):
            is_error = _ERROR.match(text) or _ERRNO.match(text)
            return Said(said(text, lines[at], kind="error"), at) if is_error else None
    return None
