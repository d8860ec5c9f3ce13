"""Starting a ptyhost. No process forks here: `ptyhost/__main__.py` is to be executed for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class NoStarter(Exception):
    """There is no process that starts others."""


def start(
    path: str,  # noqa: ARG001
    request: Mapping[str, Any],  # noqa: ARG001
    fds: Sequence[int],  # noqa: ARG001
    answer_by: float,  # noqa: ARG001
    deadline: float,  # noqa: ARG001
) -> tuple[dict[str, Any], bytes]:
    """Start a ptyhost, and return its report."""
    raise unsupported()


class Children:
    """Ptyhosts that are children of this process: that means nothing here."""

    def adopt(self, pid: int) -> None:
        """Do nothing."""

    def reap(self) -> None:
        """Do nothing."""
