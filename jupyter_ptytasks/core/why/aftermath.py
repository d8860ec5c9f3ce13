"""Lines that follow a reason but are not the reason: what other programs say about it; and counting other lines."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .reason import Line

_AFTERMATH = re.compile(
    r"""
    g?make(\[\d+\])?:\ (\*\*\*|Leaving|Entering) | ninja:\ | npm\ (ERR!|error) | error\ Command\ failed
    | srun:\ | slurmstepd:\ | wandb:\ | exit\ status\ \d+$ | Command\ exited\ with | Command\ terminated
    | .*resource_tracker | .*warnings\.warn\( | .*torch\.distributed | \[?[EWI]\d{4}\ | \[W\d{3,} | \[rank\d+\]:\[
    | note:\ run\ with | Execution\ halted | Calls:\  | Set\ the\ environment\ variable\ HYDRA_FULL_ERROR
    | .*\((core\ dumped|Speicherabzug)  | \d{1,3}%\| | .*it/s[\],] | .*s/it[\],] | collect2:\ | ELIFECYCLE
    | Node\.js\ v\d | Sentry\ | Waiting\ up\ to | Press\ Ctrl | [─━=\-_*~^]{3,}$ | \[?Process\ (exited|completed)
    | Traceback\ saved | Exception\ ignored\ in
    """,
    re.VERBOSE,
)


def is_aftermath(text: str) -> bool:
    """Return whether a line is empty, or is what programs write when another one has failed."""
    text = text.strip()
    return not text or _AFTERMATH.match(text) is not None


def others(lines: Iterable[Line]) -> int:
    """Return how many lines are not aftermath."""
    return sum(not is_aftermath(text) for _, text in lines)
