"""Messages of the panel about problems: tasks that it cannot show, a full disk, a server without tasks."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser import asking, axe, panel, terminal

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

    from jupyter_ptytasks.client import Client
    from tests.browser.conftest import Console, OpenLab

pytestmark = pytest.mark.slow

STATUS = re.compile(r"/ptytasks/api/status")
OFF = {"code": "disabled", "message": "Terminals are disabled on this server (ServerApp.terminals_enabled)"}


#: Opens a websocket to the terminal of a task, as another tab does.
_VIEW = """id => {
  const { wsUrl, token } = window.jupyterapp.serviceManager.serverSettings;
  window.other = new WebSocket(`${wsUrl}ptytasks/terminals/websocket/${id}?token=${token}`);
}"""


def answering(route: Route, value: Any, status: int = 200) -> None:
    """Answer in the server's place; what is no JSON is written as Python writes it."""
    route.fulfill(status=status, body=json.dumps(value), content_type="application/json")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_tasks_that_make_no_sense_hide_no_others(open_lab: OpenLab, client: Client, theme: str) -> None:
    good = client.create("sleep 1000", name="good")
    odd = [
        {**good, "id": "odd1", "name": "of tomorrow", "state": "dreaming"},
        {**good, "id": "odd2", "name": "not a number", "created": None, "rows": float("nan")},
        7,
    ]
    page = open_lab()
    asking.make_up_list(page, [odd[0], good, *odd[1:]])
    axe.show_in(page, theme)
    tasks = panel.show(page)
    tasks.get_by_role("button", name="Reload the tasks").click()
    panel.in_state(panel.row(tasks, good["id"]), "Running").wait_for()
    said = tasks.get_by_role("status").filter(has_text="could not be shown")
    expect(said).to_have_text("3 tasks could not be shown: of tomorrow, not a number, (unnamed)")
    assert axe.serious(page, ".jp-PtyTasks-panel") == []


def test_a_server_that_forbids_terminals_is_asked_no_more(page: Page, client: Client, console: Console) -> None:
    console.expect(r"/ptytasks/.* 503|WebSocket connection")
    task = client.create("sleep 1000", name="kept")["id"]
    tab = terminal.show(page, task)
    tasks = panel.show(page)
    panel.in_state(panel.row(tasks, task), "Running").wait_for()
    page.route("**/ptytasks/**", lambda route: answering(route, OFF, 503))
    tasks.get_by_role("button", name="Reload the tasks").click()
    expect(tasks.get_by_role("alert")).to_contain_text(OFF["message"])
    asked = asking.watch(page, asking.ANYTHING)
    # Longer than any pause between two tries, at first.
    asking.until_quiet(page, asked, pause=5000)
    # Nor is the list asked for when a terminal hears of another viewer.
    page.evaluate(_VIEW, task)
    expect(tab.locator(".jp-PtyTasks-header")).to_contain_text("2 viewers")
    page.wait_for_timeout(1000)
    assert not asked
    page.unroute("**/ptytasks/**")
    tasks.get_by_role("button", name="Check Again").click()
    expect(tasks.get_by_role("alert")).to_have_count(0)
    expect(terminal.banner(tab)).to_have_text("")


def test_the_footer_shows_the_disk_usage_and_its_limit(page: Page, client: Client) -> None:
    client.create("sleep 1000", name="one")
    status = dict(client.status())

    def answer(route: Route) -> None:
        answering(route, {**status, "storage": {"used": int(1.2 * 2**30), "limit": 5 * 2**30}})

    page.route(STATUS, answer)
    tasks = panel.show(page)
    expect(tasks.locator(".jp-PtyTasks-foot")).to_have_text("Storage: 1.2 of 5 GiB")
    assert axe.serious(page, ".jp-PtyTasks-panel") == []


def test_shift_and_a_click_select_tasks_and_no_text(page: Page, client: Client) -> None:
    ids = [client.create("sleep 1000", name=name)["id"] for name in ("one", "two", "three")]
    tasks = panel.show(page)
    rows = [panel.row(tasks, task) for task in reversed(ids)]
    rows[0].click(modifiers=["Control"])
    rows[2].click(modifiers=["Shift"])
    for row in rows:
        expect(row).to_have_attribute("aria-selected", "true")
    assert page.evaluate("getSelection().toString()") == ""
    expect(tasks.get_by_role("treegrid")).to_be_focused()


def test_a_touch_screen_has_room_for_the_time_that_is_left(open_lab: OpenLab, client: Client) -> None:
    page = open_lab(has_touch=True, is_mobile=True)
    progress = {"fraction": 0.62, "eta": 12000.0, "text": "", "state": "normal", "tracks": []}
    task = client.create("sleep 1000", name="a name of some length")
    told = {**task, "progress": {**progress, "updated": task["created"]}, "last_activity": task["created"]}
    asking.make_up_list(page, [told])
    tasks = panel.show(page)
    tasks.get_by_role("button", name="Reload the tasks").click()
    how_far = panel.row(tasks, task["id"]).locator(".jp-PtyTasks-howFar")
    expect(how_far).to_contain_text("left")
    assert how_far.evaluate("node => node.scrollWidth <= node.clientWidth"), how_far.text_content()
    buttons = panel.row(tasks, task["id"]).locator(".jp-PtyTasks-actions").bounding_box()
    words = how_far.bounding_box()
    assert buttons
    assert words
    assert buttons["y"] >= words["y"] + words["height"] - 1


def test_a_list_that_could_not_be_loaded_is_loaded_later(page: Page, client: Client, console: Console) -> None:
    console.expect(r"/jupyter-ptytasks/static/.*Failed to load resource")
    task = client.create("sleep 1000", name="one")["id"]
    files = re.compile(r"/jupyter-ptytasks/static/.*\.js")
    page.route(files, lambda route: route.abort())
    with page.expect_event("requestfailed"):
        tasks = panel.show(page)
    page.unroute(files)
    panel.in_state(panel.row(tasks, task), "Running").wait_for()
