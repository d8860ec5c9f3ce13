"""The route for what a task's terminal shows now."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from . import queries
from .base import TaskHandler, needs

if TYPE_CHECKING:
    from ..terminals.screen import Emulator


class Screen(TaskHandler):
    """`/tasks/{ref}/screen`."""

    @needs("read")
    async def get(self, ref: str) -> None:
        """Return the screen as JSON, or as text with or without colors."""
        form = self.query(queries.ScreenQuery).format
        task = await self.control.get(ref)
        size = self.to_json(task)
        emulator: Emulator = self.settings["ptytasks_emulator"]
        shown = await emulator.show(partial(self.control.open_ring, task), size["rows"], size["cols"])
        ansi = shown.pop("ansi")
        if form == "json":
            self.send(shown)
            return
        # APIHandler.finish would set the type of JSON.
        text = ansi if form == "ansi" else "\n".join(shown["lines"]).rstrip("\n") + "\n"
        self.finish(text, set_content_type="text/plain; charset=UTF-8")
