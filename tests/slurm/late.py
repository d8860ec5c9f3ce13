"""A directory shared by a real network file system with caches: sshfs, mounted only for the server. The nodes write to
the underlying directory.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.client.live import LiveServer

if TYPE_CHECKING:
    from jupyter_ptytasks.core.paths import TaskFiles

#: Seconds for which it shows what it has read once, also of files that have grown, and that a file was not there.
CACHED = 2
_SFTP = shutil.which("sftp-server", path="/usr/lib/openssh:/usr/libexec/openssh:/usr/lib/ssh")


def _can_mount() -> bool:
    """Return whether it can be mounted here. Mounts of one's own are the administrator's, and in a container they may
    be forbidden, or the device.
    """
    if None in (_SFTP, shutil.which("sshfs"), shutil.which("unshare")) or os.geteuid() != 0:
        return False
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError:
        return False
    return subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode == 0


CAN_MOUNT = _can_mount()
# What is mounted outlives a server that is killed: its scheduler needs it. So it runs in no environment, and by paths
# that do not say whose it is.
_PYTHON = """\
#!/bin/sh
cd '{home}' || exit
[ "$1 $2" = '-m jupyter_server' ] || exec '{python}' "$@"
exec unshare --mount sh -c '
  mount --bind data/ptytasks/tasks below || exit
  env -i PATH="$PATH" setsid sshfs -f -o ssh_command={home}-sftp,{options} box: data/ptytasks/tasks &
  echo $! >> mounted
  until mountpoint -q data/ptytasks/tasks && ! [ data/ptytasks/tasks -ef below ]; do sleep 0.02; done
  exec "$0" "$@"' '{python}' "$@"
"""


class LateServer(LiveServer):
    """A server in `home` that sees the directories of tasks through a cache."""

    def __init__(self, home: Path, *options: str) -> None:
        for name in ("data/ptytasks/tasks", "below"):
            (home / name).mkdir(parents=True, mode=0o700)
        python, sftp = home / "python", Path(f"{home}-sftp")
        names = ("dcache_timeout", "entry_timeout", "negative_timeout", "attr_timeout", "ac_attr_timeout")
        how = ",".join([*(f"{name}={CACHED}" for name in names), "kernel_cache"])
        python.write_text(_PYTHON.format(home=home, python=sys.executable, options=how))
        sftp.write_text(f"#!/bin/sh\ncd '{home}/below' && exec {_SFTP}\n")
        for path in (python, sftp):
            path.chmod(0o700)
        super().__init__(home, *options, python=str(python))

    def seen(self, files: TaskFiles) -> bytes:
        """Return the output of a task as the server sees it in its files."""
        output = Path(f"/proc/{self.pid}/root{files.output}")
        return b"".join(path.read_bytes() for path in sorted(output.glob("*.log")))

    def mirrors(self) -> list[Path]:
        """Return the directories of the output in mirrors."""
        return list(self.runtime.glob("ptytasks/mirror/*/*-*/output"))

    def fill_mirrors(self) -> None:
        """Let there be hardly any room for mirrors."""
        where = str(self.runtime / "ptytasks" / "mirror")
        mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "mirrors", where]
        subprocess.run(["nsenter", "--mount", f"--target={self.pid}", *mount], check=True)

    def stop(self) -> None:
        """End it, and what it has mounted."""
        super().stop()
        for pid in map(int, (self.home / "mounted").read_text().split()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
