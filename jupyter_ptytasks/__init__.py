"""Named background tasks in a pseudo-terminal, for Jupyter.

Nothing heavy is imported here: every ptyhost starts through this package and stays small (docs/architecture.md).
"""

from __future__ import annotations

from ._version import __version__

__all__ = ["__version__"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell Jupyter Server which application to load."""
    from .extension import PtyTasksApp  # noqa: PLC0415

    return [{"module": "jupyter_ptytasks", "app": PtyTasksApp}]
