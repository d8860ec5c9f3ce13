"""JupyterLabs with the front end built here, regardless of what else is installed, for tests that need their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import jupyter_ptytasks
from tests.client.live import LiveServer
from tests.missing import missing

if TYPE_CHECKING:
    from tests.ssh.sshd import Sshd

_BUILT = Path(jupyter_ptytasks.__file__).parent / "labextension"


def built() -> Path:
    """Return where the front end is built."""
    if not (_BUILT / "package.json").exists():
        missing("the front end, which scripts/frontend builds,")
    return _BUILT


def beside(sshd: Sshd, home: Path, hosts: str, *options: str) -> LiveServer:
    """Return a JupyterLab whose `ssh` leads to the sshd, whose user has configured these hosts, and whose file browser
    shows the directory `work` of `home`. The caller starts and stops it.
    """
    for directory in ("work", ".ssh", "extensions"):
        (home / directory).mkdir()
    (home / ".ssh" / "config").write_text(hosts)
    (home / "extensions" / "jupyter-ptytasks").symlink_to(built())
    usual = f"--ServerApp.root_dir={home / 'work'}", f"--LabApp.extra_labextensions_path={home / 'extensions'}"
    return LiveServer(home, *usual, *sshd.options, *options, lab=True)
