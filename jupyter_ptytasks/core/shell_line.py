"""Shell lines that are too long for one argument: the shell reads them from a file, and runs them as by `-c LINE`."""

from __future__ import annotations

import os

#: Shells that read a file by `source` and do not have POSIX `eval "$(...)"`.
_OTHERS = ("fish", "csh", "tcsh", "nu", "xonsh")


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
