"""Where a task's files are, and that nobody but the user can reach them."""

from __future__ import annotations

import os
import stat

#: `sun_path` holds 108 bytes on Linux and 104 on macOS, with the closing NUL (unix(7)).
SUN_PATH_MAX = 103


class TaskFiles:
    """The files of one task, by name; makes and reads none of them."""

    __slots__ = ("command", "dir", "exit", "host", "lock", "log", "output", "spec")

    def __init__(self, directory: str) -> None:
        self.dir = directory
        #: What to run; 0600, what was given of the environment may hold secrets.
        self.spec = os.path.join(directory, "spec.json")
        #: The line for the shell, where it is too long for an argument.
        self.command = os.path.join(directory, "command")
        #: Who runs it: pids, start time, boot id, host name, protocol version.
        self.host = os.path.join(directory, "host.json")
        #: How it ended; written last.
        self.exit = os.path.join(directory, "exit.json")
        #: Locked (flock) from before the ptyhost starts until it is gone: nobody holds it, nobody runs.
        self.lock = os.path.join(directory, "lock")
        #: What went wrong in the ptyhost of the last attempt (core.hostlog); bounded.
        self.log = os.path.join(directory, "host.log")
        #: The directory of the ring.
        self.output = os.path.join(directory, "output")


def private_dir(path: str) -> str:
    """Make `path` a directory of this user that nobody else can enter, and return it.

    Raises PermissionError when it belongs to somebody else or is a link somewhere else: in a shared runtime directory
    another user might have put it there to read along.
    """
    os.makedirs(path, mode=0o700, exist_ok=True)
    info = os.lstat(path)
    if not stat.S_ISDIR(info.st_mode) or (hasattr(os, "getuid") and info.st_uid != os.getuid()):
        raise PermissionError(f"{path} is not a directory of this user")
    if stat.S_IMODE(info.st_mode) & 0o077:
        os.chmod(path, 0o700)
    return path


class SocketAddress:
    """A path to give to `bind` or `connect`, also where the real one is too long for `sun_path`.

    A context manager: on Linux a long directory is reached as `/proc/self/fd/N`, which holds while the context is open.
    """

    __slots__ = ("_fd", "_path")

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = -1

    def __enter__(self) -> str:
        if len(os.fsencode(self._path)) <= SUN_PATH_MAX:
            return self._path
        directory, name = os.path.split(self._path)
        if not os.path.isdir("/proc/self/fd"):
            raise OSError(f"the path of the socket is longer than {SUN_PATH_MAX} bytes: {self._path}")
        self._fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return f"/proc/self/fd/{self._fd}/{name}"

    def __exit__(self, *exc: object) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
