"""How a shell is given a line to run: as an argument, or in a file if it is too long for one argument."""

from __future__ import annotations

import os

#: Shells that read a file by `source` and do not have POSIX `eval "$(...)"`.
_OTHERS = ("fish", "csh", "tcsh", "nu", "xonsh")


#: Shells of Windows, whose options are others.
_CMD = ("cmd", "cmd.exe")
_POWERSHELL = ("powershell", "powershell.exe", "pwsh.exe")


def by_argument(shell: str, line: str) -> list[str]:
    """Return the arguments with which `shell` runs a line."""
    name = shell.replace("\\", "/").rpartition("/")[2].lower()
    if name in _CMD:
        return [shell, "/d", "/c", line]
    if name in _POWERSHELL:
        return [shell, "-NoLogo", "-NoProfile", "-Command", line]
    return [shell, "-c", line]


def by_file(shell: str, path: str) -> list[str]:
    """Return the arguments with which `shell` runs the line in the file at `path`.

    `$0`, `$#`, `$-`, the exit code, the line numbers and the standard input are as with `-c LINE`.
    """
    name = os.path.basename(shell)
    if name == "fish":
        quoted = "'" + path.replace("\\", "\\\\").replace("'", "\\'") + "'"
        return [shell, "-c", f"source {quoted}"]
    if name in _OTHERS:
        return [shell, "-c", f"source {_quote(path)}"]
    # Not `.`: in a sourced file `return` is allowed, and a syntax error has another code. If the file cannot be read,
    # the shell exits: an empty line would be a success.
    return [shell, "-c", f'eval "$(cat -- {_quote(path)} || echo exit 127)"']


def _quote(path: str) -> str:
    return "'" + path.replace("'", "'\"'\"'") + "'"
