"""How fluid JupyterLab stays: while `yes` runs in one of its tabs, ours or its own; and with a table of many tasks."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from jupyter_ptytasks.core.model import Kind, Task, new_id
from jupyter_ptytasks.core.states import State
from jupyter_ptytasks.storage.database import Database
from jupyter_ptytasks.storage.task_dirs import TaskDirs

from .plan import BenchmarkFailed, wait_until
from .programs import YES
from .results import Must, Row, Series
from .servers import TASKS, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from .plan import Plan

#: Gives the milliseconds between all frames, and those that each click waited for its turn, of so many milliseconds.
_WATCH = """async length => {
  const frames = [], waits = [];
  const end = performance.now() + length;
  let last = performance.now();
  await new Promise(done => {
    const frame = now => {
      frames.push(now - last);
      last = now;
      now < end ? requestAnimationFrame(frame) : done();
    };
    requestAnimationFrame(frame);
    const channel = new MessageChannel();
    channel.port1.onmessage = ({ data }) => waits.push(performance.now() - data);
    const timer = setInterval(() => {
      channel.port2.postMessage(performance.now());
      if (performance.now() > end) clearInterval(timer);
    }, 20);
  });
  return [frames.slice(1), waits];
}"""


#: The tasks of the table, and what the reader of the table has to wait for at most.
_RUNS = 5000
_OPENS, _SORTS, _SCROLLS = Must(0.5, "s"), Must(0.15, "s"), Must(0.05, "s")
_TABLE = ".jp-PtyTasks-runs-table"
_FIRST = f"{_TABLE} .jp-PtyTasks-runs-row"

#: Opens the table; gives the milliseconds until its first rows are drawn.
_OPEN = """async selector => {
  const begun = performance.now();
  void window.jupyterapp.commands.execute('ptytasks:show-runs');
  while (!document.querySelector(selector)) await new Promise(requestAnimationFrame);
  return performance.now() - begun;
}"""

#: Clicks on a heading; gives the milliseconds until another row is the first one.
_SORT = """async ([heading, selector]) => {
  const first = () => document.querySelector(selector)?.dataset.task;
  const before = first(), begun = performance.now();
  document.querySelector(heading).click();
  while (first() === before) await new Promise(requestAnimationFrame);
  return performance.now() - begun;
}"""

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


def runs(plan: Plan) -> Iterator[Row]:
    """The table of 5,000 tasks: until it is there, until it is sorted, and the frames of scrolling."""
    plan.say(f"a table of {_RUNS} tasks")
    repeats = plan.pick(10, 4)
    with Server(plan.directory, lab=True) as server:
        _fill(server)
        with _page(server) as page:
            opened = [page.evaluate(_OPEN, _FIRST)]
            page.locator(f'{_TABLE}[aria-rowcount="{_RUNS + 1}"]').wait_for(timeout=60_000)
            heading = f"{_TABLE} [role=columnheader]:first-child button"
            sorted_in = [page.evaluate(_SORT, [heading, _FIRST]) for _ in range(3 * repeats)]
            page.locator(f'{_TABLE}[aria-rowcount="{_RUNS + 1}"]').wait_for(timeout=60_000)
            frames = page.evaluate(_SCROLL, [_TABLE, 60 * repeats])
    for what, values, must in (
        ("open to the first rows", opened, _OPENS),
        ("sort by name", sorted_in, _SORTS),
        ("frames while scrolling, the worst", frames, _SCROLLS),
    ):
        measured = Series(tuple(value / 1000 for value in values), "s")
        value = Series((max(measured.values),), "s")
        yield Row(f"the table of {_RUNS} tasks: {what}", value, measured, {}, must)


def _fill(server: Server) -> None:
    """Give a server tasks that have ended, as if they had run."""
    directory = os.path.join(server.home, "data", "ptytasks")
    dirs = TaskDirs(directory, [os.path.join(server.home, "run", "ptytasks")])
    now = time.time()
    tasks = [
        Task(
            id=new_id(now + number / 1000), name=f"train-resnet50-lr1e-4-seed{number * 7919 % _RUNS}",
            command=f"python train.py --seed {number}", kind=Kind.COMMAND, cwd="/", state=State.SUCCEEDED,
            created=now + number, started=now + number, ended=now + number + 60, provisioner="local", tags=("night",),
            metrics={"loss": {"value": 1 / (number + 1), "step": 10, "min": 0.1, "max": 2.0, "trend": [2.0, 0.1]}},
        )
        for number in range(_RUNS)
    ]  # fmt: skip
    with closing(Database(os.path.join(directory, "tasks.db"), dirs.tasks, dirs.task)) as database:
        database.put(tasks)
    wait_until(lambda: server.rest.request("GET", f"{TASKS}?limit=1&sort=name&fields=name")["next_cursor"], "the tasks")


def flood(plan: Plan) -> Iterator[Row]:
    """Frames of a page, and the wait of an event for its turn, while `yes` runs in a tab in front."""
    seconds = plan.pick(20, 5)
    frames: dict[str, Series] = {}
    waits: dict[str, Series] = {}
    with Server(plan.directory, lab=True) as server:
        for name, start in (("ours", server.task), ("stock terminal", server.stock)):
            plan.say(f"yes in JupyterLab, {name}")
            with start(YES) as terminal, _page(server) as page:
                last = terminal.path.rpartition("/")[2]
                command, args = ("ptytasks:open", {"id": last}) if name == "ours" else ("terminal:open", {"name": last})
                page.evaluate("([id, args]) => window.jupyterapp.commands.execute(id, args)", [command, args])
                page.locator(".jp-Terminal .xterm-screen").wait_for()
                between, waited = page.evaluate(_WATCH, seconds * 1000)
                frames[name] = Series(tuple(value / 1000 for value in between), "s")
                waits[name] = Series(tuple(value / 1000 for value in waited), "s")
    for what, measured in (("frames of", frames), ("delay of an event in", waits)):
        ours, stock = measured["ours"], measured["stock terminal"]
        value = Series((ours.percentile(95) / max(stock.percentile(95), 1e-4),), "ratio")
        told = f"{what} JupyterLab while `yes` runs in its front tab: p95 ÷ the stock terminal's"
        yield Row(told, value, ours, {"stock terminal": stock})


@contextmanager
def _page(server: Server) -> Iterator[Page]:
    """Open JupyterLab in a browser."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415  # the others do without a browser
    except ImportError as error:
        raise BenchmarkFailed("playwright is not installed") from error
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise BenchmarkFailed("there is no chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"http://127.0.0.1:{server.port}/lab?token={server.token}&reset")
        page.locator("#jupyterlab-splash").wait_for(state="detached", timeout=60_000)
        page.locator(".jp-Launcher").wait_for(timeout=60_000)
        try:
            yield page
        finally:
            browser.close()
