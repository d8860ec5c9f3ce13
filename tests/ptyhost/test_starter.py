"""Ptyhosts are forked by a starter: each is like an executed one, and survives whatever happens to the starter."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from jupyter_ptytasks.core import wire
from jupyter_ptytasks.core.errors import InternalError, OutOfResources, PtyTasksError
from jupyter_ptytasks.provision import local
from tests.ptyhost import hosting
from tests.ptyhost.hosting import Hosted, end_starters, is_alive, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Starters listen at unix sockets, whatever their ptyhosts do.
TRANSPORTS = ("unix",)


@pytest.fixture
def starters(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A directory of starters for one test, with a short path."""
    directory = str(tmp_path_factory.mktemp("s") / "s")
    monkeypatch.setattr(hosting, "STARTERS", directory)
    yield directory
    for process in [*find(directory), *find(directory, "--spare")]:
        process.resume()
    end_starters(directory)


def find(directory: str, role: str = "--starter") -> list[psutil.Process]:
    """Return the starters that listen below a directory, or the processes that they have forked beforehand."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            command = process.cmdline()
            if role in command and any(word.startswith(directory) for word in command):
                found.append(process)
    return [process for process in found if is_alive(process.pid)]


def only(directory: str, role: str = "--starter") -> psutil.Process:
    # One that was just forked has the name of the other for a moment.
    wait_until(lambda: len(find(directory, role)) == 1)
    return find(directory, role)[0]


def change(package: Path, name: str, before: str, after: str) -> None:
    """Replace a piece of source in a copy of the package."""
    path = package / name
    whole = path.read_text()
    assert before in whole
    path.write_text(whole.replace(before, after))


# -- what is forked ---------------------------------------------------------------------------------------------------


def describe(pid: int) -> dict[str, Any]:
    """Return what a process has inherited, and made of it."""
    proc = Path("/proc") / str(pid)
    process = psutil.Process(pid)
    status = dict(re.findall(r"^(\w+):[ \t]*(.*)$", (proc / "status").read_text(), re.MULTILINE))
    descriptors: dict[str, list[bool]] = {}
    for fd in (proc / "fd").iterdir():
        try:
            flags = re.search(r"flags:\s*(\d+)", (proc / "fdinfo" / fd.name).read_text())
            what = re.sub(r".*/task/|:\[\d+\]", "", os.readlink(fd))
        except FileNotFoundError:
            continue  # it has just imported something
        assert flags is not None
        if what.endswith(".pyc"):
            continue  # it is just importing something
        descriptors.setdefault(what, []).append(bool(int(flags[1], 8) & os.O_CLOEXEC))
    inherited = ("Umask", "SigBlk", "SigIgn", "SigCgt", "NoNewPrivs", "Cpus_allowed", "CapEff", "Threads", "Groups")
    return {
        "parent": process.ppid(),
        "leads": pid in (os.getsid(pid), os.getpgid(pid)),
        "descriptors": {what: sorted(found) for what, found in descriptors.items()},
        "environment": process.environ(),
        "cwd": process.cwd(),
        "limits": (proc / "limits").read_text(),
        "cgroup": (proc / "cgroup").read_text(),
        "nice": process.nice(),
        **{name: status[name] for name in inherited},
    }


def own(signals: int) -> int:
    """Return the signals of a mask that are not the C library's."""
    return signals & sum(1 << number - 1 for number in signal.valid_signals())


@contextlib.contextmanager
def peculiar(monkeypatch: pytest.MonkeyPatch, directory: Path) -> Iterator[None]:
    """Have much in this process that a child might inherit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    monkeypatch.setenv("SECRET", "hush")
    monkeypatch.chdir(directory)
    umask = os.umask(0o027)
    fd = os.open(directory, os.O_RDONLY)
    os.set_inheritable(fd, True)
    resource.setrlimit(resource.RLIMIT_CORE, (4096 if hard == resource.RLIM_INFINITY else 0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
        os.close(fd)
        os.umask(umask)


def test_it_is_what_an_executed_one_is(
    hosted: Hosted, tmp_path: Path, starters: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with peculiar(monkeypatch, tmp_path):
        hosted.start("sleep", "1000")
        other = Hosted(str(tmp_path / "other"))
        try:
            other.prepare("sleep", "1000")
            other.execute({"PATH": os.environ["PATH"]})
            forked, executed = describe(hosted.host_pid), describe(other.host_pid)
            # posix_spawn(3) leaves the C library's own signals ignored, which nobody can send.
            forked["SigIgn"], executed["SigIgn"] = (own(int(one["SigIgn"], 16)) for one in (forked, executed))
            assert forked == executed
            assert forked["leads"] is False
            assert forked["descriptors"].pop("/dev/null") == [False, False]
            assert forked["descriptors"].pop("host.log") == [False]
            assert all(all(closed) for closed in forked["descriptors"].values())
            # The command, too.
            assert describe(hosted.pid)["Umask"] == describe(other.pid)["Umask"] == "0027"
            assert describe(hosted.pid)["limits"] == describe(other.pid)["limits"]
        finally:
            other.clean_up()
    assert only(starters).environ() == forked["environment"]
    assert psutil.Process(hosted.host_pid).cmdline()[1:] == [local._MAIN, hosted.files.dir, hosted.socket_path]


def test_signals_of_the_caller_mean_nothing(hosted: Hosted, starters: str) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2, signal.SIGTERM])
    handler = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    try:
        hosted.start("sh", "-c", "kill -USR2 $$; echo alive")
    finally:
        signal.signal(signal.SIGUSR2, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert hosted.ended()["signal"] == "SIGUSR2"


def test_it_shares_its_memory_with_the_starter(tmp_path: Path, starters: str) -> None:
    tasks = [Hosted(str(tmp_path / str(number))) for number in range(5)]
    try:
        for task in tasks:
            task.start("sleep", "1000")
        own = [psutil.Process(task.host_pid).memory_full_info().uss for task in tasks]
        assert max(own) < 4 << 20
    finally:
        for task in tasks:
            task.clean_up()


def test_it_is_forked_before_it_is_wanted(hosted: Hosted, starters: str) -> None:
    hosted.start("true")
    hosted.ended()
    spare, starter = only(starters, "--spare"), only(starters)
    starter.suspend()
    hosted.start("true", attempt=2)
    assert hosted.ended()["code"] == 0
    assert hosted.host_pid == spare.pid
    starter.resume()
    only(starters, "--spare")


def test_its_end_is_nothing_to_the_tasks(hosted: Hosted, starters: str) -> None:
    hosted.start("sh", "-c", "read go; exit 3")
    only(starters).kill()
    wait_until(lambda: find(starters) == find(starters, "--spare") == [])
    hosted.viewer("one").send(wire.INPUT, b"\n")
    assert hosted.ended()["code"] == 3
    assert hosted.log() == ""


# -- who has which ----------------------------------------------------------------------------------------------------


def test_equal_processes_share_one(tmp_path: Path, starters: str) -> None:
    tasks = [Hosted(str(tmp_path / str(number))) for number in range(6)]
    try:
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda task: task.start("sleep", "1000"), tasks))
        only(starters)
    finally:
        for task in tasks:
            task.clean_up()


def test_processes_that_inherit_something_else_have_another(tmp_path: Path, starters: str) -> None:
    one, other = Hosted(str(tmp_path / "1")), Hosted(str(tmp_path / "2"))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        one.start("sh", "-c", "ulimit -n")
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 10, hard))
        other.start("sh", "-c", "ulimit -n")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    one.ended()
    other.ended()
    assert (int(one.output()), int(other.output())) == (soft, soft - 10)
    wait_until(lambda: len(find(starters)) == 2)


def test_an_upgrade_has_another_and_touches_no_task(tmp_path: Path, starters: str, package: Path) -> None:
    old, new = Hosted(str(tmp_path / "1")), Hosted(str(tmp_path / "2"))
    try:
        old.start("cat")
        first = only(starters)
        change(package, "ptyhost/start.py", '"attempt": spec["attempt"],', '"attempt": spec["attempt"], "new": 1,')
        new.start("cat")
        assert b'"new"' in Path(new.files.host).read_bytes()
        assert b'"new"' not in Path(old.files.host).read_bytes()
        wait_until(lambda: len(find(starters)) == 2)
        assert first.is_running()
        assert old.connect(role="link").ask_status()["pid"] == old.pid
    finally:
        old.clean_up()
        new.clean_up()


def test_it_leaves_after_a_while_without_requests(hosted: Hosted, starters: str, package: Path) -> None:
    change(package, "ptyhost/starter_posix.py", "_STAY = 300.0", "_STAY = 0.2")
    change(package, "ptyhost/starter_posix.py", "_LOOK = 30.0", "_LOOK = 0.05")
    hosted.start("true")
    hosted.ended()
    wait_until(lambda: find(starters) == find(starters, "--spare") == [])
    hosted.start("true", attempt=2)
    assert hosted.ended()["code"] == 0


def test_it_exits_when_it_cannot_be_found(hosted: Hosted, starters: str, package: Path) -> None:
    change(package, "ptyhost/starter_posix.py", "_LOOK = 30.0", "_LOOK = 0.05")
    hosted.start("true")
    hosted.ended()
    first = only(starters)
    for path in Path(starters).glob("*.sock"):
        path.unlink()
    hosted.start("true", attempt=2)
    assert hosted.ended()["code"] == 0
    wait_until(lambda: not is_alive(first.pid))
    wait_until(lambda: len(find(starters)) == 1)


# -- what can go wrong ------------------------------------------------------------------------------------------------


def count(path: Path) -> int:
    return len(path.read_text().split()) if path.exists() else 0


def test_it_is_killed_between_the_call_and_the_fork(hosted: Hosted, tmp_path: Path, starters: str) -> None:
    hosted.start("true")
    hosted.ended()
    stopped = [only(starters), only(starters, "--spare")]
    for process in stopped:
        process.suspend()
    ran = tmp_path / "ran"
    hosted.prepare("sh", "-c", f"echo ran >> {ran}", attempt=2)
    starting = threading.Thread(target=hosted.launch)
    starting.start()
    (path,) = Path(starters).glob("*.sock")
    # A caller waits in the queue of the socket.
    wait_until(lambda: has_callers(path))
    for process in stopped:
        process.kill()
    starting.join(60.0)
    assert hosted.ended()["code"] == 0
    assert count(ran) == 1


def has_callers(path: Path) -> bool:
    """Return whether connections to a socket have not been accepted yet: they have no name, and two ends."""
    table = Path("/proc/net/unix").read_text().splitlines()
    # Flags 00010000: it listens. The others at this path are the accepting ends of those that wait.
    return any(line.endswith(f" {path}") and line.split()[3] != "00010000" for line in table)


def test_one_that_does_not_answer_is_replaced(hosted: Hosted, starters: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hosted.start("true")
    hosted.ended()
    for process in (only(starters), only(starters, "--spare")):
        process.suspend()
    monkeypatch.setattr(local, "_PATIENCE", 10.0)
    hosted.start("true", attempt=2)
    assert hosted.ended()["code"] == 0
    wait_until(lambda: len(find(starters)) == 2)


def test_it_is_killed_in_the_middle_of_many_starts(tmp_path: Path, starters: str) -> None:
    """A task reported as started has run exactly once; one reported as failed has not run."""
    tasks = [Hosted(str(tmp_path / str(number))) for number in range(40)]
    done = threading.Event()

    def start(number: int) -> bool:
        try:
            tasks[number].start("sh", "-c", f"echo ran >> {tmp_path / 'ran'}-{number}")
        except PtyTasksError:
            return False
        return True

    def kill() -> None:
        while not done.wait(0.3):
            for process in find(starters):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with ThreadPoolExecutor(4) as pool:
            told = list(pool.map(start, range(40)))
    finally:
        done.set()
        killer.join()
    assert any(told)
    for number, started in enumerate(told):
        if started:
            assert tasks[number].ended()["code"] == 0
        assert count(tmp_path / f"ran-{number}") == int(started)
        tasks[number].clean_up()


def test_a_ptyhost_is_killed_before_it_has_reported(hosted: Hosted, tmp_path: Path, starters: str) -> None:
    ran = tmp_path / "ran"
    hosted.prepare("touch", str(ran))
    os.rename(hosted.files.spec, f"{hosted.files.spec}.kept")
    os.mkfifo(hosted.files.spec)  # it waits there

    def kill() -> None:
        (found,) = wait_until(lambda: hosts_of(hosted))
        found.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(InternalError, match="the ptyhost failed to start"):
        hosted.launch()
    killer.join()
    assert not ran.exists()
    os.unlink(hosted.files.spec)
    os.rename(f"{hosted.files.spec}.kept", hosted.files.spec)
    hosted.launch()
    assert hosted.ended()["code"] == 0


def hosts_of(hosted: Hosted) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if hosted.files.dir in process.cmdline():
                found.append(process)
    return found


def test_silent_connections_delay_no_other(hosted: Hosted, starters: str) -> None:
    hosted.start("true")
    hosted.ended()
    (path,) = Path(starters).glob("*.sock")
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            caller = stack.enter_context(socket.socket(socket.AF_UNIX))
            caller.connect(str(path))
        hosted.start("true", attempt=2)
        assert hosted.ended()["code"] == 0
    # The processes that were forked for them are gone with them.
    wait_until(lambda: len(find(starters)) == 1)
    wait_until(lambda: only(starters).children() == [])


def test_the_command_waits_for_the_last_word(hosted: Hosted, tmp_path: Path, starters: str) -> None:
    ran = tmp_path / "ran"
    hosted.prepare("touch", str(ran))

    def go() -> None:
        # Its process is there, and waits.
        wait_until(lambda: any(one.children() for one in hosts_of(hosted)))
        assert not os.path.exists(hosted.files.host)
        assert not ran.exists()

    hosted.launch(go=go)
    assert hosted.ended()["code"] == 0
    assert ran.exists()


def test_a_start_that_is_taken_back_leaves_nothing(hosted: Hosted, tmp_path: Path, starters: str) -> None:
    ran = tmp_path / "ran"
    hosted.prepare("touch", str(ran))

    def go() -> None:
        raise InternalError("the disk is full")

    with pytest.raises(InternalError, match="the disk is full"):
        hosted.launch(go=go)
    assert not {"host.json", "exit.json"} & {name.removesuffix(".reserved") for name in os.listdir(hosted.files.dir)}
    os.close(hosted.lock())  # once the ptyhost is gone
    assert not ran.exists()
    hosted.launch()
    assert hosted.ended()["code"] == 0


def test_the_caller_dies_before_the_confirmation(hosted: Hosted, tmp_path: Path, starters: str) -> None:
    hosted.start("true")
    hosted.ended()
    ran = tmp_path / "ran"
    hosted.prepare("touch", str(ran), attempt=2)
    (path,) = Path(starters).glob("*.sock")
    request = {"directory": hosted.files.dir, "socket": hosted.socket_path, "env": dict(os.environ)}
    lock = hosted.lock()
    with open(hosted.files.log, "ab") as log, socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))
        assert b'"host_pid"' in caller.makefile("rb").readline()
        socket.send_fds(caller, [json.dumps(request).encode() + b"\n"], [lock, log.fileno()])
        wait_until(lambda: any(one.children() for one in hosts_of(hosted)))
    os.close(lock)
    os.close(hosted.lock())  # once the ptyhost is gone
    assert not ran.exists()
    # The attempt before is as it was.
    assert hosted.ended()["attempt"] == 1


@pytest.mark.parametrize("request_", [b"", b"{", b"{\n", b"[]\n", b'{"directory": 5}\n'])
def test_invalid_requests_get_nothing(hosted: Hosted, starters: str, request_: bytes) -> None:
    hosted.start("true")
    hosted.ended()
    (path,) = Path(starters).glob("*.sock")
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))
        answer = caller.makefile("rb").readline()
        assert b'"host_pid"' in answer
        caller.sendall(request_)
        caller.shutdown(socket.SHUT_WR)
        assert caller.recv(1000) == b""
    wait_until(lambda: len(find(starters)) == 1)
    hosted.start("true", attempt=2)
    assert hosted.ended()["code"] == 0


@pytest.mark.parametrize(
    ("place", "line"),
    [("        pid = os.fork()\n", 8), ("        detach.detach()\n", 8), ("    own, its = endpoint.pair()\n", 4)],
)
def test_out_of_processes(hosted: Hosted, starters: str, package: Path, place: str, line: int) -> None:
    failing = f"{' ' * line}raise OSError(11, 'Resource temporarily unavailable')\n"
    change(package, "ptyhost/starter_posix.py", place, failing)
    with pytest.raises(OutOfResources, match="Resource temporarily unavailable"):
        hosted.start("true")
    # What was forked already may take a moment to leave.
    wait_until(lambda: len(find(starters)) == 1)
    wait_until(lambda: only(starters).children() == [])


def test_there_can_be_none(hosted: Hosted, starters: str) -> None:
    Path(starters).touch()
    with pytest.raises(InternalError, match="could not be started"):
        hosted.start("true")
    assert not os.path.exists(hosted.files.host)
    os.unlink(starters)
    hosted.start("true")
    assert hosted.ended()["code"] == 0


def test_it_cannot_load_what_it_needs(hosted: Hosted, starters: str, package: Path) -> None:
    (package / "ptyhost" / "job.py").write_text("import no_such_module\n")
    with pytest.raises(
        InternalError, match="the ptyhost failed to start: ModuleNotFoundError: No module named 'no_such_module'"
    ):
        hosted.start("true")


def test_first_colors_and_prompts_compile_nothing() -> None:
    """Expressions that each ptyhost would compile are compiled before it is forked."""
    program = """
        import re
        from jupyter_ptytasks.core.terminal.modes import TerminalModes
        from jupyter_ptytasks.core.terminal.prompt import prompt_of
        from jupyter_ptytasks.ptyhost import starter_posix
        starter_posix.load()
        re.compile = None
        output = b"\\x1b[31mred\\x1b[0m\\r\\nname: "
        TerminalModes().feed(output)
        assert prompt_of(output, 24, 80, "") == "name: "
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True)
