"""Tasks in Python, in this process, on a real server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

import jupyter_ptytasks
from jupyter_ptytasks import Task, get, run, tasks
from jupyter_ptytasks.client import RequestFailed, ServerNotFound, StillRunning, TaskFailed, TaskNotFound
from jupyter_ptytasks.notebook.clients import Connections
from tests.client.live import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.client.live import LiveServer

ECHO = "stty -echo; echo ready; read line; echo got $line"


def ready(task: Task, word: str = "ready") -> Task:
    """Wait until it has said so."""
    until(lambda: word in task.output(), word)
    return task


def test_a_task_is_started_shown_and_waited_for(here: LiveServer) -> None:
    task = run("echo hello; exit 3", name="told", group="g", tags=["a", "b"], metadata={"x": 1}, timeout="1h")
    assert task.wait() is task
    assert (task.name, task.state, task.exit_status, task.live, task.attempt) == ("told", "failed", 3, False, 1)
    assert (task.command, task.cwd) == ("echo hello; exit 3", str(here.home))
    assert (task.group, task.tags, task.metadata, task.info["timeout"]) == ("g", ["a", "b"], {"x": 1}, 3600.0)
    assert task.output() == "hello\n"
    assert task.started is not None
    assert task.ended is not None
    assert task.runtime == pytest.approx((task.ended - task.started).total_seconds())
    assert task.progress is None
    assert task.pid
    assert repr(task) == f"<Task 'told' {task.id} failed (exit 3) after 0s>"
    assert get("told") == task == get(task.id)
    assert len({task, get(task.id)}) == 1
    with pytest.raises(TaskNotFound):
        get("nobody")


def test_tasks_wait_for_others(here: LiveServer) -> None:
    first = run("sleep 1000", name="first", hold=True)
    second = run("true", name="second", after=[first], priority=2)
    later = run("true", name="later", not_before=datetime.now(timezone.utc) + timedelta(hours=1), retry=2)
    assert (first.state, second.state, later.state) == ("held", "queued", "queued")
    assert second.info["queue"] is not None
    assert second.info["queue"]["text"] == second.why()["message"] == "waits for first, which is held"
    assert later.info["retry"] == {"max": 2, "delay": 30.0, "factor": 2.0, "most": 3600.0, "on": []}
    first.stop()
    assert second.wait().state == "cancelled"
    assert second.why()["message"] == "first did not succeed: it is cancelled"
    later.stop()


def test_pending_tasks_are_moved_and_released(here: LiveServer) -> None:
    one, two, three = (run("true", name=name, group="line", hold=True) for name in ("one", "two", "three"))

    def order() -> list[str]:
        return [task.name for task in sorted((one, two, three), key=lambda task: task.refresh().info["rank"])]

    assert three.move(to="first") is three
    assert order() == ["three", "one", "two"]
    one.move(after=two)
    assert order() == ["three", "two", "one"]
    one.move(before="three")
    assert order() == ["one", "three", "two"]
    assert two.move(group="other").group == "other"
    assert two.hold() is two
    assert one.release() is one
    assert one.wait().state == "succeeded"
    for task in (two, three):
        task.delete(stop=True)


def test_arguments_are_not_parsed_by_a_shell(here: LiveServer) -> None:
    (here.home / "sub").mkdir()
    task = run([sys.executable, "-c", "import sys, os; print(sys.argv[1:], os.getcwd())", "a b", "$HOME"], cwd="sub")
    assert task.wait(check=True).output() == f"['a b', '$HOME'] {here.home}/sub\n"


def test_its_properties_are_fresh_and_those_of_an_ended_one_not_asked_for(here: LiveServer) -> None:
    task = run(ECHO, name="fresh")
    assert (task.live, task.exit_status) == (True, None)
    ready(task).send_input("y")
    until(lambda: not task.live, "the end")
    assert task.output(tail=1) == "got y\n"
    with here.client() as client:
        client.delete(task.id)
    assert (task.state, task.exit_status) == ("succeeded", 0)
    with pytest.raises(TaskNotFound):
        task.refresh()


def test_a_task_is_stopped_paused_signaled_and_restarted(here: LiveServer) -> None:
    task = ready(run("trap 'echo usr1' USR1; echo ready; while :; do sleep 0.1; done"))
    assert task.pause().state == "paused"
    assert task.resume().state == "running"
    ready(task.signal("USR1"), "usr1")
    task.restart(signals=["SIGKILL"])
    until(lambda: task.refresh().attempt == 2 and task.state == "running", "the second attempt")
    assert task.stop(signals=["SIGKILL"]).state in ("stopping", "cancelled")
    assert (task.wait().state, task.exit_status) == ("cancelled", 128 + signal.SIGKILL)
    assert task.restart().live
    twin = task.again(name="twin")
    assert (twin.name, twin.command, twin.attempt) == ("twin", task.command, 1)
    twin.delete(stop=True)
    task.delete(stop=True)
    with pytest.raises(TaskNotFound):
        task.output()


def test_waiting_ends_in_time(here: LiveServer) -> None:
    task = run("sleep 1000", name="sleeper")
    with pytest.raises(StillRunning, match=r"within 0\.1 s"):
        task.wait(0.1)
    with pytest.raises(TimeoutError, match="has not ended yet"):
        task.check()
    assert run("true", name="sleeper", if_exists="return") == task
    with pytest.raises(RequestFailed, match="if_exists="):
        run("true", name="sleeper", if_exists="fail")
    task.delete(stop=True)


def test_a_failure_says_everything_about_it(here: LiveServer) -> None:
    task = run("seq 100; printf '\\033[31mboom\\033[0m'; exit 7", name="fails")
    with pytest.raises(TaskFailed) as caught:
        task.wait(check=True)
    assert caught.value.exit_status == 7
    assert caught.value.task["id"] == task.id
    assert caught.value.tail.splitlines() == [*map(str, range(92, 101)), "boom"]
    assert str(caught.value).startswith("task 'fails': failed (exit 7) after 0s\n92\n")
    assert run("true").wait().check().exit_status == 0
    with pytest.raises(TaskFailed, match="timed out") as caught:
        run("sleep 1000", timeout=timedelta(seconds=0.2)).wait(check=True)
    assert caught.value.exit_status


def test_output_comes_as_it_is_written(here: LiveServer) -> None:
    task = run(ECHO.replace("ready", "réady") + "; printf '\\033[1mx\\033[0m\\rend'")
    seen = ""
    for text in task.follow():
        seen += text
        if "got" not in seen and seen.endswith("réady\n"):
            task.send_input("on\n")
    assert seen == "réady\ngot on\n\x1b[1mx\x1b[0m\rend"
    assert list(task.lines()) == list(task) == ["réady", "got on", "end"]
    assert list(task.lines(tail=1)) == ["end"]
    assert list(task.lines(grep="g.t")) == ["got on"]
    assert task.output(grep="^réa") == "réady\n"
    assert "".join(task.follow(tail=1)).endswith("\rend")


def test_lines_are_given_once_and_whole(here: LiveServer) -> None:
    task = run("for i in $(seq 20); do printf a$i; sleep 0.02; echo b; done")
    assert list(task) == [f"a{number}b" for number in range(1, 21)]


def test_everything_can_be_awaited_without_blocking_the_loop(here: LiveServer) -> None:
    async def collect(items: AsyncIterator[str]) -> list[str]:
        return [item async for item in items]

    async def main() -> None:
        gate = here.home / "gate"
        several = [run(f"until test -e {gate}; do sleep 0.05; done; echo {number}") for number in range(20)]
        waiting = asyncio.gather(*several)
        lines = asyncio.create_task(collect(several[3].lines_async()))
        text = asyncio.create_task(collect(several[4].follow_async()))
        with pytest.raises(StillRunning):
            await several[0].wait_async(0.1)
        assert not waiting.done()
        gate.touch()
        assert await waiting == several
        assert [task.exit_status for task in several] == [0] * 20
        assert await lines == ["3"]
        assert "".join(await text) == "4\n"
        assert [line async for line in several[5]] == ["5"]
        with pytest.raises(TaskFailed):
            await run("exit 1").wait_async(check=True)

    asyncio.run(main())


def test_a_list_of_tasks_is_a_table(here: LiveServer) -> None:
    made = [run(f"echo {number}", name=f"row-{number}", group="rows", tags=["<t>"]).wait() for number in range(3)]
    assert tasks(group="rows") == made[::-1]
    assert tasks(group="rows", tag="<t>", limit=2) == made[:0:-1]
    assert tasks(group="rows", state="failed") == tasks(name="nobody") == []
    assert tasks(group="rows", state=["failed", "succeeded"], q="row-1") == [made[1]]
    head, *rows = repr(tasks(group="rows")).splitlines()
    assert head.split()[:2] == ["NAME", "STATE"]
    assert [row.split()[:2] for row in rows] == [[f"row-{number}", "succeeded"] for number in (2, 1, 0)]
    html = tasks(group="rows")._repr_html_()
    assert html.count("<tr>") == 4
    assert "&lt;t&gt;" in html
    assert repr(tasks(name="nobody")) == "no tasks"


# -- where it runs ----------------------------------------------------------------------------------------------------


def test_the_python_of_a_task_is_ours_and_secrets_stay(here: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("CONDA_TOKEN", "s3cret")
    monkeypatch.setenv("CONDA_SHLVL", "2")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    for name in ("AWS_SECRET_ACCESS_KEY", "JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN", "HF_TOKEN", "WANDB_API_KEY", "MINE"):
        monkeypatch.setenv(name, "s3cret")
    task = run("python -c 'import sys, os, json; print(json.dumps([sys.prefix, dict(os.environ)]))'", cols=1000)
    prefix, env = json.loads("".join(task.wait(check=True).output().split("\n")))
    assert prefix == sys.prefix
    assert env["PATH"].split(":")[0] == os.path.dirname(sys.executable)
    assert (env["CONDA_SHLVL"], env["CUDA_VISIBLE_DEVICES"]) == ("2", "1")
    assert "s3cret" not in env.values()
    if sys.prefix != sys.base_prefix:
        assert env["VIRTUAL_ENV"] == sys.prefix
    line = "echo $MINE, $HF_TOKEN, $SEED"
    assert run(line, env=["HF_TOKEN", "SEED=1"]).wait().output() == ", s3cret, 1\n"
    assert run(line, env={"SEED": "2"}).wait().output() == ", , 2\n"
    with pytest.raises(KeyError, match="NOT_THERE"):
        run(line, env=["NOT_THERE"])


def test_another_machine_gets_only_the_given_variables(here: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyter_ptytasks.client.discovery.Server.is_local", False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    (here.home / "root").mkdir()
    monkeypatch.chdir(here.home / "root")
    task = run("echo $CUDA_VISIBLE_DEVICES $SEED; pwd", env={"SEED": "1"}, url=here.url, token=here.token)
    assert task.wait().output() == f"1\n{here.home}\n"


def test_no_server_is_an_error_with_a_hint(here: LiveServer) -> None:
    with pytest.raises(ServerNotFound, match="jupyter lab"):
        run("true", url="http://127.0.0.1:9/")


# -- what it shows ----------------------------------------------------------------------------------------------------

MIME = "application/vnd.jupyter.ptytask+json"


def test_its_view_is_bounded_escaped_and_json(here: LiveServer) -> None:
    noise = r"\033]0;title\007\033[2K\033[?25l\033]8;;http://x\033\\link\033]8;;\033\\\n"
    task = run(f"seq 1000; printf '\\033[31m<red>\\033[0m & co\\n{noise}'", name="<b>").wait()
    bundle = task._repr_mimebundle_()
    assert set(bundle) == {MIME, "text/html", "text/plain"}
    view = json.loads(json.dumps(bundle[MIME]))
    assert (view["version"], view["task"]) == (1, task.info)
    assert len(view["tail"].splitlines()) == 10
    assert view["tail"].endswith("\x1b[31m<red>\x1b[0m & co\nlink\n")
    html = bundle["text/html"]
    assert "<b>&lt;b&gt;</b>" in html
    assert "&lt;red&gt; &amp; co\nlink</pre>" in html
    assert "\x1b" not in html + bundle["text/plain"]
    assert bundle["text/plain"].splitlines()[0] == f"task <b> ({task.id}): succeeded (exit 0) after 0s"
    assert len(task.view(20)["text/plain"].splitlines()) == 22
    assert len(task.view(20)[MIME]["tail"].splitlines()) == 10


def test_its_view_of_a_running_task_says_when_that_was(here: LiveServer) -> None:
    task = ready(run("echo ready; exec sleep 1000"))
    bundle = task.view()
    moment = datetime.fromisoformat(bundle[MIME]["as_of"])
    assert abs(datetime.now(timezone.utc) - moment) < timedelta(minutes=1)
    shown = moment.astimezone().strftime("%Y-%m-%d %H:%M")
    assert f"running as of {shown}" in bundle["text/plain"]
    assert f">{shown}" in bundle["text/html"]
    assert "ran" not in bundle["text/html"]
    task.stop(signals=["SIGKILL"])
    task.wait(check=False)
    assert "as of" not in task.view()["text/plain"] + task.view()["text/html"]


@pytest.mark.parametrize("line", ["x" * 3000, "é" * 3000])
def test_its_view_holds_no_flood(here: LiveServer, line: str) -> None:
    task = run([sys.executable, "-c", f"for _ in range(9): print({line[0]!r} * {len(line)})"]).wait()
    tail = task.view()[MIME]["tail"]
    assert 1000 < len(tail.encode()) <= 4096
    assert set(tail) <= {line[0], "\n"}


# -- around it --------------------------------------------------------------------------------------------------------


def test_any_thread_may_use_it(here: LiveServer) -> None:
    task = run("sleep 0.3; echo done")
    seen: list[str] = []

    def look() -> None:
        seen.append(task.wait().output())

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert seen == ["done\n"] * 8


def test_a_script_does_the_same(here: LiveServer) -> None:
    script = here.home / "script.py"
    script.write_text(
        "from jupyter_ptytasks import run\nfor line in run(['echo', 'from a script']):\n    print(line)\n"
    )
    ran = subprocess.run([sys.executable, "-W", "error", script], env=os.environ, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("from a script\n", "")


#: Interrupts itself as soon as it waits. Where these tests run in the background, interrupts are ignored, by us and by
#: whom we start.
INTERRUPTED = """
import os, signal, sys, threading, time, traceback
from jupyter_ptytasks import run

def interrupt():
    main = threading.main_thread().ident
    while "wait_once" not in [frame.f_code.co_name for frame, _ in traceback.walk_stack(sys._current_frames()[main])]:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
task = run("sleep 1000", name="stays")
threading.Thread(target=interrupt).start()
task.wait()
"""


def test_an_interrupted_script_leaves_its_task_running(here: LiveServer) -> None:
    ended = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=PATIENCE)
    assert "Task 'stays' keeps running in the background; get('stays')" in ended.stderr
    assert "KeyboardInterrupt" in ended.stderr
    assert ended.returncode == -signal.SIGINT
    assert get("stays").state == "running"
    get("stays").delete(stop=True)


def test_importing_the_package_loads_nothing(here: LiveServer) -> None:
    code = "import sys, jupyter_ptytasks; print(len([n for n in sys.modules if n.startswith('jupyter_ptytasks')]))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(ran.stdout) == 2
    assert set(jupyter_ptytasks.__all__) <= set(dir(jupyter_ptytasks))
    with pytest.raises(AttributeError):
        jupyter_ptytasks.nonsense  # noqa: B018


def test_a_fork_uses_no_connection_of_its_parent(here: LiveServer) -> None:
    connections = Connections()
    with connections.client() as client:
        client.status()
    connections._pid = -1  # as in a child
    with connections.client() as other:
        assert other is not client
    client.close()
    connections.close()
