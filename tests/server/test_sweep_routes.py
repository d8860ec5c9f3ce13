"""Sweeps: all tasks or none, each with its parameters; retries; and the limit of failures."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ptytasks.core import files
from jupyter_ptytasks.core.errors import storage_fault
from jupyter_ptytasks.core.sweeps.combinations import Sweep
from jupyter_ptytasks.storage import drafts, restoring, rows, spec_files
from jupyter_ptytasks.storage.database import Database
from jupyter_ptytasks.storage.sqlite_file import SqliteFile
from tests.client.live import until
from tests.core.made_tasks import make
from tests.scheduler.outside import scheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from jupyter_ptytasks.server.parts import Parts
    from tests.client.live import LiveServer
    from tests.server.conftest import Rest
    from tests.server.serving import Served

COMMAND = 'echo "$PTYTASK_PARAM_LR/$PTYTASK_PARAM_SEED" {lr} {seed} $PTYTASK_ATTEMPT $PTYTASK_SWEEP'


async def create(rest: Rest, command: Any, params: Any, **about: Any) -> dict[str, Any]:
    answer = await rest("POST", "sweeps", body={"command": command, "params": params, **about})
    assert answer.code == 201, answer.body
    sweep: dict[str, Any] = answer.json
    assert answer.headers["Location"].endswith(f"/ptytasks/api/sweeps/{sweep['id']}")
    return sweep


async def members(rest: Rest, ref: str) -> list[dict[str, Any]]:
    """Return the tasks of a sweep, oldest first."""
    tasks: list[dict[str, Any]] = (await rest("GET", "tasks", sweep=ref)).json["tasks"]
    return tasks[::-1]


async def ended(rest: Rest, ref: str, **counts: int) -> dict[str, Any]:
    """Return the sweep once this many of its tasks are in these states."""

    def states(sweep: dict[str, Any]) -> dict[str, int]:
        return {state: count for state, count in sweep["states"].items() if count}

    deadline = time.monotonic() + 60
    while states(sweep := (await rest("GET", "sweeps", ref)).json) != counts:
        assert time.monotonic() < deadline, states(sweep)
        await asyncio.sleep(0.02)
    found: dict[str, Any] = sweep
    return found


# -- what it is -------------------------------------------------------------------------------------------------------


async def test_every_combination_is_a_task(rest: Rest) -> None:
    sweep = await create(
        rest, COMMAND, {"lr": "1e-3,0.5", "seed": [0, 1]}, name="train", tags=["x"], env={"A": "b"}, max_failures=9
    )
    wanted = ["train[lr=1e-3,seed=0]", "train[lr=1e-3,seed=1]", "train[lr=0.5,seed=0]", "train[lr=0.5,seed=1]"]
    told = {name: sweep[name] for name in ("name", "command", "params", "mode", "max_failures", "group", "size")}
    assert told == {
        "name": "train", "command": COMMAND, "params": {"lr": "1e-3,0.5", "seed": [0, 1]}, "mode": "grid",
        "max_failures": 9, "group": "default", "size": 4,
    }  # fmt: skip
    assert sum(sweep["states"].values()) == 4
    await ended(rest, "train", succeeded=4)
    tasks = await members(rest, "train")
    assert [task["name"] for task in tasks] == wanted
    assert [task["params"] for task in tasks] == [{"lr": lr, "seed": seed} for lr in ("1e-3", 0.5) for seed in (0, 1)]
    for task in tasks:
        assert (task["sweep"], task["tags"]) == ({"id": sweep["id"], "name": "train"}, ["x"])
        lr, seed = task["params"].values()
        assert (await rest.output(task["id"]))["output"] == f"{lr}/{seed} {lr} {seed} 1 {sweep['id']}\n"
    assert [one["id"] for one in (await rest("GET", "sweeps")).json["sweeps"]] == [sweep["id"]]
    assert len(await members(rest, sweep["id"])) == 4
    assert await members(rest, "nobody") == []


async def test_values_are_single_arguments_of_lines_and_lists(rest: Rest) -> None:
    values = ["a b", "$(touch broken)", "it's; exit 3", '"']
    await create(rest, "printf '<%s>' {x}; printf '<%s>' \"{x}\"", {"x": values}, name="line")
    await create(rest, ["printf", "<%s>", "{x}", "{{x}}"], {"x": values}, name="list")
    await ended(rest, "line", succeeded=4)
    await ended(rest, "list", succeeded=4)
    for value, line, words in zip(values, await members(rest, "line"), await members(rest, "list"), strict=True):
        assert (await rest.output(line["id"]))["output"].strip() == f"<{value}><{value}>"
        assert words["command"] == ["printf", "<%s>", value, "{x}"]
        assert (await rest.output(words["id"]))["output"].strip() == f"<{value}><{{x}}>"


async def test_modes(rest: Rest) -> None:
    about = {"hold": True}
    params = {"a": "0:10", "b": "0:10"}
    pairs = await create(rest, "true {a} {b}", params, mode="zip", **about)
    assert [list(task["params"].values()) for task in await members(rest, pairs["id"])] == [[n, n] for n in range(10)]
    drawn = await create(rest, "true {a} {b}", params, mode="random", count=7, **about)
    again = await create(
        rest, "true {a} {b}", params, mode="random", count=7, random_seed=drawn["random_seed"], **about
    )
    first = [task["params"] for task in await members(rest, drawn["id"])]
    assert first == [task["params"] for task in await members(rest, again["id"])]
    assert len(first) == 7
    assert drawn["name"] == "true {a} {b}"
    assert drawn["states"]["held"] == 7


async def test_the_newest_of_a_name_is_meant(rest: Rest) -> None:
    old = await create(rest, "true {x}", {"x": [1]}, name="s", hold=True)
    new = await create(rest, "true {x}", {"x": [1, 2]}, name="s", hold=True)
    assert (await rest("GET", "sweeps", "s")).json["id"] == new["id"]
    assert len(await members(rest, "s")) == 2
    assert (await rest("GET", "sweeps", old["id"])).json["size"] == 1
    for method, parts in (
        ("GET", ()),
        ("DELETE", ()),
        ("POST", ("start",)),
        ("POST", ("retry",)),
        ("POST", ("cancel",)),
    ):
        answer = await rest(method, "sweeps", "nobody", *parts)
        assert (answer.code, answer.json["code"], answer.json["field"]) == (404, "sweep_not_found", "ref")


async def test_it_is_there_while_one_of_its_tasks_is(rest: Rest) -> None:
    sweep = await create(rest, "true {x}", {"x": [1, 2]}, name="s")
    await ended(rest, "s", succeeded=2)
    first, second = await members(rest, "s")
    again = await rest("POST", "tasks", first["id"], "again")
    assert (again.json["sweep"], again.json["params"]) == (None, {"x": 1})
    other = await rest("POST", "tasks", first["id"], "again", body={"command": "true 3"})
    assert other.json["params"] == {}  # it would be wrong
    assert (await rest("DELETE", "tasks", first["id"])).code == 204
    left = (await rest("GET", "sweeps", sweep["id"])).json
    assert (left["size"], sum(left["states"].values())) == (2, 1)
    assert (await rest("DELETE", "tasks", second["id"])).code == 204
    assert (await rest("GET", "sweeps", sweep["id"])).code == 404


async def test_slots_and_dependencies_are_those_of_the_queue(rest: Rest) -> None:
    await rest("PUT", "groups", "two", body={"slots": 2})
    await rest.create("true", name="prepare", hold=True)
    await create(rest, "sleep 100 {x}", {"x": "0:4"}, name="s", group="two", after=["prepare"], priority=3)
    tasks = await members(rest, "s")
    assert {task["queue"]["reason"] for task in tasks} == {"dependency"}
    await rest("POST", "tasks", "prepare", "start")
    await ended(rest, "s", running=2, queued=2)
    assert {task["priority"] for task in tasks} == {3}
    assert (await rest("GET", "groups", "two")).json["pending"] == 2


# -- all or none ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"command": "true {x}"}, "params"),
        ({"command": "true {x}", "params": {}}, "params"),
        ({"command": "true {x}", "params": {"x": []}}, "params.x"),
        ({"command": "true {x}", "params": {"x": [[1]]}}, "params.x.0"),
        ({"command": "true {x}", "params": {"x": [1, None]}}, "params.x.1"),
        ({"command": "true {y}", "params": {"x": [1]}}, "command"),
        ({"command": "true", "params": {"x": [1]}}, "params.x"),
        ({"command": "true {", "params": {"x": [1]}}, "command"),
        ({"command": "echo $(true {x})", "params": {"x": [1, 2, "a b"]}}, "command"),
        ({"command": None, "params": {"x": [1]}}, "command"),
        ({"params": {"x": [1]}}, "command"),
        ({"command": "true {x}", "params": {"x": "0:1001"}}, "params"),
        ({"command": "true {x} {y}", "params": {"x": [1], "y": [1, 2]}, "mode": "zip"}, "params"),
        ({"command": "true {x}", "params": {"x": [1]}, "mode": "search"}, "mode"),
        ({"command": "true {x}", "params": {"x": [1]}, "mode": "random"}, "count"),
        ({"command": "true {x}", "params": {"x": [1]}, "count": 1}, "count"),
        ({"command": "true {x}", "params": {"x": [1]}, "max_failures": 0}, "max_failures"),
        ({"command": "true {x}", "params": {"x": [1]}, "if_exists": "return"}, "if_exists"),
        ({"command": "true {x}", "params": {"x": [1]}, "cwd": "no/such/place"}, "cwd"),
        ({"command": "true {x}", "params": {"x": [1]}, "after": ["nobody"]}, "after.0"),
        ({"command": ["true", "{x}"], "params": {"x": [1]}, "env": {"A": "a" * 200_000}}, "env"),
    ],
)
async def test_what_cannot_be_leaves_nothing(rest: Rest, served: Served, body: Any, field: str) -> None:
    answer = await rest("POST", "sweeps", body=body)
    assert answer.code == 400, answer.body
    assert answer.json["field"] == field
    await check_nothing_is_left(rest, served)


async def check_nothing_is_left(rest: Rest, served: Served) -> None:
    assert (await rest("GET", "tasks")).json["tasks"] == []
    assert (await rest("GET", "sweeps")).json["sweeps"] == []
    root = served.data_dir / "ptytasks"
    assert [path.name for path in (root / "tasks").glob("*") if path.is_dir()] == []


async def test_tasks_that_are_too_large_together(rest: Rest, served: Served) -> None:
    body = {"command": "true {x}" + " " * 200_000, "params": {"x": "0:1000"}}
    answer = await rest("POST", "sweeps", body=body)
    assert (answer.code, answer.json["code"]) == (413, "too_large")
    await check_nothing_is_left(rest, served)


@pytest.mark.parametrize("at", ["spec", "environment", "record", "database"])
async def test_a_full_disk_leaves_nothing(
    rest: Rest, served: Served, monkeypatch: pytest.MonkeyPatch, jp_data_dir: Path, at: str
) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    written: list[str] = []
    lock = threading.Lock()

    def write_json(path: str, value: object, *, durable: bool = False) -> None:
        with lock:
            written.append(path)
            kind = {"spec": "spec.json", "environment": "environment.json"}.get(at, "nothing")
            if path.endswith(kind) and sum(one.endswith(kind) for one in written) == 5:
                raise full
        original(path, value, durable=durable)

    original = files.write_json
    monkeypatch.setattr(spec_files, "write_json", write_json)
    if at == "record":
        (jp_data_dir / "ptytasks").mkdir(exist_ok=True)
        (jp_data_dir / "ptytasks" / "sweeps").write_text("in the way")
    if at == "database":

        def put(*_: Any) -> None:
            raise storage_fault(full, "the task database")

        monkeypatch.setattr(Database, "_put", put)
    answer = await rest("POST", "sweeps", body={"command": "true {x}", "params": {"x": "0:20"}})
    assert (answer.code, answer.json["code"]) == ((507, "storage_full") if at != "record" else (500, "internal_error"))
    assert written
    assert not list((jp_data_dir / "ptytasks" / "tasks").glob("[a-z0-9]*"))
    monkeypatch.undo()
    assert (await rest("GET", "tasks")).json["tasks"] == []
    assert (await rest("GET", "sweeps")).json["sweeps"] == []


def test_a_sweep_that_was_cut_off_does_not_exist(start_server: Callable[..., LiveServer], tmp_path: Path) -> None:
    """If a server dies before the record is written, nothing is found; after that, all tasks are."""
    server = start_server()
    with server.client() as client:
        client.set_group("g", slots=0)
        sweep = client.create_sweep("true {x}", {"x": "0:5"}, name="s", group="g")
    server.kill9()
    root = server.home / "data" / "ptytasks"
    running = scheduler(server)
    if running is not None:
        running.kill()
        running.wait(10)
    record = root / "sweeps" / f"{sweep['id']}.json"
    kept = record.read_text()
    for left in (0, 5):
        # As if the transaction had not been reached, and as if the database had lost it.
        for path in root.glob("tasks.db*"):
            path.unlink()
        record.unlink() if not left else record.write_text(kept)
        server.start()
        with server.client() as client:
            assert len(list(client.all(sweep="s"))) == left
            assert [one["size"] for one in client.sweeps()] == ([5] if left else [])
        server.kill9()


@pytest.mark.parametrize("sweep", [None, Sweep("mwp0c3k9d2aa", "s", 3)])
def test_tasks_without_a_sweep_are_stored_as_ever(sweep: Sweep | None) -> None:
    task = make(1).with_(sweep=sweep, params={"lr": "1e-3", "amp": True} if sweep else {})
    with contextlib.closing(sqlite3.connect(":memory:")) as sql:
        sql.row_factory = sqlite3.Row
        sql.execute("CREATE TABLE tasks (id, name, state, revision, body)")
        rows.write(sql, task)
        row = sql.execute("SELECT * FROM tasks").fetchone()
    assert rows.read(row) == task
    body = json.loads(row["body"])
    assert ("sweep" in body, "params" in body) == (sweep is not None, sweep is not None)
    damaged: list[dict[str, Any]] = [{"sweep": 1}, {"sweep": {}}, {"params": 1}]
    for garbage in damaged:
        assert rows.read({**row, "body": json.dumps({**body, **garbage})}) is None  # type: ignore[arg-type]


# -- again ------------------------------------------------------------------------------------------------------------


async def test_only_what_failed_runs_again(rest: Rest, tmp_path: Path) -> None:
    go = tmp_path / "go"
    command = f"echo attempt $PTYTASK_ATTEMPT of {{x}}; [ {{x}} = 1 ] || [ -e {go} ]"
    await create(rest, command, {"x": [1, 2, 3]}, name="s")
    await ended(rest, "s", succeeded=1, failed=2)
    before = await members(rest, "s")
    go.touch()
    answer = await rest("POST", "sweeps", "s", "retry", body={"states": ["failed", "lost"]})
    assert answer.code == 202
    assert answer.json["changed"] == [task["id"] for task in before[1:]]
    await ended(rest, "s", succeeded=3)
    tasks = await members(rest, "s")
    assert [task["id"] for task in tasks] == [task["id"] for task in before]
    assert [task["attempt"] for task in tasks] == [1, 2, 2]
    assert "attempt 2 of 3" in (await rest.output(tasks[2]["id"]))["output"]
    assert (await rest("POST", "sweeps", "s", "retry")).json["changed"] == []
    answer = await rest("POST", "sweeps", "s", "retry", body={"states": ["succeeded"]})
    assert len(answer.json["changed"]) == 3


@pytest.mark.parametrize("states", [[], ["running"], ["tired"], "failed"])
async def test_states_in_which_nothing_has_ended(rest: Rest, states: Any) -> None:
    await create(rest, "true {x}", {"x": [1]}, name="s", hold=True)
    answer = await rest("POST", "sweeps", "s", "retry", body={"states": states})
    assert (answer.code, answer.json["field"].split(".")[0]) == (400, "states")


@pytest.mark.parametrize("at", ["draft", "place", "commit"])
async def test_a_retry_that_fails_changes_nothing(
    rest: Rest, monkeypatch: pytest.MonkeyPatch, jp_data_dir: Path, at: str
) -> None:
    await create(rest, "exit {x}", {"x": [1, 2, 3, 4]}, name="s")
    await ended(rest, "s", failed=4)
    tasks = await members(rest, "s")
    calls = iter(range(100))

    def failing(original: Callable[..., Any], number: int) -> Callable[..., Any]:
        """Return the function, which fails when it is called for this time, counted from 0."""

        def call(*args: Any, **kwargs: Any) -> Any:
            if next(calls) == number:
                raise OSError(errno.ENOSPC, "full")
            return original(*args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        if at == "draft":
            patch.setattr(drafts, "write_draft", failing(files.write_draft, 5))
        elif at == "place":
            patch.setattr(drafts, "kept", failing(restoring.kept, 2))
        else:
            patch.setattr(SqliteFile, "transaction", commit_fails(SqliteFile.transaction))
        assert (await rest("POST", "sweeps", "s", "retry")).code == 507
    assert await members(rest, "s") == tasks
    for task in tasks:
        directory = jp_data_dir / "ptytasks" / "tasks" / task["id"]
        assert json.loads((directory / "spec.json").read_text())["attempt"] == 1
        assert not (directory / "environment.json").exists()
        assert not list(directory.glob("*.json.*"))


def commit_fails(transaction: Callable[..., Any]) -> Callable[..., Any]:
    """Return a transaction that fails when all is in place, as a commit on a full disk does."""

    @contextlib.contextmanager
    def failing(self: SqliteFile, *, write: bool = True) -> Iterator[sqlite3.Connection]:
        with transaction(self, write=write) as sql:
            yield sql
            if write:
                raise storage_fault(OSError(errno.ENOSPC, "full"), "the task database")

    return failing


async def test_a_task_that_is_changed_meanwhile_runs_again_as_it_is_now(
    rest: Rest, monkeypatch: pytest.MonkeyPatch, jp_data_dir: Path
) -> None:
    """Data written beforehand does not replace later changes by others."""
    await create(rest, f"echo $PTYTASK_ATTEMPT {{x}}; [ -e {jp_data_dir}/go ]", {"x": [1, 2]}, name="s")
    await ended(rest, "s", failed=2)
    first, second = await members(rest, "s")
    (jp_data_dir / "go").touch()
    loop = asyncio.get_running_loop()
    write = drafts.Drafts.write

    def write_and_be_overtaken(self: drafts.Drafts, *args: Any) -> None:
        write(self, *args)
        change = rest("PATCH", "tasks", first["id"], body={"tags": ["late"]})
        assert asyncio.run_coroutine_threadsafe(change, loop).result(60).code == 200

    monkeypatch.setattr(drafts.Drafts, "write", write_and_be_overtaken)
    assert (await rest("POST", "sweeps", "s", "retry")).json["changed"] == [first["id"], second["id"]]
    await ended(rest, "s", succeeded=2)
    tasks = await members(rest, "s")
    assert [(task["tags"], task["attempt"]) for task in tasks] == [(["late"], 2), ([], 2)]
    for task in tasks:
        directory = jp_data_dir / "ptytasks" / "tasks" / task["id"]
        spec = json.loads((directory / "spec.json").read_text())
        assert (spec["tags"], spec["attempt"]) == (task["tags"], 2)
        assert not list(directory.glob("*.json.*"))


async def test_others_write_while_a_sweep_is_being_written(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of all tasks are written before the transaction begins, not in it."""
    await create(rest, "exit {x}", {"x": [1, 2, 3]}, name="s")
    await ended(rest, "s", failed=3)
    await rest.create("true", name="other", hold=True)
    loop = asyncio.get_running_loop()
    write_draft, written = files.write_draft, []

    def write(*args: Any, **kwargs: Any) -> str:
        answer = asyncio.run_coroutine_threadsafe(rest("PATCH", "tasks", "other", body={"tags": ["x"]}), loop)
        assert answer.result(60).code == 200
        written.append(args[0])
        return write_draft(*args, **kwargs)

    monkeypatch.setattr(drafts, "write_draft", write)
    assert len((await rest("POST", "sweeps", "s", "retry")).json["changed"]) == 3
    assert len(written) == 6


# -- enough -----------------------------------------------------------------------------------------------------------


async def test_enough_failures_cancel_what_has_not_started(rest: Rest) -> None:
    await rest("PUT", "groups", "one", body={"slots": 1})
    await create(rest, "[ {x} -lt 2 ]", {"x": "0:8"}, name="s", group="one", max_failures=2)
    await ended(rest, "s", succeeded=2, failed=2, cancelled=4)
    last = (await members(rest, "s"))[-1]
    assert (last["state_reason"], last["state_message"]) == ("max_failures", "2 tasks have failed in the sweep s")
    assert last["started"] is None
    # What is run again counts again.
    await rest("POST", "sweeps", "s", "retry", body={"states": ["cancelled", "failed"]})
    sweep = await ended(rest, "s", succeeded=2, failed=2, cancelled=4)
    assert sweep["max_failures"] == 2


async def test_a_task_that_will_be_retried_has_not_failed_yet(rest: Rest) -> None:
    await rest("PUT", "groups", "one", body={"slots": 1})
    command = "[ {x} != 0 ] || [ $PTYTASK_ATTEMPT = 2 ]"
    await create(rest, command, {"x": [0, 1, 2]}, name="s", group="one", max_failures=1, retry={"max": 1, "delay": 0})
    await ended(rest, "s", succeeded=3)
    assert [task["attempt"] for task in await members(rest, "s")] == [2, 1, 1]


async def test_cancel(rest: Rest, served: Served) -> None:
    await rest("PUT", "groups", "one", body={"slots": 1})
    await create(rest, "[ {x} = 0 ] || exec sleep 100", {"x": "0:4"}, name="s", group="one")
    await ended(rest, "s", succeeded=1, running=1, queued=2)
    answer = await rest("POST", "sweeps", "s", "cancel")
    tasks = await members(rest, "s")
    assert (answer.code, answer.json["changed"]) == (202, [task["id"] for task in tasks[1:]])
    await ended(rest, "s", succeeded=1, cancelled=3)
    assert (await members(rest, "s"))[3]["state_message"] == "canceled with its sweep"
    assert not list((served.data_dir / "ptytasks" / "tasks").glob("*/environment.json"))
    assert (await rest("POST", "sweeps", "s", "cancel")).json["changed"] == []


async def test_a_whole_sweep_is_released_and_deleted(
    rest: Rest, served: Served, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create(rest, "true {x}", {"x": "0:3"}, name="s", hold=True)
    tasks = await members(rest, "s")
    await rest("POST", "tasks", tasks[0]["id"], "stop")
    answer = await rest("POST", "sweeps", "s", "start")
    assert (answer.code, answer.json["changed"]) == (202, [task["id"] for task in tasks[1:]])
    await ended(rest, "s", cancelled=1, succeeded=2)
    assert (await rest("POST", "sweeps", "s", "start")).json["changed"] == []
    assert (await rest("DELETE", "sweeps", "s")).code == 204
    await check_nothing_is_left(rest, served)
    await create(rest, "sleep 1000 # {x}", {"x": "0:3"}, name="s", retry={"max": 3})
    await ended(rest, "s", running=3)
    answer = await rest("DELETE", "sweeps", "s")
    assert (answer.code, answer.json["code"]) == (409, "invalid_state")
    assert answer.json["message"].startswith("3 of the tasks have not ended")
    assert len(await members(rest, "s")) == 3
    removals: list[tuple[str, ...]] = []
    remove = parts.store.remove

    async def noted(*task_ids: str, **how: Any) -> Any:
        removals.append(task_ids)
        return await remove(*task_ids, **how)

    monkeypatch.setattr(parts.store, "remove", noted)
    assert (await rest("DELETE", "sweeps", "s", stop=1)).code == 204
    assert [len(one) for one in removals] == [3], "in one transaction"
    await check_nothing_is_left(rest, served)


async def test_a_group_is_retried(rest: Rest, tmp_path: Path) -> None:
    await create(rest, f"[ {{x}} = 0 ] || [ -e {tmp_path}/go ]", {"x": "0:3"}, name="s", group="g")
    await rest.create(f"[ -e {tmp_path}/go ]", name="alone", group="g")
    await rest.create("exit 1", name="elsewhere")
    await ended(rest, "s", succeeded=1, failed=2)
    for name in ("alone", "elsewhere"):
        await rest.wait(name)
    (tmp_path / "go").touch()
    wanted = sorted([task["id"] for task in (await members(rest, "s"))[1:]] + [(await rest.get("alone"))["id"]])
    answer = await rest("POST", "groups", "g", "retry")
    assert (answer.code, sorted(answer.json["changed"])) == (202, wanted)
    await ended(rest, "s", succeeded=3)
    assert (await rest.wait("alone"))["attempt"] == 2
    assert (await rest.get("elsewhere"))["attempt"] == 1
    assert (await rest("POST", "groups", "g", "retry")).json == {"changed": []}
    for method, parts in (("POST", ("nobody", "retry")), ("GET", ("default-",))):
        answer = await rest(method, "groups", *parts)
        assert (answer.code, answer.json["code"], answer.json["field"]) == (404, "group_not_found", "name")
    assert answer.json["message"] == "no group has the name 'default-'; did you mean 'default'?"
    assert (await rest("GET", "sweeps", "ss")).json["message"].endswith("; did you mean 's'?")


async def test_tasks_that_are_just_starting_are_stopped(
    rest: Rest, parts: Parts, jp_data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rest("PUT", "groups", "one", body={"slots": 0})
    await create(rest, "exec sleep 1000 # {x}", {"x": [1, 2]}, name="s", group="one")
    first = (await members(rest, "s"))[0]
    change_all = parts.store.change_all

    async def change_later(*args: Any) -> Any:
        """Have the scheduler start a task after the server has looked."""
        await rest("PUT", "groups", "one", body={"slots": 1})
        record = jp_data_dir / "ptytasks" / "tasks" / first["id"] / "host.json"
        deadline = time.monotonic() + 60
        while not record.exists():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.005)
        return await change_all(*args)

    monkeypatch.setattr(parts.store, "change_all", change_later)
    assert len((await rest("POST", "sweeps", "s", "cancel")).json["changed"]) == 2
    await ended(rest, "s", cancelled=2)


# -- without a server -------------------------------------------------------------------------------------------------


def exits(server: LiveServer) -> list[int]:
    records = (server.home / "data" / "ptytasks" / "tasks").glob("*/exit.json")
    return sorted(json.loads(record.read_text())["code"] for record in records)


def test_enough_failures_without_a_server(start_server: Callable[..., LiveServer], tmp_path: Path) -> None:
    server = start_server()
    with server.client() as client:
        client.set_group("g", slots=1)
        command = f"touch {tmp_path}/runs; while [ ! -e {tmp_path}/go ]; do sleep 0.02; done; exit {{x}}"
        client.create_sweep(command, {"x": [0, 1, 2, 3, 4]}, name="s", group="g", max_failures=2)
    # Somebody must live that starts a scheduler at its end.
    until((tmp_path / "runs").exists, "the first task")
    server.kill9()
    running = scheduler(server)
    assert running is not None
    running.kill()
    (tmp_path / "go").touch()
    until(lambda: len(exits(server)) == 3, "three ends")
    gone = scheduler(server)
    if gone is not None:
        gone.wait(60)  # it has nothing more to do
    assert exits(server) == [0, 1, 2]
    server.start()
    with server.client() as client:
        states = [(task["state"], task["state_reason"]) for task in client.all(sweep="s")]
    assert states == [("cancelled", "max_failures")] * 2 + [("failed", "nonzero_exit")] * 2 + [("succeeded", "")]
