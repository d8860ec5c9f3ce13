"""Make pictures of JupyterLab with tasks in it: every state, in several themes, in build/screenshots.

With names of functions of the modules for its parts, or of themes, it takes only their pictures. A few of them go to
docs/images. What is seen is real: a server, tasks, a Chromium. Only lists of many tasks are made up, for the browser
alone.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import screenshots_panel
import screenshots_runs
from playwright.sync_api import expect, sync_playwright
from screenshots_camera import ROOT, THEMES, Camera
from screenshots_cells import cell_states, cells, questions
from screenshots_tasks import empty, lost, many, progress, queue, switched_off, working

from tests.client.live import LiveServer

if TYPE_CHECKING:
    from collections.abc import Callable

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
