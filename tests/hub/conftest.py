"""One hub for all of these tests; each test has its own users."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from tests.browser.conftest import browser, console, jp_asyncio_loop, jp_server_cleanup, playwright_once
from tests.hub.hub import Hub, User, start_servers
from tests.missing import missing

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["browser", "console", "jp_asyncio_loop", "jp_server_cleanup", "playwright_once"]


@pytest.fixture(scope="package")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """Yield a running hub."""
    if not (shutil.which("node") and shutil.which("npm")):
        missing("node or npm, for the proxy of a hub,")
    hub = Hub(tmp_path_factory.mktemp("hub").resolve())
    try:
        yield hub.start()
    finally:
        hub.end()


@pytest.fixture(scope="package")
def people(hub: Hub) -> tuple[User, User]:
    """Two users for all tests that leave their servers as they are."""
    people = hub.add_user("somebody", LabApp={"expose_app_in_browser": True}), hub.add_user("stranger")
    start_servers(*people)
    return people


@pytest.fixture
def user(people: tuple[User, User]) -> User:
    """A user whose server is ready."""
    return people[0].start_server()


@pytest.fixture
def stranger(people: tuple[User, User]) -> User:
    """Another one."""
    return people[1].start_server()
