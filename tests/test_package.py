"""The packages that users install: the sdist, and the wheel built from it on a machine without node."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

import jupyter_ptytasks

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
NAME = f"jupyter_ptytasks-{jupyter_ptytasks.__version__}"
DATA = f"{NAME}.data/data"
EXTENSION = f"{DATA}/share/jupyter/labextensions/jupyter-ptytasks"

#: Packages of npm that JupyterLab provides: no extension brings its own.
PROVIDED = re.compile(r"@(jupyterlab|lumino)/|react(-dom)?$")


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, unpacked."""
    pytest.importorskip("hatchling")
    if not (ROOT / "jupyter_ptytasks" / "labextension").exists() and not os.environ.get("CI"):
        pytest.skip("the front end is not built here: that takes node, and scripts/frontend")
    packed, unpacked = tmp_path_factory.mktemp("packed"), tmp_path_factory.mktemp("unpacked")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", packed],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    with tarfile.open(packed / f"{NAME}.tar.gz") as archive:
        for member in archive:
            archive.extract(member, unpacked)
    return unpacked / NAME


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel, built from the sdist without any program on the path."""
    target = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", target, sdist],
        env={**os.environ, "PATH": str(tmp_path_factory.mktemp("nothing"))},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    (path,) = target.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def test_the_sdist_holds_the_sources_of_both_ends_and_nothing_of_others(sdist: Path) -> None:
    for name in (
        "labextension/src/index.ts",
        "labextension/yarn.lock",
        "jupyter_ptytasks/server/extension.py",
        "LICENSE",
    ):
        assert (sdist / name).is_file(), name
    named = re.findall(r"\]\((?!https?:)([^)#]+)|^(scripts/\w+)", (sdist / "README.md").read_text(), re.MULTILINE)
    assert len(named) > 10
    for names in named:
        assert (sdist / "".join(names)).is_file(), names
    assert not [path for path in sdist.rglob("*") if path.name in ("node_modules", "lib", ".yarn", "__pycache__")]


def test_its_name_contains_the_version(wheel: zipfile.ZipFile) -> None:
    assert str(wheel.filename).endswith(f"/{NAME}-py3-none-any.whl")
    metadata = wheel.read(f"{NAME}.dist-info/METADATA").decode()
    assert f"\nVersion: {jupyter_ptytasks.__version__}\n" in metadata


def test_the_extension_is_switched_on(wheel: zipfile.ZipFile) -> None:
    config = json.loads(wheel.read(f"{DATA}/etc/jupyter/jupyter_server_config.d/jupyter_ptytasks.json"))
    assert config == {"ServerApp": {"jpserver_extensions": {"jupyter_ptytasks": True}}}


def test_the_front_end_is_in_it_once_and_whole(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    package = json.loads(wheel.read(f"{EXTENSION}/package.json"))
    assert (package["name"], package["version"]) == ("jupyter-ptytasks", jupyter_ptytasks.__version__)
    assert f"{EXTENSION}/{package['jupyterlab']['_build']['load']}" in names
    assert json.loads(wheel.read(f"{EXTENSION}/install.json"))["packageName"] == "jupyter_ptytasks"
    assert f"{EXTENSION}/static/style.js" in names
    schemas = {path.name for path in (ROOT / "labextension" / "schema").glob("*.json")}
    assert schemas <= {Path(name).name for name in names if name.startswith(f"{EXTENSION}/schemas/")}
    assert not [name for name in names if name.startswith(("jupyter_ptytasks/labextension", "jupyter_ptytasks/etc"))]


def test_the_front_end_brings_no_component_of_lab(wheel: zipfile.ZipFile) -> None:
    licenses = json.loads(wheel.read(f"{EXTENSION}/static/third-party-licenses.json"))
    bundled = {package["name"] for package in licenses["packages"]}
    assert not [name for name in bundled if PROVIDED.match(name)]


def test_the_license_of_all_that_is_bundled_is_in_it(wheel: zipfile.ZipFile) -> None:
    """Packages that the build merges into modules of others are missing in the bundler's own report."""
    licenses = json.loads(wheel.read(f"{EXTENSION}/static/third-party-licenses.json"))
    notices = {package["name"]: package["extractedText"] for package in licenses["packages"]}
    locked = {}
    for names, package in yaml.safe_load((ROOT / "labextension" / "yarn.lock").read_text()).items():
        for name in names.split(", "):
            locked[name.rpartition("@")[0]] = package.get("dependencies", {})
    left = list(json.loads((ROOT / "labextension" / "package.json").read_text())["dependencies"])
    bundled = set()
    while left:
        name = left.pop()
        if not PROVIDED.match(name) and name not in bundled:
            bundled.add(name)
            left += locked[name]
    assert {"@tanstack/react-virtual", "@tanstack/virtual-core", "zod"} <= bundled
    assert [name for name in sorted(bundled) if "Copyright" not in notices.get(name, "")] == []


def test_the_readme_leads_somewhere_on_a_package_index(wheel: zipfile.ZipFile) -> None:
    metadata = wheel.read(f"{NAME}.dist-info/METADATA").decode()
    (source,) = re.findall(r"^Project-URL: Source, (\S+)$", metadata, re.MULTILINE)
    targets = re.findall(r"\]\(([^)]+)\)", metadata)
    assert len(targets) > 10
    places = (f"{source}/blob/v{jupyter_ptytasks.__version__}/", source.replace("github", "raw.githubusercontent"))
    assert [target for target in targets if not target.startswith(places)] == []


@pytest.mark.parametrize("skip", ["0", "1"])
def test_why_the_front_end_cannot_be_built_is_one_sentence(skip: str, tmp_path: Path) -> None:
    for name in ("hatch_build.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    package = tmp_path / "jupyter_ptytasks"
    package.mkdir()
    shutil.copy(ROOT / "jupyter_ptytasks" / "_version.py", package)
    (package / "etc").mkdir()
    tried = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"],
        cwd=tmp_path,
        env={**os.environ, "PATH": str(tmp_path / "nothing"), "HATCH_JUPYTER_BUILDER_SKIP_NPM": skip},
        capture_output=True,
        text=True,
    )
    assert tried.returncode == 1
    told = [line for line in tried.stderr.splitlines() if not line.startswith("INFO:")]
    assert len(told) == 1, tried.stderr
    assert re.match(r"error: .*front end.*or install a wheel or an sdist, which contain it\.$", told[0])


def test_every_source_and_schema_is_in_it(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert "jupyter_ptytasks/server/events/task_state/v1.yaml" in names
    assert "jupyter_ptytasks/py.typed" in names
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "jupyter_ptytasks").rglob("*.py")}
    assert sources <= names
    assert not [name for name in names if name.startswith(("tests", "benchmarks", "docs", "scripts"))]


def test_the_command_is_installed(wheel: zipfile.ZipFile) -> None:
    points = wheel.read(f"{NAME}.dist-info/entry_points.txt").decode()
    assert "jupyter-ptytasks = jupyter_ptytasks.cli:main" in points


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("labextension", rf"jupyter-ptytasks v{jupyter_ptytasks.__version__} enabled OK \(python, jupyter_ptytasks\)"),
        ("server extension", rf"jupyter_ptytasks {jupyter_ptytasks.__version__} OK"),
    ],
)
def test_jupyter_says_that_it_is_there(command: str, told: str, tmp_path: Path) -> None:
    program = Path(sys.prefix) / "bin" / "jupyter"
    front = Path(sys.prefix) / "share" / "jupyter" / "labextensions" / "jupyter-ptytasks" / "package.json"
    if not (front.exists() and shutil.which(f"jupyter-{command.split(maxsplit=1)[0]}", path=program.parent)):
        assert not os.environ.get("CI"), "neither the front end nor JupyterLab may be missing here"
        pytest.skip("JupyterLab, or the front end, is not installed in this environment")
    listed = subprocess.run(
        [program, *command.split(), "list"],
        env={**os.environ, "HOME": str(tmp_path), "JUPYTER_CONFIG_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    plain = re.sub(r"\x1b\[[0-9;]*m", "", listed.stdout + listed.stderr)
    assert re.search(told, plain), plain
