"""How a shell gets a command line: as an argument, or in a file if it is too long for an argument."""

from __future__ import annotations

import os

#: Shells that read a file with `source` and do not support POSIX `eval "$(...)"`.
_OTHERS = ("fish", "csh", "tcsh", "nu", "xonsh")
#: Windows shells; all others use the syntax of `sh`.
_WINDOWS = ("cmd", "powershell", "pwsh")
#: Otherwise, PowerShell exits with 1 for all programs that fail (about_PowerShell_exe, "-Command").
_EXIT_CODE = "if ($?) { exit 0 } elseif ($LASTEXITCODE) { exit $LASTEXITCODE } else { exit 1 }"


def language(shell: str) -> str:
    """Return the syntax of a shell: `cmd`, `powershell` (Windows PowerShell), `pwsh`, or `sh`."""
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
    # Not `.`: a sourced file may use `return`, and a syntax error has another exit code. If the file cannot be read,
    # the shell must fail: an empty line would be a success.
    return [shell, "-c", f'eval "$(cat -- {_quote(path)} || echo exit 127)"']


def _quote(path: str) -> str:
    return "'" + path.replace("'", "'\"'\"'") + "'"
