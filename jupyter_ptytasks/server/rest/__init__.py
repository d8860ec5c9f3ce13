"""The table of routes (docs/rest.md, docs/openapi.yaml). Handlers validate, call one verb, and respond."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import (
    archives,
    changes,
    cleanup,
    details,
    groups,
    mcp,
    metrics,
    other,
    output,
    places,
    replay,
    results,
    screen,
    search,
    shells,
    stats,
    status,
    sweeps,
    tasks,
    terminals,
    why,
)

if TYPE_CHECKING:
    from .base import TaskHandler

#: An id or a name; tornado decodes percent-encoding, including that of slashes.
_REF = r"([^/]+)"

ROUTES: list[tuple[str, type[TaskHandler]]] = [
    (r"/ptytasks/api/status", status.Status),
    (r"/ptytasks/api/tasks", tasks.Tasks),
    (r"/ptytasks/api/changes", changes.Changes),
    (rf"/ptytasks/api/tasks/{_REF}", tasks.OneTask),
    (rf"/ptytasks/api/tasks/{_REF}/start", tasks.Start),
    (rf"/ptytasks/api/tasks/{_REF}/hold", tasks.Hold),
    (rf"/ptytasks/api/tasks/{_REF}/move", tasks.Move),
    (rf"/ptytasks/api/tasks/{_REF}/stop", tasks.Stop),
    (rf"/ptytasks/api/tasks/{_REF}/leftover", tasks.Leftover),
    (rf"/ptytasks/api/tasks/{_REF}/pause", tasks.Pause),
    (rf"/ptytasks/api/tasks/{_REF}/resume", tasks.Resume),
    (rf"/ptytasks/api/tasks/{_REF}/restart", tasks.Restart),
    (rf"/ptytasks/api/tasks/{_REF}/again", tasks.Again),
    (rf"/ptytasks/api/tasks/{_REF}/signal", tasks.SendSignal),
    (rf"/ptytasks/api/tasks/{_REF}/input", tasks.SendInput),
    (rf"/ptytasks/api/tasks/{_REF}/resize", tasks.Resize),
    (rf"/ptytasks/api/tasks/{_REF}/wait", tasks.Wait),
    (rf"/ptytasks/api/tasks/{_REF}/why", why.Why),
    (rf"/ptytasks/api/tasks/{_REF}/details", details.Details),
    (rf"/ptytasks/api/tasks/{_REF}/diff", details.Difference),
    (rf"/ptytasks/api/tasks/{_REF}/notes", details.Notes),
    (rf"/ptytasks/api/tasks/{_REF}/commands", shells.Commands),
    (rf"/ptytasks/api/tasks/{_REF}/exec", shells.Exec),
    (rf"/ptytasks/api/tasks/{_REF}/stats", stats.Stats),
    (rf"/ptytasks/api/tasks/{_REF}/metrics", metrics.Metrics),
    (rf"/ptytasks/api/tasks/{_REF}/screen", screen.Screen),
    (rf"/ptytasks/api/tasks/{_REF}/output", output.Output),
    (rf"/ptytasks/api/tasks/{_REF}/output/raw", output.RawOutput),
    (rf"/ptytasks/api/tasks/{_REF}/record", output.Record),
    (rf"/ptytasks/api/tasks/{_REF}/replay", replay.Replay),
    (rf"/ptytasks/api/tasks/{_REF}/result", results.Result),
    (rf"/ptytasks/api/tasks/{_REF}/export", archives.Export),
    (r"/ptytasks/api/import", archives.Import),
    (r"/ptytasks/api/search", search.Search),
    (r"/ptytasks/api/cleanup", cleanup.CleanUp),
    (r"/ptytasks/api/places", places.Places),
    (r"/ptytasks/api/places/([^/]+)/options", places.PlaceOptions),
    (r"/ptytasks/api/groups", groups.Groups),
    (rf"/ptytasks/api/groups/{_REF}", groups.OneGroup),
    (rf"/ptytasks/api/groups/{_REF}/pause", groups.PauseGroup),
    (rf"/ptytasks/api/groups/{_REF}/resume", groups.ResumeGroup),
    (rf"/ptytasks/api/groups/{_REF}/retry", groups.RetryGroup),
    (r"/ptytasks/api/sweeps", sweeps.Sweeps),
    (rf"/ptytasks/api/sweeps/{_REF}", sweeps.OneSweep),
    (rf"/ptytasks/api/sweeps/{_REF}/start", sweeps.StartSweep),
    (rf"/ptytasks/api/sweeps/{_REF}/retry", sweeps.RetrySweep),
    (rf"/ptytasks/api/sweeps/{_REF}/cancel", sweeps.CancelSweep),
    (r"/ptytasks/api/terminals", terminals.Terminals),
    (rf"/ptytasks/api/terminals/{_REF}", terminals.OneTerminal),
]

#: Attaching; see terminals.socket.
SOCKET_ROUTE = rf"/ptytasks/terminals/websocket/{_REF}"

#: For agents; described by the Model Context Protocol, not by openapi.yaml.
MCP_ROUTE: tuple[str, type[TaskHandler]] = (r"/ptytasks/mcp", mcp.Mcp)

#: After all others, or instead of them if terminals are disabled.
UNKNOWN_ROUTE: tuple[str, type[TaskHandler]] = (r"/ptytasks/api(?:/.*)?", other.Unknown)
OFF_ROUTE: tuple[str, type[TaskHandler]] = (r"/ptytasks/(?:api|terminals|mcp)(?:/.*)?", other.Off)
