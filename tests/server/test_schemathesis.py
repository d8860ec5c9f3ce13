"""docs/openapi.yaml tested with schemathesis on a real server: valid and invalid requests to every route get documented
responses. `PTYTASKS_EXAMPLES=200` sends more.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.client.live import LiveServer
from tests.server.test_contract import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_ptytasks.client import Client


@schemathesis.serializer("application/gzip")
def archived(_: object, value: object) -> bytes:
    """Return a body that is no archive."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


SCHEMA = schemathesis.openapi.from_path(ROOT / "docs" / "openapi.yaml")
OPERATIONS = {found.ok().label: found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)}
EXAMPLES = int(os.environ.get("PTYTASKS_EXAMPLES", "5"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server whose shell does nothing, whatever line it is given."""
    home = tmp_path_factory.mktemp("schemathesis").resolve() / "home"
    server = LiveServer(home, '--PtyTasksApp.shell_command=["/bin/true"]', "--PtyTasksApp.stop_grace=0.1").start()
    yield server
    server.stop()
    assert "Traceback" not in (home / "server.log").read_text()


@pytest.fixture(scope="module")
def client(live: LiveServer) -> Iterator[Client]:
    with live.client() as client:
        yield client


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["positive", "negative"])
@pytest.mark.parametrize("label", OPERATIONS)
def test_every_answer_is_as_the_document_says(live: LiveServer, client: Client, label: str, mode: Any) -> None:
    operation = OPERATIONS[label]
    if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query):
        pytest.skip("there is nothing to say wrong")
    given_here: dict[str, Any] = {"path_parameters": {}} if "{ref}" not in label else {}
    if label.endswith("/wait"):
        given_here["query"] = {"timeout": "0.01"}

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.data())
    def ask(data: Any) -> None:
        if "{ref}" in label:
            # To an id that there was, in most cases: there it is where something may go wrong.
            ref = data.draw(st.sampled_from(["live", "live", "done", "..", "nobody", "\ufdd0"]))
            client.create(["sleep", "1000"], name="live", if_exists="return")
            if not client.list(name="done", limit=1)["tasks"]:
                client.create(["true"], name="done")
            if "/sweeps/" in label and not client.list(sweep="live", limit=1)["tasks"]:
                client.create_sweep(["true", "{x}"], {"x": [1, 2]}, name="live")
            given_here["path_parameters"] = {"ref": ref}
        case = data.draw(operation.as_strategy(mode, **given_here))
        case.call_and_validate(base_url=live.url, headers={"Authorization": f"token {live.token}"}, checks=CHECKS)

    ask()
