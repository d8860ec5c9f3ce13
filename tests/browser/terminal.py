"""The terminal tab of a task, as users see it: the screen, and the header above it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.client.live import PATIENCE, until

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.client.live import LiveServer

#: Lines above the screen that JupyterLab's terminals keep by default.
SCROLLBACK = 1000
#: The lines in a tab's terminal, from the first that can be scrolled to. The screen is a picture: it cannot be read.
_LINES = """id => {
  for (const tab of window.jupyterapp.shell.widgets('main')) {
    if (tab.node.dataset.ptytask === id && tab.content._term) {
      const buffer = tab.content._term.buffer.active;
      return Array.from({ length: buffer.length }, (_, at) => buffer.getLine(at).translateToString(true));
    }
  }
  return [];
}"""


def show(page: Page, task: str, **options: Any) -> Locator:
    """Open the tab of the task with this id, and give it."""
    page.evaluate("args => window.jupyterapp.commands.execute('ptytasks:open', args)", {"id": task, **options})
    return find(page, task)


def find(page: Page, task: str) -> Locator:
    """Wait for the tab of the task with this id, and give it."""
    tab = page.locator(f'.jp-PtyTasks-terminal[data-ptytask="{task}"]').last
    tab.locator(".xterm-screen").wait_for()
    return tab


def lines(page: Page, task: str) -> list[str]:
    """Return the text of the terminal, without empty lines."""
    found: list[str] = page.evaluate(_LINES, task)
    return [line for line in found if line]


def numbers(page: Page, task: str) -> list[int]:
    """Return the N of all lines `line N` in the terminal."""
    return [int(line[5:]) for line in lines(page, task) if re.fullmatch(r"line \d+", line)]


def assert_no_gap(page: Page, task: str) -> None:
    """Every line `line N` is there once, but for those above the last thousand, which a terminal forgets."""
    found = numbers(page, task)
    assert found == list(range(found[0], found[-1] + 1))
    assert found[0] == 1 or len(found) >= SCROLLBACK


def until_line(page: Page, task: str, text: str) -> None:
    """Wait until there is a line with this text in the terminal."""

    def is_there() -> bool:
        page.wait_for_timeout(50)  # the page has its turn, and the test hears of it
        return any(text in line for line in lines(page, task))

    until(is_there, f"{text!r} in the terminal")


def until_number(page: Page, task: str, number: int) -> None:
    """Wait until `line N` with at least this number is in the terminal."""

    def is_there() -> bool:
        page.wait_for_timeout(50)
        return max(numbers(page, task), default=0) >= number

    until(is_there, f"line {number} in the terminal")


def lose_the_server(tab: Locator, lab: LiveServer) -> None:
    """Kill the server and start it again; wait until the tab has seen both."""
    lab.kill9()
    expect(banner(tab)).to_contain_text("lost", timeout=PATIENCE * 1000)
    lab.start()
    expect(banner(tab)).to_have_text("", timeout=PATIENCE * 1000)


def banner(tab: Locator) -> Locator:
    """Return the notice that says why there is no more output."""
    return tab.locator(".jp-PtyTasks-banner")
