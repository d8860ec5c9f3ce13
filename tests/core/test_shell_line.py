"""Each shell gets a command line with the options that it supports."""

from __future__ import annotations

import pytest

from jupyter_ptytasks.core.shell_line import by_argument, language


@pytest.mark.parametrize(
    ("shell", "spoken"),
    [
        ("/bin/bash", "sh"),
        ("fish", "sh"),
        ("C:\\Program Files\\Git\\bin\\sh.exe", "sh"),
        ("cmd", "cmd"),
        ("C:\\Windows\\System32\\CMD.EXE", "cmd"),
        ("C:/Windows/System32/WindowsPowerShell/v1.0/powershell.exe", "powershell"),
        ("pwsh", "pwsh"),
        ("C:\\Program Files\\PowerShell\\7\\pwsh.exe", "pwsh"),
        ("/opt/cmd.exe.d/zsh", "sh"),
    ],
)
def test_a_shell_is_known_by_its_name(shell: str, spoken: str) -> None:
    assert language(shell) == spoken


def test_a_line_is_one_argument() -> None:
    line = 'echo "a  b" & exit 3 # end'
    assert by_argument("/bin/sh", line) == ["/bin/sh", "-c", line]
    assert by_argument("cmd.exe", line) == ["cmd.exe", "/d", "/c", line]
    *options, last = by_argument("pwsh", line)
    assert options == ["pwsh", "-NoLogo", "-NoProfile", "-Command"]
    # Its exit code is that of the last program, after whatever ends the line.
    assert last.startswith(f"{line}\nif ($?) {{ exit 0 }} elseif ($LASTEXITCODE) {{ exit $LASTEXITCODE }}")
