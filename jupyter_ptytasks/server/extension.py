"""The Jupyter Server extension: its settings, how the parts are put together, and how they begin and end."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
from typing import TYPE_CHECKING, Any

from jupyter_core.paths import jupyter_data_dir, jupyter_runtime_dir
from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Dict, Enum, Float, Integer, List, TraitError, Unicode, Union, default, validate

from ..core import mounts, shell_line
from ..core.local_token import LocalToken
from ..core.model import COLS, ROWS
from ..core.platform import detach, files
from ..provision import ssh
from ..provision.base import Provisioners
from ..provision.commands import environment
from ..provision.connection import Connections
from ..provision.local import LocalProvisioner
from ..provision.slurm import SlurmProvisioner
from ..storage.database import Database
from ..storage.groups import Groups
from ..storage.locks import Locks
from ..storage.task_dirs import TaskDirs
from . import auth, configured
from .activity import Activity
from .archiving import Archives
from .cleaning import Cleaner
from .conditions import Conditions
from .context import Context
from .control import Control
from .details import Details
from .events import Announcer, GroupAnnouncer, register
from .events.progress import ProgressAnnouncer
from .events.waiting import WaitingAnnouncer
from .exporter import Exporter
from .hosts.supervisor import Supervisor
from .housekeeping import Housekeeping
from .journal import Journal
from .launching import Launcher
from .many import Many
from .monitor.endings import Explainer
from .monitor.metrics import MetricsBook
from .monitor.progress import Tracker
from .monitor.sampler import Sampler
from .monitor.sentinels import Sentinels
from .pending import Pending
from .queueing import Queue
from .reading_ahead import ReadingAhead
from .recovery import Recovery
from .rest import MCP_ROUTE, OFF_ROUTE, ROUTES, SOCKET_ROUTE, UNKNOWN_ROUTE
from .retention import Retention
from .serialize import TaskSerializer
from .shells.history import Shells
from .shells.runner import ShellRunner
from .spec import SpawnDefaults
from .store import Store
from .sweeping import Sweeps
from .talking import Talker
from .terminals.manager import TaskTerminals
from .terminals.screen import Emulator
from .terminals.websocket import TaskSocket
from .waiting import Waiter

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp
    from traitlets import Bunch

    from ..provision.base import Provisioner

_DAY = 86400.0
#: Bytes that an imported task may have besides what rings of this size may have: metrics, times, and room to spare.
_IMPORT_BESIDE = 128 << 20
#: What accounts of services have for a shell: it runs nothing.
_NO_SHELLS = ("nologin", "false", "true", "sync", "shutdown", "halt", "git-shell")


class PtyTasksApp(ExtensionApp):
    """Named background tasks in a pseudo-terminal: they outlive the browser, the kernel and the server."""

    name = "jupyter_ptytasks"
    description = "Named background tasks in a pseudo-terminal"

    data_dir = Unicode(
        help="Directory of tasks and their output; by default `ptytasks` in Jupyter's data directory."
    ).tag(config=True)
    runtime_dir = Unicode(
        help="Directory of the ptyhosts' sockets and locks; by default `ptytasks` in Jupyter's runtime directory."
    ).tag(config=True)
    shell_command = List(
        Unicode(),
        help="Command of the shell. Interactive shells are started with all of its arguments, command lines with the "
        "first and `-c`. By default as for Jupyter's terminals: ServerApp.terminado_settings, $SHELL, sh.",
    ).tag(config=True)
    max_live_tasks = Integer(100, min=1, help="Maximum number of running tasks.").tag(config=True)
    ring_size = Integer(
        64 << 20, min=1 << 16, help="Bytes of output kept for each task; the oldest are discarded first."
    ).tag(config=True)
    segment_size = Integer(4 << 20, min=1 << 12, help="Bytes per output file; output is discarded file by file.").tag(
        config=True
    )
    default_rows = Integer(ROWS, min=1, max=1000, help="Initial rows of a terminal.").tag(config=True)
    default_cols = Integer(COLS, min=1, max=1000, help="Initial columns of a terminal.").tag(config=True)
    stop_grace = Float(
        10.0,
        min=0.0,
        help="Grace period of the stop sequence: seconds after SIGINT, and again after SIGTERM.",
    ).tag(config=True)
    keep_days = Float(30.0, min=0.0, help="Days for which finished tasks and their output are kept.").tag(config=True)
    keep_count = Integer(500, min=0, help="Maximum number of finished tasks to keep.").tag(config=True)
    keep_size = Integer(
        None,
        allow_none=True,
        min=0,
        help="Maximum bytes on disk for finished tasks; by default a tenth of the file system, at most 5 GiB. "
        "None: no limit.",
    ).tag(config=True)
    keep_alive_days = Float(
        7.0,
        min=0.0,
        help="Days for which a running task counts as activity, so that the server is not culled or shut down as "
        "idle. 0: it never counts.",
    ).tag(config=True)
    shutdown_policy = Enum(
        ["keep", "stop"],
        default_value="keep",
        help="What happens to live tasks when the server shuts down: `keep` them running, or `stop` them.",
    ).tag(config=True)

    shell_integration = Bool(
        True, help="Whether interactive shells (bash, zsh, fish) mark their prompts and commands: see docs/shells.md."
    ).tag(config=True)
    read_ahead = Bool(
        True,
        help="Whether finished output is read once, while nothing else wants the processor, so that the first search "
        "of it is as fast as the next ones.",
    ).tag(config=True)
    slurm = Bool(
        None,
        allow_none=True,
        help="Whether tasks may run as jobs of Slurm (place `slurm`); by default if `sbatch` and `squeue` are there.",
    ).tag(config=True)
    slurm_interval = Float(
        2.0, min=0.1, help="Seconds between two calls of squeue, which asks for all jobs at once, at the least."
    ).tag(config=True)
    slurm_per_minute = Integer(
        20, min=1, help="Jobs that are submitted to Slurm in a minute at most; further tasks wait in the queue."
    ).tag(config=True)
    places = Dict(
        help="Further places where tasks run, by name (docs/cluster.md): a Slurm behind ssh, "
        '{"cluster": {"engine": "slurm", "site": "ssh:login1"}}, or another batch system, by a provider of Parsl, '
        '{"pbs": {"engine": "parsl", "provider": "PBSProProvider", "options": {"queue": "workq"}}}.'
    ).tag(config=True)
    shared_files = Union(
        [Enum(mounts.WORDS), Dict(Enum(mounts.WORDS))],
        default_value=mounts.AUTO,
        help="How the file system of the tasks' directory shows what other machines write: `coherent` (at once), "
        "`cached` (some seconds late, as with NFS: the output of jobs comes over the connection to their nodes while a "
        'viewer is attached), or `auto` (by its type). For all places, or by their names: {"slurm": "cached"}.',
    ).tag(config=True)
    ssh_places = Bool(
        True, help="Whether tasks may run on other machines that `ssh` leads to without a question (`ssh:<host>`)."
    ).tag(config=True)
    ssh_command = List(Unicode(), ["ssh"], help="The program that leads there, with options of its own.").tag(
        config=True
    )
    ssh_keep = Float(
        600.0,
        min=1.0,
        help="Seconds for which a connection is kept after the last task of the host has ended: the next one starts "
        "without a login.",
    ).tag(config=True)

    @default("data_dir")
    def _default_data_dir(self) -> str:
        return os.path.join(jupyter_data_dir(), "ptytasks")

    @default("runtime_dir")
    def _default_runtime_dir(self) -> str:
        return os.path.join(jupyter_runtime_dir(), "ptytasks")

    @default("shell_command")
    def _default_shell_command(self) -> list[str]:
        given = self._server.terminado_settings.get("shell_command")
        if given:
            # Backslashes are part of paths on Windows.
            return shlex.split(given, posix=os.name == "posix") if isinstance(given, str) else list(given)
        if os.name == "nt":
            return [shutil.which("powershell.exe") or os.environ.get("COMSPEC", "cmd.exe")]
        # A login shell, as in jupyter_server_terminals: a server that a hub has started has seen no profile.
        return [_usable_shell(os.environ.get("SHELL")) or shutil.which("sh") or "/bin/sh", "-l"]

    @default("keep_size")
    def _default_keep_size(self) -> int:
        place = self.data_dir
        while place and not os.path.isdir(place):
            place = os.path.dirname(place)
        return min(5 << 30, shutil.disk_usage(place or "/").total // 10)

    @property
    def _server(self) -> ServerApp:
        server = self.serverapp
        assert server is not None
        return server

    def initialize_settings(self) -> None:
        """Put the parts together; nothing runs yet."""
        self._enabled = False
        self.local_token = LocalToken(jupyter_runtime_dir(), os.getpid())
        self.settings[auth.SETTING] = self.local_token
        if not self._server.terminals_enabled:
            self.log.info("jupyter_ptytasks is disabled because ServerApp.terminals_enabled is False")
            return
        self._enabled = True
        if not detach.can_leave():
            self.log.warning("tasks end with the job object of this server, which does not let processes leave it")
        self._tell_front_end()
        task_dirs = TaskDirs(self.data_dir, [self.runtime_dir])
        self.store = store = Store(lambda: self._database(task_dirs))
        connections = Connections(self.ssh_command, self.ssh_keep) if self.ssh_places and self.ssh_command else None
        self.provisioners = provisioners = Provisioners(
            LocalProvisioner(task_dirs, self.runtime_dir),
            *self._places(task_dirs, connections),
            find=lambda place: ssh.find(place, connections, task_dirs),
            found_by={ssh.PREFIX: connections.for_scheduler()} if connections is not None else None,
        )
        self.supervisor = supervisor = Supervisor(store, task_dirs, provisioners, self.log)
        self.metrics_book = MetricsBook(store, task_dirs, self.log)
        self.tracker = Tracker(store, supervisor, task_dirs, self.metrics_book, self.log)
        self.sentinels = Sentinels(store, supervisor, self.tracker)
        self.explainer = Explainer(store, supervisor, task_dirs, self.log)
        self.sampler = Sampler(store, supervisor, provisioners, self.log)
        self.queue = queue = Queue(
            store=store,
            groups=Groups(self.data_dir, self._locks()),
            provisioners=provisioners,
            data_dir=self.data_dir,
            runtime_dir=self.runtime_dir,
            max_live=self.max_live_tasks,
        )
        # Before those who announce changes: whoever asks then, is told.
        self.journal = Journal(store, supervisor, queue)
        serializer = TaskSerializer(supervisor, task_dirs, self.tracker, self.sentinels, self.sampler, queue, self.log)
        self._announce(store, supervisor, queue, serializer)
        context = Context(store, task_dirs, provisioners, self._spawn_defaults)
        self.control = control = Control(context, supervisor)
        talker = Talker(control)
        self.launcher = launcher = Launcher(context, control, queue, supervisor, max_live=self.max_live_tasks)
        pending = Pending(context, control, queue)
        conditions = Conditions(control, Waiter(store, supervisor), supervisor, self.tracker)
        shells = Shells(control, task_dirs)
        many = Many(context, control, queue)
        sweeps = Sweeps(context, many, queue)
        self.terminals = TaskTerminals(
            control=control, launcher=launcher, store=store, supervisor=supervisor, serializer=serializer
        )
        for listeners in (self.tracker.listeners, self.sentinels.listeners, self.sampler.listeners):
            listeners.append(self.terminals.note_change)
        self.emulator = Emulator()
        self.recovery = Recovery(
            store=store,
            task_dirs=task_dirs,
            supervisor=supervisor,
            provisioners=provisioners,
            launcher=launcher,
            queue=queue,
            log=self.log,
        )
        self.housekeeping = Housekeeping(
            store=store,
            task_dirs=task_dirs,
            provisioners=provisioners,
            control=control,
            retention=Retention(self.keep_days * _DAY, self.keep_count, self.keep_size),
            log=self.log,
        )
        self.reading_ahead = ReadingAhead(
            store=store, task_dirs=task_dirs, data_dir=self.data_dir, runtime_dir=self.runtime_dir, log=self.log
        )
        self.exporter = Exporter(store, queue, supervisor, self.housekeeping)
        self.activity = Activity(store, self._server.web_app.settings, self.keep_alive_days * _DAY)
        self.settings.update(
            {
                "ptytasks_control": control,
                "ptytasks_talker": talker,
                "ptytasks_launcher": launcher,
                "ptytasks_pending": pending,
                "ptytasks_store": store,
                "ptytasks_journal": self.journal,
                "ptytasks_queue": queue,
                "ptytasks_sweeps": sweeps,
                "ptytasks_many": many,
                "ptytasks_conditions": conditions,
                "ptytasks_shells": shells,
                "ptytasks_shell_runner": ShellRunner(shells, control, talker, Waiter(store, supervisor), supervisor),
                "ptytasks_details": Details(control, task_dirs),
                "ptytasks_archives": Archives(
                    control=control,
                    store=store,
                    task_dirs=task_dirs,
                    spawn_defaults=self._spawn_defaults,
                    limit=4 * self.ring_size + _IMPORT_BESIDE,
                ),
                "ptytasks_cleaner": Cleaner(store, control, self.housekeeping, self.tracker.metrics),
                "ptytasks_provisioners": provisioners,
                "ptytasks_ssh_places": self.ssh_places,
                "ptytasks_serializer": serializer,
                "ptytasks_terminals": self.terminals,
                "ptytasks_emulator": self.emulator,
                "ptytasks_explainer": self.explainer,
                "ptytasks_tracker": self.tracker,
                "ptytasks_housekeeping": self.housekeeping,
                "ptytasks_recovery": self.recovery,
            }
        )

    def _tell_front_end(self) -> None:
        """Tell JupyterLab's pages whose language command lines have to be in."""
        shell = shell_line.language(self.shell_command[0]) if self.shell_command else "sh"
        self._server.web_app.settings.setdefault("page_config_data", {})["ptytasksShell"] = shell

    @validate("places")
    def _check_places(self, proposal: Bunch) -> dict[str, Any]:
        try:
            configured.check(proposal["value"])
        except ValueError as error:
            raise TraitError(f"PtyTasksApp.places: {error}") from error
        return dict(proposal["value"])

    def _places(self, task_dirs: TaskDirs, connections: Connections | None) -> list[Provisioner]:
        """Return the places that are there without being asked for, and those that are configured."""
        where = task_dirs, self.data_dir, self.runtime_dir
        paces: dict[str, Any] = {"interval": self.slurm_interval, "per_minute": self.slurm_per_minute}
        is_there = shutil.which("sbatch") is not None and shutil.which("squeue") is not None
        found: list[Provisioner] = []
        if is_there if self.slurm is None else self.slurm:
            known = self._seen_files("slurm")
            found.append(SlurmProvisioner(*where, **paces, env=environment(), shared_files=known))
        return found + configured.places(self.places, *where, connections, self._seen_files, **paces)

    def _seen_files(self, place: str) -> str:
        """Return what is said of the files that a place shares."""
        said = self.shared_files
        return str(said.get(place, mounts.AUTO) if isinstance(said, dict) else said)

    def _database(self, task_dirs: TaskDirs) -> Database:
        path = os.path.join(self.data_dir, "tasks.db")
        return Database(path, task_dirs.tasks, task_dirs.task, self._locks(), task_dirs.submitted)

    def _locks(self) -> Locks:
        return Locks(self.data_dir, [self.runtime_dir])

    def _announce(self, store: Store, supervisor: Supervisor, queue: Queue, serializer: TaskSerializer) -> None:
        """Emit events, if the server has an event logger."""
        self._progress: ProgressAnnouncer | None = None
        self._waiting: WaitingAnnouncer | None = None
        logger = self._server.event_logger
        if logger is not None:
            register(logger)
            store.listeners.append(Announcer(logger))
            queue.listeners.append(GroupAnnouncer(logger))
            self._progress = ProgressAnnouncer(logger, store, serializer)
            self._waiting = WaitingAnnouncer(logger, store, supervisor)
            for listeners in (self.tracker.listeners, self.sentinels.listeners, self.sampler.listeners):
                listeners.append(self._progress)

    def initialize_handlers(self) -> None:
        """Offer the routes."""
        if not self._enabled:
            self.handlers.append(OFF_ROUTE)
            return
        self.handlers.extend(ROUTES)
        self.handlers.append(MCP_ROUTE)
        self.handlers.append((SOCKET_ROUTE, TaskSocket, {"term_manager": self.terminals}))
        self.handlers.append(UNKNOWN_ROUTE)

    def _spawn_defaults(self) -> SpawnDefaults:
        return SpawnDefaults(
            shell=tuple(self.shell_command),
            environ=os.environ,
            root=os.path.expanduser(self._server.root_dir),
            provisioner=LocalProvisioner.name,
            server_url=self._server.connection_url,
            rows=self.default_rows,
            cols=self.default_cols,
            ring_size=self.ring_size,
            segment_size=self.segment_size,
            grace=self.stop_grace,
            marks_shells=self.shell_integration,
        )

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:  # noqa: ARG002
        """Find the tasks again, once the loop runs."""
        if not self._enabled:
            return
        self.provisioners.begin(asyncio.get_running_loop())
        try:
            files.private_dir(self.runtime_dir)
            if auth.takes_local_token(self._server.identity_provider):
                self.local_token.write()
        except OSError as error:
            # The server itself must still start.
            self.log.warning("the directory for the ptyhosts' sockets cannot be used: %s", error)
        await self.recovery.start()
        self.housekeeping.start()
        if self.read_ahead:
            self.reading_ahead.start()
        self.activity.start()

    def current_activity(self) -> dict[str, str] | None:
        """Return what keeps the server from shutting itself down for lack of activity; None if nothing does."""
        if not self._enabled:
            return None
        return {task.id: task.state.value for task in self.activity.busy()} or None

    async def stop_extension(self) -> None:
        """Disconnect from the tasks; they keep running, unless `shutdown_policy` says otherwise."""
        if not self._enabled:
            return
        self.local_token.remove()
        self.activity.stop()
        self.exporter.close()
        await self.recovery.stop()
        await self.housekeeping.stop()
        await self.reading_ahead.stop()
        await self.sampler.stop()
        if self.shutdown_policy == "stop":
            stops = [self.control.stop(task.id) for task in self.store.live]
            # Their ptyhosts go through the stop sequences whether we wait or not.
            await asyncio.gather(*stops, return_exceptions=True)
        self.launcher.close()
        self.journal.close()
        self.queue.close()
        self.terminals.close()
        await asyncio.to_thread(self.emulator.close)
        if self._waiting is not None:
            self._waiting.close()
        self.sentinels.close()
        self.supervisor.close()
        self.provisioners.close()
        await self.tracker.stop()
        await self.metrics_book.stop()
        await self.explainer.stop()
        if self._progress is not None:
            self._progress.close()
        await self.store.close()


def _usable_shell(shell: str | None) -> str | None:
    """Return the path of a shell that runs commands; None where that is missing, or none."""
    return shutil.which(shell) if shell and os.path.basename(shell) not in _NO_SHELLS else None
