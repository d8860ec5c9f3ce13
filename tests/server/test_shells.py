"""Shell integration with real bash, zsh and fish, and typical startup files of users."""

from __future__ import annotations

import asyncio
import shutil
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.server.conftest import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import Answer, Rest

ARGUMENTS = {"bash": ["bash", "-l"], "bash, no login": ["bash"], "zsh": ["zsh", "-l"], "fish": ["fish", "-l"]}
BASH, ZSH, FISH = "bash", "zsh", "fish"


def options(name: str) -> dict[str, Any]:
    argv = ARGUMENTS[name]
    return {"PtyTasksApp": {"shell_command": [shutil.which(argv[0]) or argv[0], *argv[1:]]}}


def in_shells(*names: str) -> pytest.MarkDecorator:
    """Run a test in each of these shells."""
    return pytest.mark.parametrize(("shell", "server_options"), [(name, options(name)) for name in names], ids=names)


EVERY = in_shells(*ARGUMENTS)


class Shell:
    """A shell with a home of its own."""

    def __init__(self, rest: Rest, name: str, home: Path) -> None:
        self._rest = rest
        self.name = name
        self.home = home

    def write(self, path: str, text: str) -> None:
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    async def start(self, **env: str) -> Shell:
        # zsh asks questions where there is no file.
        if not (self.home / ".zshrc").exists():
            self.write(".zshrc", "")
        # fish parses all manuals where there is none of this.
        self.write(".local/share/fish/generated_completions/one.fish", "")
        about = {"HOME": str(self.home), "LANG": "C.UTF-8", **env}
        await self._rest.create(None, name=self.name, cwd=str(self.home), env=about)
        return self

    async def ask(self, command: str, **about: Any) -> Answer:
        return await self._rest("POST", "tasks", self.name, "exec", body={"command": command, **about})

    async def exec(self, command: str, **about: Any) -> dict[str, Any]:
        answer = await self.ask(command, **about)
        assert answer.code == 200, answer.body
        found: dict[str, Any] = answer.json
        return found

    async def run(self, command: str) -> tuple[int | None, str]:
        """Return the exit code and the output of a command that ends."""
        found = await self.exec(command)
        assert found["reason"] == "done", found
        return found["exit"], found["output"]

    async def type(self, text: str = "", **about: Any) -> None:
        answer = await self._rest("POST", "tasks", self.name, "input", body={"data": text, **about})
        assert answer.code == 200, answer.body

    async def told(self) -> dict[str, Any]:
        answer = await self._rest("GET", "tasks", self.name, "commands")
        assert answer.code == 200, answer.body
        found: dict[str, Any] = answer.json
        return found

    async def commands(self) -> list[tuple[str | None, int | None]]:
        return [(one["command"], one["exit"]) for one in (await self.told())["commands"]]

    async def until(self, condition: Any) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while not condition(told := await self.told()):
            assert time.monotonic() < deadline, told
            await asyncio.sleep(0.05)
        return told

    async def at_prompt(self) -> dict[str, Any]:
        return await self.until(lambda told: told["at_prompt"])

    async def waits(self) -> None:
        """Return when the shell is seen to wait."""
        await self._rest.until(self.name, lambda task: task["waiting"] is not None)


@pytest.fixture
def sh(rest: Rest, shell: str, tmp_path: Path) -> Shell:
    home = tmp_path / "home"
    home.mkdir()
    return Shell(rest, shell.replace(", ", "-").replace(" ", "-"), home)


@EVERY
async def test_commands_and_what_came_of_them(sh: Shell) -> None:
    await sh.start()
    found = await sh.exec("printf 'one\\ntwo\\n'; sleep 0.3; false")
    assert (found["exit"], found["output"], found["reason"]) == (1, "one\ntwo\n", "done")
    assert 0.3 <= found["duration"] < 5
    assert await sh.run("mkdir sub; cd sub") == (0, "")
    assert (await sh.exec("pwd"))["cwd"] == str(sh.home / "sub")
    assert await sh.run("printf 'no end'") == (0, "no end")
    assert await sh.run("clear") == (0, "")
    assert await sh.run("echo 'a;b ä'") == (0, "a;b ä\n")
    told = await sh.at_prompt()
    assert told["marks"]
    assert told["cwd"] == str(sh.home / "sub")
    assert [one["command"] for one in told["commands"]][:4] == [
        "printf 'one\\ntwo\\n'; sleep 0.3; false",
        "mkdir sub; cd sub",
        "pwd",
        "printf 'no end'",
    ]
    first, second, *_ = told["commands"]
    assert (first["exit"], first["cwd"], first["running"]) == (1, str(sh.home), False)
    assert first["output"]["lines"] == 2
    assert first["started"] < second["started"]


@EVERY
async def test_the_output_of_a_command_is_at_the_reported_offsets(rest: Rest, sh: Shell) -> None:
    await sh.start()
    await sh.run("echo first")
    await sh.run("printf 'one\\ntwo\\n'")
    place = (await sh.told())["commands"][1]["output"]
    lines = await rest.output(sh.name, since=place["line"], max_lines=place["lines"])
    assert lines["output"] == "one\ntwo\n"
    raw = await rest.at(
        "GET", f"tasks/{sh.name}/output/raw", offset=place["start"], limit=place["end"] - place["start"]
    )
    assert raw.body.replace(b"\r", b"").endswith(b"one\ntwo\n")


@EVERY
async def test_several_lines_are_one_command(sh: Shell) -> None:
    await sh.start()
    body = "for i in 1 2\n    echo $i\nend" if sh.name == FISH else "for i in 1 2; do\n\techo $i\ndone"
    assert await sh.run(body) == (0, "1\n2\n")
    assert await sh.run("echo a\necho b") == (0, "a\nb\n")


@EVERY
async def test_what_is_no_command_is_none(sh: Shell) -> None:
    await sh.start()
    await sh.run("echo one")
    await sh.waits()
    await sh.type("\r")
    await sh.waits()
    await sh.type("never run", newline=False)
    answer = await sh.ask("echo two")
    assert (answer.code, answer.json["code"]) == (409, "not_at_prompt")
    await sh.type(keys=["C-c"])
    await sh.waits()
    assert await sh.run("echo three") == (0, "three\n")
    assert await sh.commands() == [("echo one", 0), ("echo three", 0)]


@EVERY
async def test_a_command_that_the_shell_does_not_understand(sh: Shell) -> None:
    await sh.start()
    found = await sh.exec("echo )")
    assert found["reason"] == "done"
    assert found["exit"] not in (0, None)
    assert ")'" in found["output"] or "parse error" in found["output"]
    assert await sh.run("echo fine") == (0, "fine\n")


@EVERY
async def test_a_command_that_takes_too_long_runs_on(sh: Shell) -> None:
    await sh.start()
    found = await sh.exec("echo begun; sleep 60", timeout=1.5)
    assert (found["reason"], found["exit"], found["output"]) == ("timeout", None, "begun\n")
    assert 0 < found["duration"] <= 1.5 + 1
    told = await sh.told()
    assert not told["at_prompt"]
    assert told["commands"][-1]["running"]
    answer = await sh.ask("echo too early")
    assert (answer.code, answer.json["code"]) == (409, "not_at_prompt")
    await sh.type(keys=["C-c"])
    told = await sh.at_prompt()
    assert told["commands"][-1]["exit"] == 130
    assert await sh.run("echo again") == (0, "again\n")


@EVERY
async def test_the_shell_ends_while_it_runs_a_command(sh: Shell) -> None:
    await sh.start()
    found = await sh.exec("echo bye; exit 3")
    assert (found["reason"], found["exit"]) == ("exit", 3)
    assert found["output"].startswith("bye\n")
    answer = await sh.ask("echo more")
    assert (answer.code, answer.json["code"]) == (409, "invalid_state")


@EVERY
async def test_a_program_that_prints_marks_of_its_own(sh: Shell) -> None:
    await sh.start()
    fake = r"\033]133;D;7\007\033]133;A\007\033]133;B\007fake\n\033]133;D;7;ptytask=00.1;n=1\007"
    fake = f"printf '{fake}'; sleep 0.2; true"
    assert await sh.run(fake) == (0, "fake\n")
    assert len(await sh.commands()) == 1


@EVERY
async def test_the_output_of_the_shell_printed_again_marks_nothing(rest: Rest, sh: Shell) -> None:
    await sh.start()
    await sh.run("echo one")
    await sh.run("false")
    directory = (await rest.get(sh.name))["output"]["directory"]
    shutil.copytree(directory, sh.home / "copy")
    assert (await sh.run("cat copy/*.log; true"))[0] == 0
    assert await sh.commands() == [("echo one", 0), ("false", 1), ("cat copy/*.log; true", 0)]


@EVERY
async def test_a_shell_within_the_shell_marks_nothing(sh: Shell) -> None:
    await sh.start()
    await sh.run("true")
    await sh.type("bash --norc")
    await sh.until(lambda told: told["commands"][-1]["running"])
    await sh.waits()
    answer = await sh.ask("echo inside")
    assert (answer.code, answer.json["code"]) == (409, "not_at_prompt")
    await sh.type("exit 4")
    told = await sh.at_prompt()
    assert [one["exit"] for one in told["commands"]] == [0, 4]
    assert await sh.run("echo outside") == (0, "outside\n")


@EVERY
async def test_a_shell_in_place_of_the_shell_marks_nothing(sh: Shell) -> None:
    await sh.start()
    await sh.run("true")
    await sh.type("exec bash --norc")
    await sh.until(lambda told: told["commands"][-1]["running"])
    await sh.waits()
    answer = await sh.ask("echo inside")
    assert (answer.code, answer.json["code"]) == (409, "not_at_prompt")


@in_shells("bash", "bash, no login", "zsh")  # fish redirects no output of its own
async def test_marks_go_to_the_terminal_wherever_output_goes(sh: Shell) -> None:
    await sh.start()
    await sh.run("exec >log")
    assert await sh.run("echo logged") == (0, "")
    assert await sh.run("echo shown >&2") == (0, "shown\n")
    log = (sh.home / "log").read_text()
    assert "logged\n" in log
    assert "ptytask" not in log


@EVERY
async def test_much_output_is_shortened(sh: Shell) -> None:
    await sh.start()
    found = await sh.exec("seq 100000", head_lines=2, tail_lines=2)
    assert found["output"] == "1\n2\n… 99996 lines omitted …\n99999\n100000\n"
    assert (found["truncated"], found["lines_omitted"]) == (True, 99996)


@EVERY
async def test_a_restarted_shell_counts_from_one(rest: Rest, sh: Shell) -> None:
    await sh.start()
    await sh.run("echo before")
    answer = await rest("POST", "tasks", sh.name, "restart", body={"grace": 0.2})
    assert answer.code == 202
    await rest.until(sh.name, lambda task: task["attempt"] == 2 and task["state"] == "running")
    assert await sh.run("echo after") == (0, "after\n")
    commands = (await sh.told())["commands"]
    assert [(one["attempt"], one["number"], one["command"]) for one in commands] == [
        (1, 1, "echo before"),
        (2, 1, "echo after"),
    ]


@EVERY
async def test_what_is_refused(rest: Rest, sh: Shell) -> None:
    await sh.start()
    for command in ("\x1b[A", "a\rb", " \n"):
        assert (await sh.ask(command)).json["field"] == "command"
    await rest.create("sleep 100", name="no-shell")
    answer = await rest("POST", "tasks", "no-shell", "exec", body={"command": "ls"})
    assert (answer.code, answer.json["code"]) == (409, "no_marks")
    answer = await rest("GET", "tasks", "no-shell", "commands")
    assert (answer.json["marks"], answer.json["commands"]) == (False, [])


@EVERY
async def test_only_one_command_at_a_time(sh: Shell) -> None:
    await sh.start()
    await sh.run("true")
    answers = await asyncio.gather(sh.ask("sleep 0.5"), sh.ask("sleep 0.6"))
    assert sorted(answer.code for answer in answers) == [200, 409]


# -- what users have in their files ----------------------------------------------------------------------------------


@in_shells("bash", "bash, no login")
@pytest.mark.parametrize(
    "code",
    [
        "PROMPT_COMMAND='seen=$?:${PIPESTATUS[*]}; PS1=\"[$seen] \"'",
        'f() { seen=$?:${PIPESTATUS[*]}; }; g() { PS1="[$seen] "; }; PROMPT_COMMAND=(f g)',
    ],
    ids=["string", "array"],
)
async def test_a_prompt_command_sees_the_same_as_without_marks(rest: Rest, sh: Shell, code: str) -> None:
    sh.write(".bashrc", code)
    sh.write(".profile", ". ~/.bashrc")
    await sh.start()
    assert await sh.run("(exit 3) | (exit 4)") == (4, "")
    await rest.until_output(sh.name, "[4:3 4] ")
    assert await sh.run("echo $seen") == (0, "4:3 4\n")


@in_shells("zsh")
async def test_precmd_and_preexec_of_the_user(rest: Rest, sh: Shell) -> None:
    sh.write(
        ".zshrc",
        'precmd() { seen=$?; }; preexec() { ran=$1; }; more() { PS1="[$?] "; }; precmd_functions+=(more)\n',
    )
    await sh.start()
    await sh.run("false")
    await rest.until_output(sh.name, "[1]")
    assert await sh.run("echo $seen $ran") == (0, "1 echo $seen $ran\n")


@in_shells("fish")
async def test_a_prompt_of_the_user_in_fish(rest: Rest, sh: Shell) -> None:
    sh.write(".config/fish/config.fish", 'function fish_prompt; echo -n "[$status $pipestatus] "; end\n')
    await sh.start()
    await sh.run("false | true")
    await rest.until_output(sh.name, "[0 1 0]")
    await sh.run("function fish_prompt; echo -n 'new> '; end")
    await rest.until_output(sh.name, "new> ")
    assert await sh.run("echo still") == (0, "still\n")


BROKEN = {
    "bash": (".profile", ["nonsense (", "false", "return 3", "set -e; false", "set -eu", "set -x"]),
    "bash, no login": (".bashrc", ["nonsense (", "return 3", "set -e; false", "PROMPT_COMMAND=('(' oops)"]),
    "zsh": (".zshrc", ["nonsense (", "return 3", "setopt err_return nounset; false", "precmd() { nonsense; }"]),
    "fish": (".config/fish/config.fish", ["nonsense (", "return 3", "false"]),
}


@pytest.mark.parametrize(
    ("shell", "server_options", "path", "code"),
    [(name, options(name), path, code) for name, (path, codes) in BROKEN.items() for code in codes],
)
async def test_a_file_that_fails_breaks_no_shell(sh: Shell, path: str, code: str) -> None:
    sh.write(path, f"{code}\n")
    await sh.start()
    found = await sh.exec("echo alive")
    assert (found["exit"], found["output"].splitlines()[-1]) == (0, "alive")


@in_shells("bash", "bash, no login")
@pytest.mark.parametrize(
    "code", ["readonly PROMPT_COMMAND=:", "readonly PS1='> '", "shopt -u promptvars", "set -o posix"]
)
async def test_without_marks_the_shell_works_as_usual(rest: Rest, sh: Shell, code: str) -> None:
    sh.write(".bashrc", f"{code}\n")
    sh.write(".profile", f"{code}\n")
    await sh.start()
    await sh.waits()
    await sh.type("echo ali''ve")
    shown = await rest.until_output(sh.name, "alive")
    assert "ptytask" not in shown
    assert "readonly" not in shown
    assert "not found" not in shown


@in_shells("bash", "zsh", "fish")
async def test_login_shells_are_login_shells(sh: Shell) -> None:
    sh.write(".profile", "read_profile=yes\n")
    sh.write(".zprofile", "read_profile=yes\n")
    sh.write(".config/fish/config.fish", "status is-login; and set read_profile yes\n")
    asks = {
        BASH: "shopt -q login_shell && shopt -o posix; echo $read_profile",
        ZSH: "[[ -o login ]] && echo $read_profile",
    }
    await sh.start(ZDOTDIR=str(sh.home)) if sh.name == ZSH else await sh.start(ENV="mine")
    code, output = await sh.run(asks.get(sh.name, "echo $read_profile"))
    assert output.splitlines()[-1] == "yes"
    if sh.name == BASH:
        assert output.split() == ["posix", "off", "yes"]
        assert await sh.run("echo $ENV $HISTFILE") == (0, f"mine {sh.home}/.bash_history\n")
    if sh.name == ZSH:
        assert await sh.run("echo $ZDOTDIR") == (0, f"{sh.home}\n")
    assert "PTYTASK_SHELL" not in (await sh.run("env"))[1]
    assert code == 0


@in_shells("bash", "zsh", "fish")
async def test_a_nested_shell_of_the_same_kind_knows_nothing_of_marks(rest: Rest, sh: Shell) -> None:
    sh.write(".bashrc", "PS1='inner> '\nexport PS1 PS0")
    await sh.start()
    await sh.run("true")
    await sh.type(f"{sh.name} -i")
    await sh.until(lambda told: told["commands"][-1]["running"])
    await sh.waits()
    await sh.type("echo in''side")
    shown = await rest.until_output(sh.name, "inside")
    assert "ptytask" not in shown
    assert len(await sh.commands()) == 2
