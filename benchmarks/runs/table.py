"""The tab Runs with 5,000 tasks: until it is there, until it is sorted, its frames while it is scrolled."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from benchmarks.lab import PAINTED, browser_page, busy, open_lab
from benchmarks.results import Must, Row, Series
from benchmarks.servers import TASKS, Server, cpu_time

from .tasks import fill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from benchmarks.plan import Plan

_RUNS = 5000
_TABLE = ".jp-PtyTasks-runs-table"
_FIRST = f"{_TABLE} .jp-PtyTasks-runs-row"
_WHOLE = f'{_TABLE}[aria-rowcount="{_RUNS + 1}"]'

#: Opens the table; gives the milliseconds until its first rows are drawn.
_OPEN = """async selector => {
  const begun = performance.now();
  void window.jupyterapp.commands.execute('ptytasks:show-runs');
  while (!document.querySelector(selector)) await new Promise(requestAnimationFrame);
  return performance.now() - begun;
}"""

#: Clicks on a heading; gives the milliseconds until another row is the first one.
_SORT = f"""async ([heading, selector]) => {{
  const first = () => document.querySelector(selector + '[aria-rowindex="2"]')?.dataset.task;
  const before = first(), begun = performance.now();
  document.querySelector(heading).click();
  while (first() === before) await new Promise(requestAnimationFrame);
  {PAINTED}
  return performance.now() - begun;
}}"""

#: Scrolls so many times by 200 pixels; gives the milliseconds between frames.
_SCROLL = """async ([selector, steps]) => {
  const table = document.querySelector(selector), frames = [];
  let last = await new Promise(requestAnimationFrame);
  for (let step = 0; step < steps; step++) {
    table.scrollTop += 200;
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - last);
    last = now;
  }
  return frames;
}"""


def table(plan: Plan) -> Iterator[Row]:
    """Wall times, and beside them the CPU time of the page's main thread."""
    plan.say(f"a table of {_RUNS} tasks")
    asked: list[str] = []
    with Server(plan.directory, lab=True) as server:
        fill(server, _RUNS)
        with browser_page() as page:
            page.on("request", lambda request: asked.append(request.url))
            opened, opened_by = [], []
            for _ in range(plan.pick(3, 1)):
                open_lab(page, server)
                with busy(page) as turns:
                    opened.append(page.evaluate(_OPEN, _FIRST))
                opened_by.append(sum(turns))
                page.locator(_WHOLE).wait_for(timeout=60_000)
            yield _row("open to the first rows", opened, {"CPU of the page": max(opened_by)}, Must(0.5, "s"))
            yield _sorted(page, plan.pick(30, 12))
            with busy(page) as turns:
                frames = page.evaluate(_SCROLL, [_TABLE, plan.pick(300, 120)])
            yield _row("the worst frame while scrolling", frames, {"CPU of the worst": max(turns)}, Must(0.05, "s"))
        paths = [urlsplit(url) for url in asked if f"{TASKS}?" in url and "fields=" in url]
        took, used = [], []
        for path in paths:
            before, began = cpu_time(server.pid), time.perf_counter()
            server.rest.request("GET", f"{path.path}?{path.query}")
            took.append(time.perf_counter() - began)
            used.append(cpu_time(server.pid) - before)
    requests, peers = Series(tuple(took), "s"), {"CPU of the server": Series(tuple(used), "s")}
    value = Series((requests.percentile(95),), "s")
    yield Row(f"the table of {_RUNS} tasks: its requests again, p95", value, requests, peers, Must(0.03, "s"))


def _sorted(page: Page, count: int) -> Row:
    """Sort by name: up, down, and as before; the table is not whole again when it is sorted the next time."""
    heading = f"{_TABLE} [role=columnheader]:first-child button"
    with busy(page) as turns:
        took = [page.evaluate(_SORT, [heading, _FIRST]) for _ in range(count)]
        page.locator(_WHOLE).wait_for(timeout=60_000)
    used = {"CPU of the page, with all rows": sum(turns) / count}
    return _row("sort by name, the slowest", took, used, Must(0.15, "s"))


def _row(what: str, took: list[float], used: dict[str, float], must: Must) -> Row:
    """Return the row for milliseconds of wall time, of which the most counts, beside seconds of CPU time."""
    measured = Series(tuple(value / 1000 for value in took), "s")
    peers = {name: Series((seconds,), "s") for name, seconds in used.items()}
    return Row(f"the table of {_RUNS} tasks: {what}", Series((max(measured.values),), "s"), measured, peers, must)
