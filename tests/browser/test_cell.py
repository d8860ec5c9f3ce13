"""Tasks in the output of cells: their current state, or the last known one."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser import axe, notebook
from tests.browser.conftest import is_ready, until_kept
from tests.client.live import until

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from jupyter_ptytasks.client import Client
    from tests.browser.conftest import OpenLab
    from tests.client.live import LiveServer

pytestmark = pytest.mark.slow

COUNTER = "for i in $(seq 100000); do echo line $i; sleep 0.05; done"


def test_it_lives_and_a_reload_finds_it_again(page: Page, lab: LiveServer, client: Client) -> None:
    task = client.create(COUNTER, name="counter")
    notebook.write(lab, "live.ipynb", notebook.cell(notebook.displaying(task, "as it was")))
    view = notebook.view(notebook.show(page, "live.ipynb"), "counter")
    notebook.run_all(page)
    expect(view).to_contain_text("Running")
    notebook.until_later(view)
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    until_kept(page, "live.ipynb")
    page.goto(page.url.split("?")[0])
    is_ready(page)
    view = notebook.view(notebook.find(page), "counter")
    notebook.until_later(view)
    # By the keyboard, which the notebook has other uses for.
    view.get_by_role("button", name="Stop counter").press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    expect(view).to_contain_text("Canceled")
    expect(view.get_by_role("button", name="Stop counter")).to_have_count(0)
    assert client.get(task["id"])["state"] == "cancelled"
    # It is what was clicked in that counts, and not what the notebook makes of Enter.
    expect(page.locator(".jp-Notebook.jp-mod-editMode")).to_have_count(0)


def test_its_buttons_open_it_and_start_it_again(page: Page, lab: LiveServer, client: Client) -> None:
    task = client.create("echo hello; exit 3", name="failing")
    client.wait(task["id"])
    notebook.write(lab, "buttons.ipynb", notebook.cell("", notebook.bundle(task)))
    view = notebook.view(notebook.show(page, "buttons.ipynb"), "failing")
    expect(view).to_contain_text("Failed · exit 3")
    expect(view.locator(".jp-PtyTasks-tail")).to_have_text("hello")
    view.get_by_role("button", name="Restart failing").click()
    until(lambda: client.get(task["id"])["attempt"] == 2, "another attempt")
    client.wait(task["id"])
    # The second attempt writes below the first.
    expect(view.locator(".jp-PtyTasks-tail")).to_contain_text(re.compile("hello.*attempt 2.*hello", re.DOTALL))
    more = view.get_by_role("button", name="More actions for failing")
    more.press("Enter")
    for name in ("Details", "Run Again as New Task", "Edit and Run Again…"):
        expect(page.get_by_role("menuitem", name=name)).to_be_visible()
    page.keyboard.press("Escape")
    expect(more).to_be_focused()
    view.get_by_role("button", name="Open failing").click()
    expect(page.locator(f'.jp-PtyTasks-terminal[data-ptytask="{task["id"]}"]')).to_be_visible()


def test_an_old_notebook_shows_what_was_seen_last(page: Page, lab: LiveServer, client: Client) -> None:
    task = client.create("sleep 1000", name="old")
    client.delete(task["id"], stop=True)
    notebook.write(lab, "old.ipynb", notebook.cell("", notebook.bundle(task, "\x1b[32mepoch 7\x1b[0m of 10\n")))
    view = notebook.view(notebook.show(page, "old.ipynb"), "old")
    expect(view.get_by_role("status")).to_contain_text("no longer exists on the server")
    expect(view).to_contain_text("Last seen: Running")
    expect(view.locator(".ansi-green-fg")).to_have_text("epoch 7")
    expect(view.get_by_role("button")).to_have_count(0)


def test_what_python_starts_in_a_cell(page: Page, lab: LiveServer, client: Client) -> None:
    source = f"from jupyter_ptytasks import run\nrun({COUNTER!r}, name='counter')"
    notebook.write(lab, "python.ipynb", notebook.cell(source))
    opened = notebook.show(page, "python.ipynb")
    notebook.run_all(page)
    view = notebook.view(opened, "counter")
    notebook.until_later(view)
    client.stop("counter", signals=["SIGKILL"])
    expect(view).to_contain_text("Canceled")


def test_an_output_that_is_updated_shows_the_other_task(page: Page, lab: LiveServer, client: Client) -> None:
    first = client.create("echo from the first; exec sleep 1000", name="first")
    second = client.create("echo from the second; exec sleep 1000", name="second")
    update = "display(json.loads({!r}), raw=True, display_id='one', update={})"
    shown = [update.format(json.dumps(notebook.bundle(task)), task is second) for task in (first, second)]
    head = "import json\nfrom IPython.display import display"
    notebook.write(lab, "update.ipynb", notebook.cell(f"{head}\n{shown[0]}\ninput()\n{shown[1]}"))
    opened = notebook.show(page, "update.ipynb")
    notebook.run_all(page)
    expect(notebook.view(opened, "first").locator(".jp-PtyTasks-tail")).to_have_text("from the first")
    opened.locator(".jp-Stdin-input").press("Enter")
    expect(notebook.view(opened, "second").locator(".jp-PtyTasks-tail")).to_have_text("from the second")
    expect(notebook.view(opened, "first")).to_have_count(0)


def all_kinds(client: Client) -> list[dict[str, Any]]:
    """Return outputs of tasks in several states: running, failed, deleted."""
    running = client.create("printf '\\033]9;4;1;42\\033\\\\'; echo working; exec sleep 1000", name="running")
    failed = client.create("printf '\\033[31mno data\\033[0m\\n'; exit 3", name="failed")
    gone = client.create("sleep 1000", name="gone")
    client.delete(gone["id"], stop=True)
    until(lambda: client.get(running["id"])["progress"], "progress")
    client.wait(failed["id"])
    progress = client.get(running["id"])["progress"]
    gone = {**gone, "progress": progress}
    return [notebook.bundle(task, "some\x1b[33m output\x1b[0m") for task in (running, failed, gone)]


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_serious_in_it(open_lab: OpenLab, lab: LiveServer, client: Client, theme: str) -> None:
    notebook.write(lab, "kinds.ipynb", notebook.cell("", *all_kinds(client)))
    page = open_lab()
    axe.show_in(page, theme)
    opened = notebook.show(page, "kinds.ipynb")
    expect(notebook.view(opened, "running").get_by_role("progressbar")).to_have_attribute("aria-valuenow", "42")
    expect(notebook.view(opened, "failed")).to_contain_text("exit 3")
    expect(notebook.view(opened, "gone")).to_contain_text("no longer exists on the server")
    assert axe.serious(page, ".jp-PtyTasks-view") == []
