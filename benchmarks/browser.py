"""How fluid JupyterLab stays while `yes` runs in one of its tabs: in ours, and in its own terminal."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .plan import BenchmarkFailed
from .programs import YES
from .results import Row, Series
from .servers import Server

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
