"""What outlives the program that sends."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from wezparallel.integrations.notify import memory
from wezparallel.integrations.notify.rules import Held, of_test

MESSAGE = of_test("1", "phone")


def test_what_was_kept_is_read_again_by_its_user_only(tmp_path: Path) -> None:
    path = tmp_path / "notifications.json"
    waiting = (memory.Waiting("phone", 12.5, MESSAGE),)
    held = (Held("slow", "waiting", "shop/claude", 99.5, {"name": "process.notified", "seq": 7, "data": {}}),)
    kept = memory.Memory(41, "e-1", waiting, held)
    memory.save(str(path), kept)
    assert memory.load(str(path)) == kept
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["notifications.json"]


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"format": 9}', '{"format": 1, "waiting": [[1]]}'])
def test_a_file_that_is_none_of_ours_is_as_none(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "notifications.json"
    if text is not None:
        path.write_text(text)
    assert memory.load(str(path)) == memory.Memory()


def test_a_folder_that_is_not_there_costs_nothing_but_the_memory(tmp_path: Path) -> None:
    memory.save(str(tmp_path / "gone" / "x.json"), memory.Memory(1, "e-1"))
    assert list(tmp_path.iterdir()) == []
