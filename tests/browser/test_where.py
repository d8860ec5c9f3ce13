"""Places in JupyterLab: the dialog offers hosts over ssh, tasks there show their place, and tabs show why they wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests import elsewhere
from tests.browser import axe, labs, panel, terminal
from tests.browser.pictures import picture
from tests.client.live import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from jupyter_ptytasks.client import Client
    from tests.browser.conftest import Console
    from tests.client.live import LiveServer
    from tests.ssh.sshd import Sshd

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """Yield an sshd that answers."""
    with elsewhere.host(tmp_path_factory) as found:
        yield found


@pytest.fixture(scope="module")
def running_lab(sshd: Sshd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Yield a JupyterLab whose `ssh` leads there, and whose user has configured it."""
    lab = labs.beside(sshd, tmp_path_factory.mktemp("near").resolve(), sshd.config.read_text())
    try:
        yield lab.start()
    finally:
        if not sshd.is_up:
            sshd.start()
        lab.stop()


def test_a_task_is_sent_to_a_host_and_says_so(page: Page, client: Client, sshd: Sshd, console: Console) -> None:
    console.expect("/ptytasks/api/tasks.* 503 ")
    line = {"command": "pwd; echo here; read line; echo got $line", "name": "far"}
    page.evaluate("line => void window.jupyterapp.commands.execute('ptytasks:new-task', line)", line)
    dialog = page.locator(".jp-PtyTasks-dialog")
    where = dialog.get_by_role("combobox", name="Where")
    # What asks for a login says so, once that is known.
    where.select_option(label="locked")
    dialog.get_by_role("button", name="Start", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("run `ssh locked` in a terminal")
    where.select_option(label="box")
    expect(dialog.get_by_label("Working directory")).to_have_value("")
    assert axe.serious(page, ".jp-PtyTasks-dialog .jp-Dialog-content") == []
    picture(page, "where-dialog")
    dialog.get_by_role("button", name="Start", exact=True).click()
    dialog.wait_for(state="detached")
    task = client.get("far")
    assert task["place"] == "ssh:box"
    terminal.find(page, task["id"])
    terminal.until_line(page, task["id"], str(sshd.there))
    tab = terminal.find(page, task["id"])
    expect(tab.locator(".jp-PtyTasks-header .jp-PtyTasks-place")).to_have_text("box")
    tasks = panel.show(page)
    row = panel.row(tasks, task["id"])
    expect(row.locator(".jp-PtyTasks-place")).to_have_text("box")
    # The next dialog begins there, and says what was found out.
    page.evaluate("() => void window.jupyterapp.commands.execute('ptytasks:new-task')")
    expect(where).to_have_value("ssh:box")
    # A task can wait there until it is released.
    dialog.get_by_label("Command").fill("echo released")
    dialog.get_by_role("combobox", name="Start").select_option(label="When I release it")
    expect(dialog.get_by_label("GPUs")).to_have_count(0)
    picture(page, "where-held")
    dialog.get_by_role("button", name="Start", exact=True).click()
    dialog.wait_for(state="detached")
    held = until(lambda: next((one for one in client.list()["tasks"] if one["state"] == "held"), None))
    assert held["place"] == "ssh:box"
    expect(terminal.find(page, held["id"]).get_by_role("group", name="Waiting")).to_contain_text("Held")
    page.evaluate("id => window.jupyterapp.commands.execute('ptytasks:release', { id })", held["id"])
    terminal.until_line(page, held["id"], "released")
    # A copy of it may run elsewhere.
    page.evaluate("id => void window.jupyterapp.commands.execute('ptytasks:edit-again', { id })", held["id"])
    expect(where).to_have_value("ssh:box")
    where.select_option("local")
    picture(page, "where-again")
    dialog.get_by_role("button", name="Start", exact=True).click()
    dialog.wait_for(state="detached")
    again = client.list()["tasks"][0]
    assert (again["again_of"], again["place"], again["command"]) == (held["id"], "local", "echo released")
    page.evaluate("() => void window.jupyterapp.commands.execute('ptytasks:new-task')")
    where.select_option(label="locked (needs a login)")
    expect(dialog).to_contain_text("It needs a login: run `ssh locked` in a terminal.")
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    # A host that goes away is told as that, in words.
    sshd.stop()
    sshd.cut()
    expect(row).to_contain_text("Not connected: box is not reachable")
    assert axe.serious(page, "#jp-ptytasks-panel") == []
    picture(page, "where-away")
    sshd.start()
    expect(row).not_to_contain_text("Not connected")


def test_the_tab_of_what_waits_says_why_and_becomes_its_terminal(page: Page, client: Client) -> None:
    task = client.create("echo it runs; exec cat", name="later", hold=True)["id"]
    page.evaluate("id => window.jupyterapp.commands.execute('ptytasks:open', { id })", task)
    tab = terminal.find(page, task)
    waiting = tab.get_by_role("group", name="Waiting")
    expect(waiting).to_contain_text("Held")
    expect(waiting).to_contain_text("The terminal appears here when the task starts.")
    assert axe.serious(page, ".jp-PtyTasks-terminal") == []
    picture(page, "where-waiting")
    client.release(task)
    expect(waiting).to_be_hidden()
    terminal.until_line(page, task, "it runs")
    # It takes keys at once.
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    terminal.until_line(page, task, "hello")
