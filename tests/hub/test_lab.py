"""JupyterLab behind a hub: users who log in find the tasks of their servers, and type into them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.browser import panel, terminal
from tests.browser.conftest import EXTENSION, is_ready
from tests.client.live import PATIENCE, ended
from tests.missing import missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.browser.conftest import Console
    from tests.hub.hub import Hub, User

#: Servers behind a hub take their time to start, and some tests start several.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def page(hub: Hub, user: User, browser: Browser, console: Console) -> Iterator[Page]:
    """Yield a page with the user's JupyterLab, after they have logged in at the hub."""
    if not os.path.exists(EXTENSION):
        missing("the front end, which scripts/frontend builds,")
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    console.watch(page)
    page.goto(f"{hub.url}hub/login?next=/user/{user.name}/lab")
    page.get_by_label("Username").fill(user.name)
    page.get_by_label("Password").fill("any")
    page.get_by_role("button", name="Sign in").click()
    is_ready(page)
    yield page
    context.close()


def test_users_find_their_tasks_after_login(page: Page, user: User) -> None:
    with user.client() as client:
        task = client.create("read -r line; echo it was $line", name="asks")["id"]
        row = panel.row(panel.show(page), task)
        panel.in_state(row, "Running").wait_for()
        terminal.show(page, task).locator(".xterm-screen").click()
        page.keyboard.type("typed behind a hub\n")
        terminal.until_line(page, task, "it was typed behind a hub")
        assert ended(client, task)["state"] == "succeeded"
        panel.in_state(row, "Succeeded").wait_for()
