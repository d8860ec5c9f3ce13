"""Requests of a cell: none while it is hidden, and everything that it missed after an outage."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import asking, notebook, panel
from tests.browser.conftest import NO_SERVER, is_ready
from tests.client.live import PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from jupyter_ptytasks.client import Client
    from tests.browser.conftest import Console
    from tests.client.live import LiveServer

pytestmark = pytest.mark.slow

COUNTER = "for i in $(seq 100000); do echo line $i; sleep 0.05; done"


def test_out_of_sight_it_asks_nothing(page: Page, lab: LiveServer, client: Client) -> None:
    task = client.create(COUNTER, name="counter")
    lines = "\n\n".join(f"Line {number}" for number in range(80))
    cells = [notebook.cell("", notebook.bundle(task)), notebook.text(lines), notebook.text("# The end")]
    notebook.write(lab, "long.ipynb", *cells)
    opened = notebook.show(page, "long.ipynb")
    view = notebook.view(opened, "counter")
    notebook.until_later(view)
    requests = asking.watch(page, asking.SINGLE)

    opened.get_by_role("heading", name="The end").scroll_into_view_if_needed()
    expect(view).not_to_be_in_viewport()
    asking.until_quiet(page, requests)
    view.scroll_into_view_if_needed()
    notebook.until_later(view)
    assert requests

    page.evaluate("() => void window.jupyterapp.commands.execute('launcher:create')")
    expect(view).not_to_be_visible()
    asking.until_quiet(page, requests)


def test_it_shows_that_the_server_is_away_and_then_continues(
    page: Page, lab: LiveServer, client: Client, console: Console
) -> None:
    console.expect(NO_SERVER)
    # The notebook's kernel has gone with the server.
    console.expect(r"/api/(kernels|sessions)/.* 404 |Could not restore the debugger state|Kernel is dead")
    task = client.create(COUNTER, name="counter")
    notebook.write(lab, "away.ipynb", notebook.cell("", notebook.bundle(task)))
    view = notebook.view(notebook.show(page, "away.ipynb"), "counter")
    notebook.until_later(view)
    notebook.until_idle(page)
    lab.kill9()
    expect(view.get_by_role("status")).to_contain_text("cannot be reached", timeout=PATIENCE * 1000)
    lab.start()
    expect(view.get_by_role("status")).to_have_text("", timeout=PATIENCE * 1000)
    notebook.until_later(view)


def test_it_requests_nothing_for_a_deleted_task_even_without_an_event(
    page: Page, lab: LiveServer, client: Client
) -> None:
    # The list is asked for now and then only, and no event comes.
    page.route_web_socket(re.compile("/api/events/subscribe"), lambda _: None)
    page.reload()
    is_ready(page)
    task = client.create("sleep 1000", name="old")
    row = panel.row(panel.show(page), task["id"])
    panel.in_state(row, "Running").wait_for()
    page.wait_for_timeout(5000)  # the page looks at the list less and less often
    page.evaluate("() => window.jupyterapp.commands.execute('application:toggle-left-area')")
    requests = asking.watch(page, asking.SINGLE)
    asking.until_quiet(page, requests)
    client.delete(task["id"], stop=True)
    notebook.write(lab, "old.ipynb", notebook.cell("", notebook.bundle(task, "epoch 7\n")))
    view = notebook.view(notebook.show(page, "old.ipynb"), "old")
    expect(view.get_by_role("status")).to_contain_text("no longer exists on the server")
    assert requests == []
    # A server that is told to end while it starts a kernel may not end.
    notebook.until_idle(page)
