"""The route for the places where tasks can run."""

from __future__ import annotations

import asyncio
from typing import Any

from ...core.errors import PlaceNotFound
from ...core.names import did_you_mean
from ...provision import ssh
from ...provision.connection import hosts
from . import queries
from .base import TaskHandler, needs

#: A host that has not been used yet.
_UNTRIED: dict[str, Any] = {
    "kind": "ssh", "reachable": None, "problem": None, "login": None, "shares_files": False, "output": "copy",
    "queue": True, "resources": [], "calls": {},
}  # fmt: skip


class Places(TaskHandler):
    """`/places`."""

    @needs("read")
    async def get(self) -> None:
        """List the places: this machine, those in use, and the hosts of the user's ssh configuration."""
        self.query(queries.Strict)
        provisioners = self.settings["ptytasks_provisioners"]
        places = list(provisioners.all)
        asked = await asyncio.to_thread(lambda: [(one.calls(), one.output()) for one in places])
        known = {}
        for one, (calls, output) in zip(places, asked, strict=True):
            more = {
                "shares_files": one.shares_files, "output": output, "queue": one.waits, "resources": list(one.takes),
                "calls": calls,
            }  # fmt: skip
            known[one.name] = {"login": None, **one.to_json(), **more}
        if self.settings["ptytasks_ssh_places"]:
            for host in await asyncio.to_thread(hosts):
                name = f"{ssh.PREFIX}{host}"
                known.setdefault(name, {**_UNTRIED, "name": name})
        self.send({"places": list(known.values())})


class PlaceOptions(TaskHandler):
    """`/places/{name}/options`."""

    @needs("read")
    async def get(self, name: str) -> None:
        """Return what a task can request at a place."""
        self.query(queries.Strict)
        about = {"name": name, "resources": [], "partitions": [], "accounts": [], "qos": []}
        known = {one.name: one for one in self.settings["ptytasks_provisioners"].all}
        place = known.get(name)
        if place is not None:
            about |= {"resources": list(place.takes), **await asyncio.to_thread(place.options)}
        elif not (self.settings["ptytasks_ssh_places"] and name.startswith(ssh.PREFIX)):
            raise PlaceNotFound(f"there is no place {name!r}{did_you_mean(name, known)}", field="name")
        self.send(about)
