"""The program of a command on Windows: found as by a shell, with its arguments as one line."""

from __future__ import annotations

import ntpath
import os
import shutil
import subprocess
from dataclasses import dataclass

from ..core.errors import SpawnFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The most characters of a name in a message.
_SHOWN = 200
_BATCH = (".bat", ".cmd")
_CMD = ("cmd", "cmd.exe")
#: The longest line that cmd.exe accepts, in characters. It truncates longer ones.
_CMD_MAX = 8191


@dataclass(frozen=True)
class Start:
    """What to start: the path of a program, its arguments as one line, and the environment block."""

    name: str
    program: str
    arguments: str
    environment: str

    def failure(self, why: object) -> SpawnFailed:
        """Return the error for a program that could not be started."""
        return SpawnFailed(f"{self.name[:_SHOWN]} cannot be started: {why}", field="command")


def prepare(argv: Sequence[bytes], env: Mapping[bytes, bytes], cwd: str) -> Start:
    """Return what to start. Raises SpawnFailed, with `field` `command` or `cwd`, if that is not possible."""
    words = [_text(word) for word in argv]
    variables = merge({_text(name): _text(value) for name, value in env.items()})
    if not os.path.isdir(cwd):
        raise SpawnFailed(f"the task cannot run in {cwd}: no such directory", field="cwd")
    by_name = {name.upper(): value for name, value in variables.items()}
    name = words[0] if not os.path.dirname(words[0]) else os.path.join(cwd, words[0])
    program = shutil.which(name, path=by_name.get("PATH", ""))
    if program is None:
        raise SpawnFailed(f"{words[0][:_SHOWN]} cannot be started: there is no such program", field="command")
    arguments = command_line(words)
    if program.lower().endswith(_BATCH):
        arguments, program = _by_cmd(program, words[1:]), by_name.get("COMSPEC", "cmd.exe")
    if _is_cmd(program):
        _check_cmd(arguments, cwd)
    block = "".join(f"{name}={value}\0" for name, value in variables.items())
    return Start(words[0], program, f" {arguments}" if arguments else "", block)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def merge(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables; of those whose names only differ in case, which are one to Windows, only the last."""
    last = {name.upper(): name for name in env}
    return {name: value for name, value in env.items() if last[name.upper()] == name}


def command_line(words: Sequence[str]) -> str:
    """Return the arguments in `words`, which begin with the name of the program, as one line.

    Most programs parse such a line as Microsoft's C library does. cmd.exe does not: what follows `/c` or `/k` is a
    command line in its own language, and is passed unchanged.
    """
    if _is_cmd(words[0]):
        for at, word in enumerate(words[1:], 1):
            if word.lower() in ("/c", "/k"):
                line = words[at + 1] if len(words) == at + 2 else subprocess.list2cmdline(words[at + 1 :])
                # With /s, cmd.exe removes exactly these two quotes.
                return f'{" ".join(["/s", *words[1 : at + 1]])} "{line}"'
    return subprocess.list2cmdline(words[1:])


def _is_cmd(program: str) -> bool:
    return ntpath.basename(program).lower() in _CMD


def _check_cmd(arguments: str, cwd: str) -> None:
    """Raise SpawnFailed for commands that cmd.exe accepts but does not run as requested."""
    if cwd.startswith("\\\\"):
        # cmd.exe would run in the Windows directory instead.
        raise SpawnFailed(f"cmd.exe cannot run in {cwd}, which has no drive letter", field="cwd")
    if len(arguments) > _CMD_MAX:
        message = f"the line for cmd.exe has {len(arguments)} characters; it takes {_CMD_MAX}"
        raise SpawnFailed(message, field="command")


def _by_cmd(batch: str, arguments: Sequence[str]) -> str:
    """Return the line with which cmd.exe runs a batch file. Raises SpawnFailed for arguments that cannot be passed."""
    for word in arguments:
        if any(character in word for character in '"%\r\n'):
            raise SpawnFailed('an argument of a batch file must not contain ", % or the end of a line', field="command")
    words = " ".join(f'"{word}"' for word in (batch, *arguments))
    return f'/d /v:off /s /c "{words}"'
