"""Small files are complete or missing, and private."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from jupyter_ptytasks.core.files import read_json, write_json

if TYPE_CHECKING:
    from pathlib import Path


def test_only_the_users_own_files_are_read(tmp_path: Path) -> None:
    path = str(tmp_path / "a.json")
    write_json(path, {"secret": "🎉"}, durable=True)
    assert read_json(path) == {"secret": "🎉"}
    if os.name == "posix":  # elsewhere a file has no mode
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_a_failed_write_leaves_the_old_file_and_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "a.json")
    write_json(path, {"old": 1})

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="No space"):
        write_json(path, {"new": 1})
    assert read_json(path) == {"old": 1}
    assert os.listdir(tmp_path) == ["a.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b'{"a": '])
def test_garbage_is_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    assert read_json(str(path)) is None
    assert read_json(str(tmp_path / "missing.json")) is None
