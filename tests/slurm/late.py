"""A directory that is shared with the nodes by a real network file system with caches: sshfs, in the mounts of the server
alone. The nodes write to what is below.
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

#: Seconds for which it shows what it has read once, also of files that have grown.
CACHED = 8.0
_SFTP = shutil.which("sftp-server", path="/usr/lib/openssh:/usr/libexec/openssh:/usr/lib/ssh")
#: Mounts of one's own are the administrator's.
CAN_MOUNT = (
    None not in (_SFTP, shutil.which("sshfs"), shutil.which("unshare"))
    and os.geteuid() == 0
    and subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode == 0
    and os.path.exists("/dev/fuse")
)
# By paths that do not say whose they are, and in no environment: a server that was killed has its tasks and nothing else
# left, but what it has mounted is to be there for its scheduler.
_PYTHON = """\
#!/bin/sh
cd '{home}' || exit
[ "$1 $2" = '-m jupyter_server' ] || exec '{python}' "$@"
exec unshare --mount sh -c '
  mount --bind data/ptytasks/tasks below && mount -t tmpfs -o size={room} mirrors runtime/ptytasks/mirror || exit
  env -i PATH="$PATH" setsid sshfs -f -o ssh_command={home}-sftp,{options} box: data/ptytasks/tasks &
  echo $! >> mounted
  until mountpoint -q data/ptytasks/tasks && ! [ data/ptytasks/tasks -ef below ]; do sleep 0.02; done
  exec "$0" "$@"' '{python}' "$@"
"""


class LateServer(LiveServer):
    """A server in `home` that sees the directories of tasks through a cache, and has `room` for mirrors (as mount(8) has
    it).
    """

    def __init__(self, home: Path, *options: str, room: str = "100m") -> None:
        for name in ("data/ptytasks/tasks", "below", "runtime/ptytasks/mirror"):
            (home / name).mkdir(parents=True, mode=0o700)
        python, sftp = home / "python", Path(f"{home}-sftp")
        names = ("dcache_timeout", "entry_timeout", "attr_timeout", "ac_attr_timeout")
        how = ",".join([*(f"{name}={CACHED:.0f}" for name in names), "kernel_cache"])
        python.write_text(_PYTHON.format(home=home, python=sys.executable, options=how, room=room))
        sftp.write_text(f"#!/bin/sh\ncd '{home}/below' && exec {_SFTP}\n")
        for path in (python, sftp):
            path.chmod(0o700)
        super().__init__(home, *options, python=str(python))

    def seen(self, files: TaskFiles) -> Path:
        """Return the path of the output of a task as the server sees it."""
        return Path(f"/proc/{self.pid}/root{files.output}")

    def mirrors(self) -> list[Path]:
        """Return the directories of mirrors."""
        return [path for path in Path(f"/proc/{self.pid}/root{self.runtime}/ptytasks/mirror").glob("*/*-*/output")]

    def stop(self) -> None:
        """End it, and what it has mounted."""
        super().stop()
        for pid in map(int, (self.home / "mounted").read_text().split()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
