"""The MCP server itself, built with the SDK: its tools, resources and description, without a transport."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import anyio.to_thread
import mcp_types as types
import pydantic
from mcp.server.extension import compose_tool_call_handler
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from .._version import __version__
from ..client.errors import ClientError, ConnectionLost, RequestFailed, ServerNotFound
from . import texts, tools
from .extension import TasksExtension

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server.context import HandlerResult, ServerRequestContext

    from ..client import Client
    from .tools import Answer, Here, Tool

_INSTRUCTIONS = (
    "Runs commands as named tasks of the user's Jupyter server, each in a terminal. Tasks outlive this session: list() "
    "finds those of earlier ones. Do not poll and do not sleep: run, wait and send return when a command ends or asks "
    "for something. The last line of each answer says what can be done next. Users see the same tasks in JupyterLab."
)
_SCHEME = "ptytask://"
#: The most tasks that are listed as resources, and the most lines of one.
_RESOURCES, _LINES = 50, 5000
#: The most concurrent calls. Each has a thread; most of them wait.
_THREADS = 64
_BY_NAME = {tool.name: tool for tool in tools.TOOLS}


class Service:
    """The handlers of an MCP server.

    Args:
        connect: opens a client for a call, which closes it.
        here: the defaults for starting commands.
    """

    def __init__(self, connect: Callable[[], Client], here: Here) -> None:
        self._connect = connect
        self._here = here
        self._threads = anyio.CapacityLimiter(_THREADS)

    def server(self) -> Server[dict[str, Any]]:
        """Return an MCP server, which can be run over any transport."""
        extension = TasksExtension(self.ask)
        server: Server[dict[str, Any]] = Server(
            "jupyter_ptytasks",
            version=__version__,
            title="Jupyter tasks",
            instructions=_INSTRUCTIONS,
            on_list_tools=self._list_tools,
            on_list_resources=self._list_resources,
            on_list_resource_templates=self._list_templates,
            on_read_resource=self._read_resource,
        )
        # This hook of the SDK allows the extension to return something other than a tool result.
        call = compose_tool_call_handler([extension], self._call_tool)
        server.add_request_handler("tools/call", types.CallToolRequestParams, call)
        server.extensions[extension.identifier] = extension.settings()
        for method in extension.methods():
            server.add_request_handler(method.method, method.params_type, method.handler)
        return server

    async def ask(self, do: Callable[[Client], Any]) -> Any:
        """Call `do` with a client, in a thread, and return its result. If this is canceled, the thread is abandoned."""

        def blocking() -> Any:
            with self._connect() as client:
                return do(client)

        return await anyio.to_thread.run_sync(blocking, abandon_on_cancel=True, limiter=self._threads)

    # -- tools --------------------------------------------------------------------------------------------------------

    async def _list_tools(
        self, _: ServerRequestContext[Any], __: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_told(tool) for tool in tools.TOOLS])

    async def _call_tool(self, _: ServerRequestContext[Any], params: types.CallToolRequestParams) -> HandlerResult:
        tool = _BY_NAME.get(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, f"there is no tool {params.name!r}")
        try:
            asked = tool.arguments.model_validate(params.arguments or {})
            answer: Answer = await self.ask(lambda client: tool.do(client, asked, self._here))
        except pydantic.ValidationError as error:
            return _refusal(_first(error))
        except tools.BadArguments as error:
            return _refusal(str(error))
        except ClientError as error:
            return _refusal(explained(error))
        return types.CallToolResult(content=[types.TextContent(text=answer.text)], _meta=_meta(answer))

    # -- resources ----------------------------------------------------------------------------------------------------

    async def _list_resources(
        self, _: ServerRequestContext[Any], __: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        page = await self._ask_for_resource(lambda client: client.list(limit=_RESOURCES))
        return types.ListResourcesResult(
            resources=[
                types.Resource(
                    uri=f"{_SCHEME}{task['id']}/output",
                    name=task["name"],
                    description=texts.state(task),
                    mime_type="text/plain",
                )
                for task in page["tasks"]
            ]
        )

    async def _list_templates(
        self, _: ServerRequestContext[Any], __: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        template = types.ResourceTemplate(
            uri_template=f"{_SCHEME}{{ref}}/output",
            name="output",
            description="The output of a task, by its id or name, as a terminal finally shows it.",
            mime_type="text/plain",
        )
        return types.ListResourceTemplatesResult(resource_templates=[template])

    async def _read_resource(
        self, _: ServerRequestContext[Any], params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        ref = ref_of(params.uri)
        text = await self._ask_for_resource(lambda client: client.output(ref, mode="tail", tail_lines=_LINES)["output"])
        contents = types.TextResourceContents(uri=params.uri, mime_type="text/plain", text=text)
        return types.ReadResourceResult(contents=[contents])

    async def _ask_for_resource(self, do: Callable[[Client], Any]) -> Any:
        try:
            return await self.ask(do)
        except ClientError as error:
            missing = isinstance(error, RequestFailed) and error.http_status == 404
            raise MCPError(types.INVALID_PARAMS if missing else types.INTERNAL_ERROR, explained(error)) from error


def ref_of(uri: str) -> str:
    """Return the task of a resource. Raises MCPError."""
    ref, slash, rest = uri.removeprefix(_SCHEME).partition("/")
    if not uri.startswith(_SCHEME) or (slash + rest) != "/output":
        raise MCPError(types.INVALID_PARAMS, f"{uri} is not of the form {_SCHEME}{quote('{ref}')}/output")
    return unquote(ref)


def _told(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.schema,
        annotations=types.ToolAnnotations(
            title=tool.title, read_only_hint=tool.read_only, destructive_hint=tool.destructive, open_world_hint=False
        ),
    )


def _meta(answer: Answer) -> dict[str, Any] | None:
    """Return structured data for programs, which costs no tokens. The extension uses it, too."""
    return None if answer.task is None else {"ptytask": {"id": answer.task["id"], "state": answer.task["state"]}}


def _refusal(text: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text=text)], is_error=True)


def _first(error: pydantic.ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": ")


def explained(error: ClientError) -> str:
    """Return an error for an agent: the problem, and what to do."""
    if isinstance(error, (ServerNotFound, ConnectionLost)):
        return f"{error}\nTasks keep running without the server. When it is available again: list()."
    if error.code == "password_wanted":
        return texts.NEVER_TYPED
    hints = {
        "task_not_found": "list() shows all tasks.",
        "name_in_use": 'Choose another name, or if_exists="return", "restart" or "new".',
        "not_waiting": "The program does not wait for input now: wait(ref) until it does, or send with force=true.",
        "invalid_state": "read(ref) shows its state and output.",
    }
    return f"{error.message}\n{hints.get(error.code, error.hint)}".rstrip()
