"""A terminal attached to a task: passes keys and output on, and reconnects when the server comes back."""

from __future__ import annotations

import codecs
import time
from typing import TYPE_CHECKING, Any

import click

from ..client import ConnectionLost, RequestFailed, ServerNotFound, exit_status, is_live
from . import values
from .common import note
from .screen import ENDING, HANGUP_STATUS, RESIZED, Screen, Wakeups
from .websocket import Connection

if TYPE_CHECKING:
    from ..client import Client, Task
    from .keys import DetachKeys

#: Seconds between attempts to reconnect: the first pause, doubled up to the second number.
_RETRY, _RETRY_MAX = 0.1, 1.0
#: Seconds a connection must have lasted to be reopened without a longer pause.
_STEADY = 5.0
#: The RIS at the start of a replay: dropped, since the screen is already clear and the scrollback must stay.
_RIS = "\x1bc"


def attach_terminal(client: Client, task: Task, keys: DetachKeys, *, readonly: bool = False) -> int:
    """Attach this terminal until the task ends or the detach keys are typed. Return the exit status to use."""
    with Wakeups() as wakeups, Screen() as screen:
        session = AttachSession(client, task, keys, screen, wakeups, readonly=readonly)
        code = session.run()
    if session.detached:
        click.echo()
        note(f"detached from {task['name']}, which keeps running; reattach: jupyter ptytasks attach {task['id']}")
    return code


class AttachSession:
    """One terminal attached to one task, over one connection after another."""

    def __init__(
        self, client: Client, task: Task, keys: DetachKeys, screen: Screen, wakeups: Wakeups, *, readonly: bool
    ) -> None:
        self._client = client
        self._task = task
        self._keys = keys
        self._screen = screen
        self._wakeups = wakeups
        self._readonly = readonly
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._connection: Connection | None = None
        #: Everything before this offset has been drawn; None during a replay.
        self._drawn: int | None = None
        self._is_fresh = False
        self._connected = 0.0
        self._has_ended = False
        #: The last message about why the task waits.
        self._said = ""
        #: Whether the user detached.
        self.detached = False

    def run(self) -> int:
        """Run the session and return the exit status. Raises ClientError if the task cannot be attached to."""
        try:
            self._connect()
            while True:
                code = self._attend(None)
                if code is not None:
                    return code
                if self._connection is not None and self._connection.is_over:
                    code = self._exit_status() if self._has_ended else self._reconnect()
                if code is not None:
                    return code
        finally:
            self._disconnect()

    def _attend(self, timeout: float | None) -> int | None:
        """Wait for keys and signals and handle them. Return an exit status if the session is to end."""
        typed, signals = self._wakeups.wait(self._screen.stdin, timeout)
        for number in ENDING:
            if number in signals:
                return 128 + number
        if RESIZED in signals:
            self._send("set_size", *self._screen.size)
        if typed is None:
            return None
        if not typed:
            return HANGUP_STATUS
        passed, found = self._keys.feed(typed)
        self.detached = found or (self._readonly and b"\x03" in passed)
        if not self._readonly and (text := self._decoder.decode(passed)):
            self._send("stdin", text)
        return 0 if self.detached else None

    # -- the connection -----------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        # The server may have moved: this request finds it.
        self._task = self._client.get(self._task["id"])
        query: dict[str, object] = {"flow": "ack", "readonly": int(self._readonly)}
        # In a full-screen program a fresh replay also redraws over our own messages.
        if self._drawn is not None and not self._screen.alternate:
            query["offset"] = self._drawn
        self._connection = Connection(self._client.server, self._task["id"], query, self._receive, self._wakeups.wake)
        self._send("set_size", *self._screen.size)
        self._connection.start()
        self._connected = time.monotonic()

    def _reconnect(self) -> int | None:
        """Reconnect; return an exit status if the user leaves before the server is back."""
        self._disconnect()
        self._screen.say(f"connection to the server lost; reconnecting; {self._keys} detaches")
        pause = _RETRY if time.monotonic() - self._connected > _STEADY else _RETRY_MAX
        while True:
            code = self._attend(pause)
            if code is not None:
                return code
            try:
                self._connect()
            except (ServerNotFound, ConnectionLost):
                pause = min(pause * 2, _RETRY_MAX)
                continue
            except RequestFailed as error:
                if error.http_status < 500:  # 5xx: the server is still starting
                    raise
                continue
            return None

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(self, *message: Any) -> None:
        if self._connection is not None:
            self._connection.send(*message)

    # -- messages from the server (in the thread of the connection) --------------------------------------------------

    def _receive(self, connection: Connection, message: list[Any]) -> None:
        kind, *content = message
        if kind == "stdout":
            self._draw(connection, *content)
        elif kind == "disconnect":
            self._has_ended = True
        elif kind == "ptytask":
            self._take_note(content[0])

    def _draw(self, connection: Connection, text: str, offset: int | None = None) -> None:
        if self._is_fresh:
            text, self._is_fresh = text.removeprefix(_RIS), False
        self._screen.draw(text)
        if offset is None:
            return
        self._drawn = offset
        # Even small amounts: a viewer that acknowledges nothing for a minute counts as inactive.
        connection.send("ack", offset)

    def _take_note(self, about: dict[str, Any]) -> None:
        event = about.get("event")
        if event == "task":
            self._task = about["task"]
            if self._drawn is not None:
                self._say_what_it_waits_for()
        elif event == "replay":
            self._drawn, self._is_fresh = None, True
            self._screen.begin(f"attached to {self._task['name']} ({self._task['id']}); {self._keys} detaches")
        elif event in ("replayed", "resumed"):
            self._drawn = about["offset"]
            if event == "resumed":
                self._screen.say("reconnected")
            self._say_what_it_waits_for()
        elif event == "refused":
            self._screen.say(f"not typed: {about['message']}")

    def _say_what_it_waits_for(self) -> None:
        """Print why the task has not started yet."""
        why = values.why(self._task) if self._task["state"] in ("held", "queued") else ""
        if why and why != self._said:
            self._screen.say(f"it has not started: {why}")
        self._said = why

    def _exit_status(self) -> int:
        if is_live(self._task):
            self._task = self._client.get(self._task["id"])
        return exit_status(self._task)
