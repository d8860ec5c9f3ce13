"""The details tab of a task, and running it again with a change."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe, focus, panel
from tests.browser.details import details, fact
from tests.client.live import ended, until
from tests.repository import run

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from jupyter_ptytasks.client import Client
    from tests.browser.conftest import Console
    from tests.client.live import LiveServer

pytestmark = pytest.mark.slow

THEMES = ("JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast")


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_task_is_shown_noted_on_and_run_again_with_a_change(
    page: Page, client: Client, lab: LiveServer, console: Console
) -> None:
    # What is told at a field.
    console.expect(r"/tasks/\w+\S* .* 400 ")
    work = lab.home / "work"
    run(work, "init", "-q")
    run(work, "commit", "-q", "--allow-empty", "-m", "first")
    command = "echo $SEED; test -e done && exit 0; touch done; exit 3"
    first = client.create(command, name="train", cwd=str(work), env={"SEED": "7"}, tags=["gpu"])["id"]
    ended(client, first)
    client.restart(first)
    until(lambda: client.get(first)["attempt"] == 2, "the second attempt")
    ended(client, first)

    row = panel.row(panel.show(page), first)
    row.click(button="right")
    page.get_by_role("menuitem", name="Details").click()
    tab = details(page, first)
    expect(tab.get_by_role("heading", name="train")).to_be_visible()
    expect(fact(tab, "Environment")).to_have_text("SEED")
    expect(fact(tab, "Tags")).to_have_text("gpu")
    if client.get(first)["git"]:  # on a busy machine git may take longer than it may
        expect(fact(tab, "Git")).to_contain_text("(main)")
    rows = tab.get_by_role("region", name="Attempts", exact=True).last.get_by_role("row")
    expect(rows).to_have_count(3)
    expect(rows.last).to_contain_text("exited with code 3")
    expect(tab).to_contain_text("This is the first run")

    tab.get_by_role("button", name="Add Notes").click()
    tab.get_by_label("Notes (Markdown)").fill("The **best** so far. <img src='data:,' onerror='window.ran = 1'>")
    page.keyboard.press("Control+Enter")
    expect(tab.locator("strong")).to_have_text("best")
    assert client.notes(first)[0].startswith("The **best** so far.")
    assert page.evaluate("window.ran") is None
    client.write_notes(first, "# Changed elsewhere")
    expect(tab.get_by_role("heading", name="Changed elsewhere")).to_be_visible()

    # What can be changed at any time; a mistake is told at its field.
    tab.get_by_role("button", name="Edit Name, Group and Tags").click()
    tab.get_by_label("Metadata (JSON)").fill("{")
    tab.get_by_label("Group", exact=True).fill("night")
    tab.get_by_role("button", name="Save").click()
    expect(tab.get_by_label("Metadata (JSON)")).to_have_accessible_description(re.compile("JSON object"))
    tab.get_by_label("Metadata (JSON)").fill('{"data": "v2"}')
    tab.get_by_label("Tags (comma-separated)").fill("gpu, " + "x" * 200)
    tab.get_by_role("button", name="Save").click()
    expect(tab.get_by_label("Tags (comma-separated)")).to_have_attribute("aria-invalid", "true")
    expect(tab.get_by_label("Tags (comma-separated)")).to_be_focused()
    expect(tab.get_by_role("alert")).to_contain_text("must have at most 128 characters")
    assert axe.serious(page, ".jp-PtyTasks-details") == []
    tab.get_by_label("Tags (comma-separated)").fill("gpu, best")
    tab.get_by_label("Pinned").check()
    page.keyboard.press("Enter")
    expect(fact(tab, "Group")).to_have_text("night")
    expect(fact(tab, "Tags")).to_have_text("gpu, best")
    expect(fact(tab, "Metadata")).to_have_text("data: v2")
    expect(fact(tab, "Pinned")).to_be_visible()
    assert client.get(first)["pinned"]

    tab.get_by_role("button", name="Edit and Run Again…").click()
    dialog = page.locator(".jp-PtyTasks-dialog")
    expect(dialog.locator('[name="command"]')).to_have_value(command)
    expect(dialog.locator('[name="if_exists"]')).to_have_count(0)
    dialog.locator('[name="command"]').fill("echo again $SEED")
    page.keyboard.press("Control+Enter")
    until(lambda: len(client.list()["tasks"]) == 2, "another task")
    again = client.list()["tasks"][0]
    assert (again["again_of"], again["name"], again["tags"]) == (first, "train", ["gpu", "best"])
    ended(client, again["id"])
    assert client.output(again["id"])["output"].startswith("again 7")

    # The header of the terminal of the new one has the facts, too.
    terminal_of = page.locator(f'.jp-PtyTasks-terminal[data-ptytask="{again["id"]}"]')
    expander = terminal_of.get_by_role("button", name="Command, working directory and more")
    expander.press("Enter")
    expect(expander).to_have_attribute("aria-expanded", "true")
    about = terminal_of.get_by_role("region", name="Task summary")
    expect(fact(about, "Working directory")).to_have_text(str(work))
    expect(fact(about, "Tags")).to_have_text("gpu, best")
    assert axe.serious(page, ".jp-PtyTasks-terminal .jp-PtyTasks-summary, .jp-PtyTasks-banner") == []
    expander.press("Enter")
    expect(about).to_be_hidden()

    # From there, with the keyboard.
    page.get_by_role("button", name="Details of train").click()
    newer = details(page, again["id"])
    changed = fact(newer, "command")
    expect(changed.locator("del")).to_have_text(command)
    expect(changed.locator("ins")).to_have_text("echo again $SEED")
    for theme in THEMES:
        axe.show_in(page, theme)
        expect(page.locator(f'body[data-jp-theme-name="{theme}"]')).to_be_attached()
        assert axe.serious(page, ".jp-PtyTasks-details") == []
        assert focus.unseen(page, ".jp-PtyTasks-details") == []
    link = newer.get_by_role("button", name=re.compile(first))
    link.focus()
    page.keyboard.press("Enter")
    expect(tab).to_be_visible()
    client.delete(first)
    expect(tab).to_contain_text("no longer exists")
    expect(page.get_by_role("tab", name="Details of train")).to_have_count(2)
