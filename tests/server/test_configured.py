"""Configured places: errors are reported with the field when the server starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from traitlets import TraitError
from traitlets.config import Config

from jupyter_ptytasks.server import configured
from jupyter_ptytasks.server.extension import PtyTasksApp
from jupyter_ptytasks.storage.task_dirs import TaskDirs

if TYPE_CHECKING:
    from pathlib import Path

PBS: dict[str, Any] = {"engine": "parsl", "provider": "PBSProProvider", "options": {"queue": "workq"}}
FAR: dict[str, Any] = {"engine": "slurm", "site": "ssh:login1"}


def test_a_place_is_there_before_parsl_is_needed(tmp_path: Path) -> None:
    where = TaskDirs(str(tmp_path)), str(tmp_path), str(tmp_path)
    (place,) = configured.places({"pbs": PBS}, *where, None, lambda _: "auto")
    assert place.to_json() == {"name": "pbs", "kind": "parsl", "reachable": None, "problem": None}
    place.close()


def test_a_slurm_behind_ssh_takes_a_user_for_the_login() -> None:
    assert set(configured.check({"far": FAR, "b-2": {**FAR, "site": "ssh:ada@b"}})) == {"far", "b-2"}


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"local": PBS}, "local: "),
        ({"slurm": PBS}, "slurm: "),
        ({"ssh:gpu1": PBS}, "ssh:gpu1"),
        ({"pbs": []}, "pbs: "),
        ({"pbs": {**PBS, "engine": "dask"}}, "pbs: .*'engine'"),
        ({"pbs": {"engine": "parsl"}}, "pbs.provider: "),
        ({"pbs": {**PBS, "provider": "os.system"}}, "pbs.provider: "),
        ({"pbs": {**PBS, "options": {"launcher": object()}}}, "pbs.options.launcher"),
        ({"pbs": {**PBS, "interval": 0}}, "pbs.interval: "),
        ({"pbs": {**PBS, "site": "here"}}, "pbs.site: "),
        ({"far": {**FAR, "site": "login1"}}, "far.site: "),
        ({"far": {**FAR, "site": "ssh:-oProxyCommand=x"}}, "far.site: "),
        ({"far": {**FAR, "site": "ssh:"}}, "far.site: "),
        ({"far": {**FAR, "site": 1}}, "far.site: "),
        ({"far": {"engine": "slurm"}}, "far.site: "),
        ({"far": {}}, "far: "),
        ({"a/b": FAR}, "a/b"),
        ({"": FAR}, "String"),
        ({"far": {**FAR, "partition": "gpu"}}, "far.partition: "),
    ],
)
def test_a_place_that_cannot_be_is_refused(config: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        configured.check(config)


def test_shared_files_is_set_for_all_places_or_for_one() -> None:
    for said, known in (("cached", ("cached", "cached")), ({"slurm": "coherent"}, ("coherent", "auto"))):
        app = PtyTasksApp(config=Config(PtyTasksApp={"shared_files": said}))
        assert tuple(app.files_of(place) for place in ("slurm", "pbs")) == known
    for wrong in ("late", {"slurm": "late"}):
        with pytest.raises(TraitError, match="shared_files"):
            PtyTasksApp(config=Config(PtyTasksApp={"shared_files": wrong}))
