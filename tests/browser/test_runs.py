"""The table of runs: finding, sorting, comparing, tagging and cleaning up, by mouse and by keyboard."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.runs import NAMES, show
from tests.client.live import ended, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from jupyter_ptytasks.client import Client
    from tests.browser.conftest import Console, OpenLab

pytestmark = pytest.mark.slow

LOSSES = "for i in 1 2 3 4; do echo epoch $i loss $((90 - {step} * i)).5; done; exit {code}"


def add(client: Client) -> list[str]:
    """Make three runs, and return their ids."""
    tasks = [
        client.create(LOSSES.format(step=step, code=code), name=name, tags=["night", name[-1]], group="sweep")["id"]
        for name, step, code in (("run-a", 5, 0), ("run-b", 9, 0), ("run-c", 1, 3))
    ]
    for task in tasks:
        ended(client, task)
    until(lambda: all(client.get(task)["metrics"] for task in tasks))
    return tasks


def test_the_best_of_last_night_is_found(page: Page, client: Client) -> None:
    tab = show(page)
    expect(tab.get_by_role("heading", name="No tasks yet")).to_be_visible()
    a, b, c = add(client)
    grid = tab.get_by_role("grid", name="Runs")
    expect(grid).to_be_focused()
    names = tab.locator(NAMES)
    expect(names).to_have_text(["run-c", "run-b", "run-a"])
    expect(grid).to_have_attribute("aria-rowcount", "4")
    grid.get_by_role("button", name="loss (lowest)").click()
    expect(names).to_have_text(["run-b", "run-a", "run-c"])
    expect(grid.get_by_role("columnheader", name="loss (lowest)")).to_have_attribute("aria-sort", "ascending")
    expect(tab.locator(f'[data-task="{c}"]')).to_contain_text("exit 3")
    grid.get_by_role("button", name="End", exact=True).click()
    expect(names).to_have_text(["run-c", "run-b", "run-a"])
    grid.get_by_role("button", name="loss (lowest)").click()
    assert axe.serious(page, ".jp-PtyTasks-runs") == []

    # Filters, and a view that is kept.
    tab.get_by_role("combobox", name="State").select_option("Went wrong")
    expect(names).to_have_text(["run-c"])
    tab.get_by_role("button", name="Remove the filter Went wrong").click()
    expect(tab.get_by_label("Search runs")).to_be_focused()
    tab.get_by_role("combobox", name="Tag").select_option("b")
    expect(names).to_have_text(["run-b"])
    tab.get_by_role("button", name="Save View…").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("only b")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    tab.get_by_role("button", name="Remove All").click()
    tab.get_by_label("Saved views").select_option("only b")
    expect(names).to_have_text(["run-b"])
    tab.get_by_label("Search runs").fill("nothing like this")
    expect(tab.get_by_text("No runs match these filters.")).to_be_visible()
    tab.get_by_role("button", name="Remove All Filters").click()
    expect(names).to_have_count(3)

    # By keyboard: select, open the menu, come back, rename.
    grid.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    expect(grid.locator('[role=row][aria-selected="true"]')).to_have_count(2)
    page.keyboard.press("ArrowRight")
    active = grid.get_attribute("aria-activedescendant")
    assert active
    expect(page.locator(f'[id="{active}"]')).to_have_text(re.compile("Succeeded"))
    page.keyboard.press("F2")
    page.get_by_role("dialog").get_by_role("textbox").fill("renamed")
    page.keyboard.press("Enter")
    expect(names).to_have_text(["run-b", "renamed", "run-c"])
    expect(grid).to_be_focused()

    # Tag, pin and delete several. The notice of a failure is not to be in the way.
    page.evaluate("window.jupyterapp.commands.execute('application:toggle-left-area')")
    tab.get_by_role("button", name="Add Tags…").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("good")
    page.keyboard.press("Enter")
    until(lambda: "good" in client.get(a)["tags"] and "good" in client.get(b)["tags"])
    tab.locator(f'[data-task="{a}"]').click(button="right")
    page.get_by_role("menuitem", name="Remove Tags…").click()
    page.get_by_role("dialog").get_by_role("listbox").select_option("night")
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    until(lambda: "night" not in [*client.get(a)["tags"], *client.get(b)["tags"]])
    tab.get_by_role("button", name="Pin", exact=True).click()
    until(lambda: client.get(a)["pinned"] and client.get(b)["pinned"])
    expect(names.get_by_role("img", name="Pinned")).to_have_count(2)
    tab.get_by_role("button", name="Delete…").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(names).to_have_text(["run-c"])


def test_the_output_of_all_runs_is_searched(page: Page, client: Client, console: Console) -> None:
    console.expect(r"/api/search\?\S* .* 400 ")
    a, _, c = add(client)
    tab = show(page)
    expect(tab.locator(NAMES)).to_have_count(3)
    field = tab.get_by_label("Search the output of these runs")
    field.fill("EPOCH 3")
    field.press("Enter")
    status = tab.locator(".jp-PtyTasks-found").get_by_role("status")
    expect(status).to_have_text("3 lines in 3 tasks")
    expect(tab.locator(".jp-PtyTasks-found mark").first).to_have_text("epoch 3")
    assert axe.serious(page, ".jp-PtyTasks-runs") == []
    # Only the runs that the filters leave.
    tab.get_by_role("combobox", name="State").select_option("Went wrong")
    field.press("Enter")
    expect(status).to_have_text("1 line in 1 task")
    tab.get_by_role("region", name="run-c").get_by_role("button").click()
    whole = page.locator(f'[data-ptytask="{c}"] .jp-PtyTasks-whole-line.jp-mod-current')
    expect(whole).to_contain_text("epoch 3 loss")
    # What was searched for goes along.
    expect(whole.locator("mark")).to_have_count(1)
    # None, a mistake, and back to the table.
    tab = show(page)
    tab.get_by_role("button", name="Remove All").click()
    field.fill("epoch (")
    field.press("Enter")
    expect(status).to_have_text("No line matches.")
    tab.get_by_role("button", name="Regular expression").click()
    field.press("Enter")
    expect(tab.get_by_role("alert")).to_be_visible()
    tab.get_by_role("button", name="Show the table again").focus()
    page.keyboard.press("Escape")
    expect(tab.locator(NAMES)).to_have_count(3)
    expect(field).to_be_focused()
    # A long search is stopped.
    page.route("**/ptytasks/api/search?*", lambda _: None)
    field.fill("loss")
    field.press("Enter")
    expect(status).to_have_text("Searching…")
    field.press("Escape")
    expect(status).to_have_text("Stopped. 0 lines in 0 tasks")
    tab.get_by_role("button", name="Show the table again").click()
    expect(tab.locator(f'[data-task="{a}"]')).to_be_visible()


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Dark High Contrast"])
def test_it_is_read_in_other_themes_and_comes_back(open_lab: OpenLab, client: Client, theme: str) -> None:
    add(client)
    page = open_lab()
    axe.show_in(page, theme)
    tab = show(page)
    tab.locator(NAMES).first.click()
    expect(tab.get_by_role("status").filter(has_text="1 selected")).to_be_visible()
    assert axe.serious(page, ".jp-PtyTasks-runs") == []
