"""Why a task failed: shown in the panel and the tab, and selected in the terminal."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe, notebook, panel, terminal
from tests.client.live import ended, until

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from jupyter_ptytasks.client import Client
    from tests.client.live import LiveServer

pytestmark = pytest.mark.slow

#: Many empty lines come behind the reason, so that it has left the screen.
FAILS = "echo begins; echo 'fatal: the remote hung up'; for i in $(seq 100); do echo; done; exit 2"
REASON = "fatal: the remote hung up"

_SHOWN = """id => {
  for (const tab of window.jupyterapp.shell.widgets('main')) {
    if (tab.node.dataset.ptytask === id) {
      const term = tab.isVisible && tab.content._term;
      if (!term) {
        return null;
      }
      const { baseY, viewportY } = term.buffer.active;
      return { selected: term.getSelection().trim(), isAtEnd: viewportY >= baseY };
    }
  }
}"""


def test_a_failure_is_explained_and_its_line_is_shown(page: Page, client: Client) -> None:
    task = client.create(FAILS, name="train")["id"]
    ended(client, task)
    row = panel.row(panel.show(page), task)
    expect(row.locator('[data-is="reason"]')).to_have_text(REASON)
    tab = terminal.show(page, task)
    banner = tab.get_by_role("status").filter(has_text="Failed (exit 2)")
    expect(banner).to_contain_text(f"Failed (exit 2): {REASON}")
    until(lambda: page.evaluate(_SHOWN, task) == {"selected": "", "isAtEnd": True})
    banner.get_by_role("button", name="Show Line").click()

    until_shown(page, task, REASON)


#: Two exceptions; the second one, at its end, is the reason.
PROGRAM = """
def step(rate):
    try:
        {}["rate"]
    except KeyError as error:
        raise ValueError(f"the learning rate must be positive, not {rate}") from error

for epoch in range(300):
    print(f"epoch {epoch}")
step(-1)
"""
MESSAGE = "ValueError: the learning rate must be positive, not -1"


@pytest.fixture
def train(tmp_path: Path) -> str:
    """Return a command that runs a Python program that fails, and then scrolls what it said out of the screen."""
    program = tmp_path / "train.py"
    program.write_text(PROGRAM)
    run = f"{shlex.quote(sys.executable)} {shlex.quote(str(program))}"
    return f"{run}; code=$?; for i in $(seq 100); do echo; done; exit $code"


def until_shown(page: Page, task: str, line: str) -> None:
    """Wait until the tab of the task shows the line, and see that it stays there."""

    def is_shown() -> bool:
        page.wait_for_timeout(50)  # the page has its turn
        return bool(page.evaluate(_SHOWN, task) == {"selected": line, "isAtEnd": False})

    until(is_shown)
    # By then the terminal has taken the size it keeps, and nothing has scrolled it, not even to its end by itself.
    page.wait_for_timeout(700)
    assert is_shown()


def test_a_click_on_the_reason_in_the_panel_opens_the_terminal_there(page: Page, client: Client, train: str) -> None:
    task = client.create(train, name="train")["id"]
    ended(client, task)
    tasks = panel.show(page)
    reason = panel.row(tasks, task).locator('[data-is="reason"]')
    expect(reason).to_have_text(f"{MESSAGE} (train.py:6)")
    reason.get_by_role("button").click()
    until_shown(page, task, MESSAGE)
    assert axe.serious(page, ".jp-PtyTasks-list") == []


def test_the_keyboard_opens_the_terminal_there(page: Page, client: Client, train: str) -> None:
    task = client.create(train, name="train")["id"]
    ended(client, task)
    tasks = panel.show(page)
    expect(panel.row(tasks, task)).to_contain_text(MESSAGE)
    tasks.get_by_role("treegrid").press("Alt+Enter")
    until_shown(page, task, MESSAGE)
    # Also where the terminal is open already, and shows something else.
    page.get_by_role("button", name="Jump to End").click()
    until(lambda: page.evaluate(_SHOWN, task)["isAtEnd"])
    page.evaluate("id => { window.jupyterapp.commands.execute('ptytasks:show-reason', { id }); }", task)
    until_shown(page, task, MESSAGE)


def test_the_reason_in_a_cell_opens_the_terminal_there(page: Page, lab: LiveServer, client: Client, train: str) -> None:
    task = client.create(train, name="train")
    ended(client, task["id"])
    notebook.write(lab, "why.ipynb", notebook.cell("", notebook.bundle(task)))
    view = notebook.view(notebook.show(page, "why.ipynb"), "train")
    reason = view.get_by_role("button", name=MESSAGE)
    expect(reason).to_have_attribute("title", "Show this line in the terminal")
    reason.press("Enter")
    until_shown(page, task["id"], MESSAGE)


def test_a_notification_of_a_failure_opens_the_terminal_there(page: Page, client: Client, train: str) -> None:
    # What had ended before the page looked for the first time is no news.
    expect(panel.show(page).get_by_role("heading", name="No tasks yet")).to_be_visible()
    task = client.create(train, name="train")["id"]
    notice = page.locator(".Toastify__toast", has_text="“train”")
    expect(notice).to_contain_text(MESSAGE)
    expect(notice.get_by_role("button", name="Open", exact=True)).to_have_count(0)
    notice.get_by_role("button", name="Show Line").click()
    until_shown(page, task, MESSAGE)
