"""The base of all routes: authorization, JSON requests and responses, and the mapping of errors to HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import pydantic
from jupyter_server.auth.decorator import allow_unauthenticated, authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from tornado import web

from ...core import strict_json
from ...core.errors import BadRequest, Disabled, InternalError, PtyTasksError, TooLarge, shortage
from ...core.names import did_you_mean
from ...core.paths import CALL_MAX
from ..auth import AUTH_RESOURCE, LocalTokenMixin

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Literal

    from pydantic_core import ErrorDetails

    from ...core.model import Task
    from ..control import Control
    from ..launching import Launcher
    from ..pending import Pending
    from ..queueing import Queue
    from ..removing import Remover
    from ..serialize import TaskSerializer
    from ..stopping import Stopper
    from ..talking import Talker
    from .bodies import TaskOptions

    Content = TypeVar("Content", bound=pydantic.BaseModel)
    WithFunction = TypeVar("WithFunction", bound=TaskOptions)
    Method = TypeVar("Method", bound=Callable[..., Awaitable[None]])
    Action = Literal["read", "write", "execute"]

#: Largest body in bytes: no kernel accepts a command and environment of this size.
BODY_MAX = 4 << 20
#: The HTTP methods that handlers implement; HEAD follows from GET, and OPTIONS is the same for all.
METHODS = ("get", "post", "patch", "put", "delete")


def needs(action: Action) -> Callable[[Method], Method]:
    """Require authentication and permission for a method of a TaskHandler.

    Args:
        action: what Jupyter's authorizer must allow on terminals: `execute` to run or type something, `write` for other
            changes, `read` for the rest.
    """

    def check(method: Method) -> Method:
        checked: Any = web.authenticated(authorized(action)(method))
        checked.needs = action
        return checked  # type: ignore[no-any-return]  # the decorated method

    return check


class TaskHandler(ExtensionHandlerMixin, LocalTokenMixin, APIHandler):
    """A route below `<base>/ptytasks/api`. Every method must be decorated with `needs`."""

    auth_resource = AUTH_RESOURCE

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in METHODS:
            if name in vars(cls) and not hasattr(vars(cls)[name], "needs"):
                raise TypeError(f"{cls.__name__}.{name} is not decorated with `needs`")

    @property
    def control(self) -> Control:
        """The verbs for existing tasks."""
        control: Control = self.settings["ptytasks_control"]
        return control

    @property
    def stopper(self) -> Stopper:
        """The verbs that end tasks."""
        stopper: Stopper = self.settings["ptytasks_stopper"]
        return stopper

    @property
    def remover(self) -> Remover:
        """The verb that deletes tasks."""
        remover: Remover = self.settings["ptytasks_remover"]
        return remover

    @property
    def talker(self) -> Talker:
        """The verbs that reach the program of a task."""
        talker: Talker = self.settings["ptytasks_talker"]
        return talker

    @property
    def pending(self) -> Pending:
        """The verbs for pending tasks."""
        pending: Pending = self.settings["ptytasks_pending"]
        return pending

    @property
    def launcher(self) -> Launcher:
        """The verbs that start tasks."""
        launcher: Launcher = self.settings["ptytasks_launcher"]
        return launcher

    @property
    def queue(self) -> Queue:
        """The groups and pending tasks."""
        queue: Queue = self.settings["ptytasks_queue"]
        return queue

    @property
    def serializer(self) -> TaskSerializer:
        """Converts tasks to JSON."""
        serializer: TaskSerializer = self.settings["ptytasks_serializer"]
        return serializer

    # -- requests ----------------------------------------------------------------------------------------------------

    def body(self, model: type[Content], limit: int = BODY_MAX) -> Content:
        """Return the validated body; an empty one counts as `{}`.

        Raises:
            BadRequest: it is not valid; `field` names the part at fault.
            TooLarge: it has more than `limit` bytes.
        """
        if len(self.request.body) > limit:
            raise TooLarge(f"the body has {len(self.request.body)} bytes; the limit is {limit}")
        value = strict_json.decode(self.request.body or b"{}")
        if not isinstance(value, dict):
            raise BadRequest("the body must be a JSON object")
        return check(model, value)

    def body_with_function(self, model: type[WithFunction]) -> WithFunction:
        """Return the same for a body with a base64-encoded function; the usual limit applies to the rest."""
        body = self.body(model, BODY_MAX + CALL_MAX * 3 // 2)
        if len(self.request.body) - len(body.function or "") > BODY_MAX:
            raise TooLarge(f"the body has {len(self.request.body)} bytes; without a function the limit is {BODY_MAX}")
        return body

    def query(self, model: type[Content]) -> Content:
        """Return the validated query, without the parameters of Jupyter Server. Raises BadRequest."""
        value = {name: self.get_query_argument(name) for name in self.request.query_arguments if not _is_jupyters(name)}
        return check(model, value)

    # -- responses ----------------------------------------------------------------------------------------------------

    def send(self, value: object, status: int = 200) -> None:
        """Respond with JSON."""
        self.send_encoded(strict_json.encode(value), status)

    def send_encoded(self, content: bytes, status: int = 200) -> None:
        """Respond with encoded JSON."""
        self.set_status(status)
        self.finish(content)

    def send_nothing(self) -> None:
        """Respond with 204 (no content)."""
        self.set_status(204)
        self.finish()

    def send_task(self, task: Task, status: int = 200) -> None:
        """Respond with a task."""
        self.send(self.to_json(task), status)

    def to_json(self, task: Task) -> dict[str, Any]:
        """Return a task's JSON."""
        return self.serializer.to_json(task)

    # -- methods that follow from the others --------------------------------------------------------------------------

    @web.authenticated
    async def head(self, *args: str) -> None:
        """Respond like GET; tornado leaves out the body."""
        answered = self.get(*args)
        assert answered is not None  # all of ours are coroutines; a handler without one raises 405
        await answered

    @allow_unauthenticated
    def options(self, *args: str) -> None:
        """Respond to a CORS preflight request with the methods of this route."""
        super().options(*args)
        self.set_header("Access-Control-Allow-Methods", self._allowed())
        self.set_header("Allow", self._allowed())
        self.send_nothing()

    def _allowed(self) -> str:
        own = [name.upper() for name in METHODS if hasattr(getattr(self, name), "needs")]
        return ", ".join([*own, *(["HEAD"] if "GET" in own else []), "OPTIONS"])

    # -- errors -------------------------------------------------------------------------------------------------------

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Respond with an error: `{code, message}`, and `field` if one is at fault."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        ours = error if isinstance(error, PtyTasksError) else error and shortage(error)
        if ours:
            self.send(ours.to_json(), ours.status)
            return
        if status_code == 405:
            self.set_header("Allow", self._allowed())
        message = (isinstance(error, web.HTTPError) and _message(error)) or self._reason
        self.send({"code": f"http_{status_code}", "message": message}, status_code)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log server errors, known ones in one line; log client errors at debug level."""
        ours = value if isinstance(value, PtyTasksError) else shortage(value)
        if ours is None:
            super().log_exception(typ, value, tb)
        elif isinstance(ours, InternalError) and not isinstance(ours, Disabled):
            self.log.warning("%s %s: %s", self.request.method, self.request.path, ours.message)
        else:
            self.log.debug("%s %s: %s", self.request.method, self.request.path, ours.message)


def _message(error: web.HTTPError) -> str:
    return error.log_message % error.args if error.log_message else error.reason or ""


#: Query arguments that Jupyter Server reads itself.
_JUPYTERS = frozenset({"token", "no_track_activity", "_"})


def _is_jupyters(name: str) -> bool:
    """Return whether a parameter belongs to Jupyter. JupyterLab appends the time as a name to bypass caches."""
    return name in _JUPYTERS or name.isdigit()


def check(model: type[Content], value: object) -> Content:
    """Validate `value` as `model`. Raises BadRequest with the first field at fault."""
    try:
        return model.model_validate(value)
    except pydantic.ValidationError as error:
        first = _telling(error.errors(include_url=False, include_input=False))
        field = _field(first["loc"])
        message = _said(first, model)
        raise BadRequest(f"{field}: {message}" if field else message, field=field or None) from error


def _telling(errors: list[ErrorDetails]) -> ErrorDetails:
    """Return the error to report: of the first field, preferably one that is not about the type of its value."""
    of_first = [one for one in errors if one["loc"][:1] == errors[0]["loc"][:1]]
    return min(of_first, key=lambda one: one["type"].endswith("_type"))


def _said(error: ErrorDetails, model: type[pydantic.BaseModel]) -> str:
    place = error["loc"]
    if error["type"] == "extra_forbidden":
        name = str(place[-1])
        if len(place) > 1:
            return "there is no such field"
        if name in (elsewhere := getattr(model, "elsewhere", {})):
            return f"there is no such field; {elsewhere[name]}"
        known = [field.alias or name for name, field in model.model_fields.items()]
        return f"there is no such field{did_you_mean(name, known)}"
    if error["type"] in ("string_too_short", "too_short") and error["ctx"]["min_length"] == 1:
        return "must not be empty"
    if error["type"] == "string_too_long":
        return f"must have at most {error['ctx']['max_length']} characters"
    return error["msg"].removeprefix("Value error, ")


def _field(place: tuple[int | str, ...]) -> str:
    # A command and the values of a parameter may have several types, which pydantic adds to the location.
    named = {"command": 1, "params": 2}.get(str(place[0]) if place else "", len(place))
    parts = [part for part in place[named:] if isinstance(part, int)]
    return ".".join(str(part) for part in (*place[:named], *parts))
