"""`python slowline.py HOST PORT SECONDS`: a connection on which each byte is under way for so long: a
ProxyCommand of ssh, for a line to the other side of the world that is on this machine.
"""

from __future__ import annotations

import os
import queue
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_BLOCK = 1 << 16


def carry(
    read: Callable[[int], bytes], write: Callable[[bytes], object], seconds: float, over: threading.Event
) -> None:
    """Write all that is read, so many seconds later, in threads; when either end has closed, it is `over`."""
    under_way: queue.Queue[tuple[float, bytes]] = queue.Queue()

    def take() -> None:
        data = b"-"
        while data:
            try:
                data = read(_BLOCK)
            except ConnectionError:
                data = b""
            under_way.put((time.monotonic() + seconds, data))

    def give() -> None:
        while not over.is_set():
            due, data = under_way.get()
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                write(data)
            except OSError:
                data = b""
            if not data:
                over.set()

    for work in (take, give):
        threading.Thread(target=work, daemon=True).start()


def main() -> None:
    """Carry until either side closes."""
    host, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    over = threading.Event()
    with socket.create_connection((host, port)) as there:
        there.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        carry(lambda size: os.read(0, size), there.sendall, seconds, over)
        carry(there.recv, lambda data: os.write(1, data), seconds, over)
        over.wait()


if __name__ == "__main__":
    main()
