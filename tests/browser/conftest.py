"""One JupyterLab and one Chromium for all of these tests; an error in a page fails the test that caused it."""

from __future__ import annotations

import os
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from playwright.sync_api import expect, sync_playwright

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from tests.client.live import PATIENCE, LiveServer, until
from tests.missing import missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright

    from jupyter_ptytasks.client import Client

#: A Chromium with a window, though it is not shown; and the one without, which opens JupyterLab with half of the work.
WHOLE = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMIUM = shutil.which("chromium-headless-shell") or WHOLE

EXTENSION = os.path.join(sys.prefix, "share", "jupyter", "labextensions", "jupyter-ptytasks", "package.json")
#: What is said at every request while there is no server.
NO_SERVER = r"net::ERR_\w+|WebSocket connection|Failed to fetch"


@pytest.fixture(autouse=True)
def jp_asyncio_loop() -> None:
    """Replace that of pytest-jupyter, which would close the loop that the browser is driven with."""


@pytest.fixture(autouse=True)
def jp_server_cleanup() -> None:
    """Replace that of pytest-jupyter, which would run that loop."""


@pytest.fixture(scope="package")
def playwright_once() -> Iterator[Playwright]:
    """Yield Playwright; a process can have only one."""
    if CHROMIUM is None:
        missing("chromium")
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        yield playwright


def launch(playwright: Playwright, **options: Any) -> Browser:
    """Start a Chromium that shows nothing on the screen; the caller closes it."""
    # Containers give it neither the privileges for a sandbox nor much shared memory.
    args = ["--no-sandbox", "--disable-dev-shm-usage"]
    return playwright.chromium.launch(**{"executable_path": CHROMIUM, "args": args, **options})


@pytest.fixture(scope="package")
def browser(playwright_once: Playwright) -> Iterator[Browser]:
    """Yield the Chromium that most tests share."""
    browser = launch(playwright_once)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def whole_browser(playwright_once: Playwright) -> Iterator[Browser]:
    """Yield a Chromium that also has what belongs to its window: notifications, a back/forward cache."""
    # Playwright turns the cache off.
    options = {"executable_path": WHOLE, "ignore_default_args": ["--disable-back-forward-cache"]}
    browser = launch(playwright_once, **options)
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def running_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Yield a running JupyterLab."""
    if not os.path.exists(EXTENSION):
        missing("the front end, which scripts/frontend builds,")
    home = tmp_path_factory.mktemp("lab").resolve()
    work = home / "work"
    work.mkdir()
    # A shell that marks its commands.
    lab = LiveServer(home, f"--ServerApp.root_dir={work}", "--PtyTasksApp.shell_command=/bin/bash", lab=True)
    try:
        yield lab.start()
    finally:
        lab.stop()


@pytest.fixture
def lab(running_lab: LiveServer) -> Iterator[LiveServer]:
    """Yield the JupyterLab, without tasks and files; afterwards they are deleted, and it runs again if it was stopped.

    By then all pages are closed: a file browser would complain about a directory that is gone.
    """
    yield running_lab
    running_lab.revive()
    with running_lab.client() as client:
        for task in list(client.all()):
            client.delete(task["id"], stop=True)
    until(lambda: _emptied(running_lab.home / "work"), "the end of what is being saved there")


def _emptied(directory: Path) -> bool:
    """Delete what is in a directory, and tell whether nothing came meanwhile."""
    for path in directory.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return not any(directory.iterdir())


@pytest.fixture
def client(lab: LiveServer) -> Iterator[Client]:
    """Yield a client of the server, for what another user does in the meantime."""
    with lab.client() as client:
        yield client


#: What no test is to blame for. Jupyter Server (2.21) fails to list its kernels while one of them starts, which has no
#: `last_activity` yet, and its workspaces while one of them is written. A task may be deleted while a page asks for its
#: last lines.
_BLAMELESS = (r"/api/kernels\?\S* .* 500 ", r"/lab/api/workspaces\?\S* .* 500 ", r"/tasks/\w+/output\S* .* 404 ")


class Console:
    """What the browser complains about in any page of a test."""

    def __init__(self) -> None:
        self._complaints: list[str] = []
        self._expected = [*_BLAMELESS]

    def watch(self, page: Page) -> None:
        """Listen to a page."""
        page.on("console", self._on_message)
        page.on("pageerror", lambda error: self._complaints.append(f"{page.url}: {error.stack or error.message}"))

    def _on_message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._complaints.append(f"{message.location['url']}: {message.text}")

    def expect(self, pattern: str) -> None:
        """Take no offence at complaints, `address: text`, in which the pattern is found: the test causes them."""
        self._expected.append(pattern)

    @property
    def complaints(self) -> list[str]:
        """The messages that were not expected."""
        return [text for text in self._complaints if not any(re.search(known, text) for known in self._expected)]


@pytest.fixture
def console() -> Iterator[Console]:
    """Yield the console of all pages; messages that were not expected fail the test at its end."""
    console = Console()
    yield console
    assert not console.complaints


class OpenLab(Protocol):
    """Opens JupyterLab in a browser of its own, as another person would, and returns when it is ready."""

    def __call__(self, path: str = ..., browser: Browser = ..., **options: Any) -> Page: ...


@pytest.fixture
def open_lab(browser: Browser, lab: LiveServer, console: Console, request: pytest.FixtureRequest) -> Iterator[OpenLab]:
    """Yield a function that opens JupyterLab at a path, with options of the browser's context or another `browser`."""
    contexts: list[BrowserContext] = []

    def open_it(path: str = "lab", browser: Browser = browser, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        context.set_default_timeout(PATIENCE * 1000)
        page = context.new_page()
        console.watch(page)
        # JupyterLab opens it when its server is away, and it would be in the way of a click.
        lost = page.get_by_role("dialog", name="Server Connection Error")
        page.add_locator_handler(lost, lambda: lost.get_by_role("button", name="Close").click())
        page.goto(f"{lab.url}{path}{'&' if '?' in path else '?'}token={lab.token}&reset")
        is_ready(page)
        return page

    yield open_it
    keep = os.environ.get("PTYTASKS_SHOTS")
    for number, context in enumerate(contexts):
        if keep and context.pages:
            context.pages[0].screenshot(path=os.path.join(keep, f"{request.node.name}-{number}.png"))
        context.close()


def is_ready(page: Page) -> None:
    """Wait until JupyterLab can be used."""
    page.locator("#jupyterlab-splash").wait_for(state="detached")
    page.locator("#jp-main-dock-panel .lm-TabBar-tab").first.wait_for()


def until_kept(page: Page, text: str) -> None:
    """Wait until the layout that JupyterLab has stored on the server has this in it: a reload restores it."""
    workspace = page.url.split("?")[0].replace("/lab", "/lab/api/workspaces/default")

    def is_kept() -> bool:
        page.wait_for_timeout(50)  # the page has its turn
        return text in page.request.get(workspace).text()

    until(is_kept, f"{text} in the stored layout")


@pytest.fixture
def page(open_lab: OpenLab) -> Page:
    """Return a new page with JupyterLab."""
    return open_lab()
