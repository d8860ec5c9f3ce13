"""The plugins of the front end: what each adds to JupyterLab, and that the others work without it."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import is_ready
from tests.browser.panel import row, show
from tests.browser.terminal import find, until_line
from tests.client.live import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page, Request

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
_REST = [plugin for plugin in PLUGINS if plugin != MODEL]
#: What is switched off together. For any two plugins there is a set with one of them and without the other, by the
#: digits of their numbers: in a fraction of the time that a page for each one would take.
SETS = [
    {plugin for number, plugin in enumerate(_REST) if number >> digit & 1 == value}
    for digit in range(len(_REST).bit_length())
    for value in (0, 1)
]


@pytest.fixture
def off(request: pytest.FixtureRequest, lab: LiveServer) -> Iterator[set[str]]:
    """Switch plugins off as `jupyter labextension disable` does, for the pages that are opened from now on."""
    plugins: set[str] = request.param
    path = Path(lab.home) / "config" / "labconfig" / "page_config.json"
    before = path.read_text()
    config = json.loads(before)
    config.setdefault("disabledExtensions", {}).update(dict.fromkeys(plugins, True))
    path.write_text(json.dumps(config))
    yield {plugin.partition(":")[2] for plugin in plugins}
    path.write_text(before)


#: What JupyterLab may load of the extension at its start, in bytes of JavaScript as the server sends it.
AT_THE_START = 220_000


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


def test_little_is_loaded_before_something_is_shown(page: Page) -> None:
    loaded: dict[str, int] = {}

    def count(request: Request) -> None:
        found = re.search(r"/extensions/jupyter-ptytasks/static/([\w.]+\.js)", request.url)
        response = request.response() if found else None
        if found and response:
            loaded[found[1]] = len(response.body())

    page.on("requestfinished", count)
    page.reload()
    is_ready(page)
    assert any(name.startswith("remoteEntry.") for name in loaded)
    assert sum(loaded.values()) <= AT_THE_START, loaded


#: Notes how many lines each terminal has when it is drawn, from now on; those that are not seen have none.
WATCH = """() => {
  window.drawn = [];
  new MutationObserver(() => {
    for (const screen of document.querySelectorAll('.xterm-screen:not(.noted)')) {
      screen.classList.add('noted');
      const tab = screen.closest('.jp-PtyTasks-terminal') && window.jupyterapp.shell.currentWidget;
      const isSeen = getComputedStyle(screen).visibility === 'visible';
      window.drawn.push(isSeen ? tab.content._term.buffer.active.length : 0);
    }
  }).observe(document.body, { childList: true, subtree: true });
}"""

#: Has no terminal drawn because its content does not come.
PATIENT = """() => {
  const real = window.setTimeout;
  window.setTimeout = (call, time, ...more) => (time === 500 ? 0 : real(call, time, ...more));
}"""


#: Gives the name of what draws for WebGL; nothing without WebGL.
GPU = """() => {
  const gl = document.createElement('canvas').getContext('webgl');
  return gl?.getParameter(gl.getExtension('WEBGL_debug_renderer_info').UNMASKED_RENDERER_WEBGL) ?? '';
}"""


def test_terminals_are_made_ready_when_tasks_are_pointed_at(page: Page, lab: LiveServer, client: Client) -> None:
    task = client.create("seq 200; exec cat")["id"]
    until(lambda: client.output(task)["total_lines"] == 200)
    names: list[str] = page.evaluate("performance.getEntriesByType('resource').map(one => one.name)")
    scripts = [page.request.get(name).text() for name in names if re.search(r"/static/lab/\w+\.\w+\.js", name)]
    assert scripts
    assert not any("registerCharacterJoiner" in text for text in scripts)  # a method of xterm.js
    page.evaluate(WATCH)
    panel = show(page)
    row(panel, task).hover()
    page.wait_for_function("drawn.length === 1 && !document.querySelector('.xterm')")
    # By the keyboard, from a slow server: what is typed meanwhile arrives, and no terminal is drawn without content.
    panel.get_by_role("treegrid").press("Home")
    page.evaluate(PATIENT)
    os.kill(lab.pid, signal.SIGSTOP)
    try:
        page.keyboard.press("Enter")
        page.wait_for_function("document.activeElement.closest('.jp-Terminal')")
        page.keyboard.type("hello\n")
    finally:
        os.kill(lab.pid, signal.SIGCONT)
    until_line(page, task, "hello")
    until(lambda: client.output(task)["output"].splitlines()[-2:] == ["hello", "hello"], "the echo and cat's answer")
    page.wait_for_function("document.activeElement.closest('.xterm')")
    empty, full = page.evaluate("drawn")
    assert empty == 0
    assert full > 200
    if "SwiftShader" in page.evaluate(GPU):
        assert page.locator(".xterm-rows").inner_text()
        assert page.locator(".xterm canvas").count() == 0


def test_any_two_plugins_are_distinguished() -> None:
    for one in _REST:
        for other in _REST:
            assert one == other or any(one in plugins and other not in plugins for plugins in SETS)


@pytest.mark.parametrize("off", [{MODEL}], indirect=True, ids=["model"])
def test_without_the_model_there_is_nothing(off: set[str], open_lab: OpenLab, console: Console) -> None:
    # JupyterLab says so of each of the others.
    console.expect(r"Error activating plugin: jupyter-ptytasks:|No provider for: jupyter-ptytasks:ITaskModel")
    assert open_lab().locator(".jp-PtyTasks-status").count() == 0


@pytest.mark.parametrize("off", SETS, indirect=True, ids=lambda plugins: str(len(plugins)))
def test_the_others_do_without(off: set[str], open_lab: OpenLab, client: Client) -> None:
    page = open_lab()
    task = client.create("echo here; exec sleep 1000")
    if "statusbar" not in off:
        status = page.locator(".jp-PtyTasks-status")
        expect(status).to_have_text("1 running")
        status.get_by_role("button").first.press("Enter")
    if "sidebar" not in off:
        panel = show(page)
        buttons = 0 if "task-commands" in off else len(["Stop", "Restart"])
        expect(row(panel, task["id"]).locator("button")).to_have_count(buttons)
        # The focus is the list's, whichever row is meant.
        panel.get_by_role("treegrid").press("Enter")
    if not off & {"sidebar", "terminal"}:
        until_line(page, task["id"], "here")
    page.evaluate("() => { window.jupyterapp.shell.activateById('jp-running-sessions'); }")
    if "running" not in off:
        running = page.get_by_role("region", name="Background Tasks Section")
        running.get_by_text(task["name"]).click()
        if "terminal" not in off:
            expect(find(page, task["id"])).to_be_visible()
    client.create("exit 3", name="unseen")
    if "notify" not in off:
        toast = page.locator(".Toastify__toast", has_text="unseen")
        expect(toast).to_be_visible()
        expect(toast.get_by_role("button", name="Open")).to_have_count(int("terminal" not in off))
        expect(toast.get_by_role("button", name="Run Again")).to_have_count(int("task-commands" not in off))
