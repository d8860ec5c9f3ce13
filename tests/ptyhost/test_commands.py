"""Commands of any length, script and text; invalid ones are refused immediately, with the field at fault."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jupyter_ptytasks.core import execve
from jupyter_ptytasks.core.errors import SpawnFailed
from jupyter_ptytasks.core.shell_line import by_file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.ptyhost.hosting import Hosted

ENV = {"PATH": os.environ["PATH"], "HOME": "/"}
SINGLE = 32 * os.sysconf("SC_PAGE_SIZE")


def failure(hosted: Hosted, *argv: str, env: dict[str, str] | None = None, **spec: object) -> SpawnFailed:
    with pytest.raises(SpawnFailed) as failed:
        hosted.start(*argv, env=ENV if env is None else env, **spec)
    assert not os.path.exists(hosted.files.host)
    assert not os.path.exists(hosted.files.exit)
    json.dumps(failed.value.to_json(), ensure_ascii=False).encode()
    return failed.value


@pytest.mark.parametrize(
    ("argv", "env", "field"),
    [
        ([""], {}, "command"),
        (["", "x"], {}, "command"),
        (["\ud800"], {}, "command"),
        (["true", "a\ud800b"], {}, "command"),
        (["true", "\0"], {}, "command"),
        (["tr\0ue"], {}, "command"),
        (["no-such-command"], {}, "command"),
        (["true", "x" * SINGLE], {}, "command"),
        (["x" * SINGLE], {}, "command"),
        (["true", *["x" * 1000] * 3_000], {}, "command"),
        (["true"], {"A": "\udfff"}, "env"),
        (["true"], {"\ud800": ""}, "env"),
        (["true"], {"A": "\0"}, "env"),
        (["true"], {"": "x"}, "env"),
        (["true"], {"A=B": "x"}, "env"),
        (["true"], {"A": "x" * SINGLE}, "env"),
        (["true"], {f"A{number}": "x" * 1000 for number in range(3_000)}, "env"),
    ],
)
def test_what_cannot_be_started_is_reported_with_its_field(
    hosted: Hosted, argv: list[str], env: dict[str, str], field: str
) -> None:
    error = failure(hosted, *argv, env={**ENV, **env})
    assert error.field == field
    assert len(error.message) < 400


@settings(max_examples=60, deadline=None)
@given(
    argv=st.lists(st.text(max_size=10), min_size=1, max_size=3),
    env=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
)
@example(["\udc80", "\udcff"], {})
@example(["é", "\U0001f600"], {"é": "\udc80"})
def test_what_is_encoded_can_be_executed(argv: list[str], env: dict[str, str]) -> None:
    """execve(2) accepts exactly what passes the check, as far as Python can pass it on."""
    try:
        arguments, variables = execve.encode(argv, env)
    except SpawnFailed as error:
        texts = argv if error.field == "command" else [*env, *env.values()]
        assert any(not text or "\0" in text or "=" in text or not is_unicode(text) for text in texts)
        return
    assert [os.fsdecode(word) for word in arguments] == argv
    done = subprocess.run([b"/bin/echo", *arguments[1:]], env=variables, capture_output=True, check=False)
    assert done.returncode == 0


def is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


@pytest.mark.parametrize("size", [SINGLE - 2, SINGLE - 1, SINGLE])
def test_the_length_of_an_argument_is_the_kernels(size: int) -> None:
    """Exactly those that the kernel refuses are refused."""
    argv = ["true", "x" * size]
    try:
        subprocess.run(argv, env=ENV, check=True)
        possible = True
    except OSError:
        possible = False
    assert execve.fits(argv, ENV) == possible


def test_the_length_of_all_is_the_kernels() -> None:
    def possible(count: int) -> bool:
        try:
            subprocess.run(["true", *["x" * 1000] * count], env=ENV, check=True)
        except OSError:
            return False
        return True

    low, high = 100, 10_000
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if possible(middle) else (low, middle)
    # Some room is left for the path of the program, and for that of a script's interpreter.
    assert execve.fits(["true", *["x" * 1000] * (low - 5)], ENV)
    assert not execve.fits(["true", *["x" * 1000] * (high + 1)], ENV)


# -- scripts ---------------------------------------------------------------------------------------------------------


def script(path: Path, content: bytes, mode: int = 0o755) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("by_path", [True, False])
def test_a_script_without_an_interpreter_is_run_by_sh(hosted: Hosted, tmp_path: Path, by_path: bool) -> None:
    script(tmp_path / "script", b'echo "$0|$1|$#"; exit 4\n')
    env = {**ENV, "PATH": f"/nowhere:{tmp_path}:{ENV['PATH']}"}
    hosted.start("./script" if by_path else "script", "a b", env=env, cwd=str(tmp_path))
    assert hosted.ended()["code"] == 4
    name = "./script" if by_path else f"{tmp_path}/script"
    assert hosted.output() == f"{name}|a b|1\r\n".encode()


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        (
            b"#!/bin/bash\r\necho hi\r\n",
            0o755,
            r"its interpreter '/bin/bash\r' does not exist; the file has Windows line endings",
        ),
        (
            b"#! /bin/sh\r\necho hi\r\n",
            0o755,
            r"its interpreter '/bin/sh\r' does not exist; the file has Windows line endings",
        ),
        (b"#!/no/such/program -x\n", 0o755, "its interpreter '/no/such/program' does not exist"),
        (b"#!\t/no/such/program\t-x", 0o755, "its interpreter '/no/such/program' does not exist"),
        (b"#!/etc/passwd\n", 0o755, "its interpreter '/etc/passwd' cannot be executed"),
        (b"echo hi\n", 0o644, "Permission denied; the file is not executable"),
        (b"\x7fELF\x02\x01\x01\0garbage", 0o755, "Exec format error: it is not a program, or one for another system"),
        (bytes(100), 0o755, "Exec format error: it is not a program, or one for another system"),
    ],
)
def test_a_script_that_cannot_be_run(hosted: Hosted, tmp_path: Path, content: bytes, mode: int, message: str) -> None:
    script(tmp_path / "x.sh", content, mode)
    error = failure(hosted, "./x.sh", cwd=str(tmp_path))
    assert (error.field, error.message) == ("command", f"./x.sh cannot be started: {message}")


def test_a_directory_is_not_a_program(hosted: Hosted, tmp_path: Path) -> None:
    assert failure(hosted, str(tmp_path)).message == f"{tmp_path} cannot be started: Is a directory"


def test_the_path_is_searched_as_by_execvp(hosted: Hosted, tmp_path: Path) -> None:
    """A file that cannot be executed does not hide later ones in the path; without any, it is named in the error."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    script(tmp_path / "one" / "tool", b"#!/no/such/program\n")
    env = {**ENV, "PATH": f"{tmp_path}/one:{tmp_path}/two:{ENV['PATH']}"}
    assert "its interpreter '/no/such/program'" in failure(hosted, "tool", env=env).message
    script(tmp_path / "two" / "tool", b"#!/bin/sh\nexit 5\n")
    hosted.start("tool", env=env)
    assert hosted.ended()["code"] == 5


# -- lines for the shell ----------------------------------------------------------------------------------------------

POSIX = r"""
echo "$0|$#"; say() { echo "says $1"; }; say x
read answer; echo "got <$answer>"
cat <<'END'
here 'it' is "$x" \
END
false; echo "code $?"
trap 'echo bye' EXIT
exit 7
"""
FISH = """
echo "$argv"
read -P '' answer; echo "got <$answer>"
false; echo "code $status"
exit 7
"""
LINES = [
    POSIX,
    "echo one\nif\n",
    "return 3\necho after",
    "no-such-command-here",
    "kill -9 $$",
    "set -e; false; echo no",
    "exec cat",
]
FISH_LINES = [FISH, "echo one\nif\n", "return 3\necho after", "no-such-command-here", "kill -9 %self", "exec cat"]
CASES = [
    *((shell, line) for shell in ("sh", "dash", "bash", "zsh") for line in LINES),
    *(("fish", line) for line in FISH_LINES),
]


@pytest.mark.parametrize(("shell", "line"), CASES)
def test_a_line_from_a_file_does_what_it_does_as_an_argument(tmp_path: Path, shell: str, line: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"there is no {shell} here")
    path = tmp_path / "it's a \\ directory"
    path.mkdir()
    (path / "command").write_text(line)
    usual, by = (
        subprocess.run(argv, input=b"typed\n", capture_output=True, check=False)
        for argv in ([program, "-c", line], by_file(program, str(path / "command")))
    )
    assert (by.returncode, by.stdout) == (usual.returncode, usual.stdout)


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "fish"])
def test_a_line_whose_file_is_missing_fails(tmp_path: Path, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    done = subprocess.run(by_file(shell, str(tmp_path / "none")), capture_output=True, check=False)
    assert done.returncode != 0


@pytest.mark.parametrize("size", [SINGLE, 3 << 20])
def test_a_long_line_runs_from_a_private_file(hosted: Hosted, size: int) -> None:
    line = f'echo "$0|$#"; read answer; echo "got <$answer>"; : {"x" * size}; exit 6'
    hosted.start("/bin/sh", "-c", line, command=line)
    hosted.viewer("one").send(1, b"typed\n")
    assert hosted.ended()["code"] == 6
    # The echo of what is typed comes before or after the first line.
    output = hosted.output().replace(b"typed\r\n", b"", 1)
    assert output == b"/bin/sh|0\r\ngot <typed>\r\n"
    assert os.stat(hosted.files.command).st_mode & 0o077 == 0


def test_a_short_line_makes_no_file(hosted: Hosted) -> None:
    hosted.start("/bin/sh", "-c", "exit 6", command="exit 6")
    assert hosted.ended()["code"] == 6
    assert not os.path.exists(hosted.files.command)


def test_a_long_line_that_is_not_text(hosted: Hosted) -> None:
    line = "\ud800" + "x" * SINGLE
    assert failure(hosted, "/bin/sh", "-c", line, command=line).field == "command"


def test_the_environment_of_a_long_line_can_be_too_long_too(hosted: Hosted) -> None:
    line = f": {'x' * SINGLE}"
    assert failure(hosted, "/bin/sh", "-c", line, command=line, env={**ENV, "A": "x" * SINGLE}).field == "env"


def test_a_refusal_takes_no_time(hosted: Hosted) -> None:
    began = time.monotonic()
    for _ in range(20):
        with pytest.raises(SpawnFailed):
            execve.encode(["true", "x" * SINGLE], ENV)
    assert time.monotonic() - began < 1.0


def test_what_the_child_finds_is_not_kept(hosted: Hosted) -> None:
    """The ptyhost gets the environment through a pipe: it is neither in a file nor in the ptyhost's own environment."""
    secret = "hunter2" * 3
    hosted.start("sh", "-c", "echo $SECRET; sleep 1000", env={**ENV, "SECRET": secret})
    hosted.wait_output(secret.encode())
    for name in ("spec.json", "host.json", "host.log", "exit.json.reserved"):
        with open(os.path.join(hosted.files.dir, name), encoding="utf-8") as file:
            assert secret not in file.read()
    with open(f"/proc/{hosted.host_pid}/environ", encoding="utf-8") as file:
        assert secret not in file.read()


def test_an_older_server_has_put_the_environment_into_the_spec(hosted: Hosted) -> None:
    """It sends nothing on standard input: the package was replaced while the server was running."""
    hosted.prepare("sh", "-c", "echo $GREETING", env={**ENV, "GREETING": "hello"})
    hosted.execute(None)
    hosted.ended()
    assert hosted.output() == b"hello\r\n"
