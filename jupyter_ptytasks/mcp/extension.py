"""The tasks extension of MCP (io.modelcontextprotocol/tasks, 2026-07-28): a long `run` is returned as an MCP task.

The MCP task has the id of our task, so it outlives every connection. Clients that do not declare the extension never
get one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mcp_types as types
from mcp.server.extension import Extension, MethodBinding
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from ..client.errors import ClientError, RequestFailed
from ..client.outcome import has_ended
from . import texts, tools

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

    from ..client import Client
    from ..client.types import Task

IDENTIFIER = "io.modelcontextprotocol/tasks"
_POLL = 2000
#: The MCP error code for clients that lack a capability that a method requires.
_MISSING_CAPABILITY = -32021


class TaskParams(types.RequestParams):
    """The parameters of `tasks/get` and `tasks/cancel`."""

    task_id: str


class UpdateParams(TaskParams):
    """The parameters of `tasks/update`."""

    input_responses: dict[str, dict[str, Any]]


class TasksExtension(Extension):
    """Maps our tasks to MCP tasks. `ask` calls a function with a client, in a thread."""

    identifier = IDENTIFIER

    def __init__(self, ask: Callable[[Callable[[Client], Any]], Awaitable[Any]]) -> None:
        self._ask = ask

    def methods(self) -> Sequence[MethodBinding]:
        """Return the methods that the extension adds."""
        versions = frozenset(MODERN_PROTOCOL_VERSIONS)
        return (
            MethodBinding("tasks/get", TaskParams, self._get, versions),
            MethodBinding("tasks/update", UpdateParams, self._update, versions),
            MethodBinding("tasks/cancel", TaskParams, self._cancel, versions),
        )

    async def intercept_tool_call(
        self, params: types.CallToolRequestParams, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        """Return an MCP task for a `run` that has not ended after its `wait`, if the client declares the extension.

        With a `wait` of 0, the client does not want to wait for the end.
        """
        result = await call_next(ctx)
        wants_end = (params.arguments or {}).get("wait") != 0
        if params.name != "run" or not wants_end or not _is_declared(ctx):
            return result
        started = isinstance(result, types.CallToolResult) and result.meta and result.meta.get("ptytask")
        if not started:
            return result
        task: Task = await self._asked(lambda client: client.get(started["id"]))
        return result if has_ended(task) else {**_described(task), "resultType": "task"}

    async def _get(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> HandlerResult:
        _require(ctx)
        task: Task = await self._asked(lambda client: client.get(params.task_id))
        told = _described(task)
        if told["status"] == "completed":
            asked = tools.Read.model_validate({"ref": task["id"]})
            answer = await self._asked(lambda client: tools.read(client, asked, tools.Here()))
            told["result"] = {
                "content": [{"type": "text", "text": answer.text}],
                "isError": task["state"] != "succeeded",
            }
        elif told["status"] == "input_required":
            told["inputRequests"] = {_key(task): _question(task)}
        return told

    async def _update(self, ctx: ServerRequestContext[Any, Any], params: UpdateParams) -> HandlerResult:
        _require(ctx)
        task: Task = await self._asked(lambda client: client.get(params.task_id))
        response = params.input_responses.get(_key(task)) if _status(task) == "input_required" else None
        if response is not None and response.get("action") == "accept":
            text = str((response.get("content") or {}).get("answer", ""))
            await self._asked(lambda client: client.send_input(task["id"], text, newline=True, only_if_waiting=True))
        return {}

    async def _cancel(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> HandlerResult:
        _require(ctx)
        task: Task = await self._asked(lambda client: client.get(params.task_id))
        if not has_ended(task):
            await self._asked(lambda client: client.stop(task["id"]))
        return {}

    async def _asked(self, do: Callable[[Client], Any]) -> Any:
        try:
            return await self._ask(do)
        except ClientError as error:
            missing = isinstance(error, RequestFailed) and error.http_status == 404
            raise MCPError(types.INVALID_PARAMS if missing else types.INTERNAL_ERROR, error.message) from error


def _is_declared(ctx: ServerRequestContext[Any, Any]) -> bool:
    """Return whether the client declares the extension with this request."""
    capabilities = ctx.session.client_capabilities
    return (
        ctx.protocol_version in MODERN_PROTOCOL_VERSIONS
        and capabilities is not None
        and IDENTIFIER in (capabilities.extensions or {})
    )


def _require(ctx: ServerRequestContext[Any, Any]) -> None:
    if not _is_declared(ctx):
        needed: dict[str, Any] = {"requiredCapabilities": {"extensions": {IDENTIFIER: {}}}}
        raise MCPError(_MISSING_CAPABILITY, "Missing required client capability", needed)


def _status(task: Task) -> str:
    if has_ended(task):
        # A failed command is a completed tool call with an error as its result.
        return "cancelled" if task["state"] == "cancelled" else "completed"
    # Never ask an agent's client for a password: it is typed in the terminal.
    return "input_required" if task["waiting"] is not None and task["waiting"]["kind"] == "line" else "working"


def _described(task: Task) -> dict[str, Any]:
    return {
        "taskId": task["id"],
        "status": _status(task),
        "statusMessage": f"{texts.state(task)}. {texts.next_step(task)}",
        "createdAt": task["created"],
        "lastUpdatedAt": task["ended"] or task["last_activity"],
        "ttlMs": None,
        "pollIntervalMs": _POLL,
    }


def _key(task: Task) -> str:
    """Return the key of a task's question, which is unique because questions begin at different times."""
    waits = task["waiting"]
    return "" if waits is None else f"{task['attempt']}-{waits['since']}"


def _question(task: Task) -> dict[str, Any]:
    waits = task["waiting"]
    assert waits is not None  # asked only if it waits
    return {
        "method": "elicitation/create",
        "params": {
            "mode": "form",
            "message": f"{task['name']} asks: {waits['prompt'].strip()}",
            "requestedSchema": {
                "type": "object",
                "properties": {"answer": {"type": "string", "title": waits["prompt"].strip() or "Answer"}},
                "required": ["answer"],
            },
        },
    }
