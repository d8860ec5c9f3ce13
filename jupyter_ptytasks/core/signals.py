"""Signals by name, even on systems where Python does not have all of them."""

from __future__ import annotations

import signal

#: The numbers of Linux, for systems without these signals.
_NUMBERS = {
    "SIGHUP": 1, "SIGQUIT": 3, "SIGKILL": 9, "SIGUSR1": 10, "SIGUSR2": 12, "SIGPIPE": 13, "SIGCONT": 18, "SIGSTOP": 19,
}  # fmt: skip


def number_of(name: object) -> int:
    """Return the number of a signal such as `SIGINT` or `INT`. Raises ValueError for an unknown name."""
    if not isinstance(name, str):
        raise ValueError("the name of a signal must be a string")  # noqa: TRY004  an error in what was sent
    full = name if name.startswith("SIG") else f"SIG{name}"
    number = getattr(signal, full, None)
    if isinstance(number, signal.Signals):
        return int(number)
    if full not in _NUMBERS:
        raise ValueError(f"no such signal: {name[:40]}")
    return _NUMBERS[full]


def name_of(number: int) -> str:
    """Return `SIGKILL` for 9, `SIG40` for a number without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return next((name for name, known in _NUMBERS.items() if known == number), f"SIG{number}")


KILL, STOP, CONT = number_of("SIGKILL"), number_of("SIGSTOP"), number_of("SIGCONT")
