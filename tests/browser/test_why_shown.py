"""Why a task failed: said in the panel and the tab, and shown in the terminal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import panel, terminal
from tests.client.live import ended, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from jupyter_ptytasks.client import Client

pytestmark = pytest.mark.slow

#: Many empty lines come behind the reason, so that it has left the screen.
FAILS = "echo begins; echo 'fatal: the remote hung up'; for i in $(seq 100); do echo; done; exit 2"
REASON = "fatal: the remote hung up"

_SHOWN = """id => {
  for (const tab of window.jupyterapp.shell.widgets('main')) {
    if (tab.node.dataset.ptytask === id) {
      const term = tab.content._term;
      const { baseY, viewportY } = term.buffer.active;
      return { selected: term.getSelection().trim(), isAtEnd: viewportY >= baseY };
    }
  }
}"""


def test_a_failure_is_said_and_its_line_is_shown(page: Page, client: Client) -> None:
    task = client.create(FAILS, name="train")["id"]
    ended(client, task)
    row = panel.row(panel.show(page), task)
    expect(row.locator('[data-is="reason"]')).to_have_text(REASON)
    tab = terminal.show(page, task)
    banner = tab.get_by_role("status").filter(has_text=re.compile("has ended"))
    expect(banner).to_contain_text(f"Failed (exit 2). {REASON}")
    until(lambda: page.evaluate(_SHOWN, task) == {"selected": "", "isAtEnd": True})
    banner.get_by_role("button", name="Show Line").click()

    def is_shown() -> bool:
        page.wait_for_timeout(50)  # the page has its turn
        return bool(page.evaluate(_SHOWN, task) == {"selected": REASON, "isAtEnd": False})

    until(is_shown)
    # And it stays there: the terminal does not go back to the end by itself.
    page.wait_for_timeout(500)
    assert is_shown()
