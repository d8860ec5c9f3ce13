"""The verbs that reach the program in a task's terminal: type, signal, resize."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from ..core import wire
from ..core.errors import (
    HostUnreachable,
    InputRefused,
    InvalidState,
    NotWaiting,
    PasswordWanted,
    TooLarge,
)
from ..core.ring.marks import modes_at
from ..core.waiting.classify import PASSWORD

if TYPE_CHECKING:
    from ..core.model import Task
    from .control import Control
    from .hosts.link import Channel

#: Application cursor keys mode (DECCKM).
_APPLICATION_KEYS = 1
#: Seconds for a program to read its input.
_PATIENCE = 5.0
#: Seconds until the end of a task must be known.
_SETTLING = 2.0
#: Seconds between two attempts to reach a ptyhost that may be about to exit.
_TRYING = 0.1


class Talker:
    """Types into tasks, and sends them signals and sizes. Every verb takes an id or a name and raises errors of
    core.errors: TaskNotFound, InvalidState when the task has not started or has ended, HostUnreachable.
    """

    def __init__(self, control: Control) -> None:
        self._control = control

    async def signal(self, ref: str, name: str, target: str) -> None:
        """Send a signal to the `foreground` group, the whole `tree` or the command itself (`leader`)."""
        _, link = await self._control.reach(ref)
        link.signal(name, target)

    async def resize(self, ref: str, rows: int, cols: int) -> None:
        """Set the size of the task's terminal."""
        _, link = await self._control.reach(ref)
        link.resize(rows, cols)

    async def uses_application_keys(self, ref: str) -> bool:
        """Return whether the program of a task uses application cursor keys."""
        task = await self._control.get(ref)

        def read() -> bool:
            with self._control.open_ring(task) as ring:
                return _APPLICATION_KEYS in modes_at(ring, ring.bounds()[1]).flags

        return await asyncio.to_thread(read)

    async def input(self, ref: str, data: bytes, *, only_if: str | None = None, secret: bool = False) -> Task:
        """Type `data`, and return the task when the terminal has accepted it.

        Raises InputRefused if the program does not read, or if a line is longer than its terminal accepts,
        InvalidState if the task ends first; and, with `only_if`, NotWaiting if the program is not waiting for input
        (`waiting`) or for a password (`password`), PasswordWanted if it asks for one and `data` is not `secret`.
        """
        if only_if and len(data) > wire.MAX_PAYLOAD:
            raise TooLarge(f"an answer may have {wire.MAX_PAYLOAD} bytes", field="data")
        answer = _Answer()
        task, channel = await self._open(ref, answer)
        try:
            if only_if and "waiting" not in channel.capabilities:
                raise NotWaiting("it is not known whether the program waits: it was started by an older version")
            if only_if:
                self._check_secrecy(task, only_if, secret=secret)
            kind = wire.ANSWER if only_if else wire.INPUT
            parts = [data[start : start + wire.MAX_PAYLOAD] for start in range(0, len(data), wire.MAX_PAYLOAD)]
            # In one write: if the input ends the program, its ptyhost may exit before it reads a second one.
            channel.send(b"".join(wire.frame(kind, part) for part in parts) + wire.frame(wire.ASK_STATUS))
            await asyncio.wait_for(answer.came.wait(), _PATIENCE)
        except asyncio.TimeoutError as error:
            raise InputRefused("the program does not read its input; part of it may have been typed") from error
        finally:
            channel.close()
        if answer.status is not None:
            self._note_waiting(task.id, answer.status)
        if answer.refused and answer.refused[0].get("reason") == "not_waiting":
            raise NotWaiting("the program is not waiting for input")
        if answer.refused:
            raise InputRefused(wire.explain_refusal(answer.refused, len(data)))
        if answer.status is None:
            await self._control.ended(task, _SETTLING)
            now = await self._control.get(task.id)
            if not now.live:
                message = f"the task has already ended: {now.state.value}; part of the input may have been typed"
                raise InvalidState(message, field="state")
            raise HostUnreachable("the ptyhost closed the connection; part of the input may have been typed")
        return self._control.look_up(task.id) or task

    def _note_waiting(self, task_id: str, status: dict[str, Any]) -> None:
        """Update what the program is waiting for after input: the link may learn of it later."""
        link = self._control.link(task_id)
        if link is not None and link.status.get("attempt") == status.get("attempt"):
            link.status["waiting"] = status.get("waiting")

    def _check_secrecy(self, task: Task, only_if: str, *, secret: bool) -> None:
        link = self._control.link(task.id)
        found = link.waiting if link is not None else None
        is_masked = found is not None and found["kind"] == PASSWORD
        if only_if == "password" and not is_masked:
            raise NotWaiting("the program is not asking for a password")
        if is_masked and not secret and only_if != "password":
            raise PasswordWanted("the program asks for a password; the input must be marked as secret")

    async def _open(self, ref: str, answer: _Answer) -> tuple[Task, Channel]:
        """Open a connection for input, and return the task with it. Raises InvalidState if the task has ended, even if
        it is just ending: its ptyhost stops responding shortly before this is known. Raises HostUnreachable.
        """
        deadline = time.monotonic() + _SETTLING
        while True:
            task, _ = await self._control.reach(ref)
            try:
                return task, await self._control.open_channel(task, answer.hear, answer.came.set, role="input")
            except HostUnreachable:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(_TRYING)


class _Answer:
    """A ptyhost's response to input."""

    def __init__(self) -> None:
        #: Set when it has accepted everything, or the connection is lost.
        self.came = asyncio.Event()
        #: Its status after it has accepted everything; None until then.
        self.status: dict[str, Any] | None = None
        #: The refused input, and why.
        self.refused: list[dict[str, Any]] = []
        self._is_greeted = False

    def hear(self, kind: int, payload: bytes) -> None:
        """Process a frame."""
        if kind == wire.REFUSED:
            self.refused.append(wire.fields(payload))
        elif kind == wire.STATUS and not self._is_greeted:
            self._is_greeted = True  # every connection begins with one
        elif kind == wire.STATUS:
            self.status = wire.fields(payload)
            self.came.set()
