"""What goes on while a terminal is attached to a task; the server may go and come back meanwhile."""

from __future__ import annotations

import codecs
import os
import select
import signal
import time
from typing import TYPE_CHECKING, Any

import click

from ..client import ConnectionLost, RequestFailed, ServerNotFound, exit_status, is_live
from .common import note
from .screen import Screen, Wakeups
from .websocket import Connection

if TYPE_CHECKING:
    from ..client import Client, Task
    from .keys import DetachKeys

#: Seconds between two tries to reach a server that has gone, doubling from the first to the second.
_RETRY, _RETRY_MAX = 0.1, 1.0
#: A connection that did not hold for so long (seconds) is not made anew at once.
_STEADY = 5.0
#: Signals that end a sitting, also where SIGINT was ignored by whoever started us, as shells do in the background.
ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
#: What a replay begins with (RIS): the screen is cleared already, and what can be scrolled back to shall stay.
_RIS = "\x1bc"


def attach_terminal(client: Client, task: Task, keys: DetachKeys, *, readonly: bool = False) -> int:
    """Attach this terminal to a task until that has ended or the keys are typed, and give the exit status for it."""
    with Wakeups(signal.SIGWINCH, *ENDING) as wakeups, Screen() as screen:
        sitting = AttachSession(client, task, keys, screen, wakeups, readonly=readonly)
        code = sitting.run()
    if sitting.detached:
        click.echo()
        note(f"detached from {task['name']}, which goes on; back to it: jupyter ptytasks attach {task['id']}")
    return code


class AttachSession:
    """A terminal attached to a task: what is typed goes out, output comes in, over one connection after another."""

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
        #: The offset up to which all is drawn, None while a replay is.
        self._drawn: int | None = None
        self._is_fresh = False
        self._connected = 0.0
        self._has_ended = False
        #: Whether the person has left.
        self.detached = False

    def run(self) -> int:
        """Sit until the end; give the exit status. Raises ClientError where there is nothing to attach to."""
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
        """Wait for the keyboard and the system, and do what they say; give an exit status if that is to end."""
        ready, _, _ = select.select([self._screen.stdin, self._wakeups.fd], [], [], timeout)
        if self._wakeups.fd in ready:
            signals = self._wakeups.read()
            for number in ENDING:
                if number in signals:
                    return 128 + number
            if signal.SIGWINCH in signals:
                self._send("set_size", *self._screen.size)
        if self._screen.stdin not in ready:
            return None
        typed = os.read(self._screen.stdin, 1 << 16)
        if not typed:
            return 128 + signal.SIGHUP
        passed, found = self._keys.feed(typed)
        self.detached = found or (self._readonly and b"\x03" in passed)
        if not self._readonly and (text := self._decoder.decode(passed)):
            self._send("stdin", text)
        return 0 if self.detached else None

    # -- the connection -----------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        # It may be another server than last time: this finds it.
        self._task = self._client.get(self._task["id"])
        query: dict[str, object] = {"flow": "ack", "readonly": int(self._readonly)}
        # A full-screen program draws itself anew, and with it over what we have said.
        if self._drawn is not None and not self._screen.alternate:
            query["offset"] = self._drawn
        self._connection = Connection(self._client.server, self._task["id"], query, self._receive, self._wakeups.wake)
        self._send("set_size", *self._screen.size)
        self._connection.start()
        self._connected = time.monotonic()

    def _reconnect(self) -> int | None:
        """Try to reach the server again until it is back, or the person has had enough of it."""
        self._disconnect()
        self._screen.say(f"the server has gone; trying to reach it again; {self._keys} detaches")
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
                if error.status < 500:  # else its own trouble, while it starts
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

    # -- what the server says (in the thread of the connection) -------------------------------------------------------

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
        # However little it is: whoever acknowledges nothing for a minute is taken not to see.
        connection.send("ack", offset)

    def _take_note(self, about: dict[str, Any]) -> None:
        event = about.get("event")
        if event == "task":
            self._task = about["task"]
        elif event == "replay":
            self._drawn, self._is_fresh = None, True
            self._screen.begin(f"attached to {self._task['name']} ({self._task['id']}); {self._keys} detaches")
        elif event in ("replayed", "resumed"):
            self._drawn = about["offset"]
            if event == "resumed":
                self._screen.say("back again")
        elif event == "refused":
            self._screen.say(f"not typed: {about['message']}")

    def _exit_status(self) -> int:
        if is_live(self._task):
            self._task = self._client.get(self._task["id"])
        return exit_status(self._task)
