"""A short runtime directory (socket paths end at 108 bytes), a keeper and terminals for each test that wants them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.viewing import HeldKeeper, Pane, held_keeper


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="wz", dir="/tmp")
    monkeypatch.setenv("WEZPARALLEL_RUNTIME_DIR", folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("WEZPARALLEL_SOCKET", raising=False)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[HeldKeeper]:
    with held_keeper(tmp_path) as held:
        yield held


@pytest.fixture
def pane() -> Iterator[Pane]:
    one = Pane()
    yield one
    one.close()


@pytest.fixture
def second() -> Iterator[Pane]:
    one = Pane()
    yield one
    one.close()
