"""Assembles the parts of the server, and starts and stops them."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from ..storage.database import Database
from ..storage.groups import Groups
from ..storage.locks import Locks
from ..storage.task_dirs import TaskDirs
from . import places
from .activity import Activity
from .archiving import Archives
from .cleaning import Cleaner
from .conditions import Conditions
from .context import Context
from .control import Control
from .details import Details
from .events.announcers import Announcers
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
from .removing import Remover
from .retention import Retention
from .serialize import TaskSerializer
from .shells.history import Shells
from .shells.runner import ShellRunner
from .stopping import Stopper
from .store import Store
from .sweeping import Sweeps
from .talking import Talker
from .terminals.manager import TaskTerminals
from .terminals.screen import Emulator
from .waiting import Waiter

if TYPE_CHECKING:
    import logging

    from jupyter_server.serverapp import ServerApp

    from .settings import Settings
    from .spec import SpawnDefaults

_DAY = 86400.0
#: Additional bytes, beyond multiples of the ring size, that an imported task may have: metrics, times, and a reserve.
_IMPORT_BESIDE = 128 << 20


class Parts:
    """The parts of a server with these settings. Nothing runs until `begin`; the caller closes them."""

    def __init__(self, settings: Settings, server: ServerApp, log: logging.Logger) -> None:
        def spawn_defaults() -> SpawnDefaults:
            root = os.path.expanduser(server.root_dir)
            return settings.spawn_defaults(root=root, server_url=server.connection_url)

        def locks() -> Locks:
            return Locks(settings.data_dir, [settings.runtime_dir])

        def database() -> Database:
            path = os.path.join(settings.data_dir, "tasks.db")
            return Database(path, task_dirs.tasks, task_dirs.task, locks(), task_dirs.submitted)

        task_dirs = TaskDirs(settings.data_dir, [settings.runtime_dir])
        self.store = store = Store(database)
        self.provisioners = provisioners = places.find(settings, task_dirs)
        self.supervisor = supervisor = Supervisor(store, task_dirs, provisioners, log)
        self.metrics_book = MetricsBook(store, task_dirs, log)
        self.tracker = Tracker(store, supervisor, task_dirs, self.metrics_book, log)
        self.sentinels = Sentinels(store, supervisor, self.tracker)
        self.explainer = Explainer(store, supervisor, task_dirs, log)
        self.sampler = Sampler(store, supervisor, provisioners, log)
        measured = (self.tracker.listeners, self.sentinels.listeners, self.sampler.listeners)
        self.queue = queue = Queue(
            store=store,
            groups=Groups(settings.data_dir, locks()),
            provisioners=provisioners,
            data_dir=settings.data_dir,
            runtime_dir=settings.runtime_dir,
            max_live=settings.max_live_tasks,
        )
        # Before the announcers, so that a client that requests changes after an event gets them.
        self.journal = Journal(store, supervisor, queue)
        serializer = TaskSerializer(supervisor, task_dirs, self.tracker, self.sentinels, self.sampler, queue, log)
        self.announcers: Announcers | None = None
        if server.event_logger is not None:
            self.announcers = Announcers(
                server.event_logger,
                store=store,
                supervisor=supervisor,
                queue=queue,
                serializer=serializer,
                measured=measured,
            )
        context = Context(store, task_dirs, provisioners, spawn_defaults)
        waiter = Waiter(store, supervisor)
        control = Control(context, supervisor, waiter)
        self.stopper = stopper = Stopper(context, control, waiter)
        self.remover = remover = Remover(context, control, stopper, supervisor, waiter)
        talker = Talker(control)
        self.launcher = launcher = Launcher(
            context,
            control=control,
            stopper=stopper,
            remover=remover,
            queue=queue,
            supervisor=supervisor,
            max_live=settings.max_live_tasks,
        )
        shells = Shells(control, task_dirs)
        many = Many(context, control, stopper, remover, queue)
        self.terminals = TaskTerminals(
            control=control, launcher=launcher, store=store, supervisor=supervisor, serializer=serializer
        )
        for listeners in measured:
            listeners.append(self.terminals.note_change)
        self.emulator = Emulator()
        self.recovery = Recovery(
            store=store,
            task_dirs=task_dirs,
            supervisor=supervisor,
            provisioners=provisioners,
            launcher=launcher,
            queue=queue,
            log=log,
        )
        self.housekeeping = Housekeeping(
            store=store,
            task_dirs=task_dirs,
            provisioners=provisioners,
            control=control,
            remover=remover,
            retention=Retention(settings.keep_days * _DAY, settings.keep_count, settings.keep_size),
            log=log,
        )
        self.reading_ahead: ReadingAhead | None = None
        if settings.read_ahead:
            self.reading_ahead = ReadingAhead(
                store=store,
                task_dirs=task_dirs,
                data_dir=settings.data_dir,
                runtime_dir=settings.runtime_dir,
                log=log,
            )
        self.exporter = Exporter(store, queue, supervisor, self.housekeeping)
        self.activity = Activity(store, server.web_app.settings, settings.keep_alive_days * _DAY)
        #: The objects that the routes use, by their names in Tornado's settings.
        self.for_routes: dict[str, Any] = {
            "ptytasks_control": control,
            "ptytasks_stopper": stopper,
            "ptytasks_remover": remover,
            "ptytasks_talker": talker,
            "ptytasks_launcher": launcher,
            "ptytasks_pending": Pending(context, control, queue),
            "ptytasks_store": store,
            "ptytasks_journal": self.journal,
            "ptytasks_queue": queue,
            "ptytasks_sweeps": Sweeps(context, many, queue),
            "ptytasks_many": many,
            "ptytasks_conditions": Conditions(control, waiter, supervisor, self.tracker),
            "ptytasks_shells": shells,
            "ptytasks_shell_runner": ShellRunner(shells, control, talker, waiter, supervisor),
            "ptytasks_details": Details(control, task_dirs),
            "ptytasks_archives": Archives(
                control=control,
                store=store,
                task_dirs=task_dirs,
                spawn_defaults=spawn_defaults,
                limit=4 * settings.ring_size + _IMPORT_BESIDE,
            ),
            "ptytasks_cleaner": Cleaner(store, control, remover, self.housekeeping, self.tracker.metrics),
            "ptytasks_provisioners": provisioners,
            "ptytasks_ssh_places": settings.ssh_places,
            "ptytasks_serializer": serializer,
            "ptytasks_terminals": self.terminals,
            "ptytasks_emulator": self.emulator,
            "ptytasks_explainer": self.explainer,
            "ptytasks_tracker": self.tracker,
            "ptytasks_housekeeping": self.housekeeping,
            "ptytasks_recovery": self.recovery,
        }

    async def begin(self) -> None:
        """Find existing tasks and start all background work. Call this on the server's loop."""
        self.provisioners.begin(asyncio.get_running_loop())
        await self.recovery.start()
        self.housekeeping.start()
        if self.reading_ahead is not None:
            self.reading_ahead.start()
        self.activity.start()

    async def close(self, *, stop_tasks: bool) -> None:
        """Disconnect from the tasks; they keep running unless `stop_tasks`."""
        self.activity.stop()
        self.exporter.close()
        await self.recovery.stop()
        await self.housekeeping.stop()
        if self.reading_ahead is not None:
            await self.reading_ahead.stop()
        await self.sampler.stop()
        if stop_tasks:
            stops = [self.stopper.stop(task.id) for task in self.store.live]
            # The ptyhosts complete the stop sequences even without this server.
            await asyncio.gather(*stops, return_exceptions=True)
        self.launcher.close()
        self.journal.close()
        self.queue.close()
        self.terminals.close()
        await asyncio.to_thread(self.emulator.close)
        if self.announcers is not None:
            self.announcers.close()
        self.sentinels.close()
        self.supervisor.close()
        self.provisioners.close()
        await self.tracker.stop()
        await self.metrics_book.stop()
        await self.explainer.stop()
        await self.store.close()
