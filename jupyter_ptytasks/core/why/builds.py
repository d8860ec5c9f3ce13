"""Errors of tests and builds, which end with a summary; the first error is above it."""

from __future__ import annotations

import re

from .reason import reason
from .said import at_place, first

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .reason import Line, Reason

#: Number of lines above the summary in which errors are searched for.
_ABOVE = 200

_PYTEST = re.compile(r"^=+ (?P<what>(?:.*, )?\d+ (?:failed|errors?)\b.*?)(?: in [\d.]+s.*)? =+$")
_UNITTEST = re.compile(r"^FAILED \((?P<what>(?:failures|errors)=.*)\)$")
_TEST = re.compile(r"^(?:FAILED|ERROR|FAIL:|ERROR:) \S+")
_COMPILER = re.compile(r"^(?P<path>[^\s:]+):(?P<line>\d+)(?::\d+)?: (?:fatal )?error: (?P<what>.+)$")
_LINKER = re.compile(r"^(?P<path>[^\s:]+:)?.*: (?P<what>undefined reference to .*)$")
_RUSTC = re.compile(r"^error(?:\[E\d+\])?: (?P<what>.+)$")
_RUSTC_PLACE = re.compile(r"^\s*--> (?P<path>[^\s:]+):(?P<line>\d+):\d+$")
_COUNTS = re.compile(
    r"^error: (?:aborting due to|could not compile|build failed)|^collect2: |^\S*make(?:\[\d+\])?: \*\*\* "
    r"|^ninja: build stopped|^\d+ errors?(?: generated\.)?$|^compilation terminated\.$"
)


def tests(lines: list[Line], at: int) -> tuple[Reason, int] | None:
    """Read the summary of pytest or unittest."""
    found = _PYTEST.match(lines[at][1]) or _UNITTEST.match(lines[at][1])
    if found is None:
        return None
    failed = [line for line in lines[max(at - _ABOVE, 0) : at] if _TEST.match(line[1])]
    return reason(f"tests failed: {found['what'].replace('=', ': ')}", "tests", *failed[:4], lines[at]), at


def build(lines: list[Line], at: int) -> tuple[Reason, int] | None:
    """Read the first error of a compiler or linker, given the last line of it or of the build tool."""
    if not _COUNTS.match(lines[at][1]):
        return None
    for index in range(max(at - _ABOVE, 0), at):
        text = lines[index][1]
        found = _COMPILER.match(text)
        if found is not None:
            place = at_place(found["path"], found["line"])
            return reason(f"error: {found['what']}{place}", "build", lines[index]), at
        linker = _LINKER.match(text)
        if linker is not None:
            return reason(f"error: {linker['what']}", "build", lines[index]), at
        rustc = _RUSTC.match(text)
        if rustc is not None and not _COUNTS.match(text):
            arrow = first(_RUSTC_PLACE, lines[index + 1 : index + 3])
            place = at_place(arrow["path"], arrow["line"]) if arrow is not None else ""
            return reason(f"error: {rustc['what']}{place}", "build", lines[index]), at
    return None
