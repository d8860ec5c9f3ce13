"""Placeholders in commands: a value is always a single argument, or is refused."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jupyter_ptytasks.core.errors import BadRequest
from jupyter_ptytasks.core.sweeps.placeholders import escape, fill, names_in

SHELLS = [shell for shell in ("sh", "bash", "zsh", "fish") if shutil.which(shell)]
#: What is special to shells is more likely than all else; NUL is refused before.
VALUES = st.text(
    st.sampled_from("'\"\\$`!*?~#&|;<>(){}[]= \n\tabé-%@^,:") | st.characters(codec="utf-8", exclude_characters="\0")
)
#: Pieces of lines around placeholders, and what they are in the end.
TEXTS = st.sampled_from(["", "--lr=", "a ", " b", "é", "x;y", "#"])


def run(shell: str, line: str) -> list[str]:
    """Run a line with `show` in place of a program, and give the arguments of each call."""
    program = ["-c", line] if shell != "zsh" else ["-f", "-c", line]
    found = subprocess.run([shell, *program], capture_output=True, timeout=60, check=True)
    return found.stdout.decode().split("\0")[:-1]


@given(VALUES)
def test_an_argument_has_the_value_as_it_is(value: str) -> None:
    assert fill(["a", "--x={x}", "{{{x}}}"], {"x": value}) == ["a", f"--x={value}", f"{{{value}}}"]


@given(st.text())
def test_escaped_text_stays_as_it_is(text: str) -> None:
    assert names_in(escape(text)) == []
    assert fill([escape(text)], {}) == [text]


@pytest.mark.parametrize("shell", SHELLS)
@given(value=VALUES, before=TEXTS, after=TEXTS, quote=st.sampled_from(["", "'", '"']))
@settings(deadline=None, max_examples=60)
def test_a_value_in_a_line_is_one_argument(shell: str, value: str, before: str, after: str, quote: str) -> None:
    # Outside of quotes, only what is no syntax; and a # there is one only behind a word.
    assume(quote or not (set(before + after) & set(" ;") or before.startswith("#")))
    template = f"printf '%s\\0' {quote}{before}{{x}}{after}{quote} {{x}} end"
    expected = [f"{before}{value}{after}", value, "end"]
    try:
        line = fill(template, {"x": value})
    except BadRequest:
        pytest.fail(f"refused: {template!r} with {value!r}")
    assert isinstance(line, str)
    assert run(shell, line) == expected


@pytest.mark.parametrize(
    "template",
    [
        "echo $(echo {x})",
        "echo `echo {x}`",
        "cat <<E\n{x}\nE",
        "true # {x}",
        "echo $'{x}'",
        "echo ${{a:-{x}}}",
        "$(({x}))",
    ],
)
def test_a_place_that_cannot_be_understood_takes_only_what_means_nothing_to_a_shell(template: str) -> None:
    assert fill(template, {"x": "1e-3"}) == template.replace("{x}", "1e-3").replace("{{", "{").replace("}}", "}")
    for value in ("a b", "", "$x", "'", "a;b", "\n"):
        with pytest.raises(BadRequest, match="cannot be quoted here") as caught:
            fill(template, {"x": value})
        assert caught.value.field == "command"


@pytest.mark.parametrize("template", ["echo ${x}", 'echo "${x}"', "echo $HOME{x}", "echo \\{x}", 'echo "\\{x}"'])
def test_a_value_does_not_become_part_of_a_variable(template: str) -> None:
    with pytest.raises(BadRequest, match="follows a") as caught:
        fill(template, {"x": "1"})
    assert caught.value.field == "command"


def test_lines_that_look_like_those() -> None:
    assert fill("awk '{{print ${n}}}' # {n}", {"n": "2"}) == "awk '{print $2}' # 2"
    assert fill("cd ${{HOME}}/{d} && echo a#{d} \"$HOME {d}\" '$'{d}", {"d": "x y"}) == (
        "cd ${HOME}/'x y' && echo a#'x y' \"$HOME x y\" '$''x y'"
    )
    assert fill('echo "a\'{d}" \\"{d}', {"d": 'x"y'}) == 'echo "a\'x\\"y" \\"\'x"y\''


@pytest.mark.parametrize("template", ["{", "}", "{x", "{x y}", "{}", "{1}", "{x!r}", "a {{x} b"])
def test_braces_that_belong_to_nothing(template: str) -> None:
    with pytest.raises(BadRequest, match="belongs to no placeholder") as caught:
        names_in(template)
    assert caught.value.field == "command"


def test_names() -> None:
    assert names_in(["{lr}", "{learning-rate} {lr}", "{model.lr}"]) == ["lr", "learning-rate", "model.lr"]
