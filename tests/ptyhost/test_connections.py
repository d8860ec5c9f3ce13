"""Connections to a ptyhost: terminal size and its leader, input and waiting, heads and their receivers."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from jupyter_ptytasks.core import wire
from tests.ptyhost.hosting import Hosted, Peer, dial, wait_until

DEAF = "import tty, time; tty.setraw(0); print('ready'); time.sleep(1000)"
ECHO = "import tty, sys, os; tty.setraw(0); print('ready')\nwhile True: os.write(1, b'<' + os.read(0, 4096) + b'>')"


def resize(peer: Peer, rows: int, cols: int) -> None:
    peer.send(wire.RESIZE, wire.SIZE.pack(rows, cols))


def size_of(status: dict[str, int]) -> tuple[int, int]:
    return status["rows"], status["cols"]


def test_the_hello_and_the_status_come_first(hosted: Hosted) -> None:
    hosted.start("sleep", "100")
    link = hosted.connect(role="link")
    assert link.decoder.hello is not None
    assert link.decoder.hello["ptytasks"] == wire.VERSION
    assert link.decoder.hello["id"] == "testtask"
    assert link.decoder.hello["pid"] == hosted.host_pid
    assert link.status["pid"] == hosted.pid
    assert size_of(link.status) == (24, 80)


def test_the_size_is_that_of_the_viewer_that_typed_last(hosted: Hosted) -> None:
    hosted.start("cat")
    link = hosted.connect(role="link")
    desk, phone = hosted.viewer("desk"), hosted.viewer("phone")
    resize(desk, 50, 200)
    desk.ask_status()
    resize(phone, 10, 40)
    # The first viewer leads until one types.
    assert size_of(phone.ask_status()) == (50, 200)
    phone.send(wire.INPUT, b"x")
    status = phone.ask_status()
    assert (size_of(status), status["leader"], status["viewers"]) == ((10, 40), "phone", 2)
    resize(desk, 60, 210)
    assert size_of(desk.ask_status()) == (10, 40)
    phone.close()
    link.wait_status(lambda status: (status["leader"], size_of(status)) == ("desk", (60, 210)))
    desk.close()
    # Without viewers the size stays.
    assert size_of(link.wait_status(lambda status: status["viewers"] == 0)) == (60, 210)


def test_a_readonly_viewer_neither_types_nor_leads(hosted: Hosted) -> None:
    hosted.python(ECHO)
    hosted.wait_output(b"ready")
    watcher = hosted.viewer("watcher", readonly=True)
    resize(watcher, 10, 40)
    watcher.send(wire.INPUT, b"no")
    status = watcher.ask_status()
    assert (size_of(status), status["leader"], status["viewers"]) == ((24, 80), None, 1)
    typist = hosted.viewer("typist")
    typist.send(wire.INPUT, b"yes")
    hosted.wait_output(b"<yes>")
    assert b"no" not in hosted.output()


def test_replies_are_taken_from_the_leader_alone(hosted: Hosted) -> None:
    hosted.python(ECHO)
    hosted.wait_output(b"ready")
    one, two = hosted.viewer("one"), hosted.viewer("two")
    two.ask_status()
    for peer in (one, two):
        peer.send(wire.REPLY, b"\x1b[0n")
        peer.ask_status()
    two.send(wire.INPUT, b"typed")
    two.ask_status()
    for peer in (one, two):
        peer.send(wire.REPLY, b"\x1b[3n")
        peer.ask_status()
    two.send(wire.INPUT, b".")
    output = hosted.wait_output(b".>")
    assert output.count(b"\x1b[0n") == 1
    assert output.count(b"\x1b[3n") == 1


def test_repaint_is_a_real_change_of_size_and_back(hosted: Hosted) -> None:
    hosted.python(
        "import os, signal\n"
        "say = lambda *_: os.write(1, b'%d %d\\n' % os.get_terminal_size(0))\n"
        "signal.signal(signal.SIGWINCH, say)\n"
        "os.write(1, b'ready\\n')\nwhile True: signal.pause()"
    )
    hosted.wait_output(b"ready")
    hosted.connect(role="link").send(wire.REPAINT)
    hosted.wait_output(b"80 24")
    assert hosted.output() == b"ready\r\n80 23\r\n80 24\r\n"


def test_a_program_that_is_late_sees_the_changed_size_too(hosted: Hosted) -> None:
    # Woken some times a second, as by a machine with too much to do.
    hosted.python(
        "import os, time\n"
        "known = 24\n"
        "print('ready')\n"
        "while True:\n"
        "    time.sleep(0.2)\n"
        "    rows = os.get_terminal_size(0).lines\n"
        "    if rows != known:\n"
        "        os.write(1, b'%d rows\\n' % rows)\n"
        "        known = rows\n"
    )
    hosted.wait_output(b"ready")
    hosted.connect(role="link").send(wire.REPAINT)
    hosted.wait_output(b"23 rows\r\n24 rows")


def test_a_program_that_draws_nothing_gets_its_size_back(hosted: Hosted) -> None:
    hosted.python("import time\nprint('ready')\ntime.sleep(1000)")
    hosted.wait_output(b"ready")
    hosted.connect(role="link").send(wire.REPAINT)
    terminal = os.open(f"/proc/{hosted.pid}/fd/0", os.O_RDWR | os.O_NOCTTY)
    try:
        wait_until(lambda: os.get_terminal_size(terminal).lines == 23)
        wait_until(lambda: os.get_terminal_size(terminal).lines == 24)
    finally:
        os.close(terminal)


def test_a_watched_head_comes_at_once_and_another_once_a_second(hosted: Hosted) -> None:
    hosted.start("cat")
    watching, idle = hosted.connect(role="link"), hosted.connect(role="link")
    watching.send(wire.WATCH, b"\x01")
    assert wire.POSITION.unpack(watching.next(wire.HEAD)) == (0, 0, 0, 0)
    assert wire.POSITION.unpack(idle.next(wire.HEAD)) == (0, 0, 0, 0)
    viewer = hosted.viewer("one")
    started = time.monotonic()
    viewer.send(wire.INPUT, b"a\n")
    assert wire.POSITION.unpack(watching.next(wire.HEAD))[0] > 0
    idle.next(wire.HEAD)
    # Slept through, not timed: it may take longer on a busy machine, but never less.
    assert time.monotonic() - started > 0.3


def test_a_flood_is_announced_in_few_heads(hosted: Hosted) -> None:
    hosted.start(
        "sh",
        "-c",
        "yes 0123456789012345678901234567890123456789012345678901234567890123456789012345678 | head -c 4000000",
    )
    link = hosted.connect(role="link")
    link.send(wire.WATCH, b"\x01")
    heads = [wire.POSITION.unpack(link.next(wire.HEAD))[0]]
    while heads[-1] < 4_050_000:
        heads.append(wire.POSITION.unpack(link.next(wire.HEAD))[0])
    assert heads == sorted(heads)
    record = json.loads(link.next(wire.EXIT))
    assert record["output"]["end"] == 4_050_000
    elapsed = record["ended"] - record["started"]
    assert len(heads) < elapsed / 0.003 + 5


def test_a_peer_that_never_reads_delays_no_other(hosted: Hosted) -> None:
    hosted.start(
        "sh",
        "-c",
        "yes 0123456789012345678901234567890123456789012345678901234567890123456789012345678 | head -c 4000000",
    )
    deaf = dial(hosted.socket_path)
    deaf.sendall(wire.hello(role="link") + wire.frame(wire.WATCH, b"\x01") + wire.frame(wire.ASK_STATUS) * 500)
    record = hosted.ended(patience=60)
    deaf.close()
    assert record["output"]["end"] == 4_050_000


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 70_000, b'{"ptytasks": 1}\n\x01\xff\xff\xff\xff']
)
def test_a_peer_that_talks_nonsense_is_let_go(hosted: Hosted, garbage: bytes) -> None:
    hosted.start("cat")
    with dial(hosted.socket_path) as peer:
        try:
            peer.sendall(garbage)
            while peer.recv(1 << 16):
                pass
        except ConnectionError:
            pass
    assert hosted.connect(role="link").ask_status()["viewers"] == 0


def test_frames_of_a_newer_version_are_skipped(hosted: Hosted) -> None:
    hosted.start("cat")
    link = hosted.connect(role="link", capabilities=["telepathy"])
    link.send(200, b"what is this")
    link.send_json(wire.SIGNAL, signal="SIGWHATEVER")
    link.send(wire.RESIZE, b"\x00")
    link.send(wire.STOP, b"[]")
    assert link.ask_status()["stopping"] is None


def stuff(peer: Peer, size: int) -> int:
    """Type until the ptyhost takes no more; give how many bytes it took."""
    peer.socket.setblocking(False)
    block = wire.frame(wire.INPUT, b"x" * 60_000)
    sent = 0
    deadline = time.monotonic() + 2
    while sent < size and time.monotonic() < deadline:
        try:
            sent += peer.socket.send(block[sent % len(block) :])
        except BlockingIOError:
            time.sleep(0.01)
    peer.socket.setblocking(True)
    peer.socket.settimeout(20)
    return sent


def test_an_unread_paste_of_10_mb_blocks_only_its_own_socket(hosted: Hosted) -> None:
    hosted.python(DEAF)
    hosted.wait_output(b"ready")
    paster = hosted.viewer("paster")
    assert stuff(paster, 10_000_000) < 5_000_000
    with open(f"/proc/{hosted.host_pid}/status", encoding="utf-8") as file:
        resident = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
    assert resident < 20_000
    # Everybody else is served, and the task can be stopped.
    link = hosted.connect(role="link")
    assert link.ask_status()["viewers"] == 1
    link.send_json(wire.STOP, ladder=[["SIGTERM", 5]], reason="cancelled")
    assert hosted.ended()["signal"] == "SIGTERM"


def test_what_a_viewer_typed_before_it_died_is_typed(hosted: Hosted) -> None:
    hosted.python(
        "import tty, sys, time, os; tty.setraw(0); print('ready')\ntime.sleep(0.5)\nn=0\n"
        "while n < 200000: n += len(os.read(0, 65536))\nprint(n)"
    )
    hosted.wait_output(b"ready")
    viewer = hosted.viewer("one")
    for _ in range(4):
        viewer.send(wire.INPUT, b"y" * 50_000)
    viewer.close()
    hosted.ended()
    assert b"200000" in hosted.output()


def test_ask_status_is_answered_when_the_input_before_it_is_taken(hosted: Hosted) -> None:
    hosted.python(DEAF)
    hosted.wait_output(b"ready")
    viewer = hosted.viewer("one")
    viewer.send(wire.INPUT, b"x" * 500_000)
    viewer.send(wire.ASK_STATUS)
    viewer.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        viewer.next(wire.STATUS)


def test_without_a_viewer_the_host_answers_what_programs_ask(hosted: Hosted) -> None:
    hosted.python(
        "import os, sys, tty\ntty.setraw(0)\n"
        "for query in (b'\\x1b[c', b'\\x1b[5n', b'\\x1b[6n'):\n"
        "    os.write(1, query)\n"
        "    os.write(1, repr(os.read(0, 100)).encode() + b'\\r\\n')\n"
    )
    assert hosted.ended()["code"] == 0
    answers = hosted.output()
    for answer in (rb"\x1b[?", rb"\x1b[0n", rb"\x1b[1;1R"):
        assert answer in answers


def test_with_a_viewer_the_host_is_silent(hosted: Hosted) -> None:
    hosted.python(
        "import os, sys, tty\ntty.setraw(0)\nprint('ready')\nos.read(0, 1)\n"
        "os.write(1, b'\\x1b[5n')\nos.write(1, repr(os.read(0, 100)).encode())"
    )
    hosted.wait_output(b"ready")
    viewer = hosted.viewer("one")
    viewer.send(wire.INPUT, b".")
    hosted.wait_output(b"\x1b[5n")
    viewer.send(wire.REPLY, b"\x1b[3n")
    hosted.ended()
    assert hosted.output().endswith(rb"'\x1b[3n'")


def test_exit_is_sent_to_all_after_the_last_head(hosted: Hosted) -> None:
    hosted.start("sh", "-c", "read line; echo bye")
    links = [hosted.connect(role="link") for _ in range(3)]
    hosted.viewer("one").send(wire.INPUT, b"\n")
    for link in links:
        while True:
            head = wire.POSITION.unpack(link.next(wire.HEAD))
            if head[0] == 7:
                break
        assert json.loads(link.next(wire.EXIT))["code"] == 0


def test_a_socket_whose_name_was_removed_gets_it_back(hosted: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cleaners of temporary directories do that (tmux#4640). SIGUSR1 asks for it at once, as in tmux and abduco."""
    hosted.start("cat")
    os.unlink(hosted.socket_path)
    os.kill(hosted.host_pid, signal.SIGUSR1)
    wait_until(lambda: os.path.exists(hosted.socket_path))
    assert hosted.connect(role="link").status["pid"] == hosted.pid
