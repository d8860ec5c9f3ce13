"""What all routes have in common: who may, JSON in and out, and the one place where our errors become HTTP's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

import pydantic
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin

from ..auth import Admission
from ...core.errors import BadRequest, PtyTasksError, ServiceFault
from ..terminals.websocket import AUTH_RESOURCE

if TYPE_CHECKING:
    from ...core.model import Task
    from ..manager import TaskManager
    from ..serialize import View

    Body = TypeVar("Body", bound=pydantic.BaseModel)


class TaskHandler(ExtensionHandlerMixin, Admission, APIHandler):
    """A route below `<base>/ptytasks/api`. Every verb carries `@web.authenticated @authorized` (a test looks)."""

    auth_resource = AUTH_RESOURCE

    @property
    def manager(self) -> TaskManager:
        """The tasks."""
        manager: TaskManager = self.settings["ptytasks_manager"]
        return manager

    @property
    def view(self) -> View:
        """How tasks are told."""
        view: View = self.settings["ptytasks_view"]
        return view

    def body(self, model: type[Body]) -> Body:
        """Give the request's body, checked; none is `{}`. Raises BadRequest that names the field to blame."""
        try:
            value = json.loads(self.request.body or b"{}")
        except ValueError as error:
            raise BadRequest(f"the body is not JSON: {error}") from error
        return check(model, value)

    def query(self, model: type[Body]) -> Body:
        """Give the request's query, checked, but for what is Jupyter's own. Raises BadRequest that names the field
        to blame.
        """
        value = {name: self.get_query_argument(name) for name in self.request.query_arguments if not _is_jupyters(name)}
        return check(model, value)

    def send(self, value: object, status: int = 200) -> None:
        """Answer with JSON."""
        self.set_status(status)
        self.finish(json.dumps(value))

    def send_task(self, task: Task, status: int = 200) -> None:
        """Answer with a task."""
        self.send(self.describe(task), status)

    def describe(self, task: Task) -> dict[str, Any]:
        """Give a task's JSON."""
        return self.view.describe(task)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with an error: `{code, message}`, with `field` where one is to blame."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, PtyTasksError):
            self.send(error.to_json(), error.status)
            return
        message = getattr(error, "log_message", None) or getattr(error, "reason", None) or self._reason
        self.send({"code": f"http_{status_code}", "message": message}, status_code)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log what is our fault, not what is the caller's."""
        if isinstance(value, PtyTasksError) and not isinstance(value, ServiceFault):
            self.log.debug("%s %s: %s", self.request.method, self.request.path, value)
        else:
            super().log_exception(typ, value, tb)


#: Query arguments that Jupyter Server reads itself.
_JUPYTERS = frozenset({"token", "no_track_activity", "_"})


def _is_jupyters(name: str) -> bool:
    """Tell whether a parameter is none of ours. JupyterLab appends the time as a name to get past caches."""
    return name in _JUPYTERS or name.isdigit()


def check(model: type[Body], value: object) -> Body:
    """Give `value` as `model`. Raises BadRequest that names the first field to blame."""
    try:
        return model.model_validate(value)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"] if not str(part).startswith(("function", "constrained")))
        message = first["msg"].removeprefix("Value error, ")
        raise BadRequest(f"{field}: {message}" if field else message, field=field or None) from error
