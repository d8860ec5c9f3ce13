"""Make pictures of JupyterLab with tasks in it: every state, in several themes, in build/screenshots.

With names of functions below, or of themes, it takes only their pictures. A few of them go to docs/images. What is seen
is real: a server, tasks, a Chromium. Only lists of many tasks are made up, for the browser alone.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import screenshots_panel
import screenshots_runs
from playwright.sync_api import Page, Route, ViewportSize, expect, sync_playwright

from tests.browser import notebook, panel
from tests.client.live import LiveServer, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Locator

SIZE: ViewportSize = {"width": 1280, "height": 760}
ROOT = Path(__file__).resolve().parent.parent
ALL = ROOT / "build" / "screenshots"
CHOSEN = ROOT / "docs" / "images"
#: What the documentation shows, as they are called there.
IN_DOCS = {
    "tab-light": "lab",
    "tab-dark": "lab-dark",
    "dialog-light": "dialog",
    "ended-light": "ended",
    "notification-light": "notification",
    "cell-running-light": "cell-running",
    "cell-states-light": "cell-states",
    "cell-away-light": "cell-away",
    "panel-progress-light": "panel-progress",
    "run-notebook-light": "run-notebook",
    "queue-light": "queue",
    "queue-dialog-light": "queue-dialog",
    "question-panel-light": "question-panel",
    "question-notification-light": "question-notification",
    "question-cell-light": "question-cell",
    "question-header-dark": "question-header",
    "question-password-dark": "question-password",
    "runs-best-light": "runs-best",
    "runs-failed-light": "runs-failed",
    "runs-differences-light": "runs-differences",
    "runs-compared-light": "runs-compared",
    "runs-again-light": "runs-again",
}
#: The themes, as JupyterLab and the browser call them.
THEMES = {
    "light": ("JupyterLab Light", "light"),
    "dark": ("JupyterLab Dark", "dark"),
    "contrast": ("JupyterLab Dark High Contrast", "dark"),
}
#: Where the panel asks for the tasks.
LIST = re.compile(r"/ptytasks/api/tasks\?")
TRAIN = "python train.py --epochs 400 --seconds 100"
#: So little output is kept that a picture can have what was discarded.
RING = "--PtyTasksApp.ring_size=1048576"
#: A program that is far on its way when it fails.
FINETUNE = """\
import time
from jupyter_ptytasks import progress

for epoch in range(1, 32):
    progress(epoch, 50, f"Epoch {epoch}/50")
    print(f"epoch {epoch:2}  loss {2 / epoch**0.5:.3f}", flush=True)
    time.sleep(0.1)
print("\\033[1;31mRuntimeError\\033[0m: CUDA out of memory. Tried to allocate 2.00 GiB")
raise SystemExit(1)
"""
#: A program that asks for a line, and then for a password.
CLEAN = """\
echo 'Found 42 checkpoints of 12 runs (118 GiB).'
read -p 'Delete all but the last of each run? [y/N] ' answer
read -sp 'Passphrase for the archive: ' answer
"""


class Camera:
    """A page in one theme, and where its pictures go."""

    def __init__(self, browser: Browser, lab: LiveServer, theme: str) -> None:
        self._theme = theme
        context = browser.new_context(viewport=SIZE, color_scheme=THEMES[theme][1])  # type: ignore[arg-type]
        context.set_default_timeout(60_000)
        self.page = context.new_page()
        self._url = f"{lab.url}lab?token={lab.token}&reset"

    def open(self) -> Page:
        """Open JupyterLab in the theme, with the panel in front."""
        page = self.page
        page.goto(self._url)
        page.locator("#jupyterlab-splash").wait_for(state="detached")
        page.locator(".jp-Launcher").wait_for()
        name = THEMES[self._theme][0]
        self.run("apputils:change-theme", {"theme": name})
        page.locator(f'body[data-jp-theme-name="{name}"]').wait_for(state="attached")
        panel.show(page)
        return page

    def run(self, command: str, args: dict[str, Any] | None = None) -> None:
        """Run a command of JupyterLab's, and do not wait for its end: it may be a dialog."""
        self.page.evaluate("([id, args]) => void window.jupyterapp.commands.execute(id, args)", [command, args or {}])

    def take(self, name: str, part: Locator | None = None) -> None:
        """Take a picture of the page, or of a part of it."""
        ALL.mkdir(parents=True, exist_ok=True)
        path = ALL / f"{name}-{self._theme}.png"
        (part or self.page).screenshot(path=path, animations="disabled")
        chosen = IN_DOCS.get(path.stem)
        if chosen is not None:
            shutil.copy(path, CHOSEN / f"{chosen}.png")
        print(path)


def empty(camera: Camera, _: LiveServer) -> None:
    """Nothing was ever started; then the dialog, and what the server says of it."""
    page = camera.open()
    page.get_by_role("heading", name="No tasks yet").wait_for()
    camera.take("empty")
    camera.run("ptytasks:new-task", {"command": "python train.py --lr 1e-3", "name": "train"})
    page.locator(".jp-Dialog").wait_for()
    camera.take("dialog")
    page.get_by_label("Working directory").fill("no/such/place")
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_text("no such directory").wait_for()
    camera.take("dialog-error")
    page.keyboard.press("Escape")


def working(camera: Camera, lab: LiveServer) -> None:
    """Tasks in several states, the terminal of one of them, and how one ends."""
    with lab.client() as client:
        ids = [
            client.create("echo collecting; sleep 0.1; echo '2 failed, 41 passed'; exit 1", name="tests")["id"],
            client.create("echo done", name="download data", group="data")["id"],
            client.create("sleep 1000", name="evaluate on the whole test set, every metric 📊", tags=["gpu"])["id"],
            # Narrower than its tab will be: a bar that was drawn wider would be broken in two.
            client.create(TRAIN, name="train", tags=["gpu"], cols=100)["id"],
        ]
        client.pause(ids[2])
        for task in ids[:2]:
            client.wait(task, 30)
        until(lambda: client.output(ids[3])["total_lines"] > 25)
        page = camera.open()
        panel.in_state(panel.row(panel.show(page), ids[2]), "Paused").wait_for()
        expect(panel.row(panel.show(page), ids[0])).to_contain_text("exit 1")
        camera.take("panel")
        panel.row(panel.show(page), ids[3]).click()
        page.locator(".jp-PtyTasks-terminal .xterm-screen").wait_for()
        until(lambda: client.get(ids[3])["viewers"] == 1)
        page.wait_for_function("document.querySelector('.jp-PtyTasks-terminal').innerText.includes('Running')")
        page.locator(".jp-PtyTasks-terminal .jp-PtyTasks-sparkline").wait_for()
        page.wait_for_timeout(1000)  # for the canvas, of which nothing can be asked
        camera.take("tab")
        panel.row(panel.show(page), ids[0]).click()
        page.get_by_text("The task has ended").wait_for()
        page.wait_for_timeout(1000)
        camera.take("ended")
        short = client.create("sleep 1; echo 'CUDA out of memory'; exit 137", name="finetune")["id"]
        client.wait(short, 30)
        page.locator(".Toastify__toast").first.wait_for()
        page.wait_for_timeout(500)
        camera.take("notification")


def cells(camera: Camera, lab: LiveServer) -> None:
    """A cell with a task that runs, also in a narrow window."""
    page = camera.open()
    page.evaluate("() => window.jupyterapp.commands.execute('application:toggle-left-area')")
    source = f'from jupyter_ptytasks import run\n\ntrain = run("{TRAIN}", name="train")\ntrain'
    notebook.write(lab, "training.ipynb", notebook.text("## Train the model"), notebook.cell(source))
    opened = notebook.show(page, "work/training.ipynb")
    notebook.run_all(page)
    view = notebook.view(opened, "train")
    view.locator(".jp-PtyTasks-sparkline").wait_for()
    view.get_by_role("progressbar").wait_for()
    page.wait_for_timeout(8000)  # for a bar that is worth a picture, and a line of the usage
    camera.take("cell-running", view)
    camera.take("cell-notebook")
    page.set_viewport_size({"width": 420, "height": 760})
    page.wait_for_timeout(500)
    view.scroll_into_view_if_needed()
    camera.take("cell-narrow")
    page.set_viewport_size(SIZE)
    with lab.client() as client:
        client.delete("train", stop=True)


def cell_states(camera: Camera, lab: LiveServer) -> None:
    """Cells with tasks in every state, one below the other; one whose server is away."""
    with lab.client() as client:
        failed = client.create("python finetune.py", name="finetune", cwd="work")["id"]
        done = client.create("printf '\\033]9;4;1;100\\033\\\\'; echo 41 passed", name="tests")["id"]
        paused = client.create(TRAIN, name="evaluate")["id"]
        stopped = client.create("echo trial 1 of 20; exec sleep 1000", name="sweep")["id"]
        late = client.create("echo '3% of 12 GiB'; exec sleep 1000", name="download", timeout=1)["id"]
        gone = client.create("sleep 1000", name="last month")["id"]
        until(lambda: client.output(paused)["total_lines"] > 25 and client.output(stopped)["total_lines"])
        client.pause(paused)
        client.stop(stopped)
        for task in (failed, done, stopped, late):
            client.wait(task)
        tasks = [client.get(task) for task in (failed, done, paused, stopped, late)]
        last = {**client.get(gone), "progress": tasks[0]["progress"]}
        client.delete(gone, stop=True)
    bundles = [*map(notebook.bundle, tasks), notebook.bundle(last, "\x1b[32mepoch 62\x1b[0m: loss 0.28")]
    notebook.write(lab, "states.ipynb", *(notebook.cell("", bundle) for bundle in bundles))
    # A page that was not there when they ended has no notices of it.
    page = camera.open()
    page.evaluate("() => window.jupyterapp.commands.execute('application:toggle-left-area')")
    page.set_viewport_size({"width": 900, "height": 1700})
    opened = notebook.show(page, "work/states.ipynb")
    notebook.view(opened, "last month").get_by_text("no longer exists on the server").wait_for()
    notebook.view(opened, "finetune").get_by_text("CUDA out of memory").wait_for()
    camera.take("cell-states", opened.locator(".jp-WindowedPanel-viewport"))
    lab.kill9()
    away = notebook.view(opened, "evaluate")
    away.get_by_text("cannot be reached").wait_for()
    # Lab's own dialog is about the same.
    page.locator(".jp-Dialog").get_by_role("button", name="Close").click()
    page.locator(".jp-Dialog").wait_for(state="detached")
    camera.take("cell-away", away)
    lab.start()
    away.get_by_text("cannot be reached").wait_for(state="hidden")
    page.set_viewport_size(SIZE)


def progress(camera: Camera, lab: LiveServer) -> None:
    """The panel, with tasks that tell how far they are; and the dialog that runs a notebook."""
    with lab.client() as client:
        for task in list(client.all()):
            client.delete(task["id"], stop=True)
        client.create("printf '\\033]9;4;3\\033\\\\'; echo compiling…; exec sleep 1000", name="build")
        failed = client.create("python finetune.py", name="finetune", cwd="work")["id"]
        train = client.create(TRAIN, name="train", tags=["gpu"])["id"]
        client.wait(failed)
        until(lambda: client.output(train)["total_lines"] > 25)
        page = camera.open()
        panel.row(panel.show(page), train).get_by_role("progressbar").wait_for()
        panel.row(panel.show(page), failed).get_by_text("CUDA out of memory").wait_for()
        page.wait_for_timeout(1000)
        camera.take("progress")
        page.set_viewport_size({**SIZE, "height": 320})
        camera.take("panel-progress", panel.show(page))
        page.set_viewport_size(SIZE)
    knobs = notebook.cell("lr: float = 1e-3\nepochs = 10\ndata = 'train.csv'", tags=("parameters",))
    notebook.write(lab, "report.ipynb", knobs)
    camera.run("ptytasks:run-notebook", {"path": "work/report.ipynb"})
    expect(page.get_by_label("Executed copy")).to_be_focused()
    page.get_by_label("Value of epochs").fill("50")
    camera.take("run-notebook", page.locator(".jp-Dialog-content"))
    page.keyboard.press("Escape")


def queue(camera: Camera, lab: LiveServer) -> None:
    """Groups with tasks that run, wait and have failed; two hundred that wait; and the dialog that queues."""
    with lab.client() as client:
        for task in list(client.all()):
            client.delete(task["id"], stop=True)
        client.set_group("gpu", slots=2)
        for lr in ("1e-2", "1e-3", "1e-4", "1e-5"):
            last = client.create(TRAIN, name=f"train lr={lr}", group="gpu")["id"]
        client.create("python report.py", name="report", after=[last], group="gpu")
        client.set_group("night", slots=1, paused=True, reason="driver update")
        failed = client.create("python finetune.py", name="finetune", cwd="work")["id"]
        client.create("sleep 60", name="evaluate on the whole test set, every metric 📊", group="night")
        client.create("sleep 60", name="backup", group="night", hold=True)
        client.wait(failed)
        page = camera.open()
        tasks = panel.show(page)
        expect(tasks).to_contain_text("2 of 2 running · 3 queued")
        tasks.get_by_role("progressbar").nth(1).wait_for()
        # Away from the rows, where nothing is highlighted.
        page.locator(".jp-Launcher").click(position={"x": 5, "y": 5})
        camera.take("queue", tasks)
        camera.run(
            "ptytasks:new-task", {"command": "python train.py --lr 1e-6", "name": "train lr=1e-6", "group": "gpu"}
        )
        page.get_by_text("More options").click()
        camera.take("queue-dialog", page.locator(".jp-Dialog-content"))
        page.keyboard.press("Escape")
        tasks.locator('[data-group="gpu"]').click(button="right")
        page.get_by_role("menuitem", name="Set Slots…").wait_for()
        camera.take("queue-menu")
        page.keyboard.press("Escape")
        client.set_group("sweep", slots=0)
        for number in range(200):
            client.create("true", name=f"trial {number}", group="sweep")
        page.get_by_label("Search tasks").fill("trial")
        expect(tasks).to_contain_text("200 queued")
        tasks.locator(".jp-PtyTasks-list").focus()
        page.keyboard.press("End")
        tasks.get_by_text("trial 199", exact=True).wait_for()
        camera.take("queue-many")
        for task in list(client.all()):
            client.delete(task["id"], stop=True)
        for group in client.groups():
            client.delete_group(group["name"])


def questions(camera: Camera, lab: LiveServer) -> None:
    """A program that asks: in the panel, a notification and its dialog, a cell, and above its terminal."""
    (lab.home / "clean.sh").write_text(CLEAN)
    page = camera.open()
    with lab.client() as client:
        for task in list(client.all()):
            client.delete(task["id"], stop=True)
        task = client.create("bash clean.sh", name="clean up", cwd=str(lab.home))
        row = panel.row(panel.show(page), task["id"])
        row.get_by_text("[y/N]").wait_for()
        toast = page.locator(".Toastify__toast")
        toast.get_by_role("button", name="Answer…").wait_for()
        page.wait_for_timeout(1000)  # it slides in
        camera.take("question-page")
        camera.take("question-notification", toast)
        page.set_viewport_size({**SIZE, "height": 200})
        camera.take("question-panel", panel.show(page))
        page.set_viewport_size(SIZE)
        toast.get_by_role("button", name="Answer…").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("textbox")).to_be_focused()
        camera.take("question-dialog", dialog.locator(".jp-Dialog-content"))
        page.keyboard.press("Escape")
        page.evaluate("() => window.jupyterapp.commands.execute('application:toggle-left-area')")
        page.evaluate("id => window.jupyterapp.commands.execute('ptytasks:open', { id })", task["id"])
        tab = page.locator(".jp-PtyTasks-terminal")
        tab.get_by_role("textbox", name="Delete all").fill("y")
        toast.wait_for(state="detached")
        page.wait_for_timeout(1000)  # for the canvas, of which nothing can be asked
        page.set_viewport_size({**SIZE, "height": 200})
        camera.take("question-header", tab)
        page.set_viewport_size(SIZE)
        notebook.write(lab, "clean.ipynb", notebook.cell("", notebook.bundle(task)))
        view = notebook.view(notebook.show(page, "work/clean.ipynb"), "clean up")
        view.get_by_role("textbox").fill("y")
        camera.take("question-cell", view)
        page.set_viewport_size({"width": 420, "height": 760})
        page.wait_for_timeout(500)
        camera.take("question-narrow", view)
        page.set_viewport_size(SIZE)
        view.get_by_role("textbox").press("Enter")
        view.get_by_label("Passphrase").fill("correct horse")
        camera.take("question-password", view)
        client.delete(task["id"], stop=True)


def lost(camera: Camera, lab: LiveServer) -> None:
    """The server is killed."""
    page = camera.page
    page.locator("#jp-main-dock-panel .lm-TabBar-tab", has_text="train").click()
    lab.kill9()
    page.get_by_text("The connection to the server was lost").first.wait_for()
    panel.show(page).get_by_role("alert").wait_for()
    # Lab's own dialog is about the same.
    page.wait_for_timeout(1000)
    camera.take("lost")
    lab.start()


def many(camera: Camera, lab: LiveServer) -> None:
    """A thousand tasks, in groups."""
    with lab.client() as client:
        sample = client.create("echo done", name="sample")

    def answer(route: Route) -> None:
        states = ("running", "succeeded", "failed", "cancelled", "paused")
        tasks = [
            {**sample, "id": f"made{number:08}", "name": f"experiment {number}", "state": states[number % 5]}
            for number in range(1000)
        ]
        route.fulfill(body=json.dumps({"tasks": tasks, "next_cursor": None}), content_type="application/json")

    camera.page.route(LIST, answer)
    page = camera.open()
    panel.show(page).get_by_text("experiment 0", exact=True).wait_for()
    camera.take("many")
    camera.page.unroute(LIST)


def switched_off(camera: Camera, _: LiveServer) -> None:
    """The server knows nothing of tasks."""
    camera.page.route(LIST, lambda route: route.fulfill(status=404, body="{}"))
    page = camera.open()
    panel.show(page).get_by_text("jupyter server extension enable").wait_for()
    camera.take("switched-off")
    camera.page.unroute(LIST)


def main() -> None:
    """Take the pictures, of a new JupyterLab for each theme."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    os.environ["PATH"] = f"{sys.prefix}/bin{os.pathsep}{os.environ['PATH']}"
    story: tuple[Callable[[Camera, LiveServer], None], ...] = (
        empty,
        working,
        lost,
        cells,
        cell_states,
        progress,
        queue,
        questions,
        many,
        switched_off,
        *screenshots_runs.PARTS,
        *screenshots_panel.PARTS,
    )
    expect.set_options(timeout=60_000)
    chosen = set(sys.argv[1:])
    wanted = chosen - THEMES.keys() or {part.__name__ for part in story}
    themes = [theme for theme in THEMES if theme in chosen] or list(THEMES)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        for theme in themes:
            home = Path(tempfile.mkdtemp())
            for directory in (home, home / "work"):
                directory.mkdir(exist_ok=True)
                shutil.copy(ROOT / "examples" / "train.py", directory)
                (directory / "finetune.py").write_text(FINETUNE)
            lab = LiveServer(home, RING, lab=True).start()
            try:
                camera = Camera(browser, lab, theme)
                for part in story:
                    if part.__name__ in wanted:
                        part(camera, lab)
            finally:
                lab.stop()
                shutil.rmtree(home, ignore_errors=True)
        browser.close()


if __name__ == "__main__":
    main()
