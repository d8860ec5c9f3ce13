"""Metrics in JupyterLab: curves in the panel, and charts that follow several tasks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import panel, terminal
from tests.browser.axe import serious, show_in
from tests.browser.focus import unseen
from tests.client.live import until

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from jupyter_ptytasks.client import Client
    from tests.browser.conftest import Console, OpenLab

pytestmark = pytest.mark.slow

#: Prints values of 40 steps, then a loss for each line that is typed. The argument is the loss of the first step.
TRAIN = r"""
one() {{ awk "BEGIN {{ print \"step $n loss\", {0} / $n, \"acc=\" 1 - 1 / ($n + 1) }}"; }}
n=1; while [ $n -le 40 ]; do one; n=$((n + 1)); done
while read loss; do echo "step $n loss $loss"; n=$((n + 1)); done
"""


#: Prints nothing that is a metric, then values of nine steps, and then as many more behind more output than is read.
BURSTS = r"""
steps() { for i in $(seq $1 $2); do echo step $i loss 0.$((90 - i)); done; }
echo nothing; read go; steps 1 9; read go; yes noise | head -n 400000; steps 21 29; read go
"""


def test_the_runs_of_a_sweep_are_compared(page: Page, client: Client) -> None:
    runs = [client.create(TRAIN.format(first), name=f"lr{first}")["id"] for first in (2, 8)]
    tasks = panel.show(page)
    first, second = (panel.row(tasks, run) for run in runs)
    expect(first.get_by_role("img", name="loss 0.05")).to_be_visible()
    expect(second.get_by_role("img", name="loss 0.2")).to_be_visible()
    assert first.locator(".jp-PtyTasks-trend polyline").count() == 1

    first.click()
    second.click(modifiers=["Control"], button="left")
    second.click(button="right")
    page.get_by_role("menuitem", name="Compare Metrics").click()
    tab = page.locator(".jp-PtyTasks-metrics")
    loss, acc = tab.get_by_role("region", name="loss"), tab.get_by_role("region", name="acc")
    table = tab.get_by_role("table")
    expect(table.get_by_role("row", name=re.compile("lr2"))).to_contain_text("0.050.05")
    expect(table.locator("b")).to_have_text(["0.05", "0.9756", "0.9756"])

    # The charts have one cursor, and it can be moved by keys.
    chart = loss.get_by_role("img")
    expect(chart.locator("canvas")).to_be_visible()
    chart.focus()
    page.keyboard.press("ArrowLeft")
    expect(loss.get_by_role("status")).to_have_text("40: lr2 0.05, lr8 0.2")
    page.keyboard.press("ArrowLeft")
    expect(loss.get_by_role("status")).to_have_text("39: lr2 0.05128, lr8 0.2051")
    expect(acc.get_by_role("status")).to_have_text("39: lr2 0.975, lr8 0.975")

    # New values arrive by themselves.
    client.send_input(runs[0], "0.04", newline=True)
    expect(table.get_by_role("row", name=re.compile("lr2"))).to_contain_text("0.040.04")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(loss.get_by_role("status")).to_contain_text("41: lr2 0.04")
    assert serious(page, ".jp-PtyTasks-metrics") == []

    tab.get_by_label("Horizontal axis").select_option("time")
    tab.get_by_label("Logarithmic").check()
    tab.get_by_label("Smoothing").fill("0.6")
    tab.get_by_label("Show the curves of lr8").uncheck()
    chart.focus()
    page.keyboard.press("ArrowLeft")
    expect(loss.get_by_role("status")).to_have_text(re.compile(r"^[\d.ms ]+: 0\.\d+$"))
    tab.get_by_label("Filter metrics").fill("acc")
    expect(loss).to_have_count(0)
    expect(acc).to_be_visible()

    client.send_input(runs[1], "nan", newline=True)
    expect(second.get_by_title("loss is NaN (since step 41)")).to_have_text("not a number")
    table.get_by_role("button", name="lr8").click()
    header = terminal.show(page, runs[1]).locator(".jp-PtyTasks-header")
    expect(header).to_contain_text("loss NaN")
    header.get_by_role("button", name="Show the metrics of lr8").click()
    expect(page.get_by_role("tab", name="Metrics of lr8")).to_be_visible()


def test_a_tab_says_why_curves_are_missing(open_lab: OpenLab, client: Client, console: Console) -> None:
    quiet = client.create(BURSTS, name="quiet")["id"]
    page = open_lab()
    page.route(re.compile("/metrics"), lambda route: route.fulfill(status=500, body="{}"))
    console.expect("/metrics.* 500 ")
    page.evaluate("id => window.jupyterapp.commands.execute('ptytasks:show-metrics', { id })", quiet)
    note = page.locator(".jp-PtyTasks-metrics").get_by_role("status").first
    expect(note).to_contain_text("The metrics could not be loaded")
    page.unroute(re.compile("/metrics"))
    expect(note).to_contain_text("No metrics yet")

    # A curve is broken where output came faster than it was read; the cursor stops there.
    client.send_input(quiet, "", newline=True)
    until(lambda: [one["value"] for one in client.metrics(quiet)["metrics"]] == [0.81], "the first nine steps")
    client.send_input(quiet, "", newline=True)
    expect(note).to_have_text("Some output was discarded before it was read. Dashed lines mark where.")
    expect(page.locator(".jp-PtyTasks-metrics").get_by_role("table")).to_contain_text("0.61")  # of step 29
    loss = page.locator(".jp-PtyTasks-metrics").get_by_role("region", name="loss")
    loss.get_by_role("img").focus()
    for told in (*(f"{step}: " for step in range(29, 20, -1)), "Output is missing here.", "9: "):
        page.keyboard.press("ArrowLeft")
        expect(loss.get_by_role("status")).to_contain_text(told)
    # What was read before stays while the server does not answer, and that is said.
    calls = re.compile(r"/ptytasks/api/(tasks|changes)\b")
    console.expect(r"/ptytasks/api/(tasks|changes)\b.* 500 ")
    page.route(calls, lambda route: route.fulfill(status=500, body="{}"))
    page.evaluate("window.jupyterapp.commands.execute('ptytasks:refresh')")
    stale = page.locator(".jp-PtyTasks-metrics").get_by_role("alert")
    expect(stale).to_contain_text("The server could not list its tasks")
    expect(loss).to_be_visible()
    page.unroute(calls)
    page.evaluate("window.jupyterapp.commands.execute('ptytasks:refresh')")
    expect(stale).to_have_count(0)
    for theme in ("JupyterLab Dark", "JupyterLab Dark High Contrast", "JupyterLab Light"):
        show_in(page, theme)
        assert serious(page, ".jp-PtyTasks-metrics") == []
        assert unseen(page, ".jp-PtyTasks-metrics") == []
