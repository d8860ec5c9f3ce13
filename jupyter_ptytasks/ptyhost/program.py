"""The program of a command: found as by execvp(3), run as by a shell; and the reason if it cannot be started."""

from __future__ import annotations

import errno
import os

from ..core.errors import SpawnFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import NoReturn

#: Runs a script without `#!`.
_SHELL = b"/bin/sh"
#: Bytes in which the kernel looks for `#!` and the interpreter (BINPRM_BUF_SIZE), and a shell for binary data.
_HEAD = 256
#: The most characters of a name in a message.
_SHOWN = 200


def become(argv: list[bytes], env: Mapping[bytes, bytes]) -> NoReturn:
    """Replace this process by the program in `argv`. Raises OSError, with the path to blame.

    A name without a slash is looked up in the PATH of `env`. A script without `#!` is run by /bin/sh.
    """
    failed = None
    for path in _candidates(argv[0], env):
        try:
            _execute(path, argv, env)
        except OSError as error:
            # As in execvp(3): continue if a directory or file is not accessible, and keep the first such error.
            if error.errno == errno.EACCES or (error.errno == errno.ENOENT and os.path.exists(path)):
                failed = failed or OSError(error.errno, "", path)
            elif error.errno not in (errno.ENOENT, errno.ENOTDIR):
                raise OSError(error.errno, "", path) from error
    raise failed or OSError(errno.ENOENT, "", argv[0])


def _candidates(name: bytes, env: Mapping[bytes, bytes]) -> Iterator[bytes]:
    if b"/" in name:
        yield name
        return
    for directory in env.get(b"PATH", os.fsencode(os.defpath)).split(b":"):
        yield os.path.join(directory, name)


def _execute(path: bytes, argv: list[bytes], env: Mapping[bytes, bytes]) -> None:
    try:
        os.execve(path, argv, env)
    except OSError as error:
        if error.errno != errno.ENOEXEC or b"\0" in _head(path).partition(b"\n")[0]:
            raise
        os.execve(_SHELL, [_SHELL, path, *argv[1:]], env)


def failure(number: int, path: bytes, argv: list[bytes], env: Mapping[bytes, bytes], cwd: str) -> SpawnFailed:
    """Return the error for a program that could not be started, with the likely cause of the errno `number`."""
    shown = argv[0][:_SHOWN].decode("utf-8", "replace")
    field = "command"
    what = os.strerror(number)
    path = os.path.join(os.fsencode(cwd), path)
    if number == errno.E2BIG and sum(map(len, argv)) < sum(len(name) + len(value) for name, value in env.items()):
        field = "env"
    elif number in (errno.ENOENT, errno.EACCES) and os.path.isfile(path):
        what = _blame(path, what)
    elif number == errno.EACCES and os.path.isdir(path):
        what = os.strerror(errno.EISDIR)
    elif number == errno.ENOEXEC:
        what = f"{what}: it is not a program, or one for another system"
    return SpawnFailed(f"{shown} cannot be started: {what}", field=field)


def _blame(path: bytes, what: str) -> str:
    """Return why the kernel does not start a file that exists."""
    if not os.access(path, os.X_OK):
        return f"{what}; the file is not executable"
    head = _head(path)
    if not head.startswith(b"#!"):
        return f"{what}: its dynamic loader; it may be a program for another system"
    # A word ends at a space or a tab, not at a carriage return.
    line = head[2:].partition(b"\n")[0].replace(b"\t", b" ").lstrip(b" ")
    interpreter = line.partition(b" ")[0]
    name = repr(interpreter.decode("utf-8", "replace"))
    endings = "; the file has Windows line endings" if interpreter.endswith(b"\r") else ""
    if os.path.exists(interpreter):
        return f"its interpreter {name} cannot be executed{endings}"
    return f"its interpreter {name} does not exist{endings}"


def _head(path: bytes) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_HEAD)
    except OSError:
        return b""
