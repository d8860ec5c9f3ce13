"""How a shell is given a line to run: as an argument, or in a file if it is too long for one argument."""

from __future__ import annotations

import os

#: Shells that read a file by `source` and do not have POSIX `eval "$(...)"`.
_OTHERS = ("fish", "csh", "tcsh", "nu", "xonsh")
#: Shells of Windows: all others take what `sh` takes.
_WINDOWS = ("cmd", "powershell", "pwsh")
#: The exit code of PowerShell is else 1 for all programs that fail (about_PowerShell_exe, "-Command").
_EXIT_CODE = "if ($?) { exit 0 } elseif ($LASTEXITCODE) { exit $LASTEXITCODE } else { exit 1 }"


def language(shell: str) -> str:
    """Return in whose language a shell takes lines: `cmd`, `powershell` (that of Windows), `pwsh`, or `sh`."""
    name = shell.replace("\\", "/").rpartition("/")[2].lower()
    name = name[:-4] if name.endswith(".exe") else name
    return name if name in _WINDOWS else "sh"


def by_argument(shell: str, line: str) -> list[str]:
    """Return the arguments with which `shell` runs a line."""
    spoken = language(shell)
    if spoken == "sh":
        return [shell, "-c", line]
    if spoken == "cmd":
        return [shell, "/d", "/c", line]
    return [shell, "-NoLogo", "-NoProfile", "-Command", f"{line}\n{_EXIT_CODE}"]


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
