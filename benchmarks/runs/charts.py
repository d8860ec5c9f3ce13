"""Charts: 100,000 points drawn, and four charts that follow a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.lab import PAINTED, busy, lab_page
from benchmarks.plan import wait_until
from benchmarks.results import Must, Row, Series
from benchmarks.servers import Server

from .tasks import fill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from benchmarks.plan import Plan

#: As many tasks as have more than 100,000 points, with as many each as are kept.
_TASKS, _POINTS = 25, 4096
_TAB = ".jp-PtyTasks-metrics"

#: Changes an axis, for which the chart is made anew; gives the milliseconds until it is painted.
_DRAW = f"""async selector => {{
  const begun = performance.now();
  document.querySelector(selector).click();
  {PAINTED}
  return performance.now() - begun;
}}"""

#: Four metrics that go on.
_TRAIN = """
import itertools, time
for step in itertools.count():
    told = {"loss": 9 / (step + 1), "acc": 1 - 1 / (step + 2), "lr": 1e-3 / (step + 1), "ppl": 99 / (step + 1)}
    print(f"step {step}", *(f"{name} {value:.9f}" for name, value in told.items()))
    if step > 1000:
        time.sleep(0.1)
"""


def charts(plan: Plan) -> Iterator[Row]:
    """Both, in one page."""
    plan.say("charts")
    with Server(plan.directory, lab=True) as server:
        tasks = fill(server, _TASKS, points=_POINTS)
        with lab_page(server) as page:
            _show(page, tasks, 1)
            page.locator(f"{_TAB} tbody tr").nth(_TASKS - 1).wait_for()
            wait_until(lambda: page.locator(f"{_TAB} tbody b").count(), "all points had come")
            yield _drawn(plan, page)
            page.evaluate("window.jupyterapp.shell.currentWidget.dispose()")
            with server.task(["python3", "-u", "-c", _TRAIN]) as terminal:
                yield _followed(plan, page, terminal.path.rpartition("/")[2])


def _show(page: Page, tasks: list[str], charts: int) -> None:
    page.evaluate("ids => window.jupyterapp.commands.execute('ptytasks:show-metrics', { ids })", tasks)
    page.locator(f"{_TAB} canvas").nth(charts - 1).wait_for()


def _drawn(plan: Plan, page: Page) -> Row:
    took, used = [], []
    for _ in range(plan.pick(20, 8)):
        with busy(page) as turns:
            took.append(page.evaluate(_DRAW, f"{_TAB} input[type=checkbox]") / 1000)
        used.append(sum(turns))
    measured, peers = Series(tuple(took), "s"), {"CPU of the page": Series(tuple(used), "s")}
    return Row(f"{_TASKS * _POINTS} points drawn", measured, measured, peers, Must(0.1, "s"))


def _followed(plan: Plan, page: Page, task: str) -> Row:
    """Follow a task; what counts is what a frame takes of the page's main thread."""
    _show(page, [task], 4)
    seconds = plan.pick(10, 5)
    with busy(page) as turns:
        page.wait_for_timeout(1000 * seconds)
    used = Series((sum(turns) / (60 * seconds),), "s")
    longest = {"the longest turn": Series((max(turns),), "s")}
    return Row("live update of 4 charts: CPU of the page for a frame", used, used, longest, Must(0.004, "s"))
