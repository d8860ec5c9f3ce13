"""Where tasks run: the dialog asks for a host over ssh, what runs there says so, and a tab that waits says what for."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

import jupyter_ptytasks
from tests.browser import axe, panel, terminal
from tests.browser.conftest import Console, missing
from tests.client.live import LiveServer, until
from tests.ssh.sshd import SSHD, Sshd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from jupyter_ptytasks.client import Client

pytestmark = pytest.mark.slow

EXTENSION = Path(jupyter_ptytasks.__file__).parent / "labextension"


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """Yield an sshd that answers."""
    if SSHD is None or shutil.which("ssh") is None:
        missing("sshd (openssh-server)")
    there = Sshd(tmp_path_factory.mktemp("sshd").resolve())
    try:
        yield there.start()
    finally:
        there.stop()


@pytest.fixture(scope="module")
def running_lab(sshd: Sshd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Yield a JupyterLab whose `ssh` leads there, and whose user has configured it."""
    if not (EXTENSION / "package.json").exists():
        missing("the front end, which scripts/frontend builds,")
    home = tmp_path_factory.mktemp("near").resolve()
    for directory in ("work", ".ssh", "extensions"):
        (home / directory).mkdir()
    (home / ".ssh" / "config").write_text(sshd.config.read_text())
    # What is built here, even if something else is installed.
    (home / "extensions" / "jupyter-ptytasks").symlink_to(EXTENSION)
    command = [f"--PtyTasksApp.ssh_command={word}" for word in ("ssh", "-F", sshd.config)]
    options = (f"--ServerApp.root_dir={home / 'work'}", f"--LabApp.extra_labextensions_path={home / 'extensions'}")
    lab = LiveServer(home, *options, *command, lab=True)
    try:
        yield lab.start()
    finally:
        if not sshd.is_up:
            sshd.start()
        lab.stop()


def picture(page: Page, name: str) -> None:
    """Keep a picture in each theme where PTYTASKS_SHOTS says."""
    keep = os.environ.get("PTYTASKS_SHOTS")
    for theme in ("JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast") if keep else ():
        axe.show_in(page, theme)
        page.locator(f'body[data-jp-theme-name="{theme}"]').wait_for(state="attached")
        page.locator("#jupyterlab-splash").wait_for(state="detached")
        page.screenshot(path=os.path.join(keep or "", f"{name}-{theme.split()[-1].lower()}.png"))


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
