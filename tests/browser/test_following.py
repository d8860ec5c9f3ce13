"""A terminal tab follows its output unless the user scrolls away; a hidden page does not count as a viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe, terminal
from tests.client.live import PATIENCE, until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

    from jupyter_ptytasks.client import Client
    from tests.browser.conftest import Console, OpenLab
    from tests.client.live import LiveServer

pytestmark = pytest.mark.slow

COUNTER = "stty -echo; for i in $(seq 100000); do echo line $i; sleep 0.05; done"
#: More than a screen of lines at once, then one at every line that is typed.
PAGES = "seq -f 'line %g' 200; for i in $(seq 201 300); do read go; echo line $i; done"


def is_at_end(page: Page, task: str) -> bool:
    """Return whether the last line of the terminal is visible."""
    end_hook: bool = page.evaluate(
        """id => {
            const tab = [...window.jupyterapp.shell.widgets('main')].find(one => one.node.dataset.ptytask === id);
            const { viewportY, baseY } = tab.content._term.buffer.active;
            return baseY > 0 && viewportY === baseY;
        }""",
        task,
    )
    return end_hook


def stray(tab: Locator) -> None:
    """Scroll as a browser does by itself when a terminal changes its size, without input."""
    tab.locator(".xterm-viewport").evaluate(
        "view => new Promise(done => { view.scrollTop = 0; requestAnimationFrame(() => requestAnimationFrame(done)); })"
    )


def test_an_unscrolled_terminal_keeps_following(page: Page, client: Client) -> None:
    task = client.create(PAGES, name="pages")["id"]
    tab = terminal.show(page, task)
    terminal.until_number(page, task, 200)
    until(lambda: is_at_end(page, task), "the end")
    for number in range(201, 206):
        stray(tab)
        client.send_input(task, "", newline=True)
        terminal.until_number(page, task, number)
        until(lambda: is_at_end(page, task), "the end")
    expect(tab.get_by_role("button", name="Jump to End")).to_be_hidden()


def test_a_scrolled_terminal_stays_there_and_can_jump_back(page: Page, client: Client) -> None:
    task = client.create(PAGES, name="pages")["id"]
    tab = terminal.show(page, task)
    terminal.until_number(page, task, 200)
    until(lambda: is_at_end(page, task), "the end")
    jump = tab.get_by_role("button", name="Jump to End")
    expect(jump).to_be_hidden()
    for by_keyboard in (False, True):
        tab.locator(".xterm-screen").click()
        if by_keyboard:
            page.keyboard.press("Shift+PageUp")
        else:
            page.mouse.wheel(0, -600)
        expect(jump).to_be_visible()
        client.send_input(task, "", newline=True)
        terminal.until_line(page, task, f"line {terminal.numbers(page, task)[-1]}")
        assert not is_at_end(page, task)
        assert axe.serious(page, ".jp-PtyTasks-jump") == []
        jump.press("Enter")
        expect(jump).to_be_hidden()
        assert is_at_end(page, task)
    # Whoever jumps goes on to type.
    expect(tab.locator(".xterm-helper-textarea")).to_be_focused()


def test_a_page_in_the_back_forward_cache_is_not_a_viewer(
    whole_browser: Browser, open_lab: OpenLab, lab: LiveServer, client: Client, console: Console
) -> None:
    # Those of JupyterLab itself.
    console.expect("Page entered Back-Forward Cache")
    task = client.create(COUNTER, name="counter")["id"]
    large = open_lab(browser=whole_browser)
    tab = terminal.show(large, task)
    terminal.until_number(large, task, 20)
    # It leads.
    tab.locator(".xterm-screen").click()
    large.keyboard.type("x")
    until(lambda: client.get(task)["leader"] is not None, "a leader")
    cols = client.get(task)["cols"]
    small = open_lab("lab/workspaces/two", viewport={"width": 900, "height": 500})
    terminal.show(small, task)
    until(lambda: client.get(task)["viewers"] == 2, "two viewers")
    large.evaluate("addEventListener('pageshow', event => { window.wasKept = event.persisted; }, { once: true })")

    large.goto(f"{lab.url}api/status?token={lab.token}")
    until(lambda: client.get(task)["viewers"] == 1, "one viewer")
    until(lambda: client.get(task)["cols"] < cols, "the size of the one that can be seen")

    large.go_back(wait_until="commit")
    large.wait_for_function("window.wasKept !== undefined")
    assert large.evaluate("window.wasKept"), "the browser has not kept the page: this test shows nothing"
    until(lambda: client.get(task)["viewers"] == 2, "two viewers again", timeout=PATIENCE)
    before = terminal.numbers(large, task)[-1]
    terminal.until_number(large, task, before + 20)
    terminal.assert_no_gap(large, task)
