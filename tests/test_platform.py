"""Code for an operating system is only in the modules for it; everything else can be imported without it."""

from __future__ import annotations

import ast
import ctypes
import inspect
import os
import socket
import subprocess
import sys
import textwrap
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import jupyter_ptytasks
from jupyter_ptytasks.core import platform

ROOT = Path(jupyter_ptytasks.__file__).parent

#: Modules that only POSIX systems have, and what only they have in other modules.
MODULES = ("_posixsubprocess", "fcntl", "grp", "pty", "pwd", "resource", "termios", "tty")
_NAMES = {
    "asyncio": "open_unix_connection start_unix_server",
    "os": """
        O_CLOEXEC O_DIRECTORY O_NOCTTY O_NOFOLLOW O_NONBLOCK RWF_NOWAIT WNOHANG chown fchmod fchown fork forkpty getegid
        geteuid getgid getpgid getpgrp getsid getuid killpg mkfifo nice openpty pidfd_open posix_fallocate pread preadv
        pwrite set_blocking setpgid setsid statvfs sysconf tcgetpgrp tcsetpgrp uname wait4 waitid waitpid
    """,
    "select": "POLLIN POLLOUT epoll poll",
    "signal": """
        SIGCHLD SIGCONT SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGUSR1 SIGUSR2 SIGWINCH
        pidfd_send_signal pthread_sigmask
    """,
    "socket": "AF_UNIX SO_PEERCRED",
}
NAMES = {module: names.split() for module, names in _NAMES.items()}


def is_for_posix(path: Path) -> bool:
    """Return whether a module is for POSIX systems only."""
    return path.stem.endswith("_posix") or path.parent == ROOT / "core" / "platform" / "posix"


def sources() -> list[Path]:
    """Return all other modules."""
    return [path for path in sorted(ROOT.rglob("*.py")) if not is_for_posix(path)]


HIDE = textwrap.dedent(
    """
    import importlib, sys
    names, modules, hidden = {names!r}, {modules!r}, {hidden!r}
    # What others have built on POSIX systems for themselves is loaded, and then only we do without.
    for name in names:
        importlib.import_module(name)
    for name in [name for name in sys.modules if name.partition(".")[0] == "jupyter_ptytasks"]:
        del sys.modules[name]
    for name in modules:
        sys.modules[name] = None
    for name, attributes in hidden.items():
        for attribute in attributes:
            vars(sys.modules[name]).pop(attribute, None)
            vars(sys.modules.get("_" + name, sys)).pop(attribute, None)
    sys.platform = "win32"
    for name in names:
        importlib.import_module(name)
    print([name for name in sys.modules if "posix" in name and name.startswith("jupyter_ptytasks")])
    """
)


def test_everything_else_can_be_imported_without_what_posix_systems_have() -> None:
    names = [
        ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in sources()
        if path.name != "__main__.py"
    ]
    assert len(names) > 130
    assert "jupyter_ptytasks.server.extension" in names
    program = HIDE.format(names=names, modules=MODULES, hidden=NAMES)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout == "[]\n"


def test_nothing_else_names_what_posix_systems_have() -> None:
    found = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if node.attr in NAMES.get(node.value.id, ()):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.value.id}.{node.attr}")
            elif isinstance(node, ast.ImportFrom) and node.module in NAMES:
                found += [
                    f"{path.relative_to(ROOT)}:{node.lineno}" for one in node.names if one.name in NAMES[node.module]
                ]
    assert found == []


def uses() -> set[tuple[str, str]]:
    """Return which names of which parts the package uses."""
    found = set()
    for path in sources():
        if path.is_relative_to(ROOT / "core" / "platform"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        parts = {
            one.asname or one.name: one.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").rpartition(".")[2] == "platform" and node.level
            for one in node.names
        }
        found |= {
            (parts[node.value.id], node.attr)
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in parts
        }
    return found


def test_all_systems_have_what_is_used() -> None:
    used = uses()
    assert {part for part, _ in used} == set(platform.__all__)
    for part, name in sorted(used):
        ours, theirs = (
            getattr(import_module(f"{platform.__name__}.{system}.{part}"), name) for system in ("posix", "windows")
        )
        if inspect.isclass(ours) and ours.__module__.startswith(platform.__name__):
            methods = {name for name in vars(ours) if not name.startswith("_")}
            assert methods == {name for name in vars(theirs) if not name.startswith("_")}, (part, name)
        elif inspect.isfunction(ours):
            assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters), (part, name)


def test_a_part_that_does_not_exist() -> None:
    with pytest.raises(AttributeError, match="no attribute 'sound'"):
        platform.sound  # noqa: B018


def test_files_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = import_module(f"{platform.__name__}.windows.files")
    # What cannot be had here is share modes: every file is open to all.
    monkeypatch.setattr(files.win32, "open_file", lambda path, **_: os.open(path, os.O_RDONLY))
    with open(tmp_path / "file", "w+b") as file:
        assert files.pwrite(file.fileno(), b"0123456789", 0) == 10
        assert files.pwrite(file.fileno(), b"ab", 4) == 2
        assert files.pread(file.fileno(), 4, 3) == b"3ab6"
        assert files.read_cached(file.fileno(), 4, 3) is None
    with open(files.open_shared(str(tmp_path / "file")), "rb") as file:
        assert file.read() == b"0123ab6789"
    (tmp_path / "other").write_bytes(b"other")
    files.replace(str(tmp_path / "other"), str(tmp_path / "file"))
    assert (tmp_path / "file").read_bytes() == b"other"
    files.remove(str(tmp_path / "file"))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        files.remove(str(tmp_path / "file"))
    directory = tmp_path / "private"
    assert files.private_dir(str(directory)) == str(directory)
    (tmp_path / "link").symlink_to(directory)
    with pytest.raises(PermissionError):
        files.private_dir(str(tmp_path / "link"))


def test_waiting_on_windows() -> None:
    events = import_module(f"{platform.__name__}.windows.events")
    one, other = socket.socketpair()
    with one, other:
        poll = events.Poll()
        poll.register(one, events.READ | events.WRITE)
        poll.register(other.fileno(), events.READ)
        assert poll.poll(0.0) == [(one.fileno(), events.WRITE)]
        other.sendall(b"x")
        assert poll.poll(1000.0) == [(one.fileno(), events.READ | events.WRITE)]
        one.sendall(b"x")
        assert sorted(poll.poll(1000.0)) == sorted(
            [(one.fileno(), events.READ | events.WRITE), (other.fileno(), events.READ)]
        )
        idle = events.Poll()
        idle.register(one, 0)
        assert idle.poll(1.0) == []


@pytest.mark.parametrize(
    ("in_job", "flags", "leaves"),
    [(False, 0, True), (True, 0x2000, False), (True, 0x2800, True), (True, 0x3000, True)],
)
def test_whether_processes_may_leave_the_job_of_a_server_on_windows(
    monkeypatch: pytest.MonkeyPatch, in_job: bool, flags: int, leaves: bool
) -> None:
    """By a job's limits (JOB_OBJECT_LIMIT_*): 0x0800 BREAKAWAY_OK, 0x1000 SILENT_BREAKAWAY_OK."""
    win32 = import_module(f"{platform.__name__}.windows.win32")

    class Kernel:
        def GetCurrentProcess(self) -> int:
            return -1

        def IsProcessInJob(self, process: int, job: object, found: Any) -> int:
            assert (process, job) == (-1, None)
            found.value = in_job
            return 1

        def QueryInformationJobObject(self, job: object, kind: int, found: Any, *_: object) -> int:
            assert (job, kind) == (None, 9)
            found.flags = flags
            return 1

    calls = SimpleNamespace(
        kernel=Kernel(),
        ctypes=SimpleNamespace(byref=lambda value: value, sizeof=lambda _: 0),
        w=SimpleNamespace(BOOL=ctypes.c_int),
        Limits=lambda: SimpleNamespace(flags=0),
    )
    monkeypatch.setattr(win32, "_calls", lambda: calls)
    assert win32.may_leave() == leaves


def test_processes_that_start_ptyhosts_on_windows_find_pywinpty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even indirectly: the scheduler sees no packages, and a ptyhost may start the scheduler."""
    detach = import_module(f"{platform.__name__}.windows.detach")
    monkeypatch.setenv("SystemRoot", "C:\\Windows")
    monkeypatch.setenv("JUPYTER_TOKEN", "secret")
    (tmp_path / "site" / "winpty").mkdir(parents=True)
    (tmp_path / "site" / "winpty" / "__init__.py").touch()
    with monkeypatch.context() as server:
        server.syspath_prepend(str(tmp_path / "site"))
        assert detach.packages() == str(tmp_path / "site")
        env = detach.environment()
    assert env.items() >= {"SystemRoot": "C:\\Windows", "PTYTASKS_PACKAGES": str(tmp_path / "site")}.items()
    assert "JUPYTER_TOKEN" not in env
    assert detach.packages() == ""
    monkeypatch.setenv("PTYTASKS_PACKAGES", env["PTYTASKS_PACKAGES"])
    assert detach.packages() == detach.environment()["PTYTASKS_PACKAGES"] == str(tmp_path / "site")
