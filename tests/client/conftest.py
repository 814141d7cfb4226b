"""A short runtime directory (socket paths end at 108 bytes) and a state directory for each test."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="wz", dir="/tmp")
    monkeypatch.setenv("WEZPARALLEL_RUNTIME_DIR", folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("WEZPARALLEL_SOCKET", raising=False)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
