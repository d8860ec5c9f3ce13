"""The models of request bodies that reach the program of a task: signals, input, commands for shells, sizes."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from ...core.errors import BadRequest
from ...core.terminal import keys as terminal_keys
from .bodies import Body
from .fields import Keys, SignalName, Size, example

#: A control character, as Unicode has it (category Cc).
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


class Signal(Body):
    """`POST /tasks/{ref}/signal`."""

    model_config = example(signal="SIGUSR1", target="tree")

    signal: SignalName
    target: Literal["foreground", "tree", "leader"] = "tree"


class Input(Body):
    """`POST /tasks/{ref}/input`: `data` or `keys`. By default, Enter follows data without control characters: `y` is an
    answer, while Ctrl-C, or a line with its line end, is complete.
    """

    model_config = example(data="y", newline=True)

    data: str = ""
    keys: Annotated[Keys | None, Field(description="Keys by their tmux names, such as `C-c` and `Up`, or text.")] = None
    newline: Annotated[bool | None, Field(description="Whether to press Enter after it.")] = None
    only_if: Annotated[
        Literal["waiting", "password"] | None,
        Field(description="Type it only if the program is waiting for input, or asking for a password, right now."),
    ] = None
    secret: Annotated[bool, Field(description="With `only_if`, type it even if the program asks for a password.")] = (
        False
    )

    @property
    def depends_on_mode(self) -> bool:
        """Whether what is typed depends on the form of the cursor keys."""
        return terminal_keys.needs_mode(self.keys or [])

    def typed(self, *, application: bool = False) -> bytes:
        """Return the bytes to type, with the application's form of the cursor keys or the usual one. Raises BadRequest
        for both data and keys.
        """
        if self.keys is not None:
            if self.data:
                raise BadRequest("keys: cannot be combined with data", field="keys")
            return terminal_keys.encode(self.keys, application=application) + b"\r" * bool(self.newline)
        enter = self.newline if self.newline is not None else _CONTROL.search(self.data) is None
        return (self.data + "\r" * enter).encode()


class Exec(Body):
    """`POST /tasks/{ref}/exec`: a command for a shell that waits at its prompt."""

    model_config = example(command="make -j4", timeout=50)

    command: Annotated[
        str, Field(min_length=1, max_length=60_000, description="The text to type, without control characters.")
    ]
    timeout: Annotated[float, Field(ge=0, le=55, description="Seconds to wait for its end.")] = 55.0
    head_lines: Annotated[int, Field(ge=0, le=100_000, description="First lines of the output to return.")] = 50
    tail_lines: Annotated[int, Field(ge=0, le=100_000, description="Last lines of the output to return.")] = 200


class Resize(Body):
    """`POST /tasks/{ref}/resize`."""

    model_config = example(rows=40, cols=120)

    rows: Size
    cols: Size
