"""Pictures of cells that show tasks, and of questions, which a cell shows too, for screenshots_lab.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect
from screenshots_camera import SIZE
from screenshots_tasks import TRAIN

from tests.browser import notebook, panel
from tests.client.live import until

if TYPE_CHECKING:
    from screenshots_camera import Camera

    from tests.client.live import LiveServer

#: A program that asks for a line, and then for a password.
CLEAN = """\
echo 'Found 42 checkpoints of 12 runs (118 GiB).'
read -p 'Delete all but the last of each run? [y/N] ' answer
read -sp 'Passphrase for the archive: ' answer
"""


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
