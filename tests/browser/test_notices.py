"""Notifications about ended tasks appear only for tasks that the user does not see."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe, notebook, panel, terminal
from tests.browser.conftest import is_ready, until_kept
from tests.client.live import ended

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

    from jupyter_ptytasks.client import Client
    from tests.client.live import LiveServer

pytestmark = pytest.mark.slow

#: Fails when Enter is pressed.
WAITS = "read go; echo no data; exit 3"


def toast(page: Page, name: str) -> Locator:
    """Return the notice about the task of that name."""
    return page.locator(".Toastify__toast", has_text=f"“{name}”")


def late(route: Route) -> None:
    """Pass an answer on a second later than it comes."""
    response = route.fetch()
    time.sleep(1)
    route.fulfill(response=response)


def assert_no_notice(page: Page, client: Client, *names: str) -> None:
    """There is no notice of these, whose ends are told in the panel; later ends have theirs by then."""
    later = client.create("sleep 3; exit 3", name="later")
    ended(client, later["id"])
    expect(toast(page, "later")).to_be_visible()
    for name in names:
        expect(toast(page, name)).to_have_count(0)


def test_none_for_a_cell_in_sight_and_one_for_a_cell_that_is_not(page: Page, lab: LiveServer, client: Client) -> None:
    seen, unseen = (client.create(WAITS, name=name) for name in ("seen", "unseen"))
    lines = notebook.text("\n\n".join(f"Line {number}" for number in range(80)))
    cells = [notebook.cell("", notebook.bundle(task)) for task in (seen, unseen)]
    notebook.write(lab, "two.ipynb", cells[0], lines, cells[1])
    opened = notebook.show(page, "two.ipynb")
    expect(notebook.view(opened, "seen")).to_contain_text("Running")
    client.send_input(unseen["id"], "", newline=True)
    client.send_input(seen["id"], "", newline=True)
    expect(notebook.view(opened, "seen")).to_contain_text("Failed")
    # That of its question may be just going.
    expect(toast(page, "unseen").filter(has_text="no data")).to_be_visible()
    assert_no_notice(page, client, "seen")


def test_none_for_a_terminal_beside_the_one_that_has_the_focus(page: Page, client: Client) -> None:
    seen, other = (client.create(WAITS, name=name)["id"] for name in ("seen", "other"))
    terminal.show(page, seen)
    terminal.show(page, other)
    page.evaluate(
        """id => {
            const { shell } = window.jupyterapp;
            const tab = [...shell.widgets('main')].find(one => one.node.dataset.ptytask === id);
            shell.add(tab, 'main', { mode: 'split-right' });
        }""",
        other,
    )
    client.send_input(seen, "", newline=True)
    expect(terminal.banner(terminal.find(page, seen))).to_contain_text("Failed")
    assert_no_notice(page, client, "seen")


def test_none_for_a_task_that_fails_while_its_terminal_opens(page: Page, client: Client) -> None:
    # Terminals are loaded when the first one opens; that may take longer than the task does.
    page.route("**/jupyter-ptytasks/static/*.js", late)
    page.evaluate("() => { window.jupyterapp.commands.execute('ptytasks:run', { command: 'exit 3', name: 'quick' }); }")
    panel.in_state(panel.show(page).locator(".jp-PtyTasks-row", has_text="quick"), "Failed").wait_for()
    expect(page.locator(".jp-PtyTasks-banner")).to_contain_text("Failed")
    assert_no_notice(page, client, "quick")


def test_one_for_a_task_that_fails_at_once_out_of_sight(page: Page, client: Client) -> None:
    # What had ended before the page looked for the first time is no news.
    expect(panel.show(page).get_by_role("heading", name="No tasks yet")).to_be_visible()
    client.create("exit 3", name="quick")
    expect(toast(page, "quick")).to_be_visible()


def test_many_ends_are_one_notice_and_what_was_not_looked_at_is_counted(page: Page, client: Client) -> None:
    status = page.locator(".jp-PtyTasks-status")
    other = client.create("exec sleep 1000", name="other")["id"]
    for number in range(12):
        client.create("true", name=f"waits-{number}", group="nightly", hold=True)
    expect(status).to_contain_text("1 running")
    ends = [client.create(f"exit {code}", name=f"exit {code}", tags=["short", "exits"])["id"] for code in (0, 1, 2)]
    notice = page.locator(".Toastify__toast")
    all_three = notice.filter(has_text="3 tasks ended: 1 succeeded, 2 failed. Latest: “exit ")
    expect(all_three).to_be_visible()
    # One that succeeded may be just going: it has another color.
    expect(notice).to_have_count(1)
    expect(status.get_by_role("button", name="2 failed")).to_be_visible()
    notice.get_by_role("button", name="Show Tasks").click()
    tasks = page.get_by_role("region", name="Tasks", exact=True)
    rows = tasks.locator(".jp-PtyTasks-row")
    expect(rows).to_have_count(len(ends))
    expect(tasks.get_by_role("treegrid")).to_be_focused()
    # Who asked for these has seen them; what fails from now on counts, also after a reload.
    expect(status.get_by_role("button", name="failed")).to_have_count(0)
    tasks.get_by_role("button", name="Remove the filter 3 ended").click()
    expect(panel.row(tasks, other)).to_be_visible()
    last = client.create("exit 3", name="exit 3")["id"]
    expect(tasks.get_by_role("button", name="1 failed")).to_be_visible()
    until_kept(page, ends[1])
    page.reload()
    is_ready(page)
    tasks = panel.show(page)
    tasks.get_by_role("button", name="1 failed").click()
    expect(rows).to_have_count(1)
    expect(panel.row(tasks, last)).to_be_visible()
    expect(tasks.get_by_role("button", name="1 failed", exact=True)).to_have_count(0)
    tasks.get_by_role("button", name="Remove the filter 1 failed").click()
    tasks.get_by_role("treegrid").focus()
    page.keyboard.press("End")
    panel.row(tasks, ends[0]).get_by_role("button", name="short").click()
    expect(rows).to_have_count(len(ends))
    tasks.get_by_role("searchbox").press("Escape")
    # The heading of a group stays while its tasks scroll, and covers none that the keyboard goes to.
    tasks.get_by_role("treegrid").focus()
    page.keyboard.type("waits-11")
    expect(tasks.locator(".jp-mod-active")).to_contain_text("waits-11")
    heading = tasks.locator('.jp-PtyTasks-group[data-group="nightly"]')
    expect(heading).to_have_attribute("data-stuck", "true")
    expect(heading).to_be_in_viewport()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    expect(tasks.locator(".jp-mod-active")).to_contain_text("waits-0")
    first, top = tasks.locator(".jp-mod-active").bounding_box(), heading.bounding_box()
    assert first
    assert top
    assert first["y"] >= top["y"] + top["height"] - 1
    page.keyboard.press("ContextMenu")
    page.get_by_role("menu").wait_for()
    page.keyboard.press("Escape")
    expect(tasks.get_by_role("treegrid")).to_be_focused()
    assert axe.serious(page, ".jp-PtyTasks-panel, .jp-PtyTasks-status") == []
