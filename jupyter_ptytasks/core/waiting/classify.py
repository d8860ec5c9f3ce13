"""Decides whether a program is waiting for input, what kind of input, and with which prompt.

Information from the kernel is sure. If there is none (other systems, sandboxes, programs of another user), or if a
program only passes on the questions of another one (ssh), the last line decides, and the result is not sure.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Kinds of waiting: for a line, for a line without echo, for keys, and a shell for the next command.
LINE, PASSWORD, KEYS, SHELL = "line", "password", "keys", "shell"
KINDS = (LINE, PASSWORD, KEYS, SHELL)

#: Maximum length of a prompt in characters; of a longer one, the end is kept.
PROMPT_MAX = 200
#: The latest time, in Unix seconds, that can be represented everywhere.
_END_OF_TIME = 1e11
#: Seconds of silence after which an unfinished line is taken for a prompt, if nothing else is known.
UNSURE_AFTER = 1.0

#: Shells that read commands key by key, and shells that read them line by line.
_EDITING_SHELLS = frozenset({"bash", "zsh", "fish"})
SHELLS = _EDITING_SHELLS | {"ash", "csh", "dash", "ksh", "mksh", "nu", "pwsh", "sh", "tcsh", "xonsh"}
#: Options of shells that take an argument.
_WITH_ARGUMENT = frozenset({"--init-file", "--rcfile", "-O", "+O", "-o", "+o", "-C", "--init-command"})
#: Programs that always read the terminal, on behalf of another program with its own terminal.
RELAYS = frozenset(
    [
        "abduco",
        "adb",
        "apptainer",
        "asciinema",
        "cu",
        "docker",
        "dtach",
        "expect",
        "incus",
        "kubectl",
        "lxc",
        "machinectl",
        "minicom",
        "mosh-client",
        "nerdctl",
        "oc",
        "picocom",
        "podman",
        "rlwrap",
        "screen",
        "script",
        "singularity",
        "socat",
        "srun",
        "ssh",
        "sudo",
        "telnet",
        "tmux",
        "zellij",
    ]
)
#: The end of a prompt, for programs of which only the output is known.
_PROMPT_END = re.compile(r"[:?>$#%\])»\u276f\u279c\u03bb]\s*$")


class Evidence:
    """The state of the foreground processes of the terminal.

    `told`: the kernel shows what they are doing. `reads`: one of them is blocked until the terminal has input; `relay`:
    only on behalf of another program. `shell` is the name of the shell that reads, if it is interactive. `busy`: one of
    them is computing. `cpu` is their CPU time in seconds, `alone` says that there is only one thread.
    """

    __slots__ = ("alone", "busy", "cpu", "reads", "relay", "shell", "told")

    def __init__(
        self,
        *,
        told: bool = False,
        reads: bool = False,
        relay: bool = False,
        shell: str = "",
        busy: bool = False,
        cpu: float = 0.0,
        alone: bool = False,
    ) -> None:
        self.told = told
        self.reads = reads
        self.relay = relay
        self.shell = shell
        self.busy = busy
        self.cpu = cpu
        self.alone = alone


def classify(evidence: Evidence, mode: tuple[bool, bool] | None, quiet: float, prompt: str) -> tuple[str, bool] | None:
    """Return the kind of waiting and whether it is sure; None if the program is not waiting.

    `mode` says whether the terminal is in line mode, and whether it echoes; None if unknown. `quiet` is the number of
    seconds since the last output, `prompt` is the unfinished last line.
    """
    if evidence.busy:
        return None
    by_line, echoes = mode if mode is not None else (True, True)
    kind = KEYS if not by_line else LINE if echoes else PASSWORD
    if evidence.reads and not evidence.relay:
        # A shell with line editing reads keys; if it reads lines, its builtin `read` is running.
        prompts_by = KEYS if evidence.shell in _EDITING_SHELLS else LINE
        return (SHELL if evidence.shell and kind == prompts_by else kind), True
    if evidence.told and not evidence.relay:
        return None
    if kind == PASSWORD:
        return kind, False
    looks_so = _PROMPT_END.search(prompt) if evidence.relay else prompt.strip()
    return (kind, False) if quiet >= UNSURE_AFTER and looks_so else None


def read(value: Any) -> dict[str, Any] | None:
    """Validate what a ptyhost reports about waiting; None if the program is not waiting, or the report is unknown."""
    if not isinstance(value, dict) or value.get("kind") not in KINDS:
        return None
    prompt, since = value.get("prompt"), value.get("since")
    if not isinstance(prompt, str) or not isinstance(since, (int, float)) or not 0 <= since < _END_OF_TIME:
        return None
    return {"kind": value["kind"], "prompt": prompt[:PROMPT_MAX], "since": since, "sure": value.get("sure") is True}


def is_interactive(arguments: list[str]) -> bool:
    """Return whether a shell with these arguments reads commands from the terminal, not from a script."""
    words = iter(arguments[1:])
    for word in words:
        if word in _WITH_ARGUMENT:
            next(words, None)
        elif word in ("-", "--"):
            return next(words, None) is None
        elif word[:1] not in ("-", "+") or (word[0] == "-" and word[1] != "-" and "c" in word):
            return False
    return True
