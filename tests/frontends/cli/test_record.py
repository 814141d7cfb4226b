"""`record export`: a run as a file, replayed into a terminal emulator."""

from __future__ import annotations

import json
from pathlib import Path

import pyte
import pytest

from tests.support.commandline import CommandLine
from tests.support.waiting import until

pytestmark = pytest.mark.one_daemon

DRAWS = (
    r"printf '\033[2J\033[5;10H\033[1;31mr\303\251d\033[0m'; sleep 0.4; printf '\033[7;1H%s' wide; sleep 0.4; "
    r"printf '\033[1Axyz\r\n'; exit 3"
)


def start(cli: CommandLine, *words: str) -> None:
    done = cli("run", "-d", "--name", "draws", *words, "--", "sh", "-c", DRAWS)
    assert done.code == 0, done.err
    until(lambda: json.loads(cli("ps", "--json").out)["processes"][0]["exit_code"] == 3, 15, "the end")


def test_a_recording_ends_in_the_screen_that_was_seen(real: CommandLine, tmp_path: Path) -> None:
    start(real, "--tty")
    file = tmp_path / "out.cast"
    done = real("record", "export", "draws", "-o", str(file))
    assert done.code == 0, done.err
    head, *events = map(json.loads, file.read_text().splitlines())
    replayed, seen = pyte.Screen(head["width"], head["height"]), pyte.Screen(80, 24)
    stream = pyte.Stream(replayed)
    for _, code, text in events:
        assert code == "o"
        stream.feed(text)
    pyte.ByteStream(seen).feed(real("logs", "draws", "--raw").out.encode())
    assert replayed.display == seen.display
    assert "réd" in replayed.display[4]
    times = [event[0] for event in events]
    assert times == sorted(times)
    assert times[-1] >= 0.25  # told to within a quarter of a second


def test_a_pipe_gets_the_recording_itself(real: CommandLine) -> None:
    start(real, "--no-tty")
    done = real("record", "export", "draws")
    assert json.loads(done.out.splitlines()[0])["version"] == 2


def test_a_file_that_cannot_be_written_is_named_and_none_is_left(real: CommandLine, tmp_path: Path) -> None:
    start(real, "--no-tty")
    done = real("record", "export", "draws", "-o", str(tmp_path / "no" / "x.cast"))
    assert done.code != 0
    assert "cannot be written" in done.err
    assert real("record", "export", "nobody", "-o", str(tmp_path / "y.cast")).code != 0
    assert not list(tmp_path.rglob("*.cast*"))
