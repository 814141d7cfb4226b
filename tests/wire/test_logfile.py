"""What the log's writer keeps and drops."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.logs import BIG, RUN_ID, Log, T, marks, open_index, output
from wezparallel.wire.logformat import (
    DELETED,
    EXIT,
    RECORD,
    RESIZE,
    RUN,
    STDERR,
    STDOUT,
    STEP_MS,
    TTY,
    exit_of,
    run_id_of,
    segment_path,
)
from wezparallel.wire.logreader import Chunk, LogExpiredError

if TYPE_CHECKING:
    pass


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
