"""Progress and resource usage of a task in the panel and above its terminal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import asking, panel, terminal

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

    from jupyter_ptytasks.client import Client

pytestmark = pytest.mark.slow

#: Goes on at every line that is typed, and fails in the end.
STEPS = "for n in 10 42 80; do printf '\\033]9;4;1;%d\\033\\\\' $n; echo step $n; read go; done; exit 3"


def test_a_bar_follows_the_task_without_asking(page: Page, client: Client) -> None:
    task = client.create(STEPS, name="steps")["id"]
    tasks = panel.show(page)
    row = panel.row(tasks, task)
    panel.in_state(row, "Running").wait_for()
    bar = row.get_by_role("progressbar", name="Progress of steps")
    expect(bar).to_have_attribute("aria-valuenow", "10")
    height = row.bounding_box()
    header = terminal.show(page, task).locator(".jp-PtyTasks-header")
    expect(header.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "10")
    # A list may be due at any moment; what it says does not arrive.
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(asking.LIST, hold)
    client.send_input(task, "", newline=True)
    expect(bar).to_have_attribute("aria-valuenow", "42")
    expect(row).to_contain_text("42%")
    expect(header.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "42")
    expect(header).to_contain_text("42%")
    for route in held:
        route.continue_()
    page.unroute(asking.LIST)
    assert row.bounding_box() == height
    for _ in range(2):
        client.send_input(task, "", newline=True)
        expect(bar).to_have_attribute("aria-valuenow", "80")
    panel.in_state(row, "Failed").wait_for()
    # Where it stopped is worth knowing.
    expect(bar).to_have_attribute("aria-valuenow", "80")


def test_the_header_shows_resource_usage(page: Page, client: Client) -> None:
    task = client.create("while :; do :; done", name="busy")["id"]
    header = terminal.show(page, task).locator(".jp-PtyTasks-header")
    expect(header).to_contain_text(re.compile(r"\d+% · [\d.]+ [KM]iB"))
    expect(header.locator("svg.jp-PtyTasks-sparkline polyline")).to_have_count(2)
    client.stop(task, signals=["SIGKILL"])
    expect(header).to_contain_text(re.compile(r"Peak .*\d+% · [\d.]+ [KM]iB"))


def test_a_bar_without_an_end_moves_unless_nothing_shall(page: Page, client: Client) -> None:
    task = client.create("printf '\\033]9;4;3\\033\\\\'; exec sleep 1000", name="endless")["id"]
    bar = panel.row(panel.show(page), task).get_by_role("progressbar")
    expect(bar).to_have_attribute("data-look", "unknown")
    expect(bar).not_to_have_attribute("aria-valuenow", re.compile(""))
    animation = "bar => getComputedStyle(bar.firstElementChild).animationName"
    assert bar.evaluate(animation) != "none"
    page.emulate_media(reduced_motion="reduce")
    assert bar.evaluate(animation) == "none"
