"""The requests that a page makes to the server, and whether it stops making them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tests.client.live import until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Page, Request, Route

#: Requests for the list of tasks and for its changes, and for anything about a single one.
LIST = re.compile(r"/ptytasks/api/(tasks|changes)\?")
SINGLE = re.compile(r"/ptytasks/api/tasks/")
ANYTHING = re.compile(r"/ptytasks/")


def watch(page: Page, pattern: re.Pattern[str]) -> list[str]:
    """Return a list of the addresses with this pattern that the page asks for from now on."""
    addresses: list[str] = []

    def note(request: Request) -> None:
        if pattern.search(request.url):
            addresses.append(request.url)

    page.on("request", note)
    return addresses


def make_up_list(page: Page, tasks: Sequence[Any]) -> None:
    """Answer requests for the list with these tasks; what is no JSON is written as Python writes it."""
    whole = json.dumps({"tasks": tasks, "next_cursor": None})

    def answer(route: Route) -> None:
        # It does not remember any revision.
        changes = {"complete": False, "tasks": [], "deleted": [], "waits": {}, "revision": ""}
        body = json.dumps(changes) if "/changes?" in route.request.url else whole
        route.fulfill(body=body, content_type="application/json")

    page.route(LIST, answer)


def until_quiet(page: Page, addresses: list[str], pause: int = 3500) -> None:
    """Wait until nothing was asked for `pause` milliseconds, longer than from one request to the next.

    A request that was about to be made may take its time on a busy machine; a page that goes on asking fails the test.
    """

    def is_quiet() -> bool:
        addresses.clear()
        page.wait_for_timeout(pause)
        return not addresses

    until(is_quiet, "a page that asks nothing")
