"""A notebook as a task: started from a dialog, followed, and run to its end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe, notebook, panel
from tests.client.live import PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from jupyter_ptytasks.client import Client
    from tests.client.live import LiveServer

pytestmark = pytest.mark.slow


@pytest.fixture
def work(lab: LiveServer) -> Path:
    """Return a directory below the server's root with a notebook; both names need quoting in a shell."""
    name = "it's here"
    knobs = notebook.cell("steps: int = 2  # how many\nrate = 'slow'", tags=("parameters",))
    waits = "import time, pathlib\nwhile not pathlib.Path('go').exists(): time.sleep(0.05)\nprint(steps, rate)"
    notebook.write(lab, f"{name}/my notebook.ipynb", knobs, notebook.cell("1 + 1"), notebook.cell(waits))
    return Path(lab.home) / "work" / name


def test_it_is_run_from_the_file_browser(page: Page, client: Client, work: Path) -> None:
    page.locator(".jp-DirListing-item", has_text=work.name).dblclick()
    page.locator(".jp-DirListing-item", has_text="my notebook").click(button="right")
    page.get_by_role("menuitem", name="Run Notebook as Task…").click()
    dialog = page.get_by_role("dialog", name="Run Notebook as Task")
    output = dialog.get_by_label("Executed copy")
    expect(output).to_be_focused()
    expect(output).to_have_value("my notebook.executed.ipynb")
    output.fill("done.ipynb")
    expect(dialog.get_by_label("Value of steps")).to_have_value("2")
    dialog.get_by_label("Value of steps").fill("30")
    dialog.get_by_role("button", name="Add Parameter").press("Enter")
    page.keyboard.type("not a name")
    page.keyboard.press("Control+Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("not a valid variable name")
    dialog.get_by_role("button", name="Remove not a name").press("Enter")
    dialog.get_by_label("Task name").fill("sweep")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)

    task = next(iter(client.all()))
    assert (task["name"], task["cwd"]) == ("sweep", str(work))
    header = page.locator(f'[data-ptytask="{task["id"]}"] .jp-PtyTasks-header')
    row = panel.row(panel.show(page), task["id"])
    # Of four cells: one is added that sets the parameters.
    expect(row).to_contain_text("75%")
    expect(header.get_by_role("progressbar")).to_be_visible()
    (work / "go").touch()
    assert client.wait(task["id"], PATIENCE)["state"] == "succeeded"
    panel.in_state(row, "Succeeded").wait_for()
    assert "30 slow" in (work / "done.ipynb").read_text()
    cells = json.loads((work / "my notebook.ipynb").read_text())["cells"]
    assert [cell["outputs"] for cell in cells] == [[], [], []]


def test_what_is_open_is_saved_before_it_runs(page: Page, client: Client, work: Path) -> None:
    (work / "go").touch()
    opened = notebook.show(page, f"{work.name}/my notebook.ipynb")
    opened.locator(".jp-Cell .cm-content").nth(1).click()
    page.keyboard.press("Control+End")
    page.keyboard.type("00")
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run Notebook as Task…").click()
    dialog = page.get_by_role("dialog", name="Run Notebook as Task")
    dialog.get_by_label("Open terminal").uncheck()
    dialog.get_by_role("button", name="Start").click()
    expect(dialog).to_have_count(0)
    task = next(iter(client.all()))
    assert client.wait(task["id"], PATIENCE)["state"] == "succeeded"
    executed = (work / "my notebook.executed.ipynb").read_text()
    assert '"1 + 100"' in executed
    assert "2 slow" in executed


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_serious_in_the_dialog(page: Page, work: Path, theme: str) -> None:
    axe.show_in(page, theme)
    run = "path => { window.jupyterapp.commands.execute('ptytasks:run-notebook', { path }); }"
    page.evaluate(run, f"{work.name}/my notebook.ipynb")
    dialog = page.get_by_role("dialog", name="Run Notebook as Task")
    expect(dialog.get_by_label("Executed copy")).to_be_focused()
    dialog.get_by_label("Name of parameter 1").fill("no name")
    page.keyboard.press("Control+Enter")
    expect(dialog.get_by_role("alert")).to_be_visible()
    assert axe.serious(page, ".jp-PtyTasks-dialog") == []
