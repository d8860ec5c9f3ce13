"""The client: one method per route of the REST API (docs/rest.md), and a few that combine several."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from .about import AboutMethods
from .archives import ArchiveMethods
from .cleaning import CleanUpMethods
from .connection import path_of
from .groups import GroupMethods
from .measured import MeasureMethods
from .output import OutputMethods
from .searching import SearchMethods
from .sweeps import SweepMethods
from .verbs import VerbMethods

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from .types import PlaceAbout, PlaceOptions, Status


class Client(
    OutputMethods, VerbMethods, MeasureMethods, AboutMethods, GroupMethods, SweepMethods, SearchMethods, CleanUpMethods,
    ArchiveMethods,
):  # fmt: skip
    """A client of the Jupyter server, over HTTP. The server may be on another machine, and may restart.

    Use it as a context manager, or call `close`. Use one client per thread. Methods take the id or name of a task as
    `ref`, and raise errors of client.errors.

    Args:
        url: URL of the server. Without it, the server is discovered (see discovery), again whenever it has moved.
        token: its token.
        timeout: seconds to wait for each response.
        patience: seconds for which waiting and following continue without a server.
        carrier: the transport for requests instead of the network, as used within the server.
    """

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def status(self) -> Status:
        """Return version, number of tasks by state, limits and provisioners."""
        return cast("Status", self._get("status"))

    def places(self) -> Sequence[PlaceAbout]:
        """Return where tasks can run."""
        return cast("Sequence[PlaceAbout]", self._get("places")["places"])

    def place_options(self, name: str) -> PlaceOptions:
        """Return what a task can request at a place (`resources` of `create`)."""
        return cast("PlaceOptions", self._get(path_of(name, "options", of="places")))
