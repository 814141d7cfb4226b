"""The program that draws screens: what it keeps, and what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.logs import RUN_ID, T
from wezparallel.hub.screens.__main__ import MOST_KEPT, Screens, reply
from wezparallel.wire.logfile import LogWriter


def write(folder: Path, data: bytes, size: tuple[int, int] = (4, 20)) -> dict[str, Any]:
    """Write a log; return a question for its screen."""
    writer = LogWriter(os, str(folder), 64 << 20)
    writer.run(RUN_ID, T)
    writer.resize(*size, T)
    writer.append(3, data, T)
    writer.close()
    return {"process_id": folder.name, "folder": str(folder), "format": "json", "seen": None, "memory": None}


def test_a_picture_over_a_line_s_limit_is_refused_and_its_text_is_not(tmp_path: Path) -> None:
    cells = b"".join(b"\x1b[38;2;%d;1;2;48;2;%d;4;5m#" % (i % 251, i % 241) for i in range(60 * 400))
    question = write(tmp_path / "it", cells, (60, 400))
    screens = Screens()
    error = json.loads(reply(screens, question))["error"]
    assert error["code"] == "wire.too_long"
    assert "`text`" in error["message"]
    assert "#" in json.loads(reply(screens, question | {"format": "text"}))["ok"]["text"]


def test_not_all_pictures_are_kept_for_ever(tmp_path: Path) -> None:
    screens = Screens()
    for number in range(MOST_KEPT + 3):
        screens.answer(write(tmp_path / f"p{number}", b"hello"))
    assert len(screens._kept) == MOST_KEPT
    assert screens.answer(write(tmp_path / "p0", b""))["lines"][0] == [{"text": "hello"}]


def test_who_knows_the_hasty_picture_gets_the_whole_one_when_it_is_quiet(tmp_path: Path) -> None:
    question = write(tmp_path / "it", b"\x1b[Hstays\x1b[2;1H")
    screens = Screens()
    seen = screens.answer(question)["offset"]
    write(tmp_path / "it", b"\rmoves" * 40_000)
    hasty = screens.answer(question | {"seen": seen})
    assert hasty["lines"][:2] == [[{"text": "moves"}], []]
    whole = screens.answer(question | {"seen": hasty["offset"]})
    assert whole["offset"] == hasty["offset"]
    assert whole["lines"][:2] == [[{"text": "stays"}], [{"text": "moves"}]]
    assert "lines" not in screens.answer(question | {"seen": whole["offset"]})


def test_it_answers_in_turn_and_ends_with_its_asker(tmp_path: Path) -> None:
    questions = [write(tmp_path / name, name.encode()) for name in ("one", "two")]
    questions.insert(1, questions[0] | {"folder": str(tmp_path / "none"), "process_id": "none"})
    done = subprocess.run(
        [sys.executable, "-m", "wezparallel.hub.screens"], input="".join(json.dumps(q) + "\n" for q in questions),
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    first, refused, second = map(json.loads, done.stdout.splitlines())
    assert first["ok"]["lines"][0] == [{"text": "one"}]
    assert refused["error"]["code"] == "log.expired"
    assert second["ok"]["lines"][0] == [{"text": "two"}]


def test_it_loads_nothing_heavy() -> None:
    code = "import sys, wezparallel.hub.screens.__main__; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert not {"pydantic", "anyio", "asyncio", "structlog"} & set(done.stdout.split())
