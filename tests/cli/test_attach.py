"""`attach` on a real terminal: input, output, detaching, and the restored terminal afterward."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.cli.keys import DetachKeys
from jupyter_ptytasks.cli.modes import RESET, Modes
from tests.client.live import LiveServer, Terminal, ended, until

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_ptytasks.client import Client
    from tests.oracle.client import Xterm

DETACH = b"\x1c\x1c"
#: Echoes each line that is typed until it is `end`.
TALK = 'stty -echo; echo ready; while read line && [ "$line" != end ]; do echo "got $line"; stty size; done; exit 4'


def talk(client: Client) -> str:
    """Start a task that answers."""
    return client.create(TALK, name="talk")["id"]


def test_what_is_typed_arrives_and_the_end_is_ours(live: LiveServer, client: Client) -> None:
    ref = talk(client)
    with live.terminal("attach", ref, rows=33, cols=111) as terminal:
        assert b"ctrl-\\ ctrl-\\ detaches" in terminal.until(b"ready")
        terminal.type("grüß 日本 🎉\r".encode())
        terminal.until("got grüß 日本 🎉\r\n33 111".encode())
        terminal.resize(20, 77)
        until(lambda: client.get(ref)["cols"] == 77)
        terminal.type(b"more\r")
        terminal.until(b"got more\r\n20 77")
        terminal.type(b"end\r")
        assert terminal.end() == 4
        assert b"[exited 4]" in terminal.seen
        assert terminal.seen.endswith(RESET)
        assert terminal.is_restored()


def test_a_pending_task_shows_why_and_appears_when_it_starts(live: LiveServer, client: Client) -> None:
    ref = client.create("echo here it is; exit 3", hold=True)["id"]
    with live.terminal("attach", ref) as terminal:
        terminal.until(b"[it has not started: ")
        client.release(ref)
        terminal.until(b"here it is")
        assert terminal.end() == 3


def test_detaching_leaves_it_running(live: LiveServer, client: Client) -> None:
    ref = talk(client)
    with live.terminal("attach", ref) as terminal:
        terminal.until(b"ready")
        until(lambda: client.get(ref)["viewers"] == 1)
        # One alone is the task's: SIGQUIT, if that were not raw.
        terminal.type(b"one\r" + DETACH + b"lost\r")
        assert terminal.end() == 0
        assert b"detached from" in terminal.seen
        assert terminal.is_restored()
    until(lambda: "got one" in client.output(ref)["output"])
    until(lambda: client.get(ref)["viewers"] == 0)
    assert client.get(ref)["state"] == "running"
    with live.terminal("attach", ref, "--detach-keys", "ctrl-p,q") as terminal:
        assert b"ctrl-p q detaches" in terminal.until(b"got one")
        terminal.type(b"\x10q")
        assert terminal.end() == 0
    client.stop(ref, signals=["SIGKILL"])


def test_readonly_only_looks_on(live: LiveServer, client: Client) -> None:
    ref = talk(client)
    with live.terminal("attach", "--readonly", ref) as terminal:
        terminal.until(b"ready")
        terminal.type(b"unheard\r")
        client.send_input(ref, "heard", newline=True)
        shown = terminal.until(b"got heard")
        assert b"unheard" not in shown
        terminal.type(b"\x03")
        assert terminal.end() == 0
    client.stop(ref, signals=["SIGKILL"])


def test_a_signal_is_the_exit_status(live: LiveServer, client: Client) -> None:
    ref = talk(client)
    with live.terminal("attach", ref) as terminal:
        terminal.until(b"ready")
        client.stop(ref, signals=["SIGKILL"])
        assert terminal.end() == 137


def test_an_ended_task_is_shown_again(live: LiveServer, client: Client) -> None:
    ref = client.create("echo all there was; exit 6", name="done")["id"]
    ended(client, ref)
    with live.terminal("attach", ref) as terminal:
        assert terminal.end() == 6
        assert b"all there was\r\n" in terminal.seen
        assert b"[exited 6]" in terminal.seen
    with live.terminal("attach", "nobody") as terminal:
        assert terminal.end() == 4
        assert terminal.is_restored()


def test_run_attach_and_a_shell_of_its_own(live: LiveServer, client: Client) -> None:
    with live.terminal("run", "--attach", "-n", "here", "stty size; exit 3", rows=21, cols=81) as terminal:
        assert terminal.end() == 3
        assert b"21 81" in terminal.seen
    with live.terminal("run") as terminal:
        terminal.until(b"attached to shell-")
        terminal.type(b"echo $((6 * 7)); exit 9\r")
        terminal.until(b"42\r\n")
        assert terminal.end() == 9


def test_a_flood_is_shown_to_its_end(live: LiveServer, client: Client) -> None:
    ref = client.create("read go; seq 1 300000; echo over")["id"]
    with live.terminal("attach", ref) as terminal:
        terminal.until(b"detaches")
        terminal.type(b"\r")
        assert terminal.end() == 0
        assert b"300000\r\nover\r\n" in terminal.seen


def test_binary_garbage_is_harmless(live: LiveServer, client: Client) -> None:
    ref = client.create("read go; head -c 300000 /dev/urandom; printf '\\033c\\033[?1049l\\nstill here\\n'")["id"]
    with live.terminal("attach", ref) as terminal:
        terminal.until(b"detaches")
        terminal.type(b"\r")
        assert terminal.end() == 0
        assert b"still here" in terminal.seen
        assert terminal.is_restored()


# -- the terminal afterwards ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_to_us_restores_the_terminal(live: LiveServer, client: Client, number: signal.Signals) -> None:
    ref = client.create(r"printf '\033[?1049h\033[?1003hfull screen'; sleep 1000", name="full")["id"]
    with live.terminal("attach", ref) as terminal:
        terminal.until(b"full screen")
        assert not terminal.is_restored()
        terminal.process.send_signal(number)
        assert terminal.end() == 128 + number
        assert terminal.is_restored()
        assert b"\x1b[?1049l" in terminal.seen
        assert b"\x1b[?1003l" in terminal.seen
    assert client.get(ref)["state"] == "running"
    client.stop(ref, signals=["SIGKILL"])


def test_a_closed_window_ends_us_but_not_the_task(live: LiveServer, client: Client) -> None:
    ref = talk(client)
    terminal = live.terminal("attach", ref)
    with terminal:
        terminal.until(b"ready")
        terminal.hang_up()
        assert terminal.process.wait(60) in (-signal.SIGHUP, 128 + signal.SIGHUP)
    until(lambda: client.get(ref)["viewers"] == 0)
    assert client.get(ref)["state"] == "running"
    client.stop(ref, signals=["SIGKILL"])


def test_without_a_terminal_there_is_nothing_to_attach_to(live: LiveServer, client: Client) -> None:
    ref = client.create(["true"])["id"]
    done = live.cli("attach", ref)
    assert done.returncode == 2
    assert "logs -f" in done.stderr


# -- servers that go and come back ------------------------------------------------------------------------------------


@pytest.mark.parametrize("sock", [False, True])
def test_a_restart_of_the_server_is_lived_through(tmp_path: Path, sock: bool) -> None:
    server = LiveServer(tmp_path / "h", sock=sock, base_url="/base/")
    try:
        with server.start().client() as client:
            ref = client.create(
                f"echo begin; for i in $(seq 1 60); do echo line $i.; sleep 0.1; done; {TALK}", name="long"
            )["id"]
        with server.terminal("attach", ref) as terminal:
            # Late enough to be no part of the first replay: one that is cut off is not resumed but begun anew.
            shown = terminal.until(b"line 25.")
            server.kill9()
            shown += terminal.until(b"connection to the server lost; reconnecting; ctrl-\\ ctrl-\\ detaches")
            server.start()
            shown += terminal.until(b"reconnected")
            shown += terminal.until(b"ready")
            # Nothing is missing, and nothing came twice.
            assert [shown.count(b"line %d." % i) for i in range(1, 61)] == [1] * 60
            assert shown.count(b"begin") == 1
            terminal.type(b"hello\r")
            terminal.until(b"got hello")
            server.kill9()
            terminal.until(b"detaches")
            terminal.type(DETACH)
            assert terminal.end() == 0
            assert terminal.is_restored()
    finally:
        server.stop()


def test_a_full_screen_program_is_whole_after_a_restart(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "h")
    draw = (
        r"""draw() { printf '\033[H\033[2Jscreen %s' "$(stty size)"; }; trap draw WINCH; printf '\033[?1049h'; draw"""
    )
    try:
        with server.start().client() as client:
            ref = client.create(f"{draw}; while :; do sleep 0.05; done", name="full")["id"]
        with server.terminal("attach", ref) as terminal:
            terminal.until(b"screen 30 100")
            server.kill9()
            terminal.until(b"reconnecting")
            server.start()
            terminal.until(b"screen 30 100")
            terminal.type(DETACH)
            assert terminal.end() == 0
            assert b"\x1b[?1049l" in terminal.seen
    finally:
        server.stop()


# -- the parts --------------------------------------------------------------------------------------------------------


def fed(keys: DetachKeys, *typed: bytes) -> tuple[bytes, bool]:
    """Return the text of all of it."""
    passed = b""
    for data in typed:
        more, found = keys.feed(data)
        passed += more
        if found:
            return passed, True
    return passed, False


@pytest.mark.parametrize(
    ("spec", "typed", "result"),
    [
        ("ctrl-p,ctrl-q", [b"ab\x10\x11cd"], (b"ab", True)),
        ("ctrl-p,ctrl-q", [b"a\x10", b"\x11"], (b"a", True)),
        ("ctrl-p,ctrl-q", [b"a\x10", b"b\x11"], (b"a\x10b\x11", False)),
        ("ctrl-p,ctrl-q", [b"\x10\x10\x11"], (b"\x10", True)),
        ("ctrl-p,ctrl-q", [b"\x10"], (b"", False)),
        ("ctrl-\\,ctrl-\\", [b"\x1cx\x1c\x1c"], (b"\x1cx", True)),
        ("ctrl-a,d", [b"\x01", b"d"], (b"", True)),
        ("x", [b"abxc"], (b"ab", True)),
        # As programs can make terminals send them.
        ("ctrl-p,ctrl-q", [b"\x1b[112;5u\x1b[113;5u"], (b"", True)),
        ("ctrl-\\,ctrl-\\", [b"\x1b[27;5;92~\x1b[27;5;92~"], (b"", True)),
        ("ctrl-p,ctrl-q", [b"\x1b", b"[A"], (b"\x1b[A", False)),
    ],
)
def test_detach_keys(spec: str, typed: list[bytes], result: tuple[bytes, bool]) -> None:
    assert fed(DetachKeys(spec), *typed) == result


def test_a_paste_passes_at_once() -> None:
    began = time.monotonic()
    paste = os.urandom(10 << 20).replace(b"\x1c", b"")
    assert fed(DetachKeys(), paste) == (paste, False)
    assert time.monotonic() - began < 2.0


@pytest.mark.parametrize("spec", ["", "ctrl-", "ctrl-pp", "ctrl-p,", "hello"])
def test_what_names_no_keys_is_refused(spec: str) -> None:
    with pytest.raises(ValueError, match="not a valid key sequence"):
        DetachKeys(spec)


@pytest.mark.parametrize(
    ("texts", "alternate"),
    [
        (["\x1b[?1049h"], True),
        (["\x1b[?10", "49h"], True),
        (["\x1b[?1049h", "x\x1b", "[?1049l"], False),
        (["\x1b[?1;1049;25h"], True),
        (["\x1b[?1049h\x1bc"], False),
        (["\x1b[?25h"], False),
    ],
)
def test_a_full_screen_program_is_noticed(texts: list[str], alternate: bool) -> None:
    modes = Modes()
    for text in texts:
        modes.feed(text)
    assert modes.alternate is alternate
    assert (b"\x1b[?1049l" in modes.undo()) is alternate
    assert modes.undo() == RESET


@pytest.mark.parametrize(
    ("text", "cursor"),
    [
        ("one\r\ntwo", (1, 3)),
        ("one\r\ntwo\x1b[?1h\x1b[?1003h\x1b[4h", (1, 3)),
        ("one\r\ntwo\x1b[?1049h\x1b[5;9Hfull", (1, 3)),
        # Where margins are, the cursor is moved by whatever takes origin mode back; it goes below all that is shown.
        ("one\x1b[2;8r\x1b[?6htwo", (23, 0)),
    ],
)
def test_the_shell_continues_below_the_shown_output(xterm: Xterm, text: str, cursor: tuple[int, int]) -> None:
    modes = Modes()
    modes.feed(text)
    before, after = xterm.show(b"one\r\ntwo", text.encode() + modes.undo())
    assert after["modes"] == before["modes"]
    assert (after["normal"]["y"], after["normal"]["x"]) == cursor


def test_the_keyboard_of_kitty_is_given_back() -> None:
    modes = Modes()
    modes.feed("\x1b[>1u")
    assert b"\x1b[<" in modes.undo()


def test_the_terminal_of_these_tests_notices_what_is_not_restored(tmp_path: Path) -> None:
    with Terminal(["sh", "-c", "stty raw; echo ready; read x"], cwd=tmp_path, env=dict(os.environ)) as terminal:
        terminal.until(b"ready")
        assert not terminal.is_restored()
