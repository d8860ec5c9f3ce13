"""Marks of shells: parsed in any chunks, accepted only in the right order, and found again in a ring."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.core.ring.commands import RingCommands
from jupyter_ptytasks.core.ring.reader import RingReader
from jupyter_ptytasks.core.ring.section import Section
from jupyter_ptytasks.core.ring.writer import RingWriter
from jupyter_ptytasks.core.shells import marks
from jupyter_ptytasks.core.shells.commands import MOST, CommandLog
from jupyter_ptytasks.core.shells.start import marking

if TYPE_CHECKING:
    from collections.abc import Iterable

NONCE = "5eed"


def mark(kind: str, number: int, **fields: object) -> bytes:
    """Return a mark; of a D, `code` is the exit code."""
    code = f";{fields.pop('code')}" if "code" in fields else ""
    about = {"ptytask": f"{fields.pop('nonce', NONCE)}.{fields.pop('attempt', 1)}", "n": number, **fields}
    return f"\x1b]133;{kind}{code};{';'.join(f'{name}={value}' for name, value in about.items())}\x07".encode()


def prompt(number: int) -> bytes:
    return mark("A", number) + b"$ " + mark("B", number)


def command(number: int, output: bytes, typed: str = "run", code: int = 0, **fields: object) -> bytes:
    """Return a whole turn, from what is typed to the next prompt."""
    begin = mark("C", number, t=100, cwd="/x", **fields)
    return typed.encode() + b"\r\n" + begin + output + mark("D", number, code=code, t=102.5, cwd="/y") + prompt(number)


def ring(tmp_path: Path, parts: Iterable[bytes], size: int = 1 << 20, segment: int = 1 << 18) -> RingReader:
    writer = RingWriter(str(tmp_path / "ring"), size=size, segment=segment, rows=24, cols=80)
    for part in parts:
        writer.write(part)
    writer.close()
    return RingReader(str(tmp_path / "ring"))


def test_a_mark_says_what_it_says() -> None:
    data = b"x" + mark("C", 7, t="12.5", d=250, cwd="/a\\sb", cmd="a\\nb\\\\c=d\\te") + b"y"
    (found,) = marks.find(data, 100)
    assert (found.kind, found.start, found.end) == ("C", 101, 100 + len(data) - 1)
    assert (found.attempt(NONCE), found.attempt("other")) == (1, None)
    assert (found.number("n"), found.number("d"), found.time()) == (7, 250, 12.5)
    assert (found.text("cwd"), found.text("cmd"), found.text("no")) == ("/a;b", "a\nb\\c=d\te", None)


@pytest.mark.parametrize(
    "data", [b"\x1b]133;C", b"\x1b]133;C;n=1\n\x07", b"\x1b]133;Z;n=1\x07", b"\x1b]13;C\x07", b"]133;A\x07"]
)
def test_what_is_no_mark(data: bytes) -> None:
    assert list(marks.find(data, 0)) == []


def test_marks_are_found_however_they_are_cut(tmp_path: Path) -> None:
    data = prompt(0) + command(1, b"one\r\n") + command(2, b"two", code=3)
    for cut in range(1, len(data)):
        commands = RingCommands(NONCE)
        writer = RingWriter(str(tmp_path / str(cut)), size=1 << 20, segment=1 << 18, rows=24, cols=80)
        with RingReader(str(tmp_path / str(cut))) as reader:
            for part in (data[:cut], data[cut:]):
                writer.write(part)
                commands.update(reader)
        writer.close()
        first, second = commands.log.commands
        assert (first.exit, first.line, first.end_line, first.duration, first.cwd) == (0, 1, 2, 2.5, "/x")
        assert (second.exit, second.line, second.end_line) == (3, 3, 3)
        assert (data[first.start : first.end], data[second.start : second.end]) == (b"one\r\n", b"two")
        assert commands.log.input == len(data)


def test_what_was_typed_is_read_from_the_screen_if_the_shell_does_not_tell_it(tmp_path: Path) -> None:
    redrawn = b"wrong\b\b\b\b\bright --way\x1b[K"
    long = "x" * 200
    with ring(tmp_path, [prompt(0), command(1, b"", redrawn.decode()), command(2, b"", long)]) as reader:
        commands = RingCommands(NONCE)
        commands.update(reader)
    assert [one.text for one in commands.log.commands] == ["right --way", long]


@pytest.mark.parametrize(
    ("typed", "is_typed_to"),
    [(b"", False), (b"\x1b[?2004h\x1b[K", False), (b"ls", True), (b"ls\b\b\x1b[K", False), (b"right\r\x1b[2C", False)],
)
def test_whether_something_is_typed_at_the_prompt(tmp_path: Path, typed: bytes, is_typed_to: bool) -> None:
    with ring(tmp_path, [b"old\r\n", prompt(0), typed]) as reader:
        commands = RingCommands(NONCE)
        commands.update(reader)
        assert commands.is_typed_to(reader) == is_typed_to


def test_marks_count_only_at_their_turn() -> None:
    log = CommandLog(NONCE)

    def take(data: bytes) -> None:
        for one in marks.find(data, 0):
            log.take(one, 0)

    take(prompt(0) + command(1, b""))
    begin = mark("C", 2)
    take(begin)
    assert log.input is None
    # Of another shell, of a program that guesses, of what was printed before.
    take(prompt(0) + mark("D", 2, code=0, nonce="beef") + mark("D", 1, code=0) + mark("C", 1) + mark("D", 3, code=0))
    take(mark("D", 2, code=0, attempt=0) + b"\x1b]133;D;0\x07\x1b]133;A\x07\x1b]133;B\x07")
    assert log.input is None
    assert len(log.commands) == 2
    take(mark("D", 2, code=9) + prompt(2))
    assert [one.exit for one in log.commands] == [0, 9]


def test_a_command_whose_end_was_not_marked_ends_with_the_next() -> None:
    log = CommandLog(NONCE)
    for one in marks.find(mark("C", 1) + b"out" + mark("C", 2) + mark("D", 2, code=0), 0):
        log.take(one, 0)
    first, second = log.commands
    assert (first.exit, first.end is None, second.exit) == (None, False, 0)


def test_a_new_attempt_starts_over() -> None:
    log = CommandLog(NONCE)
    for one in marks.find(mark("C", 1) + mark("D", 0, attempt=2) + mark("C", 1, attempt=2), 0):
        log.take(one, 0)
    assert [(one.attempt, one.number, one.end) for one in log.commands] == [(1, 1, None), (2, 1, None)]
    assert log.attempt == 2


def test_the_last_commands_are_kept() -> None:
    log = CommandLog(NONCE)
    for number in range(1, MOST + 11):
        for one in marks.find(mark("C", number) + mark("D", number, code=0), 0):
            log.take(one, 0)
    assert (len(log.commands), log.commands[0].number) == (MOST, 11)


def test_commands_go_with_their_output(tmp_path: Path) -> None:
    parts = [prompt(0), *(command(number, b"line\r\n" * 100) for number in range(1, 200))]
    data = b"".join(parts)
    commands = RingCommands(NONCE)
    with ring(tmp_path, parts, size=1 << 16, segment=1 << 14) as reader:
        start, _ = reader.bounds()
        assert start > 0
        commands.update(reader)
        known = list(commands.log.commands)
        assert known[-1].number == 199
        assert known[0].number > 100
        assert all(one.start >= start for one in known)
        # Offsets and numbers of lines are those of the whole output.
        assert all(data[one.start : one.end] == b"line\r\n" * 100 for one in known)
        assert all(data.count(b"\n", 0, one.start) == one.line for one in known)
        again = RingCommands(NONCE)
        again.update(reader)
        assert [one.line for one in again.log.commands] == [one.line for one in known]


def test_output_dropped_between_two_reads(tmp_path: Path) -> None:
    writer = RingWriter(str(tmp_path / "ring"), size=1 << 16, segment=1 << 14, rows=24, cols=80)
    commands = RingCommands(NONCE)
    with RingReader(str(tmp_path / "ring")) as reader:
        writer.write(prompt(0) + b"run\r\n" + mark("C", 1))
        commands.update(reader)
        for _ in range(40):
            writer.write(b"flood\r\n" * 1000)
        writer.write(mark("D", 1, code=0) + prompt(1) + command(2, b"two\r\n"))
        commands.update(reader)
        (last,) = commands.log.commands
        assert (last.number, last.line) == (2, 40_002)
    writer.close()


def test_a_section_reads_as_a_ring_of_its_own(tmp_path: Path) -> None:
    with ring(tmp_path, [b"before\r\n", b"one\r\ntwo\r\n" * 5000, b"behind\r\n"], segment=1 << 13) as reader:
        section = Section(reader, 8, 8 + 10 * 5000, 1)
        assert section.bounds() == (8, 50_008)
        assert section.read(0, 5) == (8, b"one\r\n")
        assert section.read_range(8, 1 << 20) == b"one\r\ntwo\r\n" * 5000
        assert section.line(section.bases()[0]) == 1
        assert section.line(section.bases()[1]) == reader.line(section.bases()[1])


# -- how shells are started ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "argv",
    [
        ["/bin/dash", "-l"],
        ["/bin/bash", "-c", "ls"],
        ["/bin/bash", "--norc"],
        ["/bin/bash", "-l", "script"],
        ["/usr/bin/zsh", "-f"],
        ["/usr/bin/fish", "--no-config"],
        [],
    ],
)
def test_other_shells_are_started_as_they_are(argv: list[str]) -> None:
    assert marking(argv, {"A": "b"}, NONCE, 1) == (argv, {"A": "b"})


@pytest.mark.skipif(os.name == "nt", reason="shells are not marked on Windows")
@pytest.mark.parametrize("argv", [["/bin/bash", "-l"], ["bash"], ["zsh", "-l", "-i"], ["fish", "--login"]])
def test_ours_find_the_nonce_and_what_was_replaced(argv: list[str]) -> None:
    given = {"ENV": "mine", "ZDOTDIR": "there"}
    words, env = marking(argv, given, NONCE, 3)
    assert given == {"ENV": "mine", "ZDOTDIR": "there"}
    assert words[0] == argv[0]
    assert set(argv) <= set(words)
    assert env["PTYTASK_SHELL_MARKS"] == f"{NONCE}.3"
    for name in ("ENV", "ZDOTDIR"):
        assert given[name] in (env[name], env.get(f"PTYTASK_SHELL_{name}"))
    files = [Path(value) for value in (*words, env["ENV"], f"{env['ZDOTDIR']}/.zshenv") if "shells/rc" in value]
    assert all(path.exists() for path in files if "'" not in str(path))
    assert files
