"""Details of a task: its git commit, attempts, notes, and differences from the previous run."""

from __future__ import annotations

import os
import shutil
import stat
from typing import TYPE_CHECKING, Any

import pytest

from tests.repository import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import Rest


def _with(ref: str) -> dict[str, Any]:
    return {"with": ref}


async def told(rest: Rest, ref: str, what: str, **query: Any) -> dict[str, Any]:
    """Ask about a task."""
    answer = await rest("GET", "tasks", ref, what, **query)
    assert answer.code == 200, answer.body
    found: dict[str, Any] = answer.json
    return found


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
async def test_the_commit_is_that_of_each_attempt_however_it_is_started(rest: Rest, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("")
    run(tmp_path, "init", "-q")
    run(tmp_path, "add", ".")
    run(tmp_path, "commit", "-q", "-m", "first")
    first = run(tmp_path, "rev-parse", "HEAD")
    task = await rest.create("true", name="train", cwd=str(tmp_path))
    # It is known with the answer, unless git takes longer than it may on a busy machine.
    assert task["git"] in ({"commit": first, "branch": "main", "dirty": False}, None)
    await rest.wait("train")
    (tmp_path / "train.py").write_text("print()")
    run(tmp_path, "commit", "-q", "-a", "-m", "second")
    second = run(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "train.py").write_text("print(2)")
    assert (await rest("POST", "tasks", "train", "restart")).code == 202
    again = await rest.wait("train")
    attempts = (await told(rest, "train", "details"))["attempts"]
    assert [one["attempt"] for one in attempts] == [1, 2]
    assert [one["state"] for one in attempts] == ["succeeded"] * 2
    assert attempts[0]["git"] == task["git"]
    assert attempts[1]["git"] == again["git"]
    # By the scheduler, of which it is not known when it looks: the end may be seen before.
    await rest.create("true", name="later", cwd=str(tmp_path), not_before="2020-01-01T00:00:00Z")
    seen = [again, await rest.until("later", lambda task: task["ended"] and task["git"])]
    assert {(one["git"]["commit"], one["git"]["dirty"]) for one in seen if one["git"]} == {(second, True)}


async def test_earlier_attempts_are_kept_with_their_ends(rest: Rest, tmp_path: Path) -> None:
    await rest.create("test -e done && exit 0; touch done; exit 3", name="train", cwd=str(tmp_path), env={"SEED": "1"})
    failed = await rest.wait("train")
    await rest("POST", "tasks", "train", "restart")
    await rest.until("train", lambda task: task["attempt"] == 2 and task["ended"])
    details = await told(rest, "train", "details")
    first, last = details["attempts"]
    assert (first["exit"], first["ended"]) == ({"code": 3, "signal": None}, failed["ended"])
    assert first["state_reason"] == "nonzero_exit"
    assert (last["state"], last["exit"]["code"]) == ("succeeded", 0)
    assert details["environment"] == ["SEED"]
    assert details["host"]
    assert details["disk"] > 0
    assert details["before"] is None


async def test_a_task_like_another_has_what_is_different(rest: Rest) -> None:
    first = await rest.create(
        "echo $SEED $LR", name="train", env={"SEED": "secret-1", "LR": "3"}, timeout=60,
        timeout_warning={"signal": "SIGUSR1", "before": 30}, tags=["gpu"],
    )  # fmt: skip
    changes = {"command": "echo again $SEED $LR", "env": {"SEED": "secret-2", "LR": None, "NEW": ""}, "timeout": 20}
    answer = await rest("POST", "tasks", "train", "again", body=changes)
    assert answer.code == 201, answer.body
    again = answer.json
    assert (again["name"], again["tags"], again["timeout"]) == ("train", ["gpu"], 20)
    assert again["again_of"] == first["id"]
    await rest.until_output(again["id"], "again secret-2")
    found = await told(rest, again["id"], "diff")
    assert found["with"] == {"id": first["id"], "name": "train"}
    assert {change["field"] for change in found["changes"]} == {"command", "timeout"}
    assert found["environment"] == {"added": ["NEW"], "removed": ["LR"], "changed": ["SEED"]}
    assert "secret" not in str(found) + str(await told(rest, again["id"], "details"))
    for field, value in {"cwd": "/no/such", "env": {"A=B": "1"}, "timeout": -1, "seed": 1}.items():
        refused = await rest("POST", "tasks", "train", "again", body={field: value})
        assert (refused.code, refused.json["field"]) == (400, field)


async def test_the_run_before_has_the_name_or_the_command(rest: Rest) -> None:
    first = await rest.create("exit 0", name="one")
    named = await rest.create("exit 1", name="two")
    like = await rest.create("exit 0", name="three")
    again = await rest.create("exit 2", name="two")
    assert (await told(rest, first["id"], "diff"))["with"] is None
    assert (await told(rest, like["id"], "diff"))["with"]["id"] == first["id"]
    assert (await told(rest, again["id"], "diff"))["with"]["id"] == named["id"]
    assert (await told(rest, again["id"], "diff", **_with("one")))["with"]["id"] == first["id"]
    assert (await rest("GET", "tasks", "one", "diff", **_with("nothing"))).code == 404


async def test_two_writers_of_notes_do_not_overwrite_each_other(rest: Rest, jp_data_dir: Path) -> None:
    task = await rest.create("exit 0", name="train")
    assert task["notes"] is None
    empty = await rest("GET", "tasks", "train", "notes")
    assert empty.json == {"notes": ""}
    seen = empty.headers["ETag"]

    async def write(text: str, tag: str | None) -> Any:
        headers = {**rest._headers, **({"If-Match": tag} if tag is not None else {})}
        return await rest("PUT", "tasks", "train", "notes", body={"notes": text}, headers=headers)

    written = await write("**best** é", seen)
    assert written.code == 200, written.body
    assert f'"{written.json["notes"]}"' == written.headers["ETag"]
    late = await write("mine", seen)
    assert (late.code, late.json["code"]) == (412, "notes_changed")
    assert (await told(rest, "train", "notes")) == {"notes": "**best** é"}
    blind = await write("mine", None)
    assert (blind.code, blind.json["field"]) == (400, "If-Match")
    large = await write("é" * 40_000, "*")
    assert (large.code, large.json["field"]) == (413, "notes")
    assert stat.S_IMODE(os.stat(jp_data_dir / "ptytasks" / "tasks" / task["id"] / "notes.md").st_mode) == 0o600
    assert (await write("", written.headers["ETag"])).json["notes"] is None
