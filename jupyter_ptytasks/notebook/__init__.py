"""Tasks from Python and from cells: `run`, `get`, `tasks`, the object `Task`, its view in a notebook, the magics."""

from __future__ import annotations

from .notebooks import run_notebook
from .starting import get, run, tasks
from .task import Task
from .task_list import TaskList

__all__ = ["Task", "TaskList", "get", "run", "run_notebook", "tasks"]
