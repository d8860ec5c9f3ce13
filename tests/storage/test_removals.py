"""Pending removals on other machines: found by their place, until they are done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.core.errors import InternalError
from jupyter_ptytasks.storage.removals import Removals

if TYPE_CHECKING:
    from pathlib import Path


def test_notes_are_found_by_their_place_until_they_are_done(tmp_path: Path) -> None:
    one = Removals(str(tmp_path / "data"))
    assert one.of("ssh:box") == []
    for place, task_id in (("ssh:box", "aaaaaaaa0002"), ("ssh:box", "aaaaaaaa0001"), ("ssh:other", "aaaaaaaa0003")):
        one.note(place, task_id)
    one.note("ssh:box", "aaaaaaaa0001")
    # As a crash leaves it: a draft, and a file that was torn.
    (tmp_path / "data/removals/aaaaaaaa0004.0123456789abcdef").write_text('{"place": "ssh:box"}')
    (tmp_path / "data/removals/aaaaaaaa0005").write_text('{"pla')
    other = Removals(str(tmp_path / "data"))
    assert other.of("ssh:box") == ["aaaaaaaa0001", "aaaaaaaa0002"]
    other.done(["aaaaaaaa0001", "aaaaaaaa0003"])
    one.done(["aaaaaaaa0001"])
    assert (one.of("ssh:box"), one.of("ssh:other")) == (["aaaaaaaa0002"], [])


def test_a_failed_note_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "removals").write_text("a file")
    with pytest.raises(InternalError):
        Removals(str(tmp_path)).note("ssh:box", "aaaaaaaa0001")
