"""Starts a shell so that it marks its prompts and commands: it reads our startup files, which in turn read the user's.
Nothing else changes for the shell: a login shell remains one, and the user's files decide everything else. If they

make marks impossible, there are none.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The directory of our startup files.
_FILES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rc")
#: Arguments of a shell that reads its files, and then commands from the terminal.
_USUAL = frozenset({"-i", "-l", "--login"})
_LOGIN = frozenset({"-l", "--login"})
#: Variables for the startup files: the nonce, and the user's variables that had to be replaced.
_MARKS, _ENV, _ZDOTDIR = "PTYTASK_SHELL_MARKS", "PTYTASK_SHELL_ENV", "PTYTASK_SHELL_ZDOTDIR"


def marking(argv: Sequence[str], env: Mapping[str, str], nonce: str, attempt: int) -> tuple[list[str], dict[str, str]]:
    """Return the arguments and the environment with which a shell prints marks. They are unchanged for other shells,
    for other arguments, if the files are missing, and on Windows, where shells could not open their paths.
    """
    given = list(argv), dict(env)
    if os.name == "nt":
        return given
    name = os.path.basename(argv[0]) if argv else ""
    if name not in _CHANGES or not _USUAL.issuperset(argv[1:]) or not os.path.isdir(_FILES):
        return given
    return _CHANGES[name](*given, f"{nonce}.{attempt}")


def _bash(argv: list[str], env: dict[str, str], nonce: str) -> tuple[list[str], dict[str, str]]:
    path = os.path.join(_FILES, "marks.bash")
    env[_MARKS] = nonce
    if _LOGIN.isdisjoint(argv):
        return [argv[0], "--rcfile", path, *argv[1:]], env
    # A login shell ignores --rcfile, but in POSIX mode it reads only $ENV (bash(1), INVOCATION). Our file first leaves
    # that mode.
    if "ENV" in env:
        env[_ENV] = env["ENV"]
    env["ENV"] = path
    return [argv[0], "--posix", *argv[1:]], env


def _zsh(argv: list[str], env: dict[str, str], nonce: str) -> tuple[list[str], dict[str, str]]:
    if "ZDOTDIR" in env:
        env[_ZDOTDIR] = env["ZDOTDIR"]
    env.update({_MARKS: nonce, "ZDOTDIR": os.path.join(_FILES, "zsh")})
    return argv, env


def _fish(argv: list[str], env: dict[str, str], nonce: str) -> tuple[list[str], dict[str, str]]:
    path = os.path.join(_FILES, "marks.fish").replace("\\", "\\\\").replace("'", "\\'")
    env[_MARKS] = nonce
    return [argv[0], *argv[1:], "--init-command", f"source '{path}'"], env


_CHANGES = {"bash": _bash, "zsh": _zsh, "fish": _fish}
