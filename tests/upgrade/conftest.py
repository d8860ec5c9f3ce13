"""A server of an earlier version, installed from its wheel into its own environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest

# Tests are found one by one, without a package around them: what they share is imported from the root of the project.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from tests.client.live import LiveServer

ROOT = Path(__file__).parent.parent.parent
#: The last commit with another layout of modules, names and layers. What its servers started must live on.
EARLIER = "fc20bf3bb5e5cb501eaae3706485bd1b80ad3583"
#: What the wheel takes from its front end; no test here looks at it.
FRONT_END = ("static/style.js", "package.json", "install.json")


def run(*command: str | Path, cwd: Path | None = None, **environ: str) -> None:
    """Run a program that must succeed."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}"


def build_wheel(target: Path) -> None:
    """Build the wheel of `EARLIER` into the directory `target`, without a front end."""
    source = target / "source"
    source.mkdir()
    archive = target / "source.tar"
    wanted = ("jupyter_ptytasks", "pyproject.toml", "README.md", "LICENSE")
    run("git", "archive", "--output", archive, EARLIER, *wanted, cwd=ROOT)
    run("tar", "-xf", archive, "-C", source)
    for name in FRONT_END:
        path = source / "jupyter_ptytasks" / "labextension" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    run(
        *(sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--no-build-isolation", "--wheel-dir", target, source),
        HATCH_JUPYTER_BUILDER_SKIP_NPM="1",
    )
    shutil.rmtree(source)
    archive.unlink()


@pytest.fixture(scope="session")
def earlier_wheel(pytestconfig: pytest.Config) -> Path:
    """The wheel of the earlier version: built once, and kept in pytest's cache."""
    known = shutil.which("git") and subprocess.run(
        ["git", "cat-file", "-e", f"{EARLIER}^{{commit}}"], cwd=ROOT, capture_output=True
    )
    if not known or known.returncode != 0:
        pytest.skip(f"an upgrade starts from commit {EARLIER[:7]}, which is not in a git repository here")
    cache = pytestconfig.cache
    assert cache is not None
    kept = cache.mkdir("upgrade") / EARLIER
    if not kept.exists():
        # Complete or not there: another run may build it just now, too.
        building = Path(tempfile.mkdtemp(dir=kept.parent))
        build_wheel(building)
        try:
            building.rename(kept)
        except OSError:
            shutil.rmtree(building)
    (wheel,) = kept.glob("*.whl")
    return wheel


class Environment:
    """A virtual environment with a wheel of the project; everything else it has from the one of the tests."""

    def __init__(self, path: Path, wheel: Path) -> None:
        run(sys.executable, "-m", "venv", "--without-pip", path)
        #: Where the project is installed.
        self.library = Path(sysconfig.get_path("purelib", vars={"base": str(path), "platbase": str(path)}))
        #: Its interpreter.
        self.python = str(path / "bin" / "python")
        # A directory that is named in a .pth comes last on the path, and its own .pth files are not read: an editable
        # installation there stays unseen.
        (self.library / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
        install = ("install", "--quiet", "--no-deps", "--disable-pip-version-check", "--no-index")
        run(sys.executable, "-m", "pip", "--python", self.python, *install, "--force-reinstall", wheel)

    def uninstall(self) -> None:
        """Take the project out of it."""
        shutil.rmtree(self.library / "jupyter_ptytasks")


class EarlierServer(LiveServer):
    """A server that runs in such an environment."""

    def __init__(self, home: Path, environment: Environment, *options: str) -> None:
        super().__init__(home, *options)
        self.python = environment.python

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a user there: nothing of it leads to the sources of today."""
        return {name: value for name, value in super().environ.items() if name != "PYTHONPATH"}
