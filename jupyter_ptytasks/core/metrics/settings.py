"""How the metrics of a task are read."""

from __future__ import annotations

from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True)
class Settings:
    """How the metrics of one task are read.

    `pattern` is a regular expression with named groups, one for each metric and `step`, that is searched for in each
    line and replaces all other rules; `include` are the names that count, all if empty; with `off`, only explicitly
    logged metrics are read.
    """

    pattern: str = ""
    include: tuple[str, ...] = ()
    off: bool = False

    @classmethod
    def from_json(cls, value: object) -> Settings:
        """Read the settings in a spec; invalid ones get the default."""
        if not isinstance(value, dict):
            return cls()
        pattern, include = value.get("pattern"), value.get("include")
        return cls(
            pattern=pattern if isinstance(pattern, str) else "",
            include=tuple(str(name) for name in include) if isinstance(include, list) else (),
            off=value.get("off") is True,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the settings as in a spec, without defaults."""
        told = {"pattern": self.pattern, "include": list(self.include), "off": self.off}
        return {name: value for name, value in told.items() if value}
