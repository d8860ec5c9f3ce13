"""Start JupyterLab and a training as a task, and show it; or, with --check, see that it outlives the server.

With --slurm, the task is a job of a Slurm of two nodes that is started for that. `scripts/demo` runs this with the
project installed. All that it writes is below .demo/.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time

from demo_checks import NAME, ROOT, TRAINING, check, check_sweep, tick
from demo_server import BIN, HAS_LAB, Place

from jupyter_ptytasks.cli import values as human
from jupyter_ptytasks.client import ClientError, exit_status, is_live


def show(place: Place) -> None:
    """Start a training and show what becomes of it, until Ctrl-C."""
    print("starting JupyterLab ..." if HAS_LAB else "starting a Jupyter server ...", flush=True)
    if HAS_LAB:
        place.furnish()
    place.start()
    started = place.cli("run", "--name", NAME, "--if-exists", "return", *place.where, "--", *TRAINING)
    if started.returncode:
        raise AssertionError(started.stderr)
    address = f"{place.url}?token={place.token}"
    page = "lab" if HAS_LAB else f"ptytasks/api/tasks/{NAME}"
    command = f"{os.path.relpath(BIN)}/jupyter ptytasks --url '{address}'"
    print(f"started task {started.stdout.strip()}")
    print(f"  open    {place.url}{page}?token={place.token}")
    print(f"  attach  {command} attach {NAME}      (Ctrl-\\ twice detaches)")
    print(f"  stop    {command} stop {NAME}")
    if place.cluster is not None:
        print(f"  squeue  SLURM_CONF={os.path.relpath(place.cluster.config)} squeue")
    print("  Press Ctrl-C here to stop both the task and the server\n")
    with place.client() as client:
        while True:
            task = client.get(NAME)
            last = client.output(NAME, mode="tail", tail_lines=1)["output"].strip()
            line = f"{NAME}: {task['state']}  {human.duration(human.runtime(task) or 0)}  {last}"
            print(f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}", end="", flush=True)
            if not is_live(task):
                break
            time.sleep(0.5)
        print(f"\nthe task has ended with exit code {exit_status(task)}; press Ctrl-C to stop the server", flush=True)
    signal.pause()


def main() -> int:
    """Run what the arguments say, and clean up."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "--check", action="store_true", help="run the whole demo unattended; exit with 0 if every step worked"
    )
    parser.add_argument(
        "--slurm", action="store_true", help="train on a two-node Slurm cluster, which is started on this machine"
    )
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    home, cluster = ROOT / ".demo" / ("check" if arguments.check else "home"), None
    if arguments.slurm:
        # Its jobs are counted from 1 each time: tasks of another time would be taken for them.
        home = home.with_name("slurm")
        shutil.rmtree(home, ignore_errors=True)
        (home / "cluster").mkdir(parents=True)
        # At the end: the project itself is the one that is installed.
        sys.path.append(str(ROOT))
        from tests.slurm.cluster import Cluster  # noqa: PLC0415  it is not installed

        cluster = Cluster(home / "cluster")
    elif arguments.check:
        shutil.rmtree(home, ignore_errors=True)
    place = Place(home, cluster)
    stories = (check, check_sweep) if arguments.check else (show,)
    try:
        if cluster is not None:
            cluster.start()
            tick(f"a Slurm of two nodes runs: {' '.join(cluster.run('sinfo', '-h', '-o', '%P').split())}")
        for story in stories[:1] if arguments.slurm else stories:
            story(place)
        return 0
    except (AssertionError, ClientError, subprocess.TimeoutExpired) as error:
        print(f"  ✗ {error}", flush=True)
        return 1
    except KeyboardInterrupt:
        print("\nending the task and the server ...", flush=True)
        return 0
    finally:
        place.stop()
        if cluster is not None:
            cluster.stop()
        if not arguments.check:
            print("all has ended")


if __name__ == "__main__":
    sys.exit(main())
