"""Named background tasks in a pseudo-terminal, for Jupyter.

Imports nothing heavy: every ptyhost is started through this package and must stay small (docs/architecture.md).
"""

from __future__ import annotations

from ._version import __version__

__all__ = [
    "Comparison",
    "Group",
    "Sweep",
    "Task",
    "TaskList",
    "__version__",
    "clean_up",
    "compare",
    "get",
    "get_sweep",
    "group",
    "groups",
    "import_task",
    "log",
    "progress",
    "run",
    "run_notebook",
    "search",
    "sweep",
    "tasks",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from IPython.core.interactiveshell import InteractiveShell

    from ._progress import log, progress
    from .notebook import (
        Comparison,
        Group,
        Sweep,
        Task,
        TaskList,
        clean_up,
        compare,
        get,
        get_sweep,
        group,
        groups,
        import_task,
        run,
        run_notebook,
        search,
        sweep,
        tasks,
    )

#: Names imported on first use, and their modules.
_LAZY = {
    **{name: "notebook" for name in __all__ if name != "__version__"},
    "progress": "_progress",
    "log": "_progress",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    value = globals()[name] = getattr(import_module(f".{_LAZY[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the magics `%task` and `%%task`, for `%load_ext jupyter_ptytasks`."""
    from .notebook.magics import load  # noqa: PLC0415

    load(shell)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Return the server extension, for Jupyter Server."""
    from .server.extension import PtyTasksApp  # noqa: PLC0415

    return [{"module": "jupyter_ptytasks", "app": PtyTasksApp}]
