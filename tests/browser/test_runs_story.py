"""The example of docs/runs.md: the best of three hundred runs, why twelve failed, differences, and a rerun.

Nothing is made up: the runs are three hundred processes, which the queue starts. They are made once for JupyterLab, the
commands and the Python of the page.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests import night
from tests.browser import axe
from tests.browser.details import details, fact
from tests.browser.runs import NAMES, show

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from jupyter_ptytasks.client import Client
    from tests.browser.conftest import OpenLab
    from tests.client.live import LiveServer

pytestmark = pytest.mark.slow

BEST = "sine[lr=0.01,momentum=0.7,seed=7]"
SECOND = "sine[lr=0.005,momentum=0.9,seed=8]"


def test_the_best_of_three_hundred_runs_is_run_again(
    lab: LiveServer, client: Client, open_lab: OpenLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        night.pass_in(lab, lab.home / "work")
        in_jupyterlab(open_lab(), client)
        client.delete("longer")
        in_a_terminal(lab)
        in_python(lab, monkeypatch)
        client.delete_sweep("sine")  # at once, not one by one
    finally:
        client.delete_group("night")  # the panel of the next test would show it


def in_jupyterlab(page: Page, client: Client) -> None:
    """Tell the story in the table of runs."""
    tab = show(page)
    grid = tab.get_by_role("grid", name="Runs")
    names = tab.locator(NAMES)
    rows = tab.locator(".jp-PtyTasks-runs-row")
    expect(tab.get_by_text("300 runs", exact=True)).to_be_visible()
    expect(grid.get_by_role("columnheader")).to_have_text(
        [
            "Name",
            "lr",
            "momentum",
            "seed",
            "State",
            "val_loss (lowest)",
            "val_loss",
            "loss",
            "Duration",
            "End",
            "Started",
        ]
    )

    # Which is the best?
    grid.get_by_role("button", name="val_loss (lowest)").click()
    expect(names.first).to_have_text(BEST)
    expect(names.nth(1)).to_have_text(SECOND)

    # Why have twelve failed?
    tab.get_by_role("combobox", name="State").select_option("Went wrong")
    expect(tab.get_by_text("12 runs", exact=True)).to_be_visible()
    for at in range(12):
        expect(rows.nth(at)).to_contain_text(re.compile(r"0\.9\dFailed.*exit 1 · ValueError: the loss diverges"))
    tab.get_by_role("button", name="Remove All").click()

    # What differs between the best two?
    expect(names.first).to_have_text(BEST)
    rows.first.click()
    rows.nth(1).click(modifiers=["Control"])
    tab.get_by_role("button", name="Show Differences").click()
    dialog = page.get_by_role("dialog")
    expect(fact(dialog, "params.lr")).to_have_text("0.0050.01")
    expect(fact(dialog, "command").locator("del")).to_have_text("python train.py --lr 0.005 --momentum 0.9 --seed 8")
    assert axe.serious(page, ".jp-Dialog") == []
    page.keyboard.press("Escape")
    tab.get_by_role("button", name="Compare Metrics").click()
    metrics = page.locator(".jp-PtyTasks-metrics")
    expect(metrics.get_by_role("row", name=re.compile(r"momentum=0\.7")).locator("b").first).to_have_text("0.00439")

    # The best again, with twice the epochs.
    show(page)
    rows.first.click()
    tab.get_by_role("button", name="Edit and Run Again…").click()
    form = page.locator(".jp-PtyTasks-dialog")
    command = form.locator('[name="command"]')
    expect(command).to_have_value("python train.py --lr 0.01 --momentum 0.7 --seed 7")
    command.press("End")
    command.press_sequentially(" --epochs 10")
    form.get_by_label("Name", exact=True).fill("longer")
    form.get_by_label("Open terminal").uncheck()
    command.press("Control+Enter")
    expect(names.first).to_have_text("longer")
    expect(rows.first).to_contain_text("0.003767")
    longer = client.get("longer")["id"]
    rows.first.click(button="right")
    page.get_by_role("menuitem", name="Details").click()
    changed = fact(details(page, longer), "command")
    expect(changed.locator("ins")).to_have_text("python train.py --lr 0.01 --momentum 0.7 --seed 7 --epochs 10")


def in_a_terminal(lab: LiveServer) -> None:
    """Run the commands of the page: they print what it says, but for ids and times."""
    for command, shown in night.steps(night.blocks("console")[1]):
        assert told(night.shell(lab, command, lab.home / "work")) == told(shown), command


def told(text: str) -> list[list[str]]:
    """Return the words of each line, without ids and times."""
    nameless = re.sub(r"\bm[a-z0-9]{11}\b", "id", text)
    timeless = re.sub(r"\S+( \S+)? ago|after \S+| \d+s  ", "", nameless)
    return [line.split() for line in timeless.splitlines()]


def in_python(lab: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the Python of the page in this process."""
    for name, value in lab.environ.items():
        monkeypatch.setenv(name, value)
    names: dict[str, Any] = {}
    exec(night.blocks("python")[1], names)
    assert (names["best"].name, names["second"].name) == (BEST, SECOND)
    assert min(names["longer"].metrics["val_loss"]["value"]) == 0.003756
