"""The notebook API: `run`, `get`, `tasks`, `sweep`, `run_notebook`, the classes `Task` and `Sweep`, the magics."""

from __future__ import annotations

from .notebooks import run_notebook
from .starting import get, run, tasks
from .sweeps import Sweep, get_sweep, sweep
from .task import Task
from .task_list import TaskList

__all__ = ["Sweep", "Task", "TaskList", "get", "get_sweep", "run", "run_notebook", "sweep", "tasks"]
