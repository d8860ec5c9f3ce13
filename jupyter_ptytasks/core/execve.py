"""What execve(2) takes: arguments and environment as bytes, checked before anything is made for them."""

from __future__ import annotations

import os
import sys

from .errors import SpawnFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Linux takes 32 pages for one string, with its NUL (MAX_ARG_STRLEN, linux/binfmts.h).
_PAGES_PER_STRING = 32
#: Linux takes a quarter of the stack limit for all strings and pointers, but at least 128 KiB and at most 6 MiB
#: (fs/exec.c).
_TOTAL_MIN = 128 << 10
_TOTAL_MAX = 6 << 20
#: Bytes left for what the system adds: the path of the program, or of a script and its interpreter.
_HEADROOM = 4096
_POINTER = 8


def encode(argv: Sequence[str], env: Mapping[str, str]) -> tuple[list[bytes], dict[bytes, bytes]]:
    """Return arguments and environment as execve(2) takes them.

    Raises SpawnFailed, with `field` `command` or `env`, for what no program can be started with: no name, a NUL, text
    that is not valid Unicode, or more bytes than this system allows.
    """
    if not argv or not argv[0]:
        raise SpawnFailed("the command has no name", field="command")
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
    """Return whether a program can be started with this. Raises what `encode` raises, but not for the size."""
    try:
        encode(argv, env)
    except TooLong:
        return False
    return True


class TooLong(SpawnFailed):
    """More bytes than this system takes."""


def _encode(text: str, what: str, field: str) -> bytes:
    if "\0" in text:
        raise SpawnFailed(f"{what} has a NUL character in it", field=field)
    try:
        # Bytes that are not UTF-8 come as lone surrogates of U+DC80 to U+DCFF; all others are no text.
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise SpawnFailed(f"{what} is not valid Unicode", field=field) from None


def _check_size(arguments: list[bytes], variables: dict[bytes, bytes]) -> None:
    single = _string_max()
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
    if total > _TOTAL_MIN - _HEADROOM and total > (limit := _total_max() - _HEADROOM):
        field = "command" if command >= environment else "env"
        _refuse("the command and its environment are", total, limit, field)


def _refuse(what: str, size: int, limit: int, field: str) -> None:
    raise TooLong(f"{what} {size} bytes long; this system allows {limit}", field=field)


def _string_max() -> int:
    """Return the bytes of one string, with its NUL."""
    return _PAGES_PER_STRING * os.sysconf("SC_PAGE_SIZE") if sys.platform.startswith("linux") else sys.maxsize


def _total_max() -> int:
    """Return the bytes of all strings and pointers."""
    if not sys.platform.startswith("linux"):
        try:
            limit = os.sysconf("SC_ARG_MAX")
        except (OSError, ValueError):
            return sys.maxsize
        return limit if limit > 0 else sys.maxsize
    # Not SC_ARG_MAX: musl answers with the least that there is.
    import resource  # noqa: PLC0415  for long commands alone

    stack = resource.getrlimit(resource.RLIMIT_STACK)[0]
    if stack == resource.RLIM_INFINITY:
        return _TOTAL_MAX
    return min(max(stack // 4, _TOTAL_MIN), _TOTAL_MAX)
