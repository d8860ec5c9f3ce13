"""Starting a ptyhost and reading its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import unsupported

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence
    from typing import BinaryIO


def environment() -> dict[str, str]:
    """Return the environment of a ptyhost itself."""
    raise unsupported()


def start(
    argv: Sequence[str],  # noqa: ARG001
    *,
    lock: int,  # noqa: ARG001
    env: dict[str, str],  # noqa: ARG001
    log: BinaryIO,  # noqa: ARG001
) -> subprocess.Popen[bytes]:
    """Start a ptyhost."""
    raise unsupported()


def exchange(process: subprocess.Popen[bytes], data: bytes, patience: float) -> bytes:  # noqa: ARG001
    """Write to a ptyhost that was started, and return its report."""
    raise unsupported()


class Children:
    """Ptyhosts that are children of this process: that means nothing here."""

    def adopt(self, pid: int) -> None:
        """Do nothing."""

    def reap(self) -> None:
        """Do nothing."""
