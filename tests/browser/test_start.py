"""Starting tasks from the dialog, files and editors; notifications of their ends, and the status bar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.client.live import until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

    from jupyter_ptytasks.client import Client
    from tests.browser.conftest import Console, OpenLab
    from tests.client.live import LiveServer

pytestmark = pytest.mark.slow

#: A page that nobody looks at, and that says what the browser has shown on the desktop.
DESKTOP = """
window.shown = [];
document.hasFocus = () => false;
window.Notification = class extends window.Notification {
  constructor(message, options) {
    super(message, options);
    this.addEventListener('show', () => window.shown.push(this));
  }
};
"""


@pytest.fixture
def work(lab: LiveServer) -> Path:
    """Return a directory below the server's root, with a name that a shell would take apart."""
    directory = Path(lab.home) / "work" / "it's here"
    directory.mkdir()
    (directory / "fails.py").write_text("print('step 1')\nraise SystemExit('no data')\n")
    (directory / "notes.md").write_text("# Notes\necho from the notes\n")
    return directory


def execute(page: Page, command: str, **arguments: Any) -> None:
    """Execute a command of JupyterLab, without waiting for its end."""
    page.evaluate("([id, args]) => { window.jupyterapp.commands.execute(id, args); }", [command, arguments])


def newest(client: Client) -> dict[str, Any]:
    """Return the task that was started last."""
    return dict(next(iter(client.all())))


def ask(page: Page, **known: Any) -> Locator:
    """Open the dialog of a new task."""
    execute(page, "ptytasks:new-task", **known)
    dialog = page.get_by_role("dialog", name="New Task")
    expect(dialog.get_by_label("Command", exact=True)).to_be_focused()
    return dialog


def tab(page: Page, task: str) -> Locator:
    """Return the terminal tab of a task, if it is open."""
    return page.locator(f'[data-ptytask="{task}"]')


def test_from_the_launcher_by_keyboard_alone(page: Page, client: Client) -> None:
    page.locator(".jp-LauncherCard", has_text="Task").first.press("Enter")
    dialog = page.get_by_role("dialog", name="New Task")
    expect(dialog.get_by_label("Command", exact=True)).to_be_focused()
    page.keyboard.type("echo one")
    page.keyboard.press("Enter")
    page.keyboard.type("exec sleep 1000")
    page.keyboard.press("Tab")
    page.keyboard.type("typed")
    page.keyboard.press("Control+Enter")
    expect(dialog).to_have_count(0)
    task = newest(client)
    assert (task["name"], task["command"]) == ("typed", "echo one\nexec sleep 1000")
    expect(tab(page, task["id"])).to_be_visible()


def test_rejected_values_stay_in_the_form(page: Page, client: Client, work: Path, console: Console) -> None:
    console.expect(r"/ptytasks/api/tasks.* (400|409) ")
    client.create("sleep 1000", name="taken")
    dialog = ask(page, name="taken", cwd="nowhere", if_exists="fail")
    page.keyboard.type("sleep 1000")
    page.keyboard.press("Control+Enter")
    directory = dialog.get_by_label("Working directory")
    expect(directory).to_be_focused()
    expect(directory).to_have_accessible_description("no such directory: " + str(work.parent / "nowhere"))
    directory.fill(work.name)
    page.keyboard.press("Enter")
    name = dialog.get_by_label("Name", exact=True)
    expect(name).to_be_focused()
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(dialog.get_by_label("Command", exact=True)).to_have_value("sleep 1000")
    name.fill("free")
    dialog.get_by_role("button", name="Start").click()
    expect(dialog).to_have_count(0)
    assert newest(client)["cwd"] == str(work)


def test_a_directory_is_chosen_and_nothing_typed_is_lost(page: Page, work: Path) -> None:
    dialog = ask(page)
    page.keyboard.type("make")
    dialog.get_by_role("button", name="Browse…").press("Enter")
    chooser = page.locator(".jp-Dialog", has_text="Working Directory")
    chooser.locator(".jp-DirListing-item", has_text=work.name).click()
    chooser.get_by_role("button", name="Select").click()
    expect(dialog.get_by_label("Working directory")).to_have_value(work.name)
    expect(dialog.get_by_label("Command", exact=True)).to_have_value("make")


def test_what_was_run_is_known_again(page: Page, client: Client) -> None:
    dialog = ask(page)
    page.keyboard.type("true")
    dialog.get_by_label("Open terminal").uncheck()
    page.keyboard.press("Control+Enter")
    expect(dialog).to_have_count(0)
    expect(tab(page, newest(client)["id"])).to_have_count(0)
    dialog = ask(page)
    page.keyboard.press("ArrowUp")
    expect(dialog.get_by_label("Command", exact=True)).to_have_value("true")
    expect(dialog.get_by_label("Open terminal")).not_to_be_checked()


def test_a_file_runs_and_its_failure_is_notified(page: Page, client: Client, work: Path) -> None:
    page.locator(".jp-DirListing-item", has_text=work.name).dblclick()
    page.locator(".jp-DirListing-item", has_text="notes.md").click(button="right")
    expect(page.get_by_role("menuitem", name="Rename")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Run as Task", exact=True)).to_have_count(0)
    page.keyboard.press("Escape")
    page.locator(".jp-DirListing-item", has_text="fails.py").click(button="right")
    page.get_by_role("menuitem", name="Run as Task", exact=True).click()
    page.locator(".lm-TabBar-tabLabel", has_text="fails.py").wait_for()
    task = newest(client)
    assert (task["name"], task["command"], task["cwd"]) == ("fails.py", "python fails.py", str(work))
    expect(page.locator(".jp-PtyTasks-terminal").get_by_role("status").filter(has_text="Failed (exit")).to_be_visible()

    # The first has ended while somebody looked at it: the second ends while nobody does.
    page.locator(".lm-TabBar-tabLabel", has_text="Launcher").click()
    client.create("sleep 1; echo no data; exit 3", name="unseen")
    toast = page.locator(".Toastify__toast", has_text="unseen")
    expect(toast).to_contain_text("“unseen” failed (exit 3): no data")
    toast.get_by_role("button", name="Open").click()
    expect(tab(page, newest(client)["id"])).to_be_visible()


def test_a_line_of_an_editor_runs(page: Page, client: Client, work: Path) -> None:
    execute(page, "docmanager:open", path=f"{work.name}/notes.md", factory="Editor")
    page.locator(".jp-FileEditor .cm-line", has_text="echo").click()
    page.keyboard.press("Alt+Shift+Enter")
    page.locator(".lm-TabBar-tabLabel", has_text="echo from the notes").wait_for()
    task = newest(client)
    assert (task["command"], task["cwd"]) == ("echo from the notes", str(work))


def test_the_status_bar_counts_and_leads_to_the_panel(page: Page, client: Client) -> None:
    status = page.locator(".jp-PtyTasks-status")
    expect(status).to_be_hidden()
    client.create("sleep 1000")
    expect(status).to_have_text("1 running")
    client.create("exit 1")
    expect(status.get_by_role("button", name="1 failed")).to_be_visible()
    status.get_by_role("button", name="1 running").press("Enter")
    expect(page.get_by_role("region", name="Tasks", exact=True)).to_be_visible()


def test_the_running_panel_stops_a_task(page: Page, client: Client) -> None:
    task = client.create("sleep 1000", name="to stop")
    page.evaluate("() => { window.jupyterapp.shell.activateById('jp-running-sessions'); }")
    row = page.locator(".jp-RunningSessions-item", has_text="to stop")
    row.hover()
    row.get_by_role("button").last.click()
    expect(row).to_have_count(0)
    assert client.wait(task["id"])["state"] == "cancelled"
    # Whoever stops a task knows that it ends.
    expect(page.locator(".Toastify__toast")).to_have_count(0)


def test_the_desktop_is_notified_if_allowed(open_lab: OpenLab, whole_browser: Browser, client: Client) -> None:
    page = open_lab(browser=whole_browser, permissions=["notifications"])
    save = "settings => window.jupyterapp.serviceManager.settings.save('jupyter-ptytasks:plugin', settings)"
    page.evaluate(save, '{"notify": "failures", "desktopNotifications": true}')
    try:
        page.add_init_script(DESKTOP)
        page.reload()
        client.create("sleep 1000")
        expect(page.locator(".jp-PtyTasks-status")).to_have_text("1 running")
        client.create("true", name="well")
        client.create("sleep 1; exit 3", name="badly")
        page.wait_for_function("window.shown.length > 0")
        assert page.evaluate("window.shown.map(one => one.title)") == ["“badly” failed (exit 3)"]
        page.evaluate("window.shown[0].dispatchEvent(new Event('click'))")
        expect(tab(page, newest(client)["id"])).to_be_visible()
    finally:
        page.evaluate(save, "{}")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_serious_in_the_dialog(page: Page, theme: str) -> None:
    axe.show_in(page, theme)
    dialog = ask(page, timeout=5)
    page.keyboard.press("Control+Enter")
    expect(dialog.get_by_role("alert")).to_be_visible()
    assert axe.serious(page, ".jp-PtyTasks-dialog") == []


def test_running_again_keeps_the_environment(page: Page, client: Client) -> None:
    task = client.create('echo "seed $SEED"; exit 3', name="seeded", env={"SEED": "17"}, tags=["gpu"])
    client.wait(task["id"])
    execute(page, "ptytasks:run-again", id=task["id"])
    until(lambda: newest(client)["id"] != task["id"], "another task")
    again = client.wait(newest(client)["id"])
    assert [again[name] for name in ("name", "command", "tags")] == [task["name"], task["command"], ["gpu"]]
    assert client.output(again["id"])["output"].startswith("seed 17")
    expect(tab(page, again["id"])).to_be_visible()
