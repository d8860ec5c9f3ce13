"""The whole output of a task in its tab: earlier lines, search, a line from a link, and earlier screens."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe, focus, terminal
from tests.client.live import ended, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from jupyter_ptytasks.client import Client
    from tests.browser.conftest import OpenLab

pytestmark = pytest.mark.slow

#: The last one is how JupyterLab stays.
THEMES = ("JupyterLab Dark High Contrast", "JupyterLab Dark", "JupyterLab Light")

#: Many more lines than a terminal keeps, one of which tells of an error.
PRINTS = f"seq -f 'line %g' 0 3999; echo 'ValueError: negative rate {'a' * 40}!'; seq -f 'line %g' 4001 9999"


def set_theme(page: Page, theme: str) -> None:
    """Have JupyterLab in another theme."""
    axe.show_in(page, theme)
    expect(page.locator(f'body[data-jp-theme-name="{theme}"]')).to_be_attached()
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)


def test_all_lines_can_be_read_and_searched(page: Page, client: Client) -> None:
    task = client.create(PRINTS, name="long")["id"]
    ended(client, task)
    tab = terminal.show(page, task)
    terminal.until_line(page, task, "line 9999")

    # What the terminal does not have is told at its top.
    tab.locator(".xterm-screen").hover()
    page.mouse.wheel(0, -100_000)
    earlier = tab.get_by_role("button", name="9,000 earlier lines")
    earlier.click()
    view = tab.locator(".jp-PtyTasks-whole")
    expect(view.locator('[data-line="9999"]')).to_be_visible()
    lines = view.get_by_role("region", name="Output")
    expect(lines).to_be_focused()
    expect(view.locator('[data-line="9999"]')).to_have_attribute("title", re.compile(r"\d"))

    # Earlier lines are loaded in pages, and what is read stays where it is.
    lines.evaluate("node => { node.scrollTop = 0; }")
    expect(view.locator('[data-line="9500"]')).to_be_attached()
    until(lambda: lines.evaluate("node => node.scrollTop > 1000"), "more lines above")
    expect(view.locator('[data-line="9500"]')).to_be_visible()

    page.keyboard.press("Home")
    expect(view.locator('[data-line="0"]')).to_be_in_viewport()
    page.keyboard.press("End")
    expect(view.locator('[data-line="9999"]')).to_be_in_viewport()

    # Ctrl+F searches all of it, in any case unless that is to matter.
    page.keyboard.press("Control+f")
    expect(view.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("LINE 1234")
    page.keyboard.press("Enter")
    found = view.locator('[data-line="1234"]')
    expect(found).to_have_attribute("aria-current", "true")
    expect(found.locator("mark")).to_have_text("line 1234")
    expect(view.get_by_text("1 of 1", exact=True)).to_be_visible()
    view.get_by_role("button", name="Match case").click()
    view.get_by_role("searchbox").press("Enter")
    expect(view.get_by_text("No match")).to_be_visible()
    view.get_by_role("button", name="First Error").click()
    expect(view.locator('[data-line="4000"]')).to_contain_text("ValueError")
    expect(view.locator('[data-line="4000"]')).to_be_in_viewport()
    # The page itself compares no line with an expression, which could take it years.
    view.get_by_role("button", name="Regular expression").click()
    view.get_by_role("searchbox").fill("(a+)+$")
    view.get_by_role("searchbox").press("Enter")
    expect(view.get_by_text("No match")).to_be_visible()
    for theme in THEMES:
        set_theme(page, theme)
        assert axe.serious(page, ".jp-PtyTasks-whole") == []
        assert focus.unseen(page, ".jp-PtyTasks-whole") == []
    view.get_by_role("button", name="Jump to End").click()
    expect(view.locator('[data-line="9999"]')).to_be_in_viewport()

    page.keyboard.press("Escape")
    expect(view).to_have_count(0)
    # In an ended task, so does Ctrl+F in the terminal.
    tab.locator(".xterm-screen").click()
    page.keyboard.press("Control+f")
    expect(tab.get_by_role("searchbox")).to_be_focused()


def test_the_edit_menu_finds_lines_of_a_task_that_runs(page: Page, client: Client) -> None:
    task = client.create(f"{PRINTS}; read go; printf '%5000sneedle%5000s\\ngone on\\n' '' ''", name="live")["id"]
    tab = terminal.show(page, task)
    terminal.until_line(page, task, "line 9999")

    def find(text: str) -> None:
        tab.locator(".xterm-screen").click()
        page.get_by_role("menuitem", name="Edit", exact=True).click()
        page.get_by_role("menuitem", name="Find in Whole Output…").click()
        expect(tab.get_by_role("searchbox")).to_be_focused()
        page.keyboard.type(text)
        page.keyboard.press("Enter")

    find("line 1234")
    expect(tab.locator('[data-line="1234"]')).to_have_attribute("aria-current", "true")
    # Back in the terminal, keys are for the program again.
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    terminal.until_line(page, task, "gone on")
    # Of a long line, it shows what is around the match.
    find("needle")
    expect(tab.locator('[aria-current="true"] mark')).to_be_in_viewport()


def test_a_link_opens_a_line_and_a_slider_shows_earlier_screens(open_lab: OpenLab, client: Client) -> None:
    task = client.create("printf 'first\\n'; sleep 2; printf '\\033[2J\\033[Hsecond\\n'; seq 2000", name="short")["id"]
    ended(client, task)
    page = open_lab(f"lab?ptytask={task}&line=3")
    tab = terminal.find(page, task)
    expect(tab.locator('.jp-PtyTasks-whole [data-line="3"]')).to_have_attribute("aria-current", "true")

    page.evaluate("id => window.jupyterapp.commands.execute('ptytasks:show-moments', { id })", task)
    moment = tab.locator(".jp-PtyTasks-moment")
    slider = moment.get_by_role("slider", name="Time")
    expect(slider).to_be_focused()
    drawn = """id => {
      for (const tab of window.jupyterapp.shell.widgets('main')) {
        if (tab.node.dataset.ptytask === id) {
          const buffer = tab._cover.still?._term?.buffer.active;
          return buffer ? Array.from({ length: buffer.length },
            (_, at) => buffer.getLine(at).translateToString(true)).join(' ') : '';
        }
      }
    }"""
    until(lambda: "2000" in page.evaluate(drawn, task), "the last screen")
    slider.fill("300")
    until(lambda: page.evaluate(drawn, task).split() == ["first"], "the screen after a third of the time")
    for theme in THEMES:
        set_theme(page, theme)
        assert axe.serious(page, ".jp-PtyTasks-moment .jp-PtyTasks-whole-bar") == []
    page.keyboard.press("Escape")
    expect(moment).to_have_count(0)

    with page.expect_download() as download:
        page.evaluate("id => window.jupyterapp.commands.execute('ptytasks:download-recording', { id })", task)
    recording = download.value.path().read_text(encoding="utf-8")
    assert json.loads(recording.splitlines()[0])["version"] == 3
