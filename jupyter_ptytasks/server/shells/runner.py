"""Running a command at the prompt of a shell."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...core.errors import BadRequest, InvalidState, NoMarks, NotAtPrompt, NotWaiting
from ...core.ring.marks import modes_at
from ...core.ring.section import Section
from ...core.states import STARTED
from ..output_lines import LineReader, Mode, Query
from ..search import Cancelled
from ..serialize import waiting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

    from ...core.model import Task
    from ...core.ring.commands import RingCommands
    from ...core.ring.reader import RingReader
    from ...core.shells.commands import Command, CommandLog
    from ..control import Control
    from ..hosts.supervisor import Supervisor
    from ..talking import Talker
    from ..waiting import Waiter
    from .history import Shells

#: Seconds for a shell to read its startup files and show its first prompt, and to be seen waiting at a prompt.
_STARTING = 10.0
_SETTLING = 3.0
#: Bracketed paste mode.
_PASTE = 2004
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_INTERRUPT = b"\x03"


@dataclass(frozen=True)
class Order:
    """The command, how many seconds to wait for its end, and how many of its first and last lines to return."""

    command: str
    timeout: float
    head_lines: int
    tail_lines: int


@dataclass(frozen=True)
class _Look:
    """The state of a shell: whether it has ever printed marks, is running a command, is waiting at its prompt, and
    there is text at the prompt.

    `begun` is where the output of the last command begins, `turn` is as in CommandLog, `end` is the end of the ring,
    `paste` whether the shell distinguishes pasted from typed text (bracketed paste).
    """

    marks: bool
    runs: bool
    at_prompt: bool
    typed: bool
    begun: int
    turn: int
    end: int
    paste: bool


class ShellRunner:
    """Runs commands in shells, one at a time in each."""

    def __init__(
        self, shells: Shells, control: Control, talker: Talker, waiter: Waiter, supervisor: Supervisor
    ) -> None:
        self.shells = shells
        self.control = control
        self.talker = talker
        self.waiter = waiter
        self.supervisor = supervisor
        self._busy: set[str] = set()

    async def execute(self, ref: str, order: Order, cancel: Event) -> dict[str, Any]:
        """Type a command at the prompt of a shell, and return its exit code and output as JSON; after a timeout, the
        output so far. `cancel` is set when the client disconnects; this raises Cancelled.

        Raises NoMarks, NotAtPrompt, TaskNotFound, BadRequest, InvalidState and what Talker.input raises.
        """
        if fault := _CONTROL.search(order.command):
            raise BadRequest(f"command: has the control character {fault[0]!r}", field="command")
        if not order.command.strip():
            raise BadRequest("command: is empty", field="command")
        task = await self.control.get(ref)
        with self._only_one(task):
            return await _Run(self, task, order, cancel).run()

    @contextmanager
    def _only_one(self, task: Task) -> Iterator[None]:
        if task.id in self._busy:
            raise NotAtPrompt("the shell is running a command for another request")
        self._busy.add(task.id)
        try:
            yield
        finally:
            self._busy.discard(task.id)


class _Run:
    """Runs one command for a request."""

    def __init__(self, runner: ShellRunner, task: Task, order: Order, cancel: Event) -> None:
        self._shells = runner.shells
        self._control = runner.control
        self._talker = runner.talker
        self._waiter = runner.waiter
        self._supervisor = runner.supervisor
        self._task = task
        self._order = order
        self._cancel = cancel
        self._deadline = time.monotonic() + order.timeout
        self._began = time.monotonic()

    async def run(self) -> dict[str, Any]:
        """Run it, and return the result. See ShellRunner.execute."""
        with self._waiter.news(self._task.id, self._supervisor.on_output) as news:
            self._watch(True)
            try:
                before = await self._at_prompt(news)
                await self._type(before)
                after = await self._done(before, news)
                if after.at_prompt and after.turn > before.end > after.begun:
                    await self._take_back(news)
                return await self._answer(before, after)
            finally:
                self._watch(False)

    def _watch(self, on: bool) -> None:
        link = self._supervisor.link(self._task.id)
        if link is not None:
            link.watch(on, self)

    async def _look(self) -> _Look:
        if self._cancel.is_set():
            raise Cancelled
        self._task = self._control.look_up(self._task.id) or self._task
        found = await asyncio.to_thread(self._shells.look, self._task, self._state)
        if found is None:
            raise NoMarks("the task is not a shell that marks its commands")
        return found

    def _state(self, commands: RingCommands, ring: RingReader) -> _Look:
        log = commands.log
        own = log.has_marks and log.attempt == self._task.attempt
        at_prompt = own and log.input is not None
        return _Look(
            marks=own,
            runs=own and log.runs,
            at_prompt=at_prompt,
            typed=at_prompt and commands.is_typed_to(ring),
            begun=log.commands[-1].start if log.commands else -1,
            turn=log.turn,
            end=commands.end,
            paste=at_prompt and _PASTE in modes_at(ring, commands.end).flags,
        )

    # -- before the command -------------------------------------------------------------------------------------------

    async def _at_prompt(self, news: asyncio.Event) -> _Look:
        """Wait until the shell is at its prompt. A shell that has just started gets time to show it."""
        if self._task.state not in STARTED:
            raise InvalidState(f"the shell is not running: {self._task.state.value}", field="state")
        settled_by = time.monotonic() + _SETTLING
        while True:
            news.clear()
            look = await self._look()
            now = time.monotonic()
            if self._task.state not in STARTED:
                raise InvalidState("the shell has ended", field="state")
            age = time.time() - (self._task.started or self._task.created)
            if look.typed:
                raise NotAtPrompt("the prompt already has text")
            if look.at_prompt and self._is_waiting():
                return look
            if not look.marks:
                left = min(_STARTING - age, self._deadline - now)
            elif look.runs:
                left = 0.0
            else:
                # At its very first start, fish does some work in the background.
                left = min(max(settled_by - now, _STARTING - age), self._deadline - now)
            if left <= 0 and not look.marks:
                raise NoMarks("the shell does not mark its prompts: see docs/shells.md")
            if left <= 0:
                raise NotAtPrompt("the shell is not at its prompt: it is running a command or another shell")
            await _hear(news, left)

    def _is_waiting(self) -> bool:
        return waiting(self._task, self._supervisor.link(self._task.id)) is not None

    async def _type(self, look: _Look) -> None:
        command = self._order.command
        if look.paste:
            data = f"\x1b[200~{command}\x1b[201~\r"
        elif "\n" in command or "\t" in command:
            raise BadRequest("command: this shell takes one line without tabs at a time", field="command")
        else:
            data = f"{command}\r"
        self._began = time.monotonic()
        try:
            await self._talker.input(self._task.id, data.encode(), only_if="waiting")
        except NotWaiting as error:
            raise NotAtPrompt("the shell is no longer at its prompt") from error

    # -- after the command --------------------------------------------------------------------------------------------

    async def _done(self, before: _Look, news: asyncio.Event) -> _Look:
        """Wait until the shell is at its prompt again, has ended, or the time is over."""
        while True:
            news.clear()
            live = (self._control.look_up(self._task.id) or self._task).live
            look = await self._look()
            left = self._deadline - time.monotonic()
            if (look.at_prompt and look.turn > before.end) or not live or left <= 0:
                return look
            await _hear(news, left)

    async def _take_back(self, news: asyncio.Event) -> None:
        """Erase a line with a syntax error, which fish leaves at the prompt."""
        interrupted = False
        deadline = time.monotonic() + _SETTLING
        while (left := deadline - time.monotonic()) > 0:
            news.clear()
            look = await self._look()
            if not look.at_prompt or (not look.typed and (interrupted or self._is_waiting())):
                return
            if look.typed and not interrupted and self._is_waiting():
                await self._talker.input(self._task.id, _INTERRUPT)
                interrupted = True
            await _hear(news, left)

    async def _answer(self, before: _Look, after: _Look) -> dict[str, Any]:
        done = after.at_prompt and after.turn > before.end
        told = await asyncio.to_thread(
            self._shells.look, self._task, lambda commands, ring: self._outcome(commands, ring, before, done)
        )
        assert told is not None
        task = self._task
        reason = "done" if done else "timeout" if task.live else "exit"
        return {
            **told,
            "reason": reason,
            "waiting": None if done else waiting(task, self._supervisor.link(task.id)),
        }

    def _outcome(self, commands: RingCommands, ring: RingReader, before: _Look, done: bool) -> dict[str, Any]:
        log = commands.log
        run = [command for command in log.commands if command.start > before.end]
        start, end, line = self._place(log, run, ring, before, commands.end)
        query = Query(
            since=line,
            mode=Mode.HEAD_TAIL,
            head_lines=self._order.head_lines,
            tail_lines=self._order.tail_lines,
        )
        size = (self._task.rows, self._task.cols)
        text = LineReader(Section(ring, start, end, line), size=size).read(query)
        times = [command.duration for command in run]
        known = bool(times) and None not in times
        return {
            "id": self._task.id,
            "exit": log.status if done else self._task.exit.code if not self._task.live else None,
            "output": text["output"],
            "duration": sum(filter(None, times)) if done and known else time.monotonic() - self._began,
            "cwd": run[0].cwd if run else log.cwd,
            "first_line": text["first_line"],
            "lines_omitted": text["lines_omitted"],
            "truncated": text["truncated"],
        }

    def _place(
        self, log: CommandLog, run: list[Command], ring: RingReader, before: _Look, end: int
    ) -> tuple[int, int, int]:
        """Return the location of the output: its start and end offsets, and the number of its first line."""
        if run:
            last = run[-1].end
            return run[0].start, end if last is None else last, run[0].line
        # A syntax error: the message follows the typed text.
        turn = log.turn if log.turn > before.end else end
        data = ring.read_range(before.end, turn)
        begin = before.end + data.find(b"\n") + 1
        known = ring.bases()
        base = max((base for base in known if base <= begin), default=begin)
        line = ring.line(base) + ring.read_range(base, begin).count(b"\n") if known else 0
        mark = ring.read_range(begin, turn).rfind(b"\x1b]133;")
        return begin, begin + mark if mark >= 0 else turn, line


async def _hear(news: asyncio.Event, timeout: float) -> None:
    try:
        await asyncio.wait_for(news.wait(), timeout)
    except asyncio.TimeoutError:
        pass
