"""Metrics for operators on Jupyter Server's /metrics."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.client.live import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.client.live import LiveServer


def scraped(server: LiveServer) -> dict[str, float]:
    """Return the numbers of ours, by name and labels."""
    request = urllib.request.Request(f"{server.url}metrics", headers={"Authorization": f"token {server.token}"})
    with urllib.request.urlopen(request) as answer:
        text = answer.read().decode()
    lines = re.findall(r"^(ptytasks_\S+) (\S+)$", text, re.MULTILINE)
    assert len(dict(lines)) == len(lines), "each once"
    return {name: float(value) for name, value in lines}


def test_numbers_and_no_names(start_server: Callable[..., LiveServer]) -> None:
    server = start_server()
    with server.client() as client:
        client.create("sleep 1000", name="secret")
        client.set_group("one", slots=0)
        client.create("true", group="one")
        for command in ("printf %1000s", "exit 3"):
            client.wait(client.create(command)["id"], 30)
        until(lambda: scraped(server)["ptytasks_storage_bytes"] > 1000, "the sizes")
        found = scraped(server)
        assert found['ptytasks_tasks{state="running"}'] == found['ptytasks_tasks{state="queued"}'] == 1
        assert found["ptytasks_queue_waiting"] == 1
        assert found['ptytasks_ends_total{state="succeeded"}'] == found['ptytasks_ends_total{state="failed"}'] == 1
        assert found["ptytasks_output_bytes_total"] == 1000
        assert not any("secret" in name or "one" in name for name in found)
        # A server counts what it has seen.
        server.kill9()
        server.start()
        until(lambda: scraped(server)['ptytasks_tasks{state="running"}'] == 1, "the tasks")
        found = scraped(server)
        assert found["ptytasks_output_bytes_total"] == found['ptytasks_ends_total{state="succeeded"}'] == 0
        assert found['ptytasks_tasks{state="succeeded"}'] == 1
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{server.url}metrics")
