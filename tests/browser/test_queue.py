"""The queue in JupyterLab: groups in the panel, their slots, the order of pending tasks, and the dialogs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe, panel
from tests.client.live import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page

    from jupyter_ptytasks.client import Client

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def no_groups(client: Client) -> Iterator[None]:
    """Leave no group behind that limits the tasks of other tests."""
    yield
    for group in client.groups():
        client.delete_group(group["name"])


def heading(tasks: Locator, group: str) -> Locator:
    """Return the heading of a group."""
    return tasks.locator(f'.jp-PtyTasks-group[data-group="{group}"]')


def queue(client: Client, *names: str) -> list[str]:
    """Queue tasks in the group `gpu`, of which none runs; give their ids."""
    client.set_group("gpu", slots=0)
    return [client.create("sleep 1000", name=name, group="gpu")["id"] for name in names]


def order(tasks: Locator) -> list[str | None]:
    """Return the ids of the rows from top to bottom."""
    # The list is virtual: what comes first in it is not what is first in the document.
    rows = tasks.locator(".jp-PtyTasks-row").all()
    rows.sort(key=lambda row: int(row.get_attribute("data-index") or 0))
    return [row.get_attribute("data-task") for row in rows]


def test_a_group_says_how_far_it_is_and_starts_more(page: Page, client: Client) -> None:
    tasks = panel.show(page)
    first, second, third = queue(client, "one", "two", "three")
    gpu = heading(tasks, "gpu")
    expect(gpu).to_contain_text("0 of 0 running · 3 queued")
    expect(panel.row(tasks, second)).to_contain_text("needs a slot, and the group gpu has 0")
    expect(page.get_by_role("button", name="0 running · 3 queued")).to_be_visible()
    gpu.get_by_label("Slots of gpu").fill("2")
    expect(gpu).to_contain_text("2 of 2 running · 1 queued")
    panel.in_state(panel.row(tasks, first), "Running").wait_for()
    expect(panel.row(tasks, third)).to_contain_text("#1")
    expect(panel.row(tasks, third)).to_contain_text("2 of 2 slots of the group gpu are used")
    assert client.group("gpu")["slots"] == 2
    gpu.get_by_role("button", name="Pause Group gpu").click()
    expect(gpu).to_contain_text("Paused · 2 of 2 running · 1 queued")
    # What another client does is seen, too.
    client.resume_group("gpu")
    expect(gpu.get_by_role("button", name="Pause Group gpu")).to_be_visible()
    assert axe.serious(page, "#jp-ptytasks-panel") == []
    gpu.locator(".jp-PtyTasks-name").click()
    expect(panel.row(tasks, first)).to_have_count(0)


def test_waiting_tasks_are_put_in_another_order(page: Page, client: Client) -> None:
    tasks = panel.show(page)
    first, second, third = queue(client, "one", "two", "three")
    until(lambda: order(tasks) == [first, second, third])
    panel.row(tasks, third).click(modifiers=["Control"])
    page.keyboard.press("Alt+ArrowUp")
    until(lambda: order(tasks) == [first, third, second])
    expect(tasks.get_by_role("status").filter(has_text="three is number 2 in the queue of gpu")).to_have_count(1)
    panel.row(tasks, second).drag_to(panel.row(tasks, first), target_position={"x": 60, "y": 4})
    until(lambda: order(tasks) == [second, first, third])
    assert [task["name"] for task in sorted(client.all(), key=lambda task: task["rank"])] == ["two", "one", "three"]


def test_failed_tasks_are_rerun(page: Page, client: Client) -> None:
    client.set_group("gpu", slots=1)
    failed = [client.create("exit 3", name=name, group="gpu")["id"] for name in ("one", "two")]
    for task in failed:
        client.wait(task)
    client.set_group("gpu", slots=0)
    tasks = panel.show(page)
    heading(tasks, "gpu").locator(".jp-PtyTasks-name").click(button="right")
    page.get_by_role("menuitem", name="Retry Failed (2)").click()
    for task in failed:
        panel.in_state(panel.row(tasks, task), "Queued").wait_for()
        assert client.get(task)["attempt"] == 2


def test_the_dialog_queues_in_a_new_group(page: Page, client: Client) -> None:
    late = {"command": "sleep 1000", "name": "late"}
    page.evaluate("late => void window.jupyterapp.commands.execute('ptytasks:new-task', late)", late)
    dialog = page.locator(".jp-PtyTasks-dialog")
    dialog.get_by_role("combobox", name="Start").select_option("new")
    dialog.get_by_label("New group").fill("night")
    dialog.get_by_label("Slots").fill("3")
    dialog.get_by_text("More options").click()
    dialog.get_by_label("Retries").fill("2")
    dialog.get_by_label("Not before").fill("2099-01-01T22:00")
    assert axe.serious(page, ".jp-PtyTasks-dialog .jp-Dialog-content") == []
    dialog.get_by_role("button", name="Start", exact=True).click()
    dialog.wait_for(state="detached")
    task = client.get("late")
    assert (task["state"], task["group"], task["not_before"] is not None) == ("queued", "night", True)
    assert task["retry"] is not None
    assert task["retry"]["max"] == 2
    assert client.group("night")["slots"] == 3
    tasks = panel.show(page)
    expect(panel.row(tasks, task["id"])).to_contain_text("waits for its time · starts in")
    # It has nothing to show yet.
    expect(page.locator(".jp-PtyTasks-terminal")).to_have_count(0)
