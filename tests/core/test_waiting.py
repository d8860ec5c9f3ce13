"""Whether a program waits, from evidence, terminal mode and last line; and its prompt, as seen on the screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ptytasks.core.terminal.prompt import prompt_of
from jupyter_ptytasks.core.waiting.classify import (
    KINDS,
    PROMPT_MAX,
    UNSURE_AFTER,
    Evidence,
    classify,
    is_interactive,
    read,
)

COOKED, SILENT, RAW = (True, True), (True, False), (False, False)
READS = Evidence(told=True, reads=True)
ELSEWHERE = Evidence(told=True)
NOTHING = Evidence()
RELAY = Evidence(told=True, reads=True, relay=True)


@pytest.mark.parametrize(
    ("evidence", "mode", "quiet", "prompt", "expected"),
    [
        (READS, COOKED, 0.3, "Proceed? [y/N] ", ("line", True)),
        (READS, COOKED, 0.3, "", ("line", True)),
        (READS, SILENT, 0.3, "Password: ", ("password", True)),
        (READS, RAW, 0.3, "", ("keys", True)),
        (Evidence(told=True, reads=True, shell="bash"), RAW, 0.3, "$ ", ("shell", True)),
        # Its builtin `read`, typed at its prompt.
        (Evidence(told=True, reads=True, shell="bash"), COOKED, 0.3, "Name: ", ("line", True)),
        (Evidence(told=True, reads=True, shell="bash"), SILENT, 0.3, "Password: ", ("password", True)),
        (Evidence(told=True, reads=True, shell="dash"), COOKED, 0.3, "$ ", ("shell", True)),
        (Evidence(told=True, reads=True, shell="dash"), SILENT, 0.3, "Password: ", ("password", True)),
        # The kernel knows better than the last line.
        (ELSEWHERE, COOKED, 60, "Downloading: ", None),
        (ELSEWHERE, SILENT, 60, "Password: ", None),
        (Evidence(told=True, reads=True, busy=True), COOKED, 60, "> ", None),
        # Nothing is known but what is shown.
        (NOTHING, COOKED, UNSURE_AFTER, "Continue", ("line", False)),
        (NOTHING, COOKED, 0.5, "Continue? ", None),
        (NOTHING, COOKED, 60, "", None),
        (NOTHING, SILENT, 0.3, "", ("password", False)),
        (NOTHING, RAW, UNSURE_AFTER, ">>> ", ("keys", False)),
        (NOTHING, None, UNSURE_AFTER, "Continue? ", ("line", False)),
        (Evidence(busy=True), COOKED, 60, "Continue? ", None),
        # A program that reads for another one.
        (RELAY, RAW, UNSURE_AFTER, "user@there:~$ ", ("keys", False)),
        (RELAY, RAW, 0.5, "user@there:~$ ", None),
        (RELAY, RAW, 60, "Downloading", None),
        (RELAY, SILENT, 0.3, "user@there's password: ", ("password", False)),
    ],
)
def test_the_kind_of_waiting(
    evidence: Evidence,
    mode: tuple[bool, bool] | None,
    quiet: float,
    prompt: str,
    expected: tuple[str, bool] | None,
) -> None:
    assert classify(evidence, mode, quiet, prompt) == expected


FLAGS = st.booleans()


@given(
    evidence=st.builds(
        Evidence, told=FLAGS, reads=FLAGS, relay=FLAGS, busy=FLAGS, shell=st.sampled_from(["", "bash", "dash"])
    ),
    mode=st.none() | st.tuples(FLAGS, FLAGS),
    quiet=st.floats(0, 100),
    prompt=st.text("ab?: ", max_size=4),
)
def test_only_what_the_kernel_says_is_sure(
    evidence: Evidence, mode: tuple[bool, bool] | None, quiet: float, prompt: str
) -> None:
    found = classify(evidence, mode, quiet, prompt)
    if found is not None:
        assert found[0] in KINDS
        assert found[1] == (evidence.reads and not evidence.relay)
        assert not evidence.busy


KNOWN = {"kind": "line", "prompt": "Name: ", "since": 1795687617.5, "sure": True}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (KNOWN, KNOWN),
        ({**KNOWN, "prompt": "x" * 300, "more": 1}, {**KNOWN, "prompt": "x" * PROMPT_MAX}),
        ({**KNOWN, "kind": "voice"}, None),
        ({**KNOWN, "kind": []}, None),
        ({**KNOWN, "prompt": 3}, None),
        ({**KNOWN, "since": float("nan")}, None),
        ({**KNOWN, "since": 10**400}, None),
        ("line", None),
    ],
)
def test_what_a_ptyhost_says_is_passed_on_if_it_is_known(value: object, expected: object) -> None:
    assert read(value) == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("bash", True),
        ("-bash", True),
        ("bash -i -l", True),
        ("bash --rcfile /tmp/rc -i", True),
        ("bash -O extglob", True),
        ("fish -C true", True),
        ("bash --login", True),
        ("bash -", True),
        ("bash script.sh", False),
        ("bash -x script.sh", False),
        ("bash -c true", False),
        ("bash -lc true", False),
        ("bash -- script.sh", False),
    ],
)
def test_a_shell_with_a_script_is_not_interactive(arguments: str, expected: bool) -> None:
    assert is_interactive(arguments.split()) == expected


@pytest.mark.parametrize(
    ("output", "prompt"),
    [
        (b"one\r\ntwo\r\nProceed? [y/N] ", "Proceed? [y/N] "),
        (b"one\r\n", ""),
        (b"  \t ", ""),
        (b"10%\r20%\r\x1b[KName: ", "Name: "),
        (b"\x1b[1;32mName:\x1b[0m ", "Name: "),
        (b"\x1b]0;title\x07$ ", "$ "),
        # With something to the right, and below.
        (b"$ \x1b[70Gtime\r\x1b[2C", "$ "),
        (b"In [1]: \r\nhelp\x1b[A\r\x1b[8C", "In [1]: "),
        (b"x" * 100 + b"? ", "x" * 100 + "? "),
        ("Wie heißt du? 你好 ".encode(), "Wie heißt du? 你好 "),
        # A program that draws a screen.
        (b"\x1b[2J\x1b[5;1Htop - 10:00", ""),
        (b"\xe2\x82", ""),
    ],
)
def test_prompts(output: bytes, prompt: str) -> None:
    assert prompt_of(output, 24, 80) == prompt


def test_a_prompt_is_without_what_was_typed() -> None:
    assert prompt_of(b"Name: Ad", 24, 80, "Ad") == "Name: "
    assert prompt_of(b"Name: ", 24, 80, "Ad") == "Name: "


@given(output=st.binary(max_size=400), rows=st.integers(1, 30), cols=st.integers(1, 100))
def test_prompts_are_bounded_and_without_control_characters(output: bytes, rows: int, cols: int) -> None:
    prompt = prompt_of(output, rows, cols)
    assert len(prompt) <= PROMPT_MAX
    assert prompt == "" or prompt.strip()
    assert not any(char < " " for char in prompt)


def test_of_a_long_prompt_the_end_is_kept() -> None:
    assert prompt_of(b"a" * 500 + b"Proceed? ", 24, 80) == "a" * (PROMPT_MAX - 9) + "Proceed? "
