"""Notes that servers send to a ptyhost: merged, bounded, sent to all servers, and part of the exit record."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.core import wire
from jupyter_ptytasks.core.files import read_json

if TYPE_CHECKING:
    from tests.ptyhost.hosting import Hosted


def test_notes_are_merged_announced_and_recorded(hosted: Hosted) -> None:
    hosted.start("cat")
    link, other = hosted.connect(role="link"), hosted.connect(role="link")
    assert link.decoder.hello is not None
    assert "note" in link.decoder.hello["capabilities"]
    assert other.ask_status()["notes"] == {}
    link.send_json(wire.NOTE, peak={"rss": 1}, by="one")
    link.send_json(wire.NOTE, peak={"rss": 2})
    assert other.wait_status(lambda status: status["notes"].get("peak") == {"rss": 2})["notes"]["by"] == "one"
    # Later connections, such as that of a restarted server, are sent them at once.
    assert hosted.connect(role="link").status["notes"] == {"peak": {"rss": 2}, "by": "one"}
    hosted.stop()
    assert json.loads(link.next(wire.EXIT))["notes"] == {"peak": {"rss": 2}, "by": "one"}
    record = read_json(hosted.files.exit)
    assert record is not None
    assert record["notes"] == {"peak": {"rss": 2}, "by": "one"}


def test_too_much_and_nonsense_is_ignored(hosted: Hosted) -> None:
    hosted.start("cat")
    link = hosted.connect(role="link")
    link.send_json(wire.NOTE, long="x" * wire.MAX_NOTES)
    for nonsense in (b"", b"{", b"[1]", b"\xff"):
        link.send(wire.NOTE, nonsense)
    assert link.ask_status()["notes"] == {}
    for number in range(100):
        link.send_json(wire.NOTE, **{f"many-{number}": "x" * 50})
    link.send(wire.RESIZE, wire.SIZE.pack(50, 50))
    notes = link.wait_status(lambda status: status["rows"] == 50)["notes"]
    assert "many-0" in notes
    assert len(json.dumps(notes, separators=(",", ":"))) <= wire.MAX_NOTES
    hosted.stop()
    assert json.loads(link.next(wire.EXIT))["notes"] == notes


def test_repeated_notes_are_not_news(hosted: Hosted) -> None:
    hosted.start("cat")
    link = hosted.connect(role="link")
    for value in (1, 1, 1, 2):
        link.send_json(wire.NOTE, value=value)
    assert [json.loads(link.next(wire.STATUS))["notes"]["value"] for _ in range(2)] == [1, 2]


def test_a_connection_that_only_types_is_sent_only_what_it_asks_for(hosted: Hosted) -> None:
    """Its second STATUS means that everything it typed was accepted."""
    hosted.python("import tty, time; tty.setraw(0); print('ready'); time.sleep(1000)")
    hosted.wait_output(b"ready")
    typist, link = hosted.connect(role="input"), hosted.connect(role="link")
    typist.send(wire.INPUT, b"x" * wire.MAX_PAYLOAD)
    typist.send(wire.ASK_STATUS)
    link.send_json(wire.NOTE, some=1)
    link.wait_status(lambda status: status["notes"] == {"some": 1})
    typist.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        typist.socket.recv(1)
