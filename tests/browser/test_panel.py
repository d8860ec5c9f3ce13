"""The panel follows changes made elsewhere, and recovers from errors."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe, panel
from tests.browser.conftest import NO_SERVER
from tests.client.live import PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from jupyter_ptytasks.client import Client
    from tests.browser.conftest import Console, OpenLab
    from tests.client.live import LiveServer

pytestmark = pytest.mark.slow

#: Whether the last characters of an element, as many as are given, are in it.
SHOWS = """(node, count) => {
    const range = document.createRange();
    range.setStart(node.firstChild, node.textContent.length - count);
    range.setEnd(node.firstChild, node.textContent.length);
    const [text, box] = [range.getBoundingClientRect(), node.getBoundingClientRect()];
    return text.left >= box.left - 1 && text.right <= box.right + 1;
}"""


def test_it_is_there_and_says_how_to_begin(page: Page) -> None:
    tasks = panel.show(page)
    expect(tasks.get_by_role("heading", name="No tasks yet")).to_be_visible()
    expect(tasks.get_by_role("button", name="New Task…").first).to_be_visible()


def test_changes_by_others_show_immediately(page: Page, client: Client) -> None:
    tasks = panel.show(page)
    expect(tasks.get_by_role("heading", name="No tasks yet")).to_be_visible()
    seconds = []
    for name in ("one", "two", "three"):
        task = client.create("sleep 1000", name=name)["id"]
        since = time.monotonic()
        panel.in_state(panel.row(tasks, task), "Running").wait_for()
        seconds.append(time.monotonic() - since)
        client.stop(task, signals=["SIGKILL"])
        since = time.monotonic()
        panel.in_state(panel.row(tasks, task), "Canceled").wait_for()
        seconds.append(time.monotonic() - since)
        client.delete(task)
        expect(panel.row(tasks, task)).to_have_count(0)
    # Six looks of the poll alone would take a minute: it looks less and less often.
    assert sum(seconds) < 30, seconds


def test_the_command_line_is_followed_too(page: Page, lab: LiveServer) -> None:
    tasks = panel.show(page)
    task = lab.cli("run", "--name", "typed", "--", "exit 3").stdout.split()[0]
    row = panel.row(tasks, task)
    panel.in_state(row, "Failed").wait_for()
    expect(row).to_contain_text("typed")
    expect(row).to_contain_text("exit 3")


def test_newest_first(page: Page, client: Client) -> None:
    ids = [client.create("sleep 1000", name=name)["id"] for name in ("one", "two", "three")]
    tasks = panel.show(page)
    rows = tasks.locator(".jp-PtyTasks-row")
    expect(rows).to_have_count(3)
    assert [row.get_attribute("data-task") for row in rows.all()] == ids[::-1]


def test_it_recovers_after_the_server_was_killed(page: Page, lab: LiveServer, client: Client, console: Console) -> None:
    console.expect(NO_SERVER)
    tasks = panel.show(page)
    survivor = client.create("sleep 1000", name="survivor")["id"]
    panel.in_state(panel.row(tasks, survivor), "Running").wait_for()
    lab.kill9()
    tasks.get_by_role("button", name="Reload the tasks").click()
    alert = tasks.get_by_role("alert")
    expect(alert).to_contain_text("cannot be reached", timeout=PATIENCE * 1000)
    expect(panel.row(tasks, survivor)).to_be_visible()
    lab.start()
    expect(alert).to_have_count(0, timeout=PATIENCE * 1000)
    panel.in_state(panel.row(tasks, survivor), "Running").wait_for()
    after = client.create("sleep 1000", name="after")["id"]
    panel.in_state(panel.row(tasks, after), "Running").wait_for()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_serious_in_it(open_lab: OpenLab, client: Client, theme: str) -> None:
    client.create("echo hello; exec sleep 1000", name="running", tags=["gpu"])
    client.create("exit 3", name="failed", group="nightly")
    page = open_lab()
    axe.show_in(page, theme)
    tasks = panel.show(page)
    expect(tasks.get_by_role("img", name="Failed")).to_be_visible()
    assert axe.serious(page, ".jp-PtyTasks-panel") == []


def test_how_the_list_looks_is_chosen_in_the_toolbar(page: Page, client: Client) -> None:
    names = ["resnet50-imagenet-seed10", "resnet50-imagenet-seed9", "resnet50-imagenet-wide-learning-rate-0.001"]
    ids = [client.create("true", name=name)["id"] for name in names]
    for task in ids:
        client.wait(task)
    tasks = panel.show(page)
    rows = tasks.locator(".jp-PtyTasks-row")
    expect(rows).to_have_count(len(ids))
    controls = tasks.locator(".jp-PtyTasks-controls").bounding_box()
    assert controls
    assert controls["height"] < 40, "one line, though the sidebar is narrow"
    high = panel.row(tasks, ids[0]).bounding_box()
    tasks.get_by_role("combobox", name="Order of ended tasks").select_option("name")
    expect(rows.first).to_have_attribute("data-task", ids[1])
    tasks.get_by_role("button", name="One line per task").click()
    low = panel.row(tasks, ids[0]).bounding_box()
    assert high
    assert low
    assert low["height"] < high["height"]
    # The end of a long name stays, and its last character in however little room.
    ending = panel.row(tasks, ids[2]).locator(".jp-PtyTasks-name > span").last
    assert ending.evaluate(SHOWS, 10)
    tasks.locator(".jp-PtyTasks-list").evaluate("list => { list.style.width = '120px' }")
    assert not ending.evaluate(SHOWS, 10)
    assert ending.evaluate(SHOWS, 2)
    tasks.locator(".jp-PtyTasks-list").evaluate("list => { list.style.width = '' }")
    tasks.get_by_role("treegrid").focus()
    page.keyboard.type("resnet50-imagenet-w")
    expect(panel.row(tasks, ids[2])).to_have_attribute("aria-selected", "true")
    page.keyboard.press("F2")
    expect(page.get_by_role("dialog")).to_contain_text("Rename")
    page.keyboard.press("Escape")
    assert axe.serious(page, ".jp-PtyTasks-panel") == []
