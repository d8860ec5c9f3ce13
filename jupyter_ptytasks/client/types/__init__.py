"""Types of the REST API's responses (docs/rest.md): plain dictionaries, passed on unchanged; `null` is None.

`scripts/openapi.py` writes their schemas into docs/openapi.yaml, with what `Says` adds: docstrings are for those who
read it.
"""

from __future__ import annotations

from .about import (
    Attempt,
    Change,
    ChangedNames,
    Details,
    Difference,
    Imported,
    NotesText,
    RunBefore,
    Signaled,
    WarnedOf,
    Why,
    WhyKind,
    WhyLine,
)
from .cleaning import CleanUp, Removable, Spared
from .measured import (
    AnyNumber,
    Measures,
    Metric,
    MetricPoints,
    Metrics,
    Progress,
    Sample,
    Stats,
    TaskWarning,
    Track,
    Usage,
)
from .output import Cursor, Hit, Replay, Screen, Searched, Text
from .places import Calls, Job, Partition, PlaceAbout, PlaceList, PlaceOptions, Resources
from .queue import After, Group, GroupChange, GroupList, Retry, Waiting
from .service import Error, Limits, Status, Storage, Terminal
from .sweeps import Sweep, SweepChange, SweepList, SweepOf
from .talking import CommandOutput, Executed, MatchedLine, ShellCommand, ShellCommands, Typed, Waited
from .tasks import Bounds, Changes, Exit, Git, Page, PartialPage, Task, TasksChange, WaitsFor

__all__ = [
    "After",
    "AnyNumber",
    "Attempt",
    "Bounds",
    "Calls",
    "Change",
    "ChangedNames",
    "Changes",
    "CleanUp",
    "CommandOutput",
    "Cursor",
    "Details",
    "Difference",
    "Error",
    "Executed",
    "Exit",
    "Git",
    "Group",
    "GroupChange",
    "GroupList",
    "Hit",
    "Imported",
    "Job",
    "Limits",
    "MatchedLine",
    "Measures",
    "Metric",
    "MetricPoints",
    "Metrics",
    "NotesText",
    "Page",
    "PartialPage",
    "Partition",
    "PlaceAbout",
    "PlaceList",
    "PlaceOptions",
    "Progress",
    "Removable",
    "Replay",
    "Resources",
    "Retry",
    "RunBefore",
    "Sample",
    "Screen",
    "Searched",
    "ShellCommand",
    "ShellCommands",
    "Signaled",
    "Spared",
    "Stats",
    "Status",
    "Storage",
    "Sweep",
    "SweepChange",
    "SweepList",
    "SweepOf",
    "Task",
    "TaskWarning",
    "TasksChange",
    "Terminal",
    "Text",
    "Track",
    "Typed",
    "Usage",
    "Waited",
    "Waiting",
    "WaitsFor",
    "WarnedOf",
    "Why",
    "WhyKind",
    "WhyLine",
]
