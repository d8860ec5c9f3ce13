"""Cleaning up in JupyterLab: the preview shows exactly what is deleted; and tasks as files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe, focus
from tests.browser.details import details, fact
from tests.browser.panel import row, show
from tests.client.live import ended, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from jupyter_ptytasks.client import Client
    from tests.browser.conftest import Console

pytestmark = pytest.mark.slow


def run(client: Client, name: str, loss: float, *, code: int = 0) -> str:
    """Return the id of a task that has ended with this loss."""
    lines = "; ".join(f"echo epoch {epoch} val_loss {loss + 1 / epoch:.3f}" for epoch in (1, 2, 4))
    task = ended(client, client.create(f"{lines}; exit {code}", name=name, tags=["night"])["id"])
    until(lambda: client.get(task["id"])["metrics"])
    return task["id"]


def test_old_runs_are_cleaned_up(page: Page, client: Client, console: Console) -> None:
    ids = {name: run(client, name, loss) for name, loss in (("run-a", 0.5), ("run-b", 0.25), ("run-c", 0.75))}
    run(client, "run-d", 0.9, code=3)
    client.update(ids["run-a"], pinned=True)
    client.create("sleep 1000", name="lives")

    # From the menu of the panel.
    panel = show(page)
    panel.click(button="right", position={"x": 100, "y": 500})
    page.get_by_role("menuitem", name="Clean Up…").click()
    dialog = page.get_by_role("dialog", name="Clean Up Tasks")
    expect(dialog.get_by_label("Ended")).to_be_focused()
    told = dialog.get_by_role("status")
    expect(told).to_contain_text("Nothing to delete")
    expect(told).to_contain_text("Kept: 1 running")
    dialog.get_by_role("button", name="Delete").click()
    expect(dialog.get_by_role("alert")).to_have_text("There is nothing to delete. Choose other tasks.")

    # By keyboard.
    dialog.get_by_label("Ended").focus()
    page.keyboard.press("Home")
    expect(told).to_contain_text("3 tasks")
    page.keyboard.press("Tab")
    page.keyboard.type("Su")
    expect(told).to_contain_text("2 tasks")
    dialog.get_by_label("Keep").select_option("The task with the lowest val_loss")
    expect(told).to_contain_text("1 task,")
    expect(told).to_contain_text("Kept: 1 running · 1 pinned · the best one")
    expect(dialog.get_by_role("listitem")).to_contain_text("run-c")
    for theme in ("JupyterLab Dark", "JupyterLab Dark High Contrast", "JupyterLab Light"):
        axe.show_in(page, theme)
        assert axe.serious(page, ".jp-PtyTasks-dialog") == []
        assert focus.unseen(page, ".jp-PtyTasks-dialog") == []
    page.keyboard.press("Control+Enter")
    dialog.wait_for(state="detached")
    until(lambda: {task["name"] for task in client.all()} == {"lives", "run-a", "run-b", "run-d"})

    # From the table of runs; Escape changes nothing.
    page.evaluate("window.jupyterapp.commands.execute('ptytasks:show-runs')")
    page.locator(".jp-PtyTasks-runs").get_by_role("button", name="Clean Up…").click()
    dialog.wait_for()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert len(list(client.all())) == 4

    # As a file, and back.
    panel = show(page)
    row(panel, ids["run-b"]).click(button="right")
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Export", exact=True).click()
    assert download.value.suggested_filename == "run-b.ptytask.tar.gz"
    row(panel, ids["run-b"]).click(button="right")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("menuitem", name="Import…").click()
    chooser.value.set_files(download.value.path())
    expect(page.get_by_role("main").get_by_role("tab", name="run-b (2)")).to_be_visible()
    again = next(task["id"] for task in client.all() if task["name"] == "run-b (2)")
    page.evaluate("id => window.jupyterapp.commands.execute('ptytasks:details', { id })", again)
    expect(fact(details(page, again), "Imported")).to_contain_text(f"where it was task {ids['run-b']}")
    panel = show(page)
    console.expect("/ptytasks/api/import.* 400 ")
    row(panel, ids["run-b"]).click(button="right")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("menuitem", name="Import…").click()
    chooser.value.set_files({"name": "x.gz", "mimeType": "application/gzip", "buffer": b"no archive"})
    expect(page.get_by_role("dialog", name="Import failed")).to_contain_text("not a valid archive of a task")
