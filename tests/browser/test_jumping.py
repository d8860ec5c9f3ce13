"""The commands of a real shell are jump targets in its terminal tab, and show how they ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser import axe, terminal
from tests.client.live import until

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from jupyter_ptytasks.client import Client
    from tests.browser.conftest import OpenLab

pytestmark = pytest.mark.slow

#: More output than is drawn again when a terminal opens; then one that succeeds, one that fails, and one more.
COMMANDS = ("seq 20000", "echo one; seq 100", "echo two; seq 100; (exit 3)", "echo three; seq 100")

#: The line that is left below the upper third of the terminal, where jumps lead to; empty at the end.
_LINE = """id => {
  for (const tab of window.jupyterapp.shell.widgets('main')) {
    if (tab.node.dataset.ptytask === id) {
      const term = tab.content._term;
      const { active } = term.buffer;
      const row = active.viewportY + Math.floor(term.rows / 3);
      return active.viewportY >= active.baseY ? '' : active.getLine(row).translateToString(true);
    }
  }
}"""

#: Counts the lines that are marked from now on.
_COUNT = """() => {
  window.marked = new Set();
  new MutationObserver(() => {
    document.querySelectorAll('.jp-PtyTasks-jumped').forEach(one => window.marked.add(one));
  }).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""

_ENABLED = "() => window.jupyterapp.commands.isEnabled('ptytasks:previous-command')"


def shell(client: Client) -> str:
    """Start a shell, run the commands in it, and return its id."""
    task = client.create(name="shell")["id"]
    until(lambda: client.commands(task)["at_prompt"], "the prompt")
    for command in COMMANDS:
        client.exec(task, command)
    return task


def opened(page: Page, task: str) -> Locator:
    """Open the tab of a shell, and return it when its commands are known."""
    tab = terminal.show(page, task)
    page.locator(f'.jp-mod-commands[data-ptytask="{task}"]').wait_for()
    terminal.until_line(page, task, COMMANDS[-1])
    tab.locator(".xterm-screen").click()
    return tab


def until_at(page: Page, task: str, line: str) -> None:
    """Wait until the terminal has scrolled to the prompt with this command; to its end, if there is none."""

    def is_there() -> bool:
        page.wait_for_timeout(50)  # the page has its turn
        shown = page.evaluate(_LINE, task)
        return bool(shown.endswith(f" {line}") if line else shown == "")

    until(is_there, f"{line!r} in the terminal")


def test_the_keyboard_jumps_from_command_to_command(page: Page, client: Client) -> None:
    task = shell(client)
    tab = opened(page, task)
    page.evaluate(_COUNT)
    for command in reversed(COMMANDS[1:]):
        page.keyboard.press("Control+ArrowUp")
        until_at(page, task, command)
    expect(tab.locator('[title="The command succeeded"]:visible').first).to_be_visible()
    page.keyboard.press("Control+ArrowDown")
    until_at(page, task, COMMANDS[2])
    expect(tab.get_by_title("The command failed (exit 3)")).to_be_visible()
    page.keyboard.press("Control+ArrowDown")
    until_at(page, task, COMMANDS[3])
    page.keyboard.press("Control+ArrowDown")
    until_at(page, task, "")
    # It is marked for a moment.
    assert page.evaluate("() => window.marked.size") >= len(COMMANDS)
    expect(tab.locator(".jp-PtyTasks-jumped")).to_have_count(0)
    # What is run now is a command, too, and nothing of the jumps was typed.
    page.keyboard.type("echo four; seq 100\n")
    until(lambda: client.commands(task)["total"] == len(COMMANDS) + 1 and client.commands(task)["at_prompt"])
    terminal.until_line(page, task, "echo four; seq 100")
    page.keyboard.press("Control+ArrowUp")
    until_at(page, task, "echo four; seq 100")
    page.keyboard.press("Control+ArrowUp")
    until_at(page, task, COMMANDS[3])


def test_a_full_screen_program_keeps_the_keys(page: Page, client: Client) -> None:
    task = shell(client)
    opened(page, task)
    assert page.evaluate(_ENABLED)
    page.keyboard.type("printf '\\033[?1049h'; cat -v\n")
    expect(page.locator(f'.jp-mod-commands[data-ptytask="{task}"]')).to_have_count(0)
    page.keyboard.press("Control+ArrowUp")
    terminal.until_line(page, task, "^[[1;5A")
    assert not page.evaluate(_ENABLED)


def test_a_task_without_marks_has_no_commands(page: Page, client: Client) -> None:
    task = client.create(r"printf '\033]133;A\007not a shell of ours\n'; exec sleep 1000")["id"]
    tab = terminal.show(page, task)
    terminal.until_line(page, task, "not a shell of ours")
    assert not page.evaluate(_ENABLED)
    tab.locator(".xterm-screen").click(button="right")
    expect(page.get_by_role("menuitem", name="Paste")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Previous Command")).to_have_count(0)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_menus_jump_too(open_lab: OpenLab, client: Client, theme: str) -> None:
    page = open_lab()
    axe.show_in(page, theme)
    task = shell(client)
    tab = opened(page, task)
    tab.locator(".xterm-screen").click(button="right")
    page.get_by_role("menuitem", name="Previous Command").click()
    until_at(page, task, COMMANDS[3])
    page.keyboard.press("Control+Shift+C")
    page.locator(".lm-CommandPalette-input:visible").fill("previous command")
    page.locator('.lm-CommandPalette-item[data-command="ptytasks:previous-command"]').click()
    until_at(page, task, COMMANDS[2])
    expect(tab.get_by_title("The command failed (exit 3)")).to_be_visible()
    assert axe.serious(page, ".jp-PtyTasks-terminal .xterm-decoration-container") == []
