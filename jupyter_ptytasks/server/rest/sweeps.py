"""The routes of sweeps: create, show, retry, release, cancel, delete."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import quote

from jupyter_server.utils import url_path_join

from . import bodies, queries, sweep_bodies
from .base import TaskHandler, needs

if TYPE_CHECKING:
    from ..sweeping import Sweeps as AllSweeps


class _SweepHandler(TaskHandler):
    @property
    def sweeps(self) -> AllSweeps:
        """The verbs for sweeps."""
        sweeps: AllSweeps = self.settings["ptytasks_sweeps"]
        return sweeps


class Sweeps(_SweepHandler):
    """`/sweeps`."""

    @needs("read")
    async def get(self) -> None:
        """List sweeps, newest first."""
        self.query(queries.Strict)
        self.send({"sweeps": await self.sweeps.all()})

    @needs("execute")
    async def post(self) -> None:
        """Create a sweep: queue its tasks, all or none."""
        body = self.body_with_function(sweep_bodies.NewSweep)
        ladder = self.stopper.stop_sequence(body.stop_signals, body.stop_grace)
        sweep = await self.sweeps.create(await asyncio.to_thread(body.sweep, ladder))
        self.set_header("Location", url_path_join(self.base_url, "ptytasks", "api", "sweeps", quote(sweep["id"])))
        self.send(sweep, 201)


class OneSweep(_SweepHandler):
    """`/sweeps/{ref}`."""

    @needs("read")
    async def get(self, ref: str) -> None:
        """Return a sweep."""
        self.query(queries.Strict)
        self.send(await self.sweeps.get(ref))

    @needs("write")
    async def delete(self, ref: str) -> None:
        """Delete the tasks of a sweep and their output."""
        query = self.query(queries.Removal)
        await self.sweeps.delete(ref, stop=query.stop, force=query.force)
        self.send_nothing()


class StartSweep(_SweepHandler):
    """`/sweeps/{ref}/start`."""

    @needs("execute")
    async def post(self, ref: str) -> None:
        """Release the held tasks of a sweep."""
        self.body(bodies.Empty)
        sweep, changed = await self.sweeps.release(ref)
        self.send({"sweep": sweep, "changed": changed}, 202)


class RetrySweep(_SweepHandler):
    """`/sweeps/{ref}/retry`."""

    @needs("execute")
    async def post(self, ref: str) -> None:
        """Requeue the tasks of a sweep that failed, or ended in one of the given states."""
        sweep, changed = await self.sweeps.retry(ref, frozenset(self.body(sweep_bodies.RetryStates).states))
        self.send({"sweep": sweep, "changed": changed}, 202)


class CancelSweep(_SweepHandler):
    """`/sweeps/{ref}/cancel`: starts to stop running tasks without waiting for their end."""

    @needs("write")
    async def post(self, ref: str) -> None:
        """Cancel the tasks of a sweep that have not ended."""
        self.body(bodies.Empty)
        sweep, changed = await self.sweeps.cancel(ref)
        self.send({"sweep": sweep, "changed": changed}, 202)
