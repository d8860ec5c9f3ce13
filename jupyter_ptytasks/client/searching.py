"""The part of the client that searches the output of many tasks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from .connection import IDLE, Connection, without_none
from .errors import ConnectionLost
from .transport import pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .literals import StateName, WarningKind
    from .types import Hit, Searched

#: Response timeout in seconds: the server searches for up to a minute, and may find nothing.
_PATIENCE = 90.0


class SearchMethods(Connection):
    """The methods of the client for searches."""

    def search(
        self,
        q: str,
        *,
        tasks: Iterable[str] = (),
        regex: bool = False,
        ignore_case: bool = False,
        state: Iterable[StateName] = (),
        group: str | None = None,
        tag: str | None = None,
        since: str | None = None,
        warning: Iterable[WarningKind] = (),
        limit: int = 1000,
    ) -> Iterator[Hit | Searched]:
        """Iterate over matching lines of all output, newest task first, as they are found; the last value, with
        `reason`, says what was searched.

        Args:
            q: the text, or with `regex` a regular expression.
            tasks: ids or names; only these.
            state, group, tag, since, warning: only such tasks, as in `list`.
            limit: maximum number of lines, up to 10000.

        Raises:
            ConnectionLost: also while iterating.
        """
        given: dict[str, Any] = {
            "q": q,
            "regex": "1" if regex else None,
            "ignore_case": "1" if ignore_case else None,
            "tasks": ",".join(tasks) or None,
            "state": ",".join(state) or None,
            "group": group,
            "tag": tag,
            "since": since,
            "warning": ",".join(warning) or None,
            "limit": limit,
            **IDLE,
        }
        response = self._transport.request("GET", "search", params=without_none(given), timeout=_PATIENCE, stream=True)
        return _values(pieces(response))


def _values(received: Iterator[bytes]) -> Iterator[Hit | Searched]:
    """Iterate over lines of JSON. Raises ConnectionLost if the final line is missing."""
    rest = b""
    value: dict[str, Any] = {}
    for piece in received:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            value = json.loads(line)
            yield cast("Hit | Searched", value)
    if "reason" not in value:
        raise ConnectionLost("the search ended too early: the server went away")
