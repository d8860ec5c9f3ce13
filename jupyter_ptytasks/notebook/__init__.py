"""The notebook API: `run`, `get`, `tasks`, `search`, `sweep`, `group`, `run_notebook`, their classes, the magics."""

from __future__ import annotations

from .comparing import Comparison, compare
from .groups import Group, group, groups
from .notebooks import run_notebook
from .starting import get, run, search, tasks
from .sweeps import Sweep, get_sweep, sweep
from .task import Task
from .task_list import TaskList

__all__ = [
    "Comparison",
    "Group",
    "Sweep",
    "Task",
    "TaskList",
    "compare",
    "get",
    "get_sweep",
    "group",
    "groups",
    "run",
    "run_notebook",
    "search",
    "sweep",
    "tasks",
]
