"""A pseudo-terminal of Windows (ConPTY), to be built on pywinpty: tasks do not run there yet."""

from __future__ import annotations

import errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Spawned:
    """A process `pid`, ready to become a command, which does not run until it is released."""

    pid: int

    def release(self) -> None:
        """Let the command run."""
        raise _unsupported()

    def abandon(self) -> None:
        """Kill the process, unless it is gone."""
        raise _unsupported()


class WindowsPty:
    """A pseudo-terminal. Raises OSError."""

    def __init__(self, rows: int, cols: int) -> None:  # noqa: ARG002
        raise _unsupported()

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        raise _unsupported()

    def spawn(self, argv: list[bytes], env: Mapping[bytes, bytes], cwd: str, umask: int) -> Spawned:  # noqa: ARG002
        """Return a process that will be `argv` as soon as it is released."""
        raise _unsupported()

    def read(self, limit: int) -> bytes | None:  # noqa: ARG002
        """Return what the program wrote."""
        raise _unsupported()

    def takes(self, data: bytes) -> bool:  # noqa: ARG002
        """Return whether the terminal can take all of `data`."""
        raise _unsupported()

    @property
    def line_max(self) -> int:
        """The most bytes of a line in line mode, without its end."""
        raise _unsupported()

    def look(self) -> None:
        """Forget what was typed into the line if a program has left line mode, and so has read it."""
        raise _unsupported()

    def write(self, data: bytes | bytearray | memoryview) -> int:  # noqa: ARG002
        """Type `data`; return how many bytes the terminal took."""
        raise _unsupported()

    def resize(self, rows: int, cols: int) -> None:  # noqa: ARG002
        """Set the size of the terminal."""
        raise _unsupported()

    def foreground_group(self) -> int:
        """Return 0: there are no process groups."""
        return 0

    @property
    def device(self) -> int:
        """Return 0: a console is no device."""
        return 0

    def mode(self) -> tuple[bool, bool] | None:
        """Return None: the mode of a console cannot be seen from here."""
        return None

    @property
    def typed(self) -> bytes:
        """Nothing: a console keeps its line to itself."""
        return b""

    def close(self) -> None:
        """Close the terminal."""


def _unsupported() -> OSError:
    return OSError(errno.ENOSYS, "tasks cannot run on Windows yet")
