"""Arguments and environment as bytes for execve(2), checked before anything is created."""

from __future__ import annotations

from .errors import SpawnFailed
from .platform import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Bytes reserved for what the system adds: the path of the program, or of a script and its interpreter.
_HEADROOM = 4096
#: Bytes of strings and pointers that every system accepts (Linux: fs/exec.c).
_TOTAL_SURE = 128 << 10
_POINTER = 8


def encode(argv: Sequence[str], env: Mapping[str, str]) -> tuple[list[bytes], dict[bytes, bytes]]:
    """Return arguments and environment as execve(2) takes them.

    Raises SpawnFailed, with `field` `command` or `env`, if they are invalid: an empty command, an invalid name of a
    variable, a NUL, invalid Unicode, or more bytes than this system allows.
    """
    if not argv or not argv[0]:
        raise SpawnFailed("the command is empty", field="command")
    arguments = [_encode(word, "an argument of the command", "command") for word in argv]
    variables = {}
    for name, value in env.items():
        if not name or "=" in name:
            raise SpawnFailed(f"{name[:80]!r} is not a valid name of an environment variable", field="env")
        what = f"the environment variable {name[:80]!r}"
        variables[_encode(name, what, "env")] = _encode(value, what, "env")
    _check_size(arguments, variables)
    return arguments, variables


def fits(argv: Sequence[str], env: Mapping[str, str]) -> bool:
    """Return whether these are small enough to start a program. Raises SpawnFailed for all other reasons."""
    try:
        encode(argv, env)
    except TooLong:
        return False
    return True


class TooLong(SpawnFailed):
    """Longer than this system allows."""


def _encode(text: str, what: str, field: str) -> bytes:
    if "\0" in text:
        raise SpawnFailed(f"{what} contains a NUL character", field=field)
    try:
        # Bytes that are not UTF-8 come as lone surrogates of U+DC80 to U+DCFF; other lone surrogates are invalid.
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise SpawnFailed(f"{what} is not valid Unicode", field=field) from None


def _check_size(arguments: list[bytes], variables: dict[bytes, bytes]) -> None:
    single = processes.string_max()
    for word in arguments:
        if len(word) >= single:
            _refuse("an argument of the command is", len(word), single - 1, "command")
    for name, value in variables.items():
        size = len(name) + 1 + len(value)
        if size >= single:
            shown = name[:80].decode("utf-8", "replace")
            _refuse(f"the environment variable {shown!r} is", size, single - 1, "env")
    command = sum(len(word) + 1 + _POINTER for word in arguments)
    environment = sum(len(name) + len(value) + 2 + _POINTER for name, value in variables.items())
    total = command + environment
    if total > _TOTAL_SURE - _HEADROOM and total > (limit := processes.strings_max() - _HEADROOM):
        field = "command" if command >= environment else "env"
        _refuse("the command and its environment are", total, limit, field)


def _refuse(what: str, size: int, limit: int, field: str) -> None:
    raise TooLong(f"{what} {size} bytes long; this system allows {limit}", field=field)
