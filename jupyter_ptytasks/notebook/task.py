"""A task as a Python object: a reference to the task on the server, which stays valid across restarts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..client import ClientError, is_live, outcome
from ..client import format as formats
from . import bundle, pictures, reading
from .about import About
from .ending import Ending
from .following import Output
from .talking import Conversation
from .verbs import Verbs

if TYPE_CHECKING:
    from datetime import datetime

    from ..client.literals import Command, Scalar, StateName
    from ..client.types import Progress, Usage


class Task(Output, Ending, Verbs, Conversation, About):
    """A task of the server, as returned by `run`, `get` and `tasks`. Two with the same id are equal.

    Properties are at most half a second old; those of a finished task are not updated, except by `restart` and
    `refresh`. Methods always ask the server. While the server is gone, `wait` and following the output retry for five
    minutes; everything else raises ServerNotFound. All errors are those of client.errors. Thread-safe.
    """

    #: The last lines of output that were displayed.
    _tail = ""

    @property
    def name(self) -> str:
        """The name."""
        return self.info["name"]

    @property
    def command(self) -> Command:
        """The command: a shell command line, or a list of arguments."""
        return self.info["command"]

    @property
    def cwd(self) -> str:
        """The working directory it was started in."""
        return self.info["cwd"]

    @property
    def state(self) -> StateName:
        """The state: `running`, `paused`, ..., `succeeded`, `failed`, `cancelled`, `timed_out` or `lost`."""
        return self.info["state"]

    @property
    def live(self) -> bool:
        """Whether the task has not ended yet."""
        return is_live(self.info)

    @property
    def exit_status(self) -> int | None:
        """The exit status as a shell would report it (128 + the number of a signal); None while the task is live.

        It is 0 only if the task succeeded: otherwise 124 stands for a timeout, and 1 for a task that was stopped or
        lost, unless the command itself reported an error.
        """
        return None if is_live(info := self.info) else outcome.exit_status(info)

    @property
    def attempt(self) -> int:
        """How many times the task has been started."""
        return self.info["attempt"]

    @property
    def pid(self) -> int | None:
        """The command's process id on the server's machine."""
        return self.info["pid"]

    @property
    def group(self) -> str:
        """The group."""
        return self.info["group"]

    @property
    def tags(self) -> list[str]:
        """The tags."""
        return list(self.info["tags"])

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata given when it was created."""
        return dict(self.info["metadata"])

    @property
    def params(self) -> dict[str, Scalar]:
        """The parameters from its sweep; empty without a sweep."""
        return dict(self._info.get("params", {}))

    @property
    def started(self) -> datetime | None:
        """When the current attempt was started."""
        return None if (iso := self.info["started"]) is None else formats.moment(iso)

    @property
    def ended(self) -> datetime | None:
        """When the task ended; None while it is live."""
        return None if (iso := self.info["ended"]) is None else formats.moment(iso)

    @property
    def runtime(self) -> float | None:
        """The seconds that the task has run; None if it never ran."""
        return formats.runtime(self.info)

    @property
    def progress(self) -> Progress | None:
        """Progress as in docs/rest.md, with `fraction`, `text`, `eta` and more; None if the task reports none."""
        return self.info["progress"]

    @property
    def metrics(self) -> pictures.Metrics:
        """Metrics with their points: `task.metrics["loss"]` has the lists `step`, `time` (Unix seconds) and `value`.

        In a notebook they are displayed as charts, which are saved with it. See docs/metrics.md for what counts.
        """
        with self._connections.client() as client:
            told = client.metrics(self.id, points=4096)
        return pictures.Metrics(
            (
                one["name"],
                {
                    "step": [float(step) for step in one["steps"]],
                    "time": list(one["times"]),
                    "value": [float(value) for value in one["values"]],
                },
            )
            for one in told["metrics"]
        )

    @property
    def usage(self) -> Usage | None:
        """Resource usage as in docs/rest.md: CPU, memory, GPU; None if unknown."""
        return self.info["usage"]

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        """Return the display of the task in a notebook."""
        return self.view()

    def view(self, lines: int = bundle.LINES) -> dict[str, Any]:
        """Return a MIME bundle with the last `lines` of output.

        If the server cannot be reached, this is the last known state. Never raises ClientError.
        """
        try:
            with self._connections.client() as client:
                self._take(client.get(self.id))
                self._tail = reading.tail(client, self._info, lines, bundle.BYTES)
        except ClientError as error:
            return bundle.bundle(self._info, self._tail, self._heard_at, note=f"last known state: {error.message}")
        return bundle.bundle(self._info, self._tail, self._heard_at)
