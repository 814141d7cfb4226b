"""The log of a process: its writer and reader on real files, and on a disk that is full."""

from __future__ import annotations

import os
import struct
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wezparallel.wire.logfile import LogWriter
from wezparallel.wire.logformat import (
    DELETED,
    EXIT,
    LOST,
    RECORD,
    RESIZE,
    RUN,
    STDERR,
    STDOUT,
    STEP_MS,
    TTY,
    exit_of,
    list_segments,
    run_id_of,
    segment_path,
)
from wezparallel.wire.logreader import Chunk, LogExpiredError, LogReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

RUN_ID = "00ff" * 8
BIG = 1 << 30
T = 1_700_000_000_000


class Disk:
    """The real file functions, with a disk that can be full: `space` bytes may still be written."""

    def __init__(self) -> None:
        self.space: int | None = None
        self.at_once: int | None = None
        self.writes = 0
        self.may_open = True
        self.may_unlink = True
        self.before_open: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, path: str, flags: int, mode: int = 0o777) -> int:
        if self.before_open is not None:
            self.before_open(path)
        if not self.may_open and flags & os.O_CREAT:
            raise OSError(24, "too many open files")
        return os.open(path, flags, mode)

    def write(self, fd: int, data: Any) -> int:
        self.writes += 1
        if self.space is None:
            return os.write(fd, data if self.at_once is None else memoryview(data)[: self.at_once])
        part = memoryview(data)[: self.space]
        if not part:
            raise OSError(28, "no space left on device")
        self.space -= len(part)
        return os.write(fd, part)

    def unlink(self, path: str) -> None:
        if not self.may_unlink:
            raise OSError(13, "permission denied")
        os.unlink(path)


class Log:
    """One log: a writer, a reader and what was opened for both."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.disk = Disk()
        self.opened: list[LogWriter | LogReader] = []

    def writer(self, cap: int = BIG, segment: int = 16 << 20) -> LogWriter:
        writer = LogWriter(self.disk, self.directory, cap, segment)
        self.opened.append(writer)
        return writer

    def reader(self) -> LogReader:
        reader = LogReader(self.disk, self.directory)
        self.opened.append(reader)
        return reader

    def size(self) -> int:
        return sum(os.stat(f"{self.directory}/{name}").st_size for name in os.listdir(self.directory))

    def segments(self) -> list[int]:
        return list_segments(os, self.directory)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    log = Log(str(tmp_path / "deep" / "log"))
    yield log
    for one in log.opened:
        one.close()


def output(chunks: Iterator[Chunk], *kinds: int) -> bytes:
    return b"".join(chunk.data for chunk in chunks if chunk.kind in (kinds or (STDOUT, STDERR, TTY)))


def marks(chunks: Iterator[Chunk]) -> list[tuple[int, int, tuple[int, int]]]:
    return [(chunk.kind, chunk.offset, chunk.values) for chunk in chunks if not chunk.data]


# Writing and reading back


def test_what_is_appended_is_read_back_from_any_offset(log: Log) -> None:
    writer, reader = log.writer(), log.reader()
    assert writer.append(TTY, b"hello ", T) == 0
    assert writer.append(TTY, bytearray(b"wor"), T) == 0
    assert writer.append(TTY, memoryview(b"ld"), T) == 0
    assert (writer.start, writer.end) == (0, 11)
    assert (reader.start, reader.end) == (0, 11)
    assert reader.read(0, 100) == b"hello world"
    assert reader.read(6, 3) == b"wor"
    assert reader.read(11, 5) == b""
    assert reader.read(99, 5) == b""
    assert reader.read(0, 0) == b""


def test_an_absent_log_is_an_empty_one(log: Log) -> None:
    reader = log.reader()
    assert (reader.start, reader.end, reader.read(0, 10)) == (0, 0, b"")
    assert list(reader.chunks(0)) == []
    assert reader.tail_lines(5) == 0
    assert reader.line_start_before(0, 100) == 0
    assert reader.offset_at(T) == 0
    assert reader.state_at(0) == {}


def test_files_and_folder_are_for_their_owner_alone(log: Log) -> None:
    log.writer().append(TTY, b"x", T)
    assert os.stat(log.directory).st_mode & 0o777 == 0o700
    assert {os.stat(f"{log.directory}/{name}").st_mode & 0o777 for name in os.listdir(log.directory)} == {0o600}


def test_appends_of_one_stream_are_one_write_each(log: Log) -> None:
    writer = log.writer()
    writer.append(TTY, b"first", T)
    log.disk.writes = 0
    for step in range(STEP_MS):
        writer.append(TTY, b"more", T + step)
    assert log.disk.writes == STEP_MS
    writer.append(TTY, b"late", T + STEP_MS)
    assert log.disk.writes == STEP_MS + 2


def test_segments_are_cut_by_size_and_read_across(log: Log) -> None:
    writer, reader = log.writer(segment=5000), log.reader()
    written = b""
    for i in range(200):
        piece = b"%06d" % i * 20
        assert writer.append(TTY, piece, T + i * 100) == 0
        written += piece
        assert reader.end == len(written)
    assert len(log.segments()) > 3
    assert reader.read(0, BIG) == written
    assert reader.read(4990, 7000) == written[4990:11990]
    assert output(reader.chunks(0)) == written
    assert output(reader.chunks(3000, 12345)) == written[3000:12345]


def test_stdout_and_stderr_are_told_apart_exactly(log: Log) -> None:
    writer = log.writer()
    writer.append(STDOUT, b"out1", T)
    writer.append(STDERR, b"err1", T)
    writer.append(STDERR, b"err2", T + 1)
    writer.append(STDOUT, b"out2", T + 2)
    reader = log.reader()
    assert [(c.kind, c.offset, c.data, c.time_ms) for c in reader.chunks(0)] == [
        (STDOUT, 0, b"out1", T),
        (STDERR, 4, b"err1err2", T),
        (STDOUT, 12, b"out2", T + 2),
    ]
    assert [(c.kind, c.data) for c in reader.chunks(2, 14)] == [
        (STDOUT, b"t1"),
        (STDERR, b"err1err2"),
        (STDOUT, b"ou"),
    ]


@settings(max_examples=60, deadline=None)
@given(
    pieces=st.lists(st.tuples(st.sampled_from([STDOUT, STDERR]), st.binary(min_size=1, max_size=900))),
    gaps=st.integers(0, 400),
    cut=st.integers(0, 4000),
)
def test_any_mix_of_streams_comes_back_as_it_went_in(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[tuple[int, bytes]], gaps: int, cut: int
) -> None:
    log = Log(str(tmp_path_factory.mktemp("mix")))
    writer = log.writer(segment=4096)
    for i, (stream, data) in enumerate(pieces):
        assert writer.append(stream, data, T + i * gaps) == 0
    reader = log.reader()
    whole = [(stream, byte) for stream, data in pieces for byte in data]
    cut = min(cut, len(whole))
    parts = [*reader.chunks(0, cut), *reader.chunks(cut)]
    assert [(chunk.kind, byte) for chunk in parts for byte in chunk.data] == whole
    for chunk in parts:
        assert reader.read(chunk.offset, len(chunk.data)) == chunk.data
    for one in log.opened:
        one.close()


# Marks


def test_runs_sizes_and_exits_stand_where_they_happened(log: Log) -> None:
    writer, reader = log.writer(), log.reader()
    writer.run(RUN_ID, T)
    writer.resize(24, 80, T)
    writer.append(TTY, b"abc", T)
    writer.resize(50, 132, T + 5)
    writer.append(TTY, b"def", T + 6)
    writer.exit(3, None, T + 7)
    got = marks(reader.chunks(0))
    assert [(kind, offset) for kind, offset, _ in got] == [(RUN, 0), (RESIZE, 0), (RESIZE, 3), (EXIT, 6)]
    assert run_id_of(got[0][2]) == RUN_ID
    assert got[2][2] == (50, 132)
    assert exit_of(got[3][2]) == (3, None)
    assert reader.state_at(2)[RESIZE] == (24, 80)
    assert reader.state_at(3)[RESIZE] == (50, 132)
    assert run_id_of(reader.state_at(6)[RUN]) == RUN_ID


def test_exits_by_signal_and_unknown_ones_are_told_apart(log: Log) -> None:
    writer = log.writer()
    writer.exit(None, 9, T)
    writer.exit(None, None, T)
    writer.exit(0, None, T)
    assert [exit_of(values) for _, _, values in marks(log.reader().chunks(0))] == [(None, 9), (None, None), (0, None)]


def test_marks_at_the_end_of_a_part_belong_to_the_next_part(log: Log) -> None:
    writer, reader = log.writer(), log.reader()
    writer.append(TTY, b"abc", T)
    writer.exit(0, None, T)
    assert marks(reader.chunks(0, 3)) == []
    assert [kind for kind, _, _ in marks(reader.chunks(3))] == [EXIT]


def test_marks_before_any_output_are_kept(log: Log) -> None:
    writer, reader = log.writer(), log.reader()
    writer.exit(None, None, T)
    assert reader.end == 0
    assert [kind for kind, _, _ in marks(reader.chunks(0))] == [EXIT]


def test_every_segment_says_what_was_in_force_but_tells_it_once(log: Log) -> None:
    writer, reader = log.writer(segment=4096), log.reader()
    writer.run(RUN_ID, T)
    writer.resize(24, 80, T)
    for i in range(30):
        writer.append(TTY, b"x" * 1000, T + i)
    assert len(log.segments()) > 3
    assert [kind for kind, _, _ in marks(reader.chunks(0))] == [RUN, RESIZE]
    state = reader.state_at(29_000)
    assert (run_id_of(state[RUN]), state[RESIZE]) == (RUN_ID, (24, 80))


# The cap


def test_the_log_stays_below_its_cap_and_says_what_went(log: Log) -> None:
    writer, reader = log.writer(cap=40_000, segment=10_000), log.reader()
    reader.read(0, 1)
    for i in range(3000):
        writer.append(TTY, b"%049d\n" % i, T + i)
        assert log.size() <= 40_000 + 200
    assert writer.start > 0
    assert (reader.start, reader.end) == (writer.start, writer.end) == (writer.start, 150_000)
    assert reader.read(writer.start, 50) == b"%049d\n" % (writer.start // 50)
    with pytest.raises(LogExpiredError) as caught:
        reader.read(10, 10)
    assert caught.value.code == "log.expired"
    assert caught.value.data == {"oldest": writer.start}
    records = b"".join(open_index(log, first) for first in log.segments())
    assert DELETED in {kind for _, _, kind, _, _ in RECORD.iter_unpack(records)}


def open_index(log: Log, first: int) -> bytes:
    with open(segment_path(log.directory, first, "idx"), "rb") as file:
        return file.read()


def test_a_flood_of_stream_changes_stays_below_the_cap_too(log: Log) -> None:
    writer = log.writer(cap=40_000, segment=10_000)
    for i in range(6000):
        writer.append(STDOUT if i % 2 else STDERR, b"x", T)
    assert log.size() <= 40_000 + 200
    assert output(log.reader().chunks(writer.start)) == b"x" * (6000 - writer.start)


def test_chunks_tell_of_the_expired_part_and_go_on_behind_it(log: Log) -> None:
    writer, reader = log.writer(cap=40_000, segment=10_000), log.reader()
    writer.run(RUN_ID, T)
    for i in range(100):
        writer.append(TTY, b"x" * 1000, T + i)
    chunks = list(reader.chunks(0))
    assert chunks[0] == Chunk(0, DELETED, 0, b"", (0, writer.start))
    assert chunks[1][1:3] == (RUN, writer.start)
    assert len(output(iter(chunks))) == writer.end - writer.start
    assert marks(reader.chunks(10, 20)) == [(DELETED, 10, (10, 20))]


def test_a_smaller_cap_holds_at_once(log: Log) -> None:
    writer = log.writer()
    for i in range(100):
        writer.append(TTY, b"x" * 1000, T + i)
    assert log.segments() == [0]
    writer.set_cap(20_000, T + 200)
    assert log.size() <= 20_000
    assert (writer.start, writer.end) == (100_000, 100_000)
    for i in range(100):
        writer.append(TTY, b"y" * 1000, T + i)
    assert log.size() <= 20_000 + 1100
    assert log.reader().read(writer.start, 9) == b"y" * 9


def test_a_larger_cap_lets_the_log_grow(log: Log) -> None:
    writer = log.writer(cap=20_000)
    writer.set_cap(BIG, T)
    for i in range(100):
        writer.append(TTY, b"x" * 1000, T + i)
    writer.set_cap(BIG, T)
    assert (writer.start, writer.end) == (0, 100_000)


def test_a_segment_that_cannot_be_unlinked_does_not_stop_the_log(log: Log) -> None:
    writer = log.writer(cap=20_000, segment=5000)
    log.disk.may_unlink = False
    for i in range(100):
        assert writer.append(TTY, b"x" * 1000, T + i) == 0
    assert writer.start == 0
    log.disk.may_unlink = True
    for i in range(10):
        assert writer.append(TTY, b"x" * 1000, T + i) == 0
    assert log.size() <= 20_000 + 1100


def test_what_is_old_expires_and_offsets_go_on(log: Log) -> None:
    writer, reader = log.writer(segment=5000), log.reader()
    for i in range(20):
        writer.append(TTY, b"x" * 1000, T + i * 1000)
    writer.expire(T - 1, T + 20_000)
    assert writer.start == 0
    writer.expire(T + 10_000, T + 20_000)
    assert 5000 <= writer.start <= 10_000
    assert reader.start == writer.start
    writer.expire(T + 50_000, T + 60_000)
    assert (writer.start, writer.end) == (20_000, 20_000)
    assert (reader.start, reader.end) == (20_000, 20_000)
    assert log.segments() == [20_000]
    again = log.writer()
    assert (again.start, again.end) == (20_000, 20_000)
    again.append(TTY, b"new", T + 70_000)
    assert reader.read(20_000, 10) == b"new"
    assert output(reader.chunks(0)) == b"new"


def test_an_idle_log_expires_whole_under_an_open_reader(log: Log) -> None:
    writer, reader = log.writer(), log.reader()
    writer.run(RUN_ID, T)
    writer.append(TTY, b"abc", T)
    assert reader.read(0, 9) == b"abc"
    writer.expire(T + STEP_MS - 1, T + 5000)
    assert reader.start == 0
    writer.expire(T + STEP_MS, T + 5000)
    assert log.segments() == [3]
    assert (writer.start, writer.end, writer.newest) == (3, 3, 3)
    assert (reader.end, reader.start, reader.read(3, 9)) == (3, 3, b"")
    assert run_id_of(reader.state_at(3)[RUN]) == RUN_ID
    writer.append(TTY, b"def", T + 6000)
    assert reader.read(3, 9) == b"def"
    with pytest.raises(LogExpiredError):
        reader.read(0, 9)


def test_expiry_leaves_a_segment_whose_index_is_gone(log: Log) -> None:
    writer = log.writer()
    writer.append(TTY, b"x", T)
    os.unlink(segment_path(log.directory, 0, "idx"))
    writer.expire(T + 10_000, T + 10_000)
    assert writer.start == 0


def test_a_segment_whose_index_is_gone_is_unlinked_all_the_same(log: Log) -> None:
    writer = log.writer(cap=20_000, segment=5000)
    writer.append(TTY, b"x" * 5000, T)
    os.unlink(segment_path(log.directory, 0, "idx"))
    for i in range(20):
        writer.append(TTY, b"x" * 1000, T + i)
    assert writer.start > 0
    assert log.segments()[0] == writer.start


def test_a_removed_log_is_gone_and_removing_it_twice_is_fine(log: Log) -> None:
    writer, reader = log.writer(), log.reader()
    writer.append(TTY, b"abc", T)
    assert reader.read(0, 3) == b"abc"
    writer.remove()
    writer.remove()
    assert not os.path.exists(log.directory)
    assert (reader.start, reader.end, reader.read(0, 3)) == (0, 0, b"")


# Opening again


def test_a_log_opened_again_goes_on_at_its_end(log: Log) -> None:
    writer = log.writer(segment=5000)
    writer.run(RUN_ID, T)
    for i in range(12):
        writer.append(STDERR, b"%03d" % i * 300, T + i)
    writer.close()
    again = log.writer(segment=5000)
    assert (again.start, again.end) == (writer.start, writer.end)
    for i in range(12):
        again.append(STDOUT, b"more" * 100, T + 100 + i)
    reader = log.reader()
    assert output(reader.chunks(0), STDERR) == b"".join(b"%03d" % i * 300 for i in range(12))
    assert output(reader.chunks(0), STDOUT) == b"more" * 1200
    assert run_id_of(reader.state_at(again.end)[RUN]) == RUN_ID


def test_a_closed_writer_opens_itself_again(log: Log) -> None:
    writer = log.writer()
    writer.append(TTY, b"a", T)
    writer.close()
    writer.append(TTY, b"b", T)
    assert log.reader().read(0, 9) == b"ab"


def test_a_torn_record_is_cut_and_later_ones_are_read(log: Log) -> None:
    writer = log.writer()
    writer.append(STDOUT, b"abc", T)
    writer.close()
    with open(segment_path(log.directory, 0, "idx"), "ab") as file:
        file.write(b"torn")
    assert output(log.reader().chunks(0), STDOUT) == b"abc"
    log.writer().append(STDERR, b"def", T)
    reader = log.reader()
    assert (output(reader.chunks(0), STDOUT), output(reader.chunks(0), STDERR)) == (b"abc", b"def")


def test_records_of_bytes_that_never_arrived_are_cut(log: Log) -> None:
    writer = log.writer()
    writer.append(STDOUT, b"abcdef", T)
    writer.append(STDERR, b"ghi", T)
    writer.exit(0, None, T)
    writer.close()
    os.truncate(segment_path(log.directory, 0, "log"), 4)
    again = log.writer()
    assert again.end == 4
    again.append(STDOUT, b"xyz", T)
    assert [(c.kind, c.data) for c in log.reader().chunks(0)] == [(STDOUT, b"abcd"), (STDOUT, b"xyz")]


def test_bytes_without_an_index_count_as_one_stream(log: Log) -> None:
    writer = log.writer()
    writer.append(STDOUT, b"abc", T)
    writer.close()
    os.unlink(segment_path(log.directory, 0, "idx"))
    assert [(c.kind, c.data) for c in log.reader().chunks(0)] == [(TTY, b"abc")]
    again = log.writer()
    again.append(STDERR, b"def", T)
    chunks = list(log.reader().chunks(0))
    assert [(c.kind, c.data) for c in chunks] == [(TTY, b"abc"), (STDERR, b"def")]
    assert chunks[0].time_ms > 0


def test_an_index_without_its_segment_does_no_harm(log: Log) -> None:
    os.makedirs(log.directory)
    with open(segment_path(log.directory, 0, "idx"), "wb"), open(f"{log.directory}/other.txt", "wb"):
        pass
    writer = log.writer()
    writer.append(TTY, b"abc", T)
    assert log.reader().read(0, 9) == b"abc"


# A disk that is full or broken


def test_a_full_disk_loses_bytes_tells_how_many_and_tears_nothing(log: Log) -> None:
    writer = log.writer()
    assert writer.append(STDOUT, b"abc", T) == 0
    log.disk.space = 2
    assert writer.append(STDOUT, b"defg", T + 1) == 2
    assert writer.append(STDERR, b"gone", T + 2) == 4
    assert writer.append(STDOUT, b"gone", T + 3) == 4
    writer.exit(1, None, T + 3)
    assert writer.end == 5
    log.disk.space = None
    assert writer.append(STDERR, b"hij", T + 4) == 0
    chunks = list(log.reader().chunks(0))
    assert output(iter(chunks), STDOUT) == b"abcde"
    assert output(iter(chunks), STDERR) == b"hij"
    assert marks(iter(chunks)) == [(LOST, 5, (2, 0)), (EXIT, 5, (1, 1)), (LOST, 5, (8, 0))]


def test_any_amount_of_space_leaves_a_log_that_reads_well(log: Log) -> None:
    for space in range(0, 130, 3):
        log.directory += "x"
        writer = log.writer()
        log.disk.space = space
        lost = sum(writer.append(stream, b"0123456789", T + i) for i, stream in enumerate([STDOUT, STDERR, STDOUT]))
        log.disk.space = None
        assert writer.append(STDERR, b"end", T + 9) == 0
        assert writer.end == 33 - lost
        chunks = list(log.reader().chunks(0))
        assert len(output(iter(chunks))) == writer.end
        assert output(iter(chunks), STDERR).endswith(b"end")
        assert sum(values[0] for kind, _, values in marks(iter(chunks)) if kind == LOST) == lost
        for one in log.opened:
            one.close()
        log.opened.clear()


def test_a_log_that_cannot_be_opened_loses_until_it_can(log: Log) -> None:
    writer = log.writer()
    assert writer.newest == -1
    log.disk.may_open = False
    assert writer.append(TTY, b"abc", T) == 3
    writer.resize(24, 80, T)
    log.disk.may_open = True
    assert writer.append(TTY, b"def", T) == 0
    chunks = list(log.reader().chunks(0))
    assert output(iter(chunks)) == b"def"
    assert {(LOST, 0, (3, 0)), (RESIZE, 0, (24, 80))} <= set(marks(iter(chunks)))


def test_a_segment_that_opens_only_in_half_leaves_no_descriptor(log: Log) -> None:
    def fail_for_logs(path: str) -> None:
        if path.endswith(".log"):
            raise OSError(24, "too many open files")

    log.disk.before_open = fail_for_logs
    before = set(os.listdir("/proc/self/fd"))
    assert log.writer().append(TTY, b"abc", T) == 3
    assert set(os.listdir("/proc/self/fd")) == before


def test_short_writes_are_carried_on(log: Log) -> None:
    writer = log.writer(segment=4096)
    log.disk.at_once = 5
    for i in range(30):
        assert writer.append(STDOUT if i % 2 else STDERR, b"%03d" % i * 100, T + i) == 0
    assert output(log.reader().chunks(0)) == b"".join(b"%03d" % i * 100 for i in range(30))
    assert len(log.segments()) > 1


def test_what_was_lost_is_told_when_the_log_is_closed(log: Log) -> None:
    writer = log.writer()
    writer.append(TTY, b"abc", T)
    log.disk.space = 0
    writer.append(TTY, b"gone", T + 1)
    log.disk.space = None
    writer.close()
    assert marks(log.reader().chunks(0)) == [(LOST, 3, (4, 0))]


def test_sizes_that_come_while_the_disk_is_full_are_bounded(log: Log) -> None:
    writer = log.writer()
    writer.append(TTY, b"abc", T)
    log.disk.space = 0
    for i in range(10_000):
        writer.resize(24, i, T)
    log.disk.space = None
    writer.append(TTY, b"def", T)
    assert len(open_index(log, 0)) < 100_000
    assert log.reader().read(0, 9) == b"abcdef"


def test_a_half_written_record_keeps_its_segment(log: Log) -> None:
    writer = log.writer(segment=4096)
    writer.append(TTY, b"x" * 4000, T)
    log.disk.space = 5
    writer.exit(0, None, T)
    writer.expire(T + 9999, T + 9999)
    assert log.segments() == [0]
    log.disk.space = None
    assert writer.append(TTY, b"y" * 4000, T) == 0
    assert output(log.reader().chunks(0)) == b"x" * 4000 + b"y" * 4000


# Questions


def test_the_offset_of_a_time_leaves_nothing_younger_out(log: Log) -> None:
    writer, reader = log.writer(segment=4096), log.reader()
    for i in range(100):
        writer.append(TTY, b"%05d" % i * 100, T + i * 1000)
    assert len(log.segments()) > 3
    for i in (0, 1, 7, 50, 99):
        assert reader.offset_at(T + i * 1000) == i * 500
        assert reader.offset_at(T + i * 1000 + STEP_MS - 1) == i * 500
    assert reader.offset_at(T - 5000) == 0
    assert reader.offset_at(T + 200_000) == writer.end


def test_the_last_lines_are_found_over_segments(log: Log) -> None:
    writer, reader = log.writer(segment=4096), log.reader()
    lines = [b"line %d %s\n" % (i, b"." * (i % 300)) for i in range(2000)]
    for line in lines:
        writer.append(TTY, line, T)
    text = b"".join(lines)
    for n in (1, 2, 10, 1999, 2000, 5000):
        assert text[reader.tail_lines(n) :] == b"".join(lines[-n:])
    assert reader.tail_lines(0) == writer.end


def test_an_unfinished_last_line_counts(log: Log) -> None:
    log.writer().append(TTY, b"one\ntwo\nthr", T)
    reader = log.reader()
    assert [reader.tail_lines(n) for n in (1, 2, 3)] == [8, 4, 0]


def test_lines_longer_than_a_piece_are_found(log: Log) -> None:
    log.writer().append(TTY, b"a\n" + b"x" * 200_000 + b"\n", T)
    reader = log.reader()
    assert [reader.tail_lines(n) for n in (1, 2)] == [2, 0]


def test_the_last_lines_of_one_stream_skip_the_other(log: Log) -> None:
    writer = log.writer(segment=4096)
    for i in range(300):
        writer.append(STDOUT, b"out %d\n" % i, T)
        writer.append(STDERR, b"err\nerr\n", T)
        writer.resize(24, i, T)
    reader = log.reader()
    at = reader.tail_lines(3, STDOUT)
    assert output(reader.chunks(at), STDOUT) == b"out 297\nout 298\nout 299\n"
    assert output(reader.chunks(reader.tail_lines(1, STDERR)), STDERR) == b"err\n"
    assert reader.tail_lines(1, TTY) == writer.end


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        (b"one\ntwo\nthree\n", 100, 0),
        (b"one\ntwo\nthree\n", 8, 8),
        (b"one\ntwo\nthree\n", 6, 8),
        (b"one\ntwo\nthree\n", 5, 9),
        (b"x" * 50, 10, 40),
        (b"one\n", 0, 4),
    ],
)
def test_a_replay_begins_at_a_line(log: Log, text: bytes, limit: int, expected: int) -> None:
    log.writer().append(TTY, text, T)
    assert log.reader().line_start_before(len(text), limit) == expected


# A writer at work meanwhile


def test_a_segment_that_a_reader_has_open_expires_for_it_too(log: Log) -> None:
    writer, reader = log.writer(segment=4096), log.reader()
    for i in range(10):
        writer.append(TTY, b"x" * 1000, T + i)
    assert reader.read(0, 10) == b"x" * 10
    oldest = log.segments()[1]
    writer.set_cap(10_000 - oldest + 1000, T)
    with pytest.raises(LogExpiredError):
        reader.read(0, 10)
    writer.remove()
    assert reader.read(9999, 10) == b""
    assert reader.end == 0


def test_a_reader_that_stands_at_the_end_of_a_segment_goes_on_in_the_next(log: Log) -> None:
    writer, reader = log.writer(segment=4096), log.reader()
    writer.append(TTY, b"x" * 5000, T)
    assert reader.read(0, 9999) == b"x" * 5000
    assert reader.read(5000, 10) == b""
    writer.append(TTY, b"y" * 10, T)
    assert reader.read(5000, 10) == b"y" * 10


def test_a_reader_holds_two_descriptors_at_most(log: Log) -> None:
    writer, reader = log.writer(segment=4096), log.reader()
    for _ in range(20):
        writer.append(TTY, b"x" * 4096, T)
    writer.close()
    before = len(os.listdir("/proc/self/fd"))
    assert len(reader.read(0, BIG)) == 20 * 4096
    assert len(os.listdir("/proc/self/fd")) <= before + 2
    reader.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_chunks_survive_segments_that_are_unlinked_meanwhile(log: Log) -> None:
    writer, reader = log.writer(cap=40_000, segment=10_000), log.reader()
    for i in range(35):
        writer.append(TTY, b"x" * 1000, T + i)
    seen = 0
    gaps = 0
    for i, chunk in enumerate(reader.chunks(0)):
        if chunk.kind == DELETED:
            gaps += chunk.values[1] - chunk.values[0]
        seen += len(chunk.data)
        if i == 0:
            for k in range(20):
                writer.append(TTY, b"y" * 1000, T + k)
    assert gaps > 0
    assert seen + gaps >= 35_000


def test_every_question_survives_a_segment_that_vanishes_before_it_is_opened(log: Log) -> None:
    writer = log.writer(segment=4096)
    for i in range(40):
        writer.append(TTY, b"%03d" % i * 333 + b"\n", T + i * 1000)
    questions: list[Callable[[LogReader], int]] = [
        lambda reader: reader.tail_lines(39),
        lambda reader: reader.tail_lines(39, TTY),
        lambda reader: reader.line_start_before(writer.end, 36_000),
        lambda reader: reader.offset_at(T + 5000),
        lambda reader: len(output(reader.chunks(0))),
        lambda reader: reader.start,
        lambda reader: reader.end,
        lambda reader: len(reader.state_at(0)),
    ]
    for question in questions:
        for suffix in ("log", "idx"):
            reader = log.reader()
            assert reader.end == writer.end
            oldest = log.segments()[0]

            def vanish(path: str, oldest: int = oldest, suffix: str = suffix) -> None:
                if path == segment_path(log.directory, oldest, suffix):
                    for one in ("log", "idx"):
                        if os.path.exists(segment_path(log.directory, oldest, one)):
                            os.unlink(segment_path(log.directory, oldest, one))

            log.disk.before_open = vanish
            assert question(reader) >= 0
            log.disk.before_open = None


def test_bytes_that_a_crash_took_out_of_the_middle_are_told_of(log: Log) -> None:
    writer = log.writer(segment=4096)
    for i in range(10):
        writer.append(TTY, b"x" * 1000, T + i)
    writer.close()
    second = log.segments()[1]
    os.truncate(segment_path(log.directory, 0, "log"), 1500)
    reader = log.reader()
    assert reader.read(0, 9999) == b"x" * 1500
    with pytest.raises(LogExpiredError) as caught:
        reader.read(1500, 10)
    assert caught.value.oldest == second
    assert (DELETED, 1500, (1500, second)) in marks(reader.chunks(0))
    assert len(output(reader.chunks(0))) == 10_000 - second + 1500


def test_streams_behind_missing_bytes_are_told_apart_again(log: Log) -> None:
    writer = log.writer(segment=4096)
    for i in range(10):
        writer.append(STDOUT if i % 2 else STDERR, b"%d" % i * 1000, T + i)
    writer.close()
    second = log.segments()[1]
    os.truncate(segment_path(log.directory, 0, "log"), 1500)
    chunks = list(log.reader().chunks(0))
    assert [(c.kind, c.offset, len(c.data)) for c in chunks][:3] == [
        (STDERR, 0, 1000),
        (STDOUT, 1000, 500),
        (DELETED, 1500, 0),
    ]
    assert chunks[2].values == (1500, second)
    assert [(c.kind, c.data[:1]) for c in chunks[3:]] == [
        (STDOUT if i % 2 else STDERR, b"%d" % i) for i in range(second // 1000, 10)
    ]


def test_readers_beside_a_writer_that_unlinks_see_every_byte_in_its_place_or_a_gap(log: Log) -> None:
    words = 20_000
    total = 8 * words
    writer = log.writer(cap=20_000, segment=4096)

    def flood() -> None:
        for i in range(0, words, 50):
            data = struct.pack("!50Q", *range(i, i + 50))
            writer.append(STDOUT if i % 100 else STDERR, data, T + i)

    def right(offset: int, data: bytes) -> bool:
        """Tell whether these bytes are those that were written at an offset; words count up from 0."""
        first = offset // 8
        there = struct.pack(f"!{len(data) // 8 + 2}Q", *range(first, first + len(data) // 8 + 2))
        return there[offset % 8 :].startswith(data)

    thread = threading.Thread(target=flood)
    thread.start()
    reader, other = log.reader(), log.reader()
    at = gaps = read = 0
    while at < total:
        try:
            data = reader.read(at, 20_000)
        except LogExpiredError as error:
            gaps += error.oldest - at
            at = error.oldest
            continue
        if not data:
            continue
        assert right(at, data)
        read += len(data)
        at += len(data)
        start = other.start
        place = start
        for chunk in other.chunks(start, other.end):
            assert chunk.offset == place
            place += chunk.values[1] - chunk.values[0] if chunk.kind == DELETED else len(chunk.data)
            assert right(chunk.offset, chunk.data)
            if len(chunk.data) == 400:
                assert chunk.kind == (STDOUT if chunk.offset // 400 % 2 else STDERR)
    thread.join()
    assert read + gaps == total
    assert reader.end == writer.end == total
