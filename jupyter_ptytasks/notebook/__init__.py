"""The notebook API: functions that start, find, compare and clean up tasks, their classes, and the magics."""

from __future__ import annotations

from .cleaning import clean_up
from .comparing import Comparison, compare
from .groups import Group, group, groups
from .notebooks import run_notebook
from .starting import get, import_task, run, search, tasks
from .sweeps import Sweep, get_sweep, sweep
from .task import Task
from .task_list import TaskList

__all__ = [
    "Comparison",
    "Group",
    "Sweep",
    "Task",
    "TaskList",
    "clean_up",
    "compare",
    "get",
    "get_sweep",
    "group",
    "groups",
    "import_task",
    "run",
    "run_notebook",
    "search",
    "sweep",
    "tasks",
]
