"""Compares emulators with xterm.js: `python -m tests.oracle.emulators` prints the table of docs/screen.md.

Fed the output itself, and fed our replay of it, after recordings of real programs (tests/data/streams, each looked at
in eight places) and after streams that hypothesis draws. Emulators that are not installed are left out.
"""

from __future__ import annotations

import importlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, given, settings

from jupyter_ptytasks.core.terminal import replay
from jupyter_ptytasks.core.terminal.modes import TerminalModes
from jupyter_ptytasks.core.terminal.vt import complete
from jupyter_ptytasks.server.terminals import emulator
from tests.npm import install
from tests.oracle import streams
from tests.oracle.client import HERE, Xterm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    #: The rows of a screen, and where its cursor is.
    Seen = tuple[list[str], tuple[int, int]]

LOOKS, EXAMPLES = 8, 300
RECORDINGS = Path(__file__).parents[1] / "data" / "streams"


def by_pyghostty(package: Any, data: bytes, rows: int, cols: int) -> Seen:
    """What pyghostty shows."""
    shown = emulator.show(package, data, rows, cols)
    return shown["lines"], (shown["cursor"]["row"], shown["cursor"]["col"])


def by_pyte(package: Any, data: bytes, rows: int, cols: int) -> Seen:
    """What pyte shows."""
    screen = package.Screen(cols, rows)
    package.ByteStream(screen).feed(data)
    return [line.rstrip() for line in screen.display], (screen.cursor.y, min(screen.cursor.x, cols - 1))


EMULATORS: dict[str, Callable[[Any, bytes, int, int], Seen]] = {"pyghostty": by_pyghostty, "pyte": by_pyte}


def by_xterm(oracle: Xterm, stream: bytes, rows: int, cols: int) -> Seen:
    """What xterm.js shows."""
    (snapshot,) = oracle.show(stream, rows=rows, cols=cols)
    screen = snapshot["alt" if snapshot["alternate"] else "normal"]
    lines = [text.replace("\0", " ").rstrip() for text, *_ in screen["lines"]]
    return lines[screen["base"] : screen["base"] + rows], (screen["y"], min(screen["x"], cols - 1))


def recorded() -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Beginnings of the recordings."""
    for recording in sorted(RECORDINGS.iterdir()):
        whole = recording.read_bytes()
        for part in range(1, LOOKS + 1):
            stream = whole[: len(whole) * part // LOOKS]
            yield stream[: complete(stream)], (24, 80)


def drawn() -> list[tuple[bytes, tuple[int, int]]]:
    """Streams of programs, always the same ones."""
    found: list[tuple[bytes, tuple[int, int]]] = []

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(streams.everything, streams.sizes)
    def draw(stream: bytes, size: tuple[int, int]) -> None:
        found.append((stream.decode("utf-8", "ignore").encode(), size))

    draw()
    return found


def main() -> None:
    """Print the table."""
    packages = {}
    for name in EMULATORS:
        try:
            packages[name] = importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    install(HERE)
    oracle = Xterm()
    print("| emulator | fed | recordings | generated streams |\n|---|---|---|---|")
    counts: dict[str, Counter[tuple[str, str]]] = {}
    for kind, cases in (("recordings", recorded()), ("generated", drawn())):
        count = counts[kind] = Counter()
        for stream, (rows, cols) in cases:
            count["all", ""] += 1
            wanted = by_xterm(oracle, stream, rows, cols)
            built = replay.build(b"", TerminalModes(), stream, rows=rows, cols=cols, lines=rows)
            for name, package in packages.items():
                for fed, data in (("the output", stream), ("our replay", built.data)):
                    try:
                        count[name, fed] += EMULATORS[name](package, data, rows, cols) == wanted
                    except Exception as error:  # noqa: BLE001  an emulator that fails shows nothing
                        count[name, type(error).__name__] += 1
    oracle.close()
    for name in packages:
        for fed in ("the output", "our replay"):
            shown = [f"{count[name, fed]} of {count['all', '']}" for count in counts.values()]
            print(f"| {name} | {fed} | {' | '.join(shown)} |")


if __name__ == "__main__":
    main()
