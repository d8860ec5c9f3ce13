"""Lists of callbacks whose exceptions do not affect each other or the caller."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Generic, ParamSpec

if TYPE_CHECKING:
    from collections.abc import Callable

Arguments = ParamSpec("Arguments")

_LOG = logging.getLogger(__name__)


class Listeners(Generic[Arguments]):
    """Functions that are called with the same arguments, in the order in which they were added.

    An exception in one of them is logged; the others are still called, and the caller continues.
    """

    def __init__(self) -> None:
        self._functions: list[Callable[Arguments, object]] = []

    def append(self, function: Callable[Arguments, object]) -> None:
        """Call `function` from now on."""
        self._functions.append(function)

    def remove(self, function: Callable[Arguments, object]) -> None:
        """Stop calling `function`. Raises ValueError if it was not added."""
        self._functions.remove(function)

    def __call__(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        """Call all of them."""
        for function in list(self._functions):
            try:
                function(*args, **kwargs)
            except Exception:  # noqa: BLE001  that is what this is for
                _LOG.exception("a listener failed: %r", function)
