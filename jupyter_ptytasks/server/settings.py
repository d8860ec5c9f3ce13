"""What can be configured, and the defaults that depend on the machine."""

from __future__ import annotations

import os
import shlex
import shutil
from typing import TYPE_CHECKING, Any

from jupyter_core.paths import jupyter_data_dir, jupyter_runtime_dir
from traitlets import (
    Bool,
    Dict,
    Enum,
    Float,
    HasTraits,
    Integer,
    List,
    TraitError,
    Unicode,
    Union,
    default,
    validate,
)

from ..core import mounts
from ..core.model import COLS, ROWS
from ..provision.local import LocalProvisioner
from . import configured
from .spec import SpawnDefaults

if TYPE_CHECKING:
    from traitlets import Bunch

#: Login shells of service accounts, which cannot run commands.
_NO_SHELLS = ("nologin", "false", "true", "sync", "shutdown", "halt", "git-shell")


class Settings(HasTraits):
    """The settings of the extension, a base class of `PtyTasksApp`: configured as `c.PtyTasksApp`."""

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
        help="Whether finished output is read once, in a process with the lowest priority, so that the first search of "
        "it is as fast as later ones.",
    ).tag(config=True)
    slurm = Bool(
        None,
        allow_none=True,
        help="Whether tasks may run as jobs of Slurm (place `slurm`); by default if `sbatch` and `squeue` are found.",
    ).tag(config=True)
    slurm_interval = Float(
        2.0, min=0.1, help="Minimum number of seconds between two calls of squeue; one call is for all jobs."
    ).tag(config=True)
    slurm_per_minute = Integer(
        20, min=1, help="Maximum number of jobs submitted to Slurm per minute; further tasks wait in the queue."
    ).tag(config=True)
    places = Dict(
        help="Further places where tasks run, by name (docs/cluster.md): a Slurm behind ssh, "
        '{"cluster": {"engine": "slurm", "site": "ssh:login1"}}, or another batch system, by a provider of Parsl, '
        '{"pbs": {"engine": "parsl", "provider": "PBSProProvider", "options": {"queue": "workq"}}}.'
    ).tag(config=True)
    shared_files = Union(
        [Enum(mounts.WORDS), Dict(Enum(mounts.WORDS))],
        default_value=mounts.AUTO,
        help="How the file system of the tasks' directory shows what other machines write: `coherent` (immediately), "
        "`cached` (some seconds late, as with NFS: the output of jobs comes over the connection to their nodes while a "
        'viewer is attached), or `auto` (by its type). For all places, or by their names: {"slurm": "cached"}.',
    ).tag(config=True)
    ssh_places = Bool(
        True, help="Whether tasks may run on other machines that `ssh` reaches without a prompt (`ssh:<host>`)."
    ).tag(config=True)
    ssh_command = List(Unicode(), ["ssh"], help="The ssh program, with its options.").tag(config=True)
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

    @default("keep_size")
    def _default_keep_size(self) -> int:
        place = self.data_dir
        while place and not os.path.isdir(place):
            place = os.path.dirname(place)
        return min(5 << 30, shutil.disk_usage(place or "/").total // 10)

    @validate("places")
    def _check_places(self, proposal: Bunch) -> dict[str, Any]:
        try:
            configured.check(proposal["value"])
        except ValueError as error:
            raise TraitError(f"PtyTasksApp.places: {error}") from error
        return dict(proposal["value"])

    def spawn_defaults(self, *, root: str, server_url: str) -> SpawnDefaults:
        """Return the defaults for tasks of a server at `server_url` with the root directory `root`."""
        return SpawnDefaults(
            shell=tuple(self.shell_command),
            environ=os.environ,
            root=root,
            provisioner=LocalProvisioner.name,
            server_url=server_url,
            rows=self.default_rows,
            cols=self.default_cols,
            ring_size=self.ring_size,
            segment_size=self.segment_size,
            grace=self.stop_grace,
            marks_shells=self.shell_integration,
        )

    def files_of(self, place: str) -> str:
        """Return the setting for the files that a place shares (core.mounts.WORDS)."""
        said = self.shared_files
        return str(said.get(place, mounts.AUTO) if isinstance(said, dict) else said)


def shell_of(given: str | list[str] | None) -> list[str]:
    """Return the command of the shell: the one `given` for Jupyter's terminals, or that of the account."""
    if given:
        # Backslashes are part of paths on Windows.
        return shlex.split(given, posix=os.name == "posix") if isinstance(given, str) else list(given)
    if os.name == "nt":
        return [shutil.which("powershell.exe") or os.environ.get("COMSPEC", "cmd.exe")]
    # A login shell, as in jupyter_server_terminals: a server started by a hub has not read the user's profile.
    return [_usable_shell(os.environ.get("SHELL")) or shutil.which("sh") or "/bin/sh", "-l"]


def _usable_shell(shell: str | None) -> str | None:
    """Return the path of a shell; None if it is not installed or cannot run commands."""
    return shutil.which(shell) if shell and os.path.basename(shell) not in _NO_SHELLS else None
