"""Tasks on other machines compared with local tasks, and with the terminals of Slurm and ssh."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import psutil
from websocket import WebSocketException

from .elsewhere import FAR, LOCAL, RTT, SLURM, SSH, elsewhere
from .latency import BLOCK, KEYS, think, type_keys
from .plan import BenchmarkFailed, wait_until
from .programs import ECHO, IDLE, TimedCat, write_log
from .results import Must, Row, Series, ratio
from .scale import host_pid
from .servers import TASKS, Server
from .viewers import Socket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .elsewhere import Bare, Elsewhere
    from .plan import Plan
    from .servers import Terminal

_FIRST = ["sh", "-c", "printf first; exec sleep 100000"]
_COUNT = ["sh", "-c", "i=0; while :; do echo $i; i=$((i+1)); sleep 0.02; done"]
_LOG = 100_000_000
#: Seconds after which squeue is called as seldom as it is while nothing changes, and for which that is watched.
_CALM, _WATCHED = 65, 60


def places(plan: Plan) -> Iterator[Row]:
    """All of it: with one server, whose tasks are here, on Slurm, on a host, and on one at the end of a slow line."""
    with elsewhere(plan) as there:
        for measure in (_starts, _attaching, _echo, _logs, _survival, _silence):
            yield from measure(plan, there)


# -- starting and attaching -------------------------------------------------------------------------------------------


def _starts(plan: Plan, there: Elsewhere) -> Iterator[Row]:
    taken: dict[str, list[float]] = {name: [] for name in (LOCAL, SLURM, SSH, "srun --pty", "ssh -t")}
    scheduled = []
    for number in range(plan.pick(10, 5) + 1):
        plan.say(f"first output, {number}")
        for place in (LOCAL, SLURM, SSH):
            seconds, waited = _until_first_output(there.server, place)
            taken[place].append(seconds - waited)
            if place == SLURM:
                scheduled.append(waited)
        for name in ("srun --pty", "ssh -t"):
            begin = time.perf_counter()
            with there.srun(_FIRST) if name == "srun --pty" else there.ssh("box", _FIRST) as bare:
                bare.until("first")
                taken[name].append(time.perf_counter() - begin)
    # The first of each finds things cold: the program is copied, the starter is started.
    series = {name: Series(tuple(values[1:]), "s") for name, values in taken.items()}
    for place, name in ((SLURM, "srun --pty"), (SSH, "ssh -t")):
        more = Series(
            tuple(one - two for one, two in zip(series[place].values, series[LOCAL].values, strict=True)), "s"
        )
        peers = {"local": series[LOCAL], f"{name} (all of it)": series[name]}
        if place == SLURM:
            peers["Slurm's scheduling, not counted"] = Series(tuple(scheduled[1:]), "s")
        yield Row(f"submit at {place} until the first output, beyond local", more, series[place], peers, Must(0.4, "s"))


def _until_first_output(server: Server, place: str) -> tuple[float, float]:
    """Return the seconds from the request until a viewer sees the first output, and for how many of them the job waited
    that somebody ran it.
    """
    begin = _now()
    with server.submitted(_FIRST, place) as terminal:
        answered = _now()
        with Socket(terminal.url, server.token) as socket:
            text = ""
            while "first" not in text:
                kind, *content = socket.receive()
                text += content[0] if kind == "stdout" else ""
        seen = _now()
        waited = 0.0
        if place == SLURM:
            waited = max(0.0, _started(host_pid(server, terminal.path.rpartition("/")[2])) - answered)
        return seen - begin, waited


def _now() -> float:
    """Return the time on the clock in which the kernel says when a process was started."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _started(pid: int) -> float:
    """Return when a process was started (proc(5), field 22): a job is the script that Slurm has executed."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return int(file.read().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")


def _attaching(plan: Plan, there: Elsewhere) -> Iterator[Row]:
    server = there.server
    taken: dict[str, list[float]] = {LOCAL: [], SLURM: [], SSH: []}
    with ExitStack() as stack:
        running = {place: stack.enter_context(server.task(ECHO, place)) for place in taken}
        for terminal in running.values():
            stack.enter_context(Socket(terminal.url, server.token))  # keeps the relay
            _echoed(server, terminal)
        for number in range(plan.pick(30, 12)):
            plan.say(f"attaching, {number + 1}")
            for place, terminal in running.items():
                taken[place].append(_replayed(server, terminal))
                think()
    series = {place: Series(tuple(values), "s") for place, values in taken.items()}
    for place in (SLURM, SSH):
        more = Series((series[place].median / series[LOCAL].median,), "ratio")
        what = f"attach at {place}, with the relay up: open until replayed, p50 ÷ local's"
        yield Row(what, more, series[place], {"local": series[LOCAL]}, Must(3.0, "ratio"))
    cold = []
    for number in range(plan.pick(8, 4)):
        plan.say(f"attaching to a job that nobody has looked at, {number + 1}")
        with server.task(ECHO, SLURM) as terminal:
            cold.append(_echoed(server, terminal))
    seconds = Series(tuple(cold), "s")
    yield Row("attach at slurm, cold: open until a key comes back", seconds, seconds, {}, Must(1.0, "s"))


def _replayed(server: Server, terminal: Terminal) -> float:
    begin = time.perf_counter()
    with Socket(f"{terminal.url}?events=1", server.token) as socket:
        while True:
            kind, *content = socket.receive()
            if kind == "ptytask" and content[0]["event"] == "replayed":
                return time.perf_counter() - begin


def _echoed(server: Server, terminal: Terminal) -> float:
    """Attach and type; return the seconds until the program has answered."""
    begin = time.perf_counter()
    with Socket(terminal.url, server.token) as socket:
        socket.send("stdin", "#")
        while True:
            kind, *content = socket.receive()
            if kind == "stdout" and "#" in content[0]:
                return time.perf_counter() - begin


# -- keys -------------------------------------------------------------------------------------------------------------


def _echo(plan: Plan, there: Elsewhere) -> Iterator[Row]:
    waited: dict[str, list[float]] = {}
    with ExitStack() as stack:
        ours = {}
        for place in (LOCAL, SLURM, SSH, FAR):
            terminal = stack.enter_context(there.server.task(ECHO, place))
            _echoed(there.server, terminal)
            ours[place] = stack.enter_context(Socket(terminal.url, there.server.token))
            waited[place] = []
        bare = {"srun --pty": there.srun(ECHO), "ssh -t": there.ssh("box", ECHO), "ssh -t far": there.ssh("far", ECHO)}
        for name, program in bare.items():
            stack.enter_context(program)
            waited[name] = []
        time.sleep(2.0)  # until the programs have set their terminals to raw
        for block in range(plan.pick(500, 200) // BLOCK):
            for name in sorted(waited, reverse=block % 2 == 1):
                plan.say(f"keys, {block * BLOCK}, {name}")
                waited[name] += type_keys(ours[name]) if name in ours else _type_bare(bare[name])
    series = {name: Series(tuple(values), "s") for name, values in waited.items()}
    for place, name in ((SLURM, "srun --pty"), (SSH, "ssh -t")):
        more = Series((series[place].percentile(95) - series[LOCAL].percentile(95),), "s")
        peers = {"local": series[LOCAL], name: series[name]}
        yield Row(f"key echo at {place}, p95 beyond local's", more, series[place], peers, Must(0.015, "s"))
    far = Series((series[FAR].percentile(95),), "s")
    what = f"key echo over ssh with a round trip of {1000 * RTT:.0f} ms, p95"
    yield Row(what, far, series[FAR], {"ssh -t": series["ssh -t far"]}, Must(RTT + 0.01, "s"))


def _type_bare(bare: Bare) -> list[float]:
    waited = []
    for number in range(BLOCK):
        key = KEYS[number % len(KEYS)]
        begin = time.perf_counter()
        bare.type(key)
        bare.until(key)
        waited.append(time.perf_counter() - begin)
        think()
    return waited


# -- output -----------------------------------------------------------------------------------------------------------


def _logs(plan: Plan, there: Elsewhere) -> Iterator[Row]:
    path = os.path.join(plan.directory, "log-elsewhere")
    size = plan.pick(_LOG, _LOG // 3)
    write_log(path, size)
    taken: dict[str, list[float]] = {LOCAL: [], SLURM: [], SSH: []}
    for repetition in range(plan.pick(5, 3)):
        for place, seconds in taken.items():
            plan.say(f"a log, {repetition + 1}, {place}")
            cat = TimedCat(plan.directory, path)
            with there.server.submitted(cat.argv, place):
                cat.go()
                seconds.append(cat.wait())
    series = {place: Series(tuple(values), "s") for place, values in taken.items()}
    for place in (SLURM, SSH):
        speed = ratio(series[LOCAL], series[place])
        what = f"speed of a {size / 1e6:.0f} MB log at {place}, no viewer ÷ local"
        yield Row(what, speed, series[place], {"local": series[LOCAL]}, Must(0.9, "ratio", at_least=True))


def _survival(plan: Plan, there: Elsewhere) -> Iterator[Row]:
    for place in (SLURM, SSH):
        taken = []
        for number in range(plan.pick(5, 2)):
            plan.say(f"kill -9 of the server, {place}, {number + 1}")
            with there.server.task(_COUNT, place) as terminal:
                taken.append(_come_back(there.server, terminal))
        seconds = Series(tuple(taken), "s")
        what = f"kill -9 of the server with a viewer at {place}: first answer until output continues, no byte missing"
        yield Row(what, seconds, seconds, {}, Must(1.0, "s"))


def _come_back(server: Server, terminal: Terminal) -> float:
    """Kill the server under a viewer and start it again; return the seconds from its first answer until the viewer has
    seen what was written since then. Raises BenchmarkFailed if anything is missing.
    """
    text, offset = _look(server, f"{terminal.url}?offset=0", "20\r\n")
    server.kill()
    answered = server.start()
    seen = server.rest.request("GET", f"{terminal.path}/output?tail_lines=2")["output"].split()[-1]
    more, _ = _look(server, f"{terminal.url}?offset={offset}", f"{int(seen) + 2}\r\n")
    seconds = time.monotonic() - answered
    numbers = [int(word) for word in (text + more).split()]
    if numbers != list(range(len(numbers))):
        raise BenchmarkFailed("output was missing after the restart of the server")
    return seconds


def _look(server: Server, url: str, until: str) -> tuple[str, int]:
    """Return what a viewer sees until something appears, and the offset after it."""
    text, offset = "", 0
    deadline = time.monotonic() + 60
    while until not in text:
        if time.monotonic() > deadline:
            raise BenchmarkFailed(f"waited in vain for {until!r}")
        try:
            with Socket(f"{url.partition('?')[0]}?offset={offset or url.rpartition('=')[2]}", server.token) as socket:
                while until not in text:
                    kind, *content = socket.receive()
                    if kind == "disconnect":
                        raise BenchmarkFailed("the task has ended")
                    if kind == "stdout":
                        text += content[0]
                        offset = content[1]
        except (WebSocketException, OSError):
            time.sleep(0.01)
    return text, offset


# -- many that nobody looks at ----------------------------------------------------------------------------------------


def _silence(plan: Plan, there: Elsewhere) -> Iterator[Row]:
    server = there.server
    count = plan.pick(100, 30)
    body: dict[str, Any] = {"command": IDLE, "place": SLURM, "group": "silent", "stop_signals": ["SIGKILL"]}
    tasks = []
    for number in range(count):
        plan.say(f"jobs, {number + 1} of {count}")
        tasks.append(server.rest.request("POST", TASKS, body)["id"])

    def running() -> bool:
        found = server.rest.request("GET", f"{TASKS}?limit=200")["tasks"]
        return bool([one["state"] for one in found] == ["running"] * count)

    wait_until(running, "all jobs ran", timeout=300, every=0.5)
    plan.say(f"{count} jobs, until all is calm")
    with Server(plan.directory) as none:
        time.sleep(_CALM)
        plan.say(f"{count} jobs, measured")
        before, bare, called = _cpu(server), _cpu(none), there.count("squeue")
        time.sleep(_WATCHED)
        used = 100 * (_cpu(server) - before) / _WATCHED
        usual = 100 * (_cpu(none) - bare) / _WATCHED
    calls = there.count("squeue") - called
    steps = [step for step in there.cluster.run("squeue", "-h", "-s", "-o", "%i").split() if ".batch" not in step]
    what = f"{count} jobs without a viewer"
    for about, value, unit, limit in (
        ("steps of srun", float(len(steps)), "steps", 0.0),
        ("calls of squeue a minute", calls * 60 / _WATCHED, "calls", 4.0),
        ("CPU of the server and of squeue, of one core, beyond that of a server without", used - usual, "%", 1.0),
    ):
        series = Series((value,), unit)
        peers = {"without tasks": Series((usual,), unit)} if unit == "%" else {}
        yield Row(f"{what}: {about}", series, series, peers, Must(limit, unit))
    with Socket(f"ws://127.0.0.1:{server.port}/ptytasks/terminals/websocket/{tasks[0]}", server.token):
        wait_until(lambda: server.rest.request("GET", f"{TASKS}/{tasks[0]}")["connected"], "the relay was up")
        host = psutil.Process(host_pid(server, tasks[0]))
        job = host.environ()["SLURM_JOB_ID"]
        relay = next(one for one in psutil.process_iter() if _is_relay(one, job))
        pss = [Series((float(one.memory_full_info().pss),), "B") for one in (host, relay)]
    parts = dict(zip(("ptyhost", "relay"), pss, strict=True))
    both = Series((pss[0].median + pss[1].median,), "B")
    yield Row("PSS on the node: ptyhost and relay", both, both, parts, Must(14 << 20, "B"))


def _cpu(server: Server) -> float:
    """Return the seconds of CPU time that a server has used, and those of its children that have ended."""
    return sum(server.process.cpu_times()[:4])


def _is_relay(process: psutil.Process, job: str) -> bool:
    try:
        return "relay" in process.cmdline()[-2:] and process.environ().get("SLURM_JOB_ID") == job
    except psutil.Error:
        return False
