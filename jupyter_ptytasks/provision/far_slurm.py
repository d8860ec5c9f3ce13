"""Tasks as jobs of a Slurm cluster that is reached over ssh and shares no files with this machine.

Slurm's commands, and the files that a job reads, go over the connection to a host of the cluster. The output of a task
is copied into its directory here. A task ends here (verdicts) only after all of its output has been copied.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress

from ..core.errors import HostUnreachable, PlaceUnreachable
from ..core.files import read_json, write_bytes, write_json
from ..core.slurm import Stage
from ..core.states import STARTED
from .base import right_away
from .commands import KEPT
from .copies import Copies
from .handles import Handles
from .remote import Relay
from .remover import Remover
from .report import read_report
from .slurm import Batch, script
from .ssh import ANSWER, REST, reach, sent_environment
from .steps import step

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from typing import Any

    from ..core.model import Task
    from ..storage.locks import Lock
    from ..storage.task_dirs import TaskDirs
    from .base import Launched, Submitted
    from .channels import Tail
    from .connection import Connections
    from .handles import Handle

#: Seconds between two checks of the remote directory: of a running task, and of one whose job starts or has ended.
_LOOK, _LOOK_SOON = 2.0, 0.3
#: Seconds after which it is read even if its modification time is the same: a file system may show changes late.
_LOOK_AGAIN = 10.0


class FarSlurmProvisioner(Batch):
    """The cluster of a `host`, as the place `name`. With `follows`, the output of running tasks is copied while it
    grows, not only at the end. For the other arguments see Batch.
    """

    def __init__(
        self,
        name: str,
        host: str,
        connections: Connections,
        task_dirs: TaskDirs,
        data_dir: str,
        runtime_dir: str,
        *,
        interval: float,
        per_minute: int,
        follows: bool = True,
    ) -> None:
        super().__init__(
            name, self._run_there, Handles(task_dirs, self._prevent), task_dirs, data_dir, runtime_dir,
            interval=interval, per_minute=per_minute,
        )  # fmt: skip
        self._for_scheduler |= {"host": host, "ssh": connections.for_scheduler()}
        self._connection = connections.to(host)
        self._copies = Copies(self._connection, task_dirs)
        self._remover = Remover(self._connection, task_dirs, name)
        self._follows = follows
        #: By task: when its remote directory was last checked and read (monotonic seconds), and the result. One thread
        #: at a time does this.
        self._seen: dict[str, tuple[float, float, dict[str, Any]]] = {}
        self._looking = threading.Lock()
        #: The copies that come with the connections to ptyhosts.
        self._live: dict[str, Tail] = {}

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """See Provisioner.begin."""
        self._connection.begin(loop)

    def close(self) -> None:
        """See Provisioner.close."""
        super().close()
        self._remover.close()
        self._connection.close()

    def to_json(self) -> dict[str, Any]:
        """See Provisioner.to_json."""
        about = {"name": self.name, "kind": "slurm", **self._connection.to_json()}
        return {**about, "reachable": False, "problem": self.jobs.problem} if self.jobs.problem else about

    def reach(self) -> None:
        """See Provisioner.reach."""
        reach(self._connection)

    def machine(self, task: Task) -> str | None:  # noqa: ARG002
        """See Provisioner.machine."""
        return self._connection.host if self._connection.problem else None

    # -- actions on the cluster ---------------------------------------------------------------------------------------

    async def _call(self, name: str, **said: Any) -> dict[str, Any]:
        return await (await self._connection.reach()).call(name, **said)

    def _ask(self, name: str, **said: Any) -> dict[str, Any]:
        """Return the answer to a call that is fast. Raises PlaceUnreachable."""
        reach(self._connection)
        try:
            answer = self._connection.wait(self._call(name, **said), ANSWER)
        except (HostUnreachable, TimeoutError) as error:
            raise PlaceUnreachable(f"{self._connection.host} does not respond") from error
        return answer

    def _run_there(self, argv: Sequence[str], text: str, patience: float) -> tuple[int | None, str, str]:
        """See Commands.run."""
        reach(self._connection)
        try:
            done = self._connection.wait(self._call("run", argv=[*argv], text=text, keep=KEPT), patience)
        except (HostUnreachable, TimeoutError):
            return None, "", f"{argv[0]}: no response from {self._connection.host}"
        if "error" in done:
            return 127, "", f"{argv[0]}: {done['error'].get('message')}"
        return done["code"], done["out"], done["said"]

    def _user(self) -> str:
        return str(self._ask("about").get("user"))

    def launch(
        self,
        task: Task,
        lock: Lock,
        env: Mapping[str, str],
        go: Callable[[], None] = right_away,
    ) -> Launched | Submitted:
        """See Provisioner.launch."""
        submitted = super().launch(task, lock, env, go)
        if task.turn.retry is None:
            self._task_dirs.specs.forget_environment(task.id)  # the job has it
        return submitted

    def _prepare(self, task: Task, spec: dict[str, Any], env: Mapping[str, str], handle: Handle) -> str:
        # Our queue and retries do not concern the job.
        sent = {**spec, "given_env": {}, "queue": {}}
        with self._task_dirs.open_ring(task.id) as ring:
            end = ring.bounds()[1]
        answer = self._ask("prepare", spec=sent, env=sent_environment(task, spec, env), handle=handle, end=end)
        if "error" in answer:
            read_report(answer, "")
        return script(answer["python"], answer["program"], answer["directory"], handle)

    def _prevent(self, task: Task, handle: Handle) -> bool:
        """See Handles. Asks the host, which may know of a start that is not known here."""
        answer = self._ask("give_up", id=task.id, attempt=task.attempt, handle=handle)
        if "error" in answer:
            raise PlaceUnreachable(f"{self._connection.host}: {answer['error'].get('message')}")
        return not answer["runs"]

    # -- outcomes -----------------------------------------------------------------------------------------------------

    def poll(self, tasks: Iterable[Task]) -> dict[str, dict[str, Any]]:
        """See Provisioner.poll. If the host cannot be reached, there is no news."""
        asked = list(tasks)
        # One thread polls for all; other callers try again later.
        if not asked or not self._looking.acquire(blocking=False):
            return {}
        try:
            self.jobs.refresh()  # before the directories are read
            self._look(asked)
            known = [task for task in asked if task.id in self._seen and self._is_here(task)]
        except (PlaceUnreachable, HostUnreachable, TimeoutError):
            return {}
        finally:
            self._looking.release()
        return self._verdicts.poll(known)

    def _is_over(self, task: Task) -> bool:
        """Return whether the job of a task has ended, or is unknown, according to squeue."""
        row = self.jobs.rows.get(task.job.get("id", ""))
        return row is None or row.stage is Stage.OVER

    def _look(self, tasks: Iterable[Task]) -> None:
        """Read the remote directories of all tasks that are due, in one call, and store the results here."""
        now = time.monotonic()
        due: dict[str, int | None] = {}
        for task in tasks:
            looked, read, seen = self._seen.get(task.id, (-_LOOK, -_LOOK_AGAIN, {}))
            is_urgent = task.state not in STARTED or self._is_over(task)
            if now - looked >= (_LOOK_SOON if is_urgent else _LOOK):
                due[task.id] = seen.get("changed") if now - read < _LOOK_AGAIN else None
        answers = self._ask("peek", tasks=due) if due else {}
        for task in tasks:
            found = answers.get(task.id)
            if found is not None:
                self._note(task, found)
                self._seen[task.id] = now, now, found
            elif task.id in answers:
                self._seen[task.id] = now, *self._seen[task.id][1:]
            if task.id in answers and self._follows and task.state in STARTED and not self._is_over(task):
                self._connection.wait(self._copy_new(task), ANSWER)

    def _note(self, task: Task, found: Mapping[str, Any]) -> None:
        """Store the state of the remote directory here, except what must come after the output."""
        files = self._task_dirs.files(task.id)
        for path, record in ((files.host, found["host"]), (files.start, found["start"])):
            if record is not None and record != read_json(path):
                write_json(path, record)
        if found["start"] is None:
            with suppress(FileNotFoundError):
                os.unlink(files.start)  # of an earlier attempt
        if found["log"] and found["host"] is None:
            write_bytes(files.log, f"{found['log']}\n".encode())

    def _is_here(self, task: Task) -> bool:
        """Return whether all files of an ended task have been copied here; copy them if not."""
        _, _, seen = self._seen[task.id]
        has_exited = seen["exited"] == task.attempt
        if seen["host"] is None or not (has_exited or self._is_over(task)):
            return True
        if has_exited and (read_json(self._task_dirs.files(task.id).exit) or {}).get("attempt") == task.attempt:
            return True
        return self._connection.wait(self._copies.fetch_rest(task), REST)

    async def _copy_new(self, task: Task) -> None:
        """Copy new output of a task, unless it arrives over the connection to its ptyhost."""
        live = self._live.get(task.id)
        if live is None or live.ended.done():
            (await self._copies.follow(task)).poke()

    # -- connections --------------------------------------------------------------------------------------------------

    async def connect(self, task: Task, protocol: Callable[[], asyncio.BaseProtocol]) -> None:
        """See Provisioner.connect."""
        relay = await self._reach(task)
        tail = self._live.get(task.id)
        if tail is None or tail.attempt != task.attempt or tail.ended.done():
            files = self._task_dirs.files(task.id)
            tail = self._live[task.id] = await relay.tail(task.id, task.attempt, files, follow=True)
        relay.connect(task.id, protocol, tail)

    def _step(self, task: Task) -> list[str]:
        running = self._running(task)
        try:
            there = self._ask("about")
        except PlaceUnreachable as error:
            raise HostUnreachable(error.message) from error
        return step(*running, there["python"], there["program"], "relay", there["data_dir"])

    async def _start_relay(self, argv: list[str]) -> Relay:
        return await Relay.over(await self._connection.reach(), argv, KEPT)

    def clean_up(self, active: Collection[str]) -> None:
        """See Provisioner.clean_up."""
        super().clean_up(active)
        known = frozenset(active)
        with self._looking:
            self._seen = {task_id: seen for task_id, seen in self._seen.items() if task_id in known}
        self._connection.soon(lambda: self._forget_all_but(known))
        if self._connection.is_up:
            self.remove_deleted()

    def _forget_all_but(self, active: Collection[str]) -> None:
        self._copies.forget_all_but(active)
        for task_id in self._live.keys() - active:
            del self._live[task_id]

    def remove_deleted(self) -> None:
        """See Provisioner.remove_deleted."""
        self._connection.soon(self._remover.remove_soon)
