"""The plugins of the front end, one by one: what each adds to JupyterLab, and that the others do without it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.panel import row, show
from tests.browser.terminal import find, until_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from jupyter_ptytasks.client import Client
    from tests.browser.conftest import Console, OpenLab
    from tests.client.live import LiveServer

pytestmark = pytest.mark.slow

SOURCES = Path(__file__).parents[2] / "labextension" / "src" / "plugins"

#: The ids of all plugins, as their sources have them.
PLUGINS = sorted(
    found[1]
    for path in (*SOURCES.glob("*.ts"), SOURCES.parent / "mime.ts")
    if (found := re.search(r"'(jupyter-ptytasks:[\w-]+)'", path.read_text()))
)

#: That of the model, which all others need; it has the name of the settings.
MODEL = "jupyter-ptytasks:plugin"


@pytest.fixture
def switched_off(lab: LiveServer, plugin: str) -> Iterator[str]:
    """Switch a plugin off as `jupyter labextension disable` does, for the pages that are opened from now on."""
    path = Path(lab.home) / "config" / "labconfig" / "page_config.json"
    before = path.read_text()
    config = json.loads(before)
    config.setdefault("disabledExtensions", {})[plugin] = True
    path.write_text(json.dumps(config))
    yield plugin
    path.write_text(before)


def offered(page: Page) -> dict[str, dict[str, Any]]:
    """Return the properties of each of our commands."""
    return dict(
        page.evaluate("""async () => {
            const { commands } = window.jupyterapp;
            const found = {};
            for (const id of commands.listCommands().filter(id => id.startsWith('ptytasks:'))) {
                const { args } = await commands.describedBy(id);
                found[id] = { label: commands.label(id), caption: commands.caption(id), args };
            }
            return found;
        }""")
    )


def test_every_command_describes_itself_and_its_arguments(page: Page) -> None:
    commands = offered(page)
    assert len(commands) > 20
    for name, said in commands.items():
        assert said["label"].strip(), name
        assert len(said["caption"]) > len("Stop"), name
        assert said["args"]["type"] == "object", name
        assert all(value.get("description") for value in said["args"].get("properties", {}).values()), name


def test_every_plugin_says_what_it_is(page: Page) -> None:
    known = page.evaluate("""() => window.jupyterapp.info.availablePlugins
        .filter(plugin => plugin.id.startsWith('jupyter-ptytasks:'))
        .map(plugin => [plugin.id, plugin.description])""")
    assert sorted(name for name, _ in known) == PLUGINS
    assert all(len(description) > len("Adds") for _, description in known)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_others_do_without(
    plugin: str, switched_off: str, open_lab: OpenLab, client: Client, console: Console
) -> None:
    if plugin == MODEL:
        # JupyterLab says so of each of the others.
        console.expect(r"Error activating plugin: jupyter-ptytasks:|No provider for: jupyter-ptytasks:ITaskModel")
    page = open_lab()
    if plugin == MODEL:
        assert page.locator(".jp-PtyTasks-status").count() == 0
        return

    task = client.create("echo here; exec sleep 1000")
    if plugin != "jupyter-ptytasks:statusbar":
        status = page.locator(".jp-PtyTasks-status")
        expect(status).to_have_text("1 running")
        status.press("Enter")
    if plugin != "jupyter-ptytasks:sidebar":
        panel = show(page)
        buttons = 0 if plugin == "jupyter-ptytasks:task-commands" else len(["Stop", "Restart"])
        expect(row(panel, task["id"]).locator("button")).to_have_count(buttons)
        # The focus is the list's, whichever row is meant.
        panel.get_by_role("treegrid").press("Enter")
    if plugin not in ("jupyter-ptytasks:sidebar", "jupyter-ptytasks:terminal"):
        until_line(page, task["id"], "here")
    client.create("exit 3", name="unseen")
    if plugin != "jupyter-ptytasks:notify":
        toast = page.locator(".Toastify__toast", has_text="unseen")
        expect(toast).to_be_visible()
        can_open, can_repeat = plugin != "jupyter-ptytasks:terminal", plugin != "jupyter-ptytasks:task-commands"
        expect(toast.get_by_role("button", name="Open")).to_have_count(int(can_open))
        expect(toast.get_by_role("button", name="Run Again")).to_have_count(int(can_repeat))
    page.evaluate("() => { window.jupyterapp.shell.activateById('jp-running-sessions'); }")
    if plugin != "jupyter-ptytasks:running":
        running = page.get_by_role("region", name="Background Tasks Section")
        running.get_by_text(task["name"]).click()
        if plugin != "jupyter-ptytasks:terminal":
            expect(find(page, task["id"])).to_be_visible()
