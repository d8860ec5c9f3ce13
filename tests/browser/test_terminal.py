"""The terminal tab shows a task from its first line, whatever happens to the browser and the server meanwhile."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe, terminal
from tests.browser.conftest import NO_SERVER, is_ready, until_kept
from tests.client.live import PATIENCE, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from jupyter_ptytasks.client import Client
    from tests.browser.conftest import Console, OpenLab
    from tests.client.live import LiveServer

pytestmark = pytest.mark.slow

COUNTER = "for i in $(seq 100000); do echo line $i; sleep 0.05; done"


def test_a_reload_of_the_browser_in_the_middle(page: Page, client: Client) -> None:
    task = client.create(COUNTER, name="counter")["id"]
    terminal.show(page, task)
    terminal.until_number(page, task, 20)
    until_kept(page, task)
    before = terminal.numbers(page, task)[-1]
    page.goto(page.url.split("?")[0])
    is_ready(page)
    terminal.find(page, task)
    terminal.until_number(page, task, before + 20)
    terminal.assert_no_gap(page, task)


def test_a_server_that_is_killed_in_the_middle(page: Page, lab: LiveServer, client: Client, console: Console) -> None:
    console.expect(NO_SERVER)
    task = client.create(COUNTER, name="counter")["id"]
    tab = terminal.show(page, task)
    terminal.until_number(page, task, 20)
    before = terminal.numbers(page, task)[-1]
    terminal.lose_the_server(tab, lab)
    terminal.until_number(page, task, before + 20)
    terminal.assert_no_gap(page, task)


def test_the_network_is_away_for_a_moment(page: Page, client: Client, console: Console) -> None:
    console.expect(r"ERR_INTERNET_DISCONNECTED|WebSocket connection|Failed to fetch")
    task = client.create(COUNTER, name="counter")["id"]
    terminal.show(page, task)
    terminal.until_number(page, task, 20)
    for _ in range(3):
        # Chromium leaves the websockets alone that there are: it is their loss that matters, not why.
        page.evaluate("window.dispatchEvent(new Event('online'))")
        terminal.until_number(page, task, terminal.numbers(page, task)[-1] + 5)
    terminal.assert_no_gap(page, task)


#: Fills the width of its terminal, whatever that is, again and again; a line follows every twentieth time.
BAR = """
import itertools, shutil, time
for number in itertools.count():
    print("\\r" + f"bar {number} ".ljust(shutil.get_terminal_size().columns - 1, "#"), end="", flush=True)
    if number % 20 == 0:
        print(f"\\r\\x1b[Kline {number // 20} of {shutil.get_terminal_size().columns} columns", flush=True)
    time.sleep(0.005)
"""


def test_a_bar_as_wide_as_its_terminal_is_not_broken_by_a_wider_tab(page: Page, client: Client) -> None:
    task = client.create([sys.executable, "-uc", BAR], name="bar", cols=60)["id"]
    until(lambda: client.output(task)["total_lines"] > 20)
    terminal.show(page, task)
    until(lambda: client.get(task)["cols"] > 60, "the tab's size")
    wide = f"of {client.get(task)['cols']} columns"
    terminal.until_line(page, task, wide)
    found = terminal.lines(page, task)
    assert found[0] == "line 0 of 60 columns"
    assert [line for line in found[:-1] if line.startswith("bar")] == []


def test_an_ended_task_shows_its_end_and_comes_to_life_again(page: Page, client: Client, console: Console) -> None:
    # The tab asks for the task that was deleted, to know that it was.
    console.expect(r"/api/tasks/.* 404 ")
    task = client.create("echo hello; sleep 1; echo bad; exit 3", name="failing")["id"]
    tab = terminal.show(page, task)
    expect(terminal.banner(tab)).to_contain_text("Failed (exit 3)", timeout=PATIENCE * 1000)
    assert terminal.lines(page, task) == ["hello", "bad"]
    client.restart(task)
    expect(terminal.banner(tab)).to_have_text("")
    expect(terminal.banner(tab)).to_contain_text("Failed (exit 3)", timeout=PATIENCE * 1000)
    found = terminal.lines(page, task)
    assert found[-3:] == ["── attempt 2 ──", "hello", "bad"]
    client.delete(task)
    expect(terminal.banner(tab)).to_contain_text("deleted", timeout=PATIENCE * 1000)


def test_typed_text_arrives_and_closing_the_tab_ends_nothing(page: Page, client: Client) -> None:
    task = client.create(["cat"], name="cat")["id"]
    tab = terminal.show(page, task)
    tab.locator(".xterm-screen").click()
    page.keyboard.type("hello\n")
    until(lambda: client.output(task)["output"].splitlines() == ["hello", "hello"], "the echo and cat's answer")
    page.locator(".lm-TabBar-tab.lm-mod-current .lm-TabBar-tabCloseIcon").last.click()
    expect(tab).to_have_count(0)
    until(lambda: client.get(task)["viewers"] == 0, "no viewer")
    assert client.get(task)["alive"]


def test_nothing_is_typed_where_one_only_looks_on(page: Page, client: Client) -> None:
    task = client.create(["cat"], name="cat")["id"]
    tab = terminal.show(page, task, readonly=True)
    expect(tab.get_by_text("Read-only")).to_be_visible()
    tab.locator(".xterm-screen").click()
    page.keyboard.type("hello\n")
    client.send_input(task, "typed elsewhere", newline=True)
    terminal.until_line(page, task, "typed elsewhere")
    assert "hello" not in client.output(task)["output"]


def test_the_same_task_in_two_windows(open_lab: OpenLab, client: Client) -> None:
    task = client.create(["cat"], name="cat")["id"]
    large = open_lab(viewport={"width": 1600, "height": 800})
    small = open_lab("lab/workspaces/two", viewport={"width": 900, "height": 500})
    first = terminal.show(large, task)
    # Before anybody looks at it a task has 120.
    until(lambda: client.get(task)["cols"] > 120, "the size of the larger window")
    cols = client.get(task)["cols"]
    second = terminal.show(small, task)
    follows = "Size follows another viewer"
    expect(second.get_by_text(follows)).to_be_visible()
    second.locator(".xterm-screen").click()
    small.keyboard.type("from two\n")
    terminal.until_line(large, task, "from two")
    expect(first.get_by_text(follows)).to_be_visible()
    expect(second.get_by_text(follows)).to_have_count(0)
    until(lambda: client.get(task)["cols"] < cols, "the size of the smaller window")
    small.close()
    until(lambda: client.get(task)["cols"] == cols, "the size of the larger window")
    expect(first.get_by_text(follows)).to_have_count(0)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_serious_in_it(open_lab: OpenLab, client: Client, theme: str) -> None:
    task = client.create("echo hello; exit 3", name="failed")["id"]
    page = open_lab()
    axe.show_in(page, theme)
    tab = terminal.show(page, task)
    expect(terminal.banner(tab)).to_contain_text("Failed", timeout=PATIENCE * 1000)
    for part in ("header", "banner"):
        assert axe.serious(page, f".jp-PtyTasks-{part}") == []
