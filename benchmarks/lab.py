"""A page of JupyterLab in a browser, and how long its main thread is busy, by the thread's own clock."""

from __future__ import annotations

import shutil
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .plan import BenchmarkFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from .servers import Server

#: Waits until what was done last has been painted.
PAINTED = "await new Promise(requestAnimationFrame); await new Promise(done => setTimeout(done));"

#: What Chromium calls a turn of a thread's loop, and the thread that runs a page.
_TURN, _MAIN = "ThreadControllerImpl::RunTask", "CrRendererMain"


@contextmanager
def browser_page() -> Iterator[Page]:
    """Yield an empty browser page and close it at the end. Raises BenchmarkFailed if there is no browser, or an
    operation in it fails.
    """
    try:
        from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415  # the others do without a browser
    except ImportError as error:
        raise BenchmarkFailed("playwright is not installed") from error
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise BenchmarkFailed("there is no chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        try:
            yield browser.new_page(viewport={"width": 1280, "height": 800})
        except Error as error:
            raise BenchmarkFailed(error.message) from error
        finally:
            browser.close()


def open_lab(page: Page, server: Server) -> None:
    """Have the page show JupyterLab as it is when nothing is open."""
    page.goto(f"http://127.0.0.1:{server.port}/lab?token={server.token}&reset")
    page.locator("#jupyterlab-splash").wait_for(state="detached", timeout=60_000)
    page.locator(".jp-Launcher").wait_for(timeout=60_000)


@contextmanager
def lab_page(server: Server) -> Iterator[Page]:
    """Yield a page with JupyterLab."""
    with browser_page() as page:
        open_lab(page, server)
        yield page


@contextmanager
def busy(page: Page) -> Iterator[list[float]]:
    """Yield a list that has, at the end, the seconds of CPU time of each turn of the page's main thread meanwhile."""
    session = page.context.new_cdp_session(page)
    events: list[dict[str, Any]] = []
    is_done: list[object] = []
    session.on("Tracing.dataCollected", lambda said: events.extend(said["value"]))
    session.on("Tracing.tracingComplete", lambda said: is_done.append(said))  # noqa: PLW0108  # it is given attributes
    session.send("Tracing.start", {"traceConfig": {"includedCategories": ["toplevel"]}})
    turns: list[float] = []
    yield turns
    session.send("Tracing.end")
    while not is_done:
        page.wait_for_timeout(20)  # events come in
    session.detach()
    main = {(one["pid"], one["tid"]) for one in events if one["name"] == "thread_name" and one["args"]["name"] == _MAIN}
    found: dict[tuple[int, int], list[float]] = defaultdict(list)
    for one in events:
        thread = one["pid"], one["tid"]
        if one["name"] == _TURN and thread in main:
            found[thread].append(one.get("tdur", 0) / 1e6)
    turns += max(found.values(), key=sum, default=[])
