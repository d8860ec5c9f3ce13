"""Tasks as files: an export can be imported, has no secrets, and no archive can do harm."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_ptytasks.core.errors import BadRequest
from jupyter_ptytasks.core.paths import TaskFiles
from jupyter_ptytasks.server.rest.archive_bodies import archived
from jupyter_ptytasks.storage import archives

if TYPE_CHECKING:
    from tests.server.conftest import Answer, Rest
    from tests.server.serving import Served

COMMAND = "for i in 1 2 3; do echo epoch $i loss 0.$i; done; echo $SECRET | tr a-z A-Z; exit 3"


async def exported(rest: Rest, ref: str) -> bytes:
    answer = await rest("GET", "tasks", ref, "export")
    assert (answer.code, answer.headers["Content-Type"]) == (200, "application/gzip")
    return answer.body


async def send(rest: Rest, archive: bytes) -> Answer:
    return await rest("POST", "import", body=archive)


def described(archive: bytes) -> Any:
    """Return what an archive says of its task, as every other program reads it."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        file = tar.extractfile("task.json")
        assert file is not None
        return json.load(file)


def changed(archive: bytes, **members: bytes | None) -> bytes:
    """Return an archive with other contents of some files; None takes one away."""
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(archive)) as old, tarfile.open(fileobj=out, mode="w:gz") as new:
        for info in old:
            file = old.extractfile(info)
            assert file is not None
            data = members.pop(info.name, file.read())
            if data is not None:
                add(new, info.name, data)
        for name, data in members.items():
            assert data is not None
            add(new, name, data)
    return out.getvalue()


def add(tar: tarfile.TarFile, name: str, data: bytes, **about: Any) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for attribute, value in about.items():
        setattr(info, attribute, value)
    tar.addfile(info, io.BytesIO(data))


async def test_a_task_comes_back_as_it_was(rest: Rest, served: Served) -> None:
    task = await rest.create(COMMAND, name="train", env={"SECRET": "hunter2"}, tags=["gpu"], metadata={"run": 1})
    await rest.wait("train")
    await rest("POST", "tasks", "train", "restart")
    await rest.wait("train")
    await rest(
        "PUT", "tasks", "train", "notes", body={"notes": "The *best*."}, headers={**served.headers, "If-Match": "*"}
    )
    await rest.until("train", lambda now: now["metrics"] and now["state_message"])
    archive = await exported(rest, "train")
    assert b"hunter2" not in gzip.decompress(archive)
    assert task["id"] == described(archive)["origin"]["id"]

    answer = await send(rest, archive)
    assert answer.code == 201, answer.body
    new = answer.json
    assert answer.headers["Location"].endswith(f"/ptytasks/api/tasks/{new['id']}")
    assert (new["name"], new["pinned"], new["place"]) == ("train (2)", True, "local")
    assert new["id"] != task["id"]
    old = await rest.get(task["id"])
    new = await rest.until(new["id"], lambda now: now["metrics"] and now["state_message"] == old["state_message"])
    same = ("command", "state", "exit", "attempt", "created", "started", "ended", "tags", "metadata", "notes", "cwd")
    assert {name: new[name] for name in same} == {name: old[name] for name in same}
    assert new["metrics"] == (await rest.get(task["id"]))["metrics"]
    assert {**new["output"], "directory": ""} == {**old["output"], "directory": ""}
    assert await rest.output(new["id"]) == await rest.output(task["id"])
    details = (await rest("GET", "tasks", new["id"], "details")).json
    assert (details["imported"]["id"], details["environment"]) == (task["id"], [])
    assert details["host"] == details["imported"]["host"]
    assert [one["attempt"] for one in details["attempts"]] == [1, 2]
    notes = await rest("GET", "tasks", new["id"], "notes")
    assert notes.json["notes"] == "The *best*."
    # Once more, from the import: it says where it came from first.
    again = await send(rest, await exported(rest, new["id"]))
    assert again.json["name"] == "train (2) (2)"
    assert (await rest("GET", "tasks", again.json["id"], "details")).json["imported"] == details["imported"]


async def test_only_what_has_ended_is_exported(rest: Rest) -> None:
    await rest.create("sleep 1000", name="lives")
    await rest.create("true", name="held", hold=True)
    for ref, code in (("lives", 409), ("held", 409), ("nobody", 404)):
        assert (await rest("GET", "tasks", ref, "export")).code == code
    await rest("POST", "tasks", "held", "stop")
    assert (await send(rest, await exported(rest, "held"))).json["state"] == "cancelled"


async def test_invalid_archives_are_errors_and_leave_nothing(rest: Rest, served: Served) -> None:
    await rest.create("echo hello", name="one")
    await rest.wait("one")
    good = await exported(rest, "one")
    about = described(good)

    def with_about(**changes: Any) -> bytes:
        return changed(good, **{"task.json": json.dumps({**about, **changes}).encode()})

    log = "output/" + "0" * 20 + ".log"
    evil = io.BytesIO()
    with tarfile.open(fileobj=evil, mode="w:gz") as tar:
        add(tar, "task.json", json.dumps(about).encode())
        add(tar, "output", b"", type=tarfile.SYMTYPE, linkname="/etc")
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 0x55
    for archive, message in (
        (b"", "it is cut off"),
        (b"no archive", "Not a gzipped file"),
        (good[:-30], "ended before the end-of-stream marker"),
        (bytes(flipped), ""),
        (gzip.compress(b"x" * 1024), "header of a file is damaged"),
        (gzip.compress(bytes(1024)), "it is empty"),
        (evil.getvalue(), "'output': is not a regular file"),
        (changed(good, **{"../../evil": b""}), "'../../evil': no archive of a task has such a file"),
        (changed(good, **{"environment.json": b"{}"}), "no archive of a task has such a file"),
        (changed(good, **{"output/1.log": b""}), "no archive of a task has such a file"),
        (changed(good, **{"task.json": None}), "task.json: must be the first file"),
        (changed(good, **{"task.json": b"[" * 100_000}), "task.json"),
        (changed(good, **{"notes.md": b"x" * 70_000}), "notes.md has 70000 bytes; the limit is 65536"),
        (changed(good, metrics=b"{}"), "metrics: cannot be read"),
        (changed(good, **{log.replace("log", "idx"): b"x"}), "cannot be read"),
        (changed(good, **{log: b"hello" * 100, f"output/{5:020}.log": b"x"}), "overlaps with the file before it"),
        (with_about(format=2), "written by a newer version"),
        (with_about(format="x"), "task.json: format"),
        (with_about(state="running"), "task.json: state"),
        (with_about(task={**about["task"], "name": "\n"}), "task.json: task.name"),
        (with_about(task={**about["task"], "env": {"A": "b"}}), "has no environment"),
        (with_about(exit={**about["exit"], "code": None}), "neither a code nor a signal"),
        (with_about(attempt=0), "task.json: attempt"),
        (with_about(earlier=[{"attempt": 1}]), "task.json: earlier.0.state"),
    ):
        answer = await send(rest, archive)
        assert answer.code in (400, 413), (message, answer.body)
        assert message in answer.json["message"]
        assert answer.json["field"] == "archive"
    assert [task["name"] for task in (await rest("GET", "tasks")).json["tasks"] if "one" in task["name"]] == ["one"]
    root = served.data_dir / "ptytasks" / "tasks"
    assert [path.name for path in root.iterdir() if path.name.startswith(".import")] == []


async def test_a_stop_to_restart_is_not_continued_here(rest: Rest) -> None:
    await rest.create("echo hello", name="two")
    await rest.wait("two")
    good = await exported(rest, "two")
    about = described(good)
    about["exit"] = {**about["exit"], "reason": "restarting", "signal": "SIGINT", "code": None}
    task = (await send(rest, changed(good, **{"task.json": json.dumps(about).encode()}))).json
    assert (task["state"], task["state_reason"]) == ("cancelled", "cancelled")


@pytest.mark.parametrize("server_options", [{"PtyTasksApp": {"ring_size": 1 << 20, "segment_size": 1 << 18}}])
async def test_large_outputs_come_in_pieces(rest: Rest) -> None:
    await rest.create("head -c 3000000 /dev/urandom | base64; echo end", name="large")
    await rest.wait("large")
    archive = await exported(rest, "large")
    task = (await send(rest, archive)).json
    assert task["output"]["end"] > 3_000_000 > task["output"]["end"] - task["output"]["start"] > 1 << 18
    assert (await rest.output(task["id"], mode="tail", tail_lines=1))["output"].endswith("end\n")
    # More than rings of this size ever have, though it is small as an archive.
    bomb = changed(archive, **{f"output/{10**9:020}.log": bytes((4 << 20) + (129 << 20))})
    answer = await send(rest, bomb)
    assert (answer.code, answer.json["code"]) == (413, "too_large")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small archive."""
    files = TaskFiles(str(tmp_path_factory.mktemp("sample")))
    output = Path(files.output)
    output.mkdir()
    (output / f"{0:020}.log").write_bytes(b"hello\r\n" * 50)
    notes = Path(files.notes)
    notes.write_text("noted")
    notes.chmod(0o600)
    return b"".join(archives.written({"format": 1}, files))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), max_size=4), cut=st.integers(0, 1 << 16))
def test_damaged_data_is_not_a_task(sample: bytes, tmp_path: Path, edits: list[tuple[int, int]], cut: int) -> None:
    plain = bytearray(gzip.decompress(sample))
    for at, value in edits:
        plain[at % len(plain)] = value
    data = gzip.compress(bytes(plain))
    data = data[: len(data) - cut % 20] if cut % 3 == 0 else data
    directory = tmp_path / str(len(list(tmp_path.iterdir())))
    directory.mkdir()
    with contextlib.suppress(BadRequest):
        archives.unpacked(io.BytesIO(data), TaskFiles(str(directory)), 1 << 20)
    assert {path.name for path in directory.iterdir()} <= {"output", "notes.md", "metrics"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = (
    "format",
    "task",
    "params",
    "created",
    "attempt",
    "exit",
    "peak",
    "state",
    "ended",
    "git",
    "earlier",
    "origin",
)


@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3) | JSON)
def test_whatever_it_says_is_an_error_or_a_task(said: Any) -> None:
    good = {
        "format": 1,
        "task": {"command": "true", "name": "x"},
        "created": 1.0,
        "attempt": 1,
        "exit": None,
        "state": "lost",
        "origin": {"id": "a", "host": "b", "place": "local", "exported": "then"},
    }
    with contextlib.suppress(BadRequest):
        archived({**good, **said} if isinstance(said, dict) else said)
