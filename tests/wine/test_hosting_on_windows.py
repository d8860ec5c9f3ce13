"""Real ptyhosts on Windows: started, typed into, stopped and read as elsewhere. Screens are compared, never bytes."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.core import wire
from jupyter_ptytasks.core.errors import SpawnFailed
from jupyter_ptytasks.core.platform import locks
from jupyter_ptytasks.core.terminal.lines import lines_of
from tests.ptyhost.hosting import PATIENCE, is_alive, wait_until

if TYPE_CHECKING:
    from tests.ptyhost.hosting import Hosted

pytestmark = [
    pytest.mark.skipif(sys.platform != "win32", reason="only Windows has pseudo consoles"),
    pytest.mark.timeout(3 * PATIENCE),
]

#: A console in a test is wider than what is printed: at its width some wrap lines for good.
WIDE = 200
SLEEP = "import time; print('ready', flush=True); time.sleep(120)"


def shown(hosted: Hosted) -> str:
    """Return what the output looks like."""
    return "\n".join(lines_of(hosted.output(), 50, WIDE))


def wait_shown(hosted: Hosted, text: str) -> None:
    wait_until(lambda: text in shown(hosted))


def test_output_exit_code_and_lock(hosted: Hosted) -> None:
    hosted.python("print('hello from windows'); raise SystemExit(7)", cols=WIDE)
    record = hosted.ended()
    assert (record["code"], record["signal"], record["reason"]) == (7, None, "exited")
    assert "hello from windows" in shown(hosted)
    os.close(hosted.lock())
    assert hosted.log() == ""


def test_exit_codes_have_32_bits(hosted: Hosted) -> None:
    hosted.python("import os; os._exit(0xC0000005 - (1 << 32))")
    assert hosted.ended()["code"] == 0xC0000005


def test_input_and_size(hosted: Hosted) -> None:
    source = "import os; print('ready'); print('got', ascii(input()), os.get_terminal_size(), flush=True)"
    hosted.python(source, cols=WIDE)
    assert locks.METHODS[0](hosted.files.lock, True) is None  # its ptyhost has it
    wait_shown(hosted, "ready")
    viewer = hosted.viewer("one")
    viewer.send(wire.RESIZE, wire.SIZE.pack(40, WIDE + 1))
    viewer.send(wire.INPUT, "naïve\r".encode())
    record = hosted.ended()
    assert record["code"] == 0
    assert f"got 'na\\xefve' os.terminal_size(columns={WIDE + 1}, lines=40)" in shown(hosted)


def test_ctrl_c_stops_it(hosted: Hosted) -> None:
    hosted.python(SLEEP, cols=WIDE)
    wait_shown(hosted, "ready")
    hosted.stop(("SIGINT", PATIENCE), ("SIGKILL", 0.0))
    record = hosted.ended()
    assert (record["code"], record["signal"], record["reason"]) == (None, "SIGINT", "cancelled")


def test_a_hang_up_ends_it(hosted: Hosted) -> None:
    source = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); " + SLEEP
    hosted.python(source, cols=WIDE)
    wait_shown(hosted, "ready")
    hosted.stop(("SIGHUP", PATIENCE), ("SIGKILL", 0.0))
    record = hosted.ended()
    assert record["signal"] != "SIGKILL"
    assert record["reason"] == "cancelled"


def test_what_ignores_that_is_killed_with_all_that_it_has_started(hosted: Hosted) -> None:
    source = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(120)'])\n"
        "print('child', child.pid, flush=True)\n"
        "time.sleep(120)\n"
    )
    hosted.python(source, cols=WIDE)
    wait_shown(hosted, "child ")
    child = int(shown(hosted).split("child ")[1].split()[0])
    assert is_alive(child)
    hosted.stop(("SIGINT", 0.5), ("SIGKILL", 0.0))
    record = hosted.ended()
    assert (record["code"], record["signal"]) == (None, "SIGKILL")
    assert not is_alive(child)
    assert not is_alive(hosted.pid)


def test_a_pause_lasts_until_it_is_resumed_however_often_it_was_asked_for(hosted: Hosted) -> None:
    hosted.python("import time\nfor n in range(1000): print(f'<{n}>', flush=True); time.sleep(0.05)", cols=WIDE)
    wait_shown(hosted, "<2>")
    link = hosted.connect(role="link")
    for _ in range(2):
        link.send_json(wire.SIGNAL, signal="SIGSTOP", target="tree")
    paused = link.wait_status(lambda status: status["paused"])
    # What the console has already is drawn; then nothing comes any more.
    seen = [paused["output"]["end"]]

    def is_still() -> bool:
        seen.append(link.ask_status()["output"]["end"])
        return len(seen) > 40 and len(set(seen[-40:])) == 1

    wait_until(is_still)
    link.send_json(wire.SIGNAL, signal="SIGCONT", target="tree")
    link.wait_status(lambda status: not status["paused"])
    wait_until(lambda: link.ask_status()["output"]["end"] > seen[-1])


def test_the_time_limit(hosted: Hosted) -> None:
    hosted.python(SLEEP, timeout={"seconds": 1.0}, ladder=[["SIGINT", PATIENCE], ["SIGKILL", 0.0]])
    record = hosted.ended()
    assert (record["reason"], record["signal"]) == ("timed_out", "SIGINT")


def test_what_cannot_be_started_says_why(hosted: Hosted) -> None:
    for argv, cwd, field, why in (
        ("nosuchprogram", "C:\\", "command", "there is no such program"),
        (sys.executable, "C:\\nowhere", "cwd", "no such directory"),
    ):
        hosted.prepare(argv, cwd=cwd)
        with pytest.raises(SpawnFailed, match=why) as failed:
            hosted.launch()
        assert failed.value.field == field
        assert not os.path.exists(hosted.files.host)
        os.close(hosted.lock())


def test_a_line_for_cmd_is_passed_as_it_is(hosted: Hosted) -> None:
    hosted.start("cmd.exe", "/d", "/c", 'echo "a  b" & echo second & exit 3', cols=WIDE)
    record = hosted.ended()
    assert record["code"] == 3
    assert '"a  b"' in shown(hosted)
    assert "second" in shown(hosted)

    hosted.prepare("cmd.exe", "/c", "cd", cwd="\\\\localhost\\share")
    with pytest.raises(SpawnFailed) as failed:
        hosted.launch()
    assert failed.value.field == "cwd"


def test_the_environment_and_arguments_arrive(hosted: Hosted) -> None:
    words = ["a b", 'c"d', "e\\", "", "ü"]
    source = "import os, sys; print(ascii(sys.argv[1:]), ascii(os.environ['FOO']))"
    env = {**os.environ, "FOO": "bär"}
    hosted.start(sys.executable, "-c", source, *words, env=env, cols=WIDE)
    assert hosted.ended()["code"] == 0
    assert f"{words!a} {'bär'!a}" in shown(hosted)


def test_when_its_ptyhost_is_killed_nothing_is_left(hosted: Hosted) -> None:
    hosted.python(SLEEP, cols=WIDE)
    wait_shown(hosted, "ready")
    os.kill(hosted.host_pid, 9)  # TerminateProcess
    wait_until(lambda: not is_alive(hosted.pid))
    os.close(hosted.lock())


def test_the_python_of_an_environment_is_a_launcher(hosted: Hosted, tmp_path: Path) -> None:
    """It starts the real Python, passes on its exit code, and ends it when it ends itself."""
    scripts = tmp_path / "env" / "Scripts"
    scripts.mkdir(parents=True)
    # As the module `venv` does, whose way to copy files Wine does not have.
    launcher = Path(venv.__file__).parent / "scripts" / "nt" / "venvlauncher.exe"
    python = scripts / "python.exe"
    python.write_bytes(launcher.read_bytes())
    (tmp_path / "env" / "pyvenv.cfg").write_text(
        f"home = {Path(sys.executable).parent}\nexecutable = {sys.executable}\n"
    )
    hosted.start(str(python), "-c", "raise SystemExit(7)")
    assert hosted.ended()["code"] == 7

    source = f"import os, sys; print('real', os.getpid(), os.path.basename(sys.prefix)); {SLEEP}"
    hosted.start(str(python), "-c", source, cols=WIDE, attempt=2)
    wait_shown(hosted, "ready")
    real, prefix = shown(hosted).split("real ")[1].split()[:2]
    assert prefix == "env"
    assert is_alive(int(real))
    assert int(real) != hosted.pid
    hosted.stop(("SIGKILL", 0.0))
    assert hosted.ended()["signal"] == "SIGKILL"
    assert not is_alive(int(real))


def test_processes_that_may_not_leave_a_job_end_with_it() -> None:
    """A server detects this, and starts tasks anyway."""
    source = (
        "from jupyter_ptytasks.core.platform.windows import detach, win32\n"
        "print(detach.can_leave())\n"
        "win32.enter_job()\n"
        "print(detach.can_leave())\n"
        "process = detach.start([*detach.python(), '-c', 'import time; time.sleep(600)'])\n"
        "print(process.pid, process.poll())\n"
        "process.returncode = 0\n"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    *leaves, pid, ended = done.stdout.split()
    assert leaves == ["True", "False"]
    assert ended == "None"
    wait_until(lambda: not is_alive(int(pid)))
