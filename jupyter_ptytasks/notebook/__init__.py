"""The notebook API: `run`, `get`, `tasks`, `run_notebook`, the class `Task` and its display, the magics."""

from __future__ import annotations

from .notebooks import run_notebook
from .starting import get, run, tasks
from .task import Task
from .task_list import TaskList

__all__ = ["Task", "TaskList", "get", "run", "run_notebook", "tasks"]
