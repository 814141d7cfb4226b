"""A process's log, played into a terminal: whole, piece by piece, or its end alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.logs import RUN_ID, T
from wezparallel.hub.screens.replaying import Replay
from wezparallel.wire import screenshot
from wezparallel.wire.logfile import LogWriter
from wezparallel.wire.logformat import STDOUT, TTY
from wezparallel.wire.logreader import LogReader

OTHER_RUN = "11" * 16


class Log:
    """A log that is written and looked at."""

    def __init__(self, folder: Path) -> None:
        self.writer = LogWriter(os, str(folder), 1 << 20, 1 << 16)
        self.reader = LogReader(os, str(folder))
        self.replay = Replay(tail=4096, flood=1024)
        self.now = T

    def begin(self, run_id: str = RUN_ID, size: tuple[int, int] = (4, 20)) -> None:
        self.now += 1000
        self.writer.run(run_id, self.now)
        self.writer.resize(*size, self.now)

    def write(self, data: bytes, stream: int = TTY) -> None:
        self.now += 1000
        self.writer.append(stream, data, self.now)

    def look(self, *, hasty: bool = False) -> str:
        assert self.replay.catch_up(self.reader, hasty=hasty)
        return screenshot.text(self.replay.terminal).rstrip("\n")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    one = Log(tmp_path / "log")
    yield one
    one.reader.close()
    one.writer.close()


def test_a_process_that_never_ran_has_no_screen(log: Log) -> None:
    assert not log.replay.catch_up(log.reader)


def test_a_run_without_a_word_has_an_empty_screen_of_its_size(log: Log) -> None:
    log.begin(size=(7, 33))
    assert log.look() == ""
    assert (log.replay.terminal.rows, log.replay.terminal.columns) == (7, 33)


def test_a_later_look_plays_what_has_come_since(log: Log) -> None:
    log.begin()
    log.write(b"one \x1b[3")
    assert log.look() == "one"
    before = log.replay.terminal
    log.write(b"1mtwo")
    assert log.look() == "one two"
    assert log.replay.terminal is before
    assert log.replay.terminal.grid.styles[0][4][0] == 1
    assert log.replay.offset == log.reader.end


def test_another_run_begins_with_an_empty_screen(log: Log) -> None:
    log.begin()
    log.write(b"old")
    assert log.look() == "old"
    log.begin(OTHER_RUN)
    assert log.look() == ""
    log.write(b"new")
    assert log.look() == "new"
    assert log.replay.run_id == OTHER_RUN


def test_of_several_runs_the_latest_is_seen(log: Log) -> None:
    log.begin()
    log.write(b"old")
    log.begin(OTHER_RUN, (5, 30))
    log.write(b"new")
    assert log.look() == "new"
    assert log.replay.terminal.columns == 30
    assert log.replay.is_whole


def test_a_new_size_holds_from_where_it_came_on(log: Log) -> None:
    log.begin(size=(4, 8))
    log.write(b"0123456789")
    log.writer.resize(4, 20, log.now)
    log.write(b"\r\n0123456789")
    assert log.look() == "01234567\n89\n0123456789"
    log.writer.resize(2, 20, log.now)
    assert log.look() == "89\n0123456789"


def test_on_pipes_lines_begin_at_the_left(log: Log) -> None:
    log.begin()
    log.write(b"one\ntwo\n", STDOUT)
    assert log.look() == "one\ntwo"


def test_of_a_long_run_the_end_is_played(log: Log) -> None:
    log.begin()
    log.write(b"".join(b"line %d\r\n" % number for number in range(2000)))
    assert log.look() == "line 1997\nline 1998\nline 1999"
    assert not log.replay.is_whole


def test_modes_from_before_the_end_are_in_force(log: Log) -> None:
    log.begin()
    log.write(b"below\x1b[?1049h\x1b[?25l\x1b]0;title\x07")
    log.write(b"\x1b[H" + b"x" * 9000 + b"\r\n\x1b[2J\x1b[Htop")
    assert log.look() == "top"
    terminal = log.replay.terminal
    assert (terminal.alternate, terminal.cursor_visible, terminal.title) == (True, False, "title")


def test_a_size_from_before_the_end_is_in_force(log: Log) -> None:
    log.begin()
    log.write(b"first")
    log.writer.resize(3, 12, log.now)
    log.write(b"line\r\n" * 2000)
    log.look()
    assert (log.replay.terminal.rows, log.replay.terminal.columns) == (3, 12)


def test_a_flood_between_two_looks_is_passed_over(log: Log) -> None:
    log.begin()
    log.write(b"one\x1b[?25l")
    assert log.look() == "one"
    log.write(b"line\r\n" * 3000 + b"last")
    assert log.look().endswith("last")
    assert not log.replay.terminal.cursor_visible
    assert not log.replay.is_whole


def test_who_looks_all_the_time_gets_of_a_flood_its_end_until_it_is_quiet(log: Log) -> None:
    log.begin()
    log.write(b"\x1b[Hstays")
    assert log.look(hasty=True) == "stays"
    log.write(b"\x1b[2;1H" + b"\rmoves" * 400)
    assert log.look(hasty=True) == "moves"
    assert not log.replay.is_whole
    assert not log.replay.began_anew
    assert log.look(hasty=True) == "stays\nmoves"
    assert log.replay.began_anew  # else who knows the picture of this offset would not get this one
    assert log.replay.is_whole
    log.look(hasty=True)
    assert not log.replay.began_anew


def test_who_looks_once_gets_all_of_it(log: Log) -> None:
    log.begin()
    log.write(b"\x1b[Hstays")
    log.look()
    log.write(b"\x1b[2;1H" + b"\rmoves" * 400)
    assert log.look(hasty=True) == "moves"
    log.write(b"\rshakes")
    assert log.look() == "stays\nshakes"


def test_of_very_many_short_lines_the_last_ones_are_played(log: Log) -> None:
    log.replay = Replay(tail=1 << 16)
    log.begin()
    log.write(b"y\r\n" * 60_000 + b"last")
    assert log.look() == "y\ny\ny\nlast"
    assert not log.replay.is_whole


def test_a_run_whose_beginning_has_expired_is_not_whole(log: Log) -> None:
    log.begin()
    for _ in range(40):
        log.write(b"line\r\n" * 8000)
    assert log.reader.start > 0
    log.replay = Replay(tail=64 << 20)
    assert log.look() == "line\nline\nline"
    assert not log.replay.is_whole


def test_a_log_that_was_removed_and_begun_again_is_played_anew(log: Log) -> None:
    log.begin()
    log.write(b"old and longer")
    assert log.look() == "old and longer"
    folder = Path(log.reader._directory)
    log.writer.remove()
    log.writer.close()
    log.reader.close()
    kept = log.replay
    log.__init__(folder)  # type: ignore[misc]
    log.replay = kept
    log.begin(OTHER_RUN)
    log.write(b"new")
    assert log.look() == "new"
