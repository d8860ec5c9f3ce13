"""Coming back to a program that has written more than is kept of it."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .plan import wait_until
from .programs import TimedCat, write_bars, write_log
from .results import Must, Row, Series
from .servers import Server
from .viewers import Socket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .plan import Plan
    from .servers import Terminal

#: More than the 64 MiB that are kept. It ends shortly before a segment of 4 MiB is full: a replay begins at the
#: newest segment, so that this is as much as it ever has to read.
_SIZE = (76 << 20) - (300 << 10)
#: Lines of history in a replay.
_LINES = 1000


def log(plan: Plan) -> Iterator[Row]:
    """A colored log."""
    path = os.path.join(plan.directory, "log")
    write_log(path, _SIZE)
    (seconds, sizes, _), (stock_seconds, stock_sizes) = _come_back_to_both(plan, path)
    what = "reattaching to 64 MiB of colored log: open until the last byte of the replay"
    yield Row(what, seconds, seconds, {"terminado (its last 1000 reads)": stock_seconds}, Must(0.15, "s"))
    yield Row("bytes sent for it", sizes, sizes, {"terminado": stock_sizes}, Must(1 << 20, "B"))


def bars(plan: Plan) -> Iterator[Row]:
    """Progress bars, as tqdm draws them."""
    path = os.path.join(plan.directory, "bars")
    write_bars(path, _SIZE)
    (seconds, sizes, text), (_, stock_sizes) = _come_back_to_both(plan, path)
    raw = _size_of_last_lines(path, text.count("\n"))
    yield Row("reattaching to 64 MiB of progress bars", seconds, seconds, {}, Must(0.15, "s"))
    yield Row(
        "raw bytes of what is replayed ÷ bytes sent for it",
        Series((raw / sizes.median,), "ratio"),
        sizes,
        {"raw": Series((float(raw),), "B"), "terminado": stock_sizes},
        Must(50.0, "ratio", at_least=True),
    )


def _come_back_to_both(plan: Plan, path: str) -> tuple[tuple[Series, Series, str], tuple[Series, Series]]:
    """Come back to a task that has written the file, and to a stock terminal that has."""
    with Server(plan.directory) as server:
        with _full(plan, server, path) as terminal:
            ours = _come_back(plan, server, terminal)
        with _stock(plan, server, path) as terminal:
            return ours, _come_back_to_stock(plan, server, terminal)


@contextmanager
def _full(plan: Plan, server: Server, path: str) -> Iterator[Terminal]:
    """Run a task that has written everything and stays."""
    cat = TimedCat(plan.directory, path, stay=True)
    with server.task(cat.argv) as terminal:
        plan.say("filling a ring")
        cat.go()
        cat.wait()
        expected = _SIZE + _count_lines(path)  # the terminal makes CR LF of each LF
        wait_until(
            lambda: server.rest.request("GET", terminal.path)["output"]["end"] >= expected,
            "the ring held everything",
            every=0.1,
        )
        yield terminal


@contextmanager
def _stock(plan: Plan, server: Server, path: str) -> Iterator[Terminal]:
    cat = TimedCat(plan.directory, path, stay=True)
    with server.stock(cat.argv) as terminal:
        plan.say("filling terminado")
        cat.go()
        cat.wait()
        time.sleep(0.5)
        yield terminal


def _come_back(plan: Plan, server: Server, terminal: Terminal) -> tuple[Series, Series, str]:
    """Attach again and again; give the seconds and the bytes until the end of the replay, and its text."""
    seconds, sizes, text = [], [], ""
    for _ in range(plan.pick(15, 7)):
        text = ""
        begin = time.perf_counter()
        with Socket(f"{terminal.url}?events=1", server.token) as socket:
            while True:
                kind, *content = socket.receive()
                if kind == "stdout":
                    text += content[0]
                elif kind == "ptytask" and content[0]["event"] == "replayed":
                    break
            seconds.append(time.perf_counter() - begin)
            sizes.append(float(socket.received))
        time.sleep(0.1)
    return Series(tuple(seconds), "s"), Series(tuple(sizes), "B"), text


def _come_back_to_stock(plan: Plan, server: Server, terminal: Terminal) -> tuple[Series, Series]:
    """Attach again and again; terminado replays in one message."""
    seconds, sizes = [], []
    for _ in range(plan.pick(15, 7)):
        begin = time.perf_counter()
        with Socket(terminal.url, server.token) as socket:
            while socket.receive()[0] != "stdout":
                pass
            seconds.append(time.perf_counter() - begin)
            sizes.append(float(socket.received))
        time.sleep(0.1)
    return Series(tuple(seconds), "s"), Series(tuple(sizes), "B")


def _count_lines(path: str) -> int:
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def _size_of_last_lines(path: str, count: int) -> int:
    """Return the bytes that the last lines of a file take in a terminal."""
    with open(path, "rb") as file:
        data = file.read()
    at = len(data)
    for _ in range(count + 1):
        at = data.rfind(b"\n", 0, at)
        if at < 0:
            return len(data) + count
    return len(data) - at - 1 + count
