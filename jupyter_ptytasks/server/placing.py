"""Checks that a task can run, and be queued, at the requested place. Every error names the field and the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.errors import BadRequest

if TYPE_CHECKING:
    from ..core.model import TaskRequest
    from ..provision.base import Provisioners


def check_place(request: TaskRequest, provisioners: Provisioners, *, waits: bool) -> None:
    """Raise BadRequest if a task cannot run at its place, or cannot be queued there if it `waits`."""
    if not request.place:
        if request.resources:
            raise BadRequest("resources: not supported on this machine", field="resources")
        return
    place = provisioners.at(request.place)
    for name in request.resources:
        if name not in place.takes:
            raise BadRequest(f"resources.{name}: {place.name} does not accept it", field=f"resources.{name}")
    if request.turn.gpus is not None:
        raise BadRequest("gpus: these are GPUs of this machine; there it is resources.gpus", field="gpus")
    if request.function is not None and not place.shares_files:
        raise BadRequest(f"function: {place.name} does not see the files of this machine", field="function")
    if waits and not place.waits:
        raise BadRequest(f"place: tasks of {place.name} do not wait in the queue", field="place")
    if request.turn.after and any(one.startswith("--dep") for one in request.resources.get("extra", ())):
        raise BadRequest("resources.extra: --dependency cannot be combined with after", field="resources.extra")
