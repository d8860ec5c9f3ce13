"""The life of a task in JupyterLab: started from the dialog, watched, lost and found again, and notified of its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import asking, panel, terminal
from tests.browser.conftest import NO_SERVER, is_ready, until_kept
from tests.client.live import PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from jupyter_ptytasks.client import Client
    from tests.browser.conftest import Console
    from tests.client.live import LiveServer

pytestmark = pytest.mark.slow


def test_a_training_is_started_left_and_found_again(
    page: Page, lab: LiveServer, client: Client, console: Console
) -> None:
    console.expect(NO_SERVER)
    tasks = panel.show(page)
    tasks.get_by_role("button", name="New Task…").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Command", exact=True).fill(
        "i=0; while [ ! -e enough ]; do echo line $((i+=1)); sleep 0.05; done; exit 3"
    )
    dialog.get_by_label("Name", exact=True).fill("train")
    dialog.get_by_role("button", name="Start", exact=True).click()
    page.locator(".jp-PtyTasks-terminal .xterm-screen").wait_for()
    task = client.get("train")["id"]
    terminal.until_number(page, task, 20)

    # The browser is reloaded in the middle.
    until_kept(page, task)
    page.goto(page.url.split("?")[0])
    is_ready(page)
    tab = terminal.find(page, task)
    terminal.until_number(page, task, 40)

    # The server is killed in the middle, and started again.
    before = terminal.numbers(page, task)[-1]
    terminal.lose_the_server(tab, lab)
    terminal.until_number(page, task, before + 20)

    # It ends.
    (lab.home / "work" / "enough").touch()
    expect(terminal.banner(tab)).to_contain_text("Failed (exit 3)", timeout=PATIENCE * 1000)
    terminal.assert_no_gap(page, task)
    row = panel.row(panel.show(page), task)
    expect(row).to_contain_text("exit 3", timeout=PATIENCE * 1000)


def test_a_thousand_tasks_are_scrolled_through(page: Page, client: Client) -> None:
    """The list is artificial, made from a real task."""
    sample = client.create("echo done", name="sample")
    made = [{**sample, "id": f"made{number:08}", "name": f"experiment {number}"} for number in range(1000)]
    asking.make_up_list(page, made)
    line = {**client.output("sample"), "output": "step 1\n"}
    page.route("**/ptytasks/api/tasks/made*/output?**", lambda route: route.fulfill(json=line))
    tasks = panel.show(page)
    page.evaluate("window.jupyterapp.commands.execute('ptytasks:refresh')")
    grid = tasks.get_by_role("treegrid")
    expect(grid).to_have_attribute("aria-rowcount", "1000")
    expect(tasks.get_by_text("experiment 0", exact=True)).to_be_visible()
    rows = tasks.locator(".jp-PtyTasks-row")
    grid.focus()
    page.keyboard.press("End")
    expect(tasks.get_by_text("experiment 999", exact=True)).to_be_visible()
    assert rows.count() < 100
    page.keyboard.press("Home")
    expect(tasks.get_by_text("experiment 0", exact=True)).to_be_visible()
    grid.hover()
    for _ in range(20):
        page.mouse.wheel(0, 2000)
    expect(tasks.get_by_text("experiment 0", exact=True)).not_to_be_in_viewport()
    assert 0 < rows.count() < 100
    tasks.get_by_role("searchbox").fill("experiment 77")
    expect(grid).to_have_attribute("aria-rowcount", "19")  # 77, 770 to 779, 177 to 977
