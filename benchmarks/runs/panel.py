"""JupyterLab with 200 tasks: what is loaded at its start, how soon a terminal is there, what a change costs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from benchmarks.lab import PAINTED, browser_page, busy, open_lab
from benchmarks.plan import wait_until
from benchmarks.programs import IDLE
from benchmarks.results import Must, Row, Series
from benchmarks.servers import TASKS, Server

from .tasks import fill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page, Request, WebSocket

    from benchmarks.plan import Plan

_TASKS, _LINES = 200, 1100
#: Milliseconds from pointing at the first row to the click: the least that a person takes.
_POINTING = 300
_STATIC, _API = "/extensions/jupyter-ptytasks/static/", "/ptytasks/api/"
_TAB = '.jp-SideBar .lm-TabBar-tab[data-id="jp-ptytasks-panel"]'

#: Clicks on a row; gives the milliseconds until a terminal with the last line was painted.
_CLICK = (
    """async ([id, text]) => {
  const begun = performance.now();
  document.querySelector(`.jp-PtyTasks-row[data-task="${id}"]`).click();
  const isThere = () => [...window.jupyterapp.shell.widgets('main')].some(tab => {
    const isDrawn = tab.node.dataset.ptytask === id && tab.node.querySelector('.xterm-screen') !== null;
    const buffer = isDrawn ? tab.content._term.buffer.active : undefined;
    // How the task has ended may stand below.
    const end = buffer ? buffer.baseY + buffer.cursorY : 0;
    const lines = [0, 1, 2, 3, 4].map(back => buffer?.getLine(end - back)?.translateToString(true));
    return lines.includes(text);
  });
  while (!isThere()) await new Promise(requestAnimationFrame);
  """
    + PAINTED
    + """
  return performance.now() - begun;
}"""
)


class _Received:
    """What a page has received. Sizes are asked for later: not while it is closed."""

    def __init__(self, page: Page) -> None:
        self._requests: list[Request] = []
        self._events = 0
        page.on("requestfinished", lambda request: self._requests.append(request))  # noqa: PLW0108  # as in lab.busy
        page.on("websocket", self._on_socket)

    def scripts(self) -> int:
        """Return the bytes of JavaScript of the extension."""
        return self._size(rf"{_STATIC}.*\.js$")

    def tasks(self) -> int:
        """Return the bytes of responses and events about tasks."""
        return self._size(_API) + self._events

    def _size(self, pattern: str) -> int:
        chosen = [one for one in self._requests if re.search(pattern, urlsplit(one.url).path)]
        return sum(len(response.body()) for one in chosen if (response := one.response()))

    def _on_socket(self, socket: WebSocket) -> None:
        if "/events/" in socket.url:
            socket.on("framereceived", self._on_frame)

    def _on_frame(self, data: str | bytes) -> None:
        self._events += len(data)


def panel(plan: Plan) -> Iterator[Row]:
    """Open the panel, then tasks in turn, then let one change its state."""
    plan.say(f"a panel of {_TASKS} tasks")
    count = plan.pick(8, 4)
    with Server(plan.directory, lab=True) as server:
        fill(server, _TASKS)
        ids = [_written(server) for _ in range(count)]
        with browser_page() as page:
            received = _Received(page)
            open_lab(page, server)
            page.wait_for_load_state("networkidle")
            yield _row("JavaScript that JupyterLab loads at its start", received.scripts(), "B", Must(220_000, "B"))
            page.locator(_TAB).click()
            page.locator(_row_of(ids[-1])).hover()
            page.wait_for_timeout(_POINTING)
            took, used = [], []
            for task in reversed(ids):
                with busy(page) as turns:
                    took.append(page.evaluate(_CLICK, [task, f"line {_LINES}"]) / 1000)
                used.append(sum(turns))
            what = f"panel of {_TASKS} tasks: click until the terminal shows {_LINES} lines"
            for name, times, cpu in (("the first", took[:1], used[:1]), ("each other", took[1:], used[1:])):
                measured, peers = Series(tuple(times), "s"), {"CPU of the page": Series(tuple(cpu), "s")}
                yield Row(f"{what}, {name}", measured, measured, peers, Must(0.3, "s"))
            yield _changed(page, server, received, plan.pick(10, 4))


def _written(server: Server) -> str:
    """Run a task that writes lines and ends, and return its id."""
    task = str(server.rest.request("POST", TASKS, {"command": f"seq -f 'line %g' {_LINES}"})["id"])
    wait_until(lambda: server.rest.request("GET", f"{TASKS}/{task}")["ended"], "the lines were written")
    return task


def _changed(page: Page, server: Server, received: _Received, count: int) -> Row:
    with server.task(IDLE) as terminal:
        row = page.locator(_row_of(terminal.path.rpartition("/")[2]))
        row.locator("[data-state=running]").wait_for()
        before = received.tasks()
        for _ in range(count):
            for verb, state in (("pause", "paused"), ("resume", "running")):
                server.rest.request("POST", f"{terminal.path}/{verb}", {})
                row.locator(f"[data-state={state}]").wait_for()
    sizes = (received.tasks() - before) / (2 * count)
    return _row(f"panel of {_TASKS} tasks: bytes for a change of a state", sizes, "B", Must(3000, "B"))


def _row_of(task: str) -> str:
    return f'.jp-PtyTasks-row[data-task="{task}"]'


def _row(what: str, value: float, unit: str, must: Must) -> Row:
    measured = Series((value,), unit)
    return Row(what, measured, measured, {}, must)
