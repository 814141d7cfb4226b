"""The log over crashes, torn files and full disks."""

from __future__ import annotations

import os

import pytest

from tests.support.logs import RUN_ID, Log, T, marks, open_index, output
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
    run_id_of,
    segment_path,
)
from wezparallel.wire.logreader import LogExpiredError

LATER = T + 2 * STEP_MS  # the disk is tried again by then


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
    assert writer.end == 15
    log.disk.space = None
    assert writer.append(STDERR, b"hij", LATER) == 0
    chunks = list(log.reader().chunks(0))
    assert output(iter(chunks), STDOUT) == b"abcde"
    assert output(iter(chunks), STDERR) == b"hij"
    assert marks(iter(chunks)) == [(LOST, 5, (10, 0)), (EXIT, 15, (1, 1))]
    assert log.segments() == [0, 15]


@pytest.mark.parametrize("broken", [(".log",), (".idx",), (".log", ".idx")], ids=["segments", "indexes", "both"])
@pytest.mark.parametrize("stream", [STDOUT, STDERR], ids=["same-stream", "other-stream"])
def test_a_broken_disk_loses_bytes_tells_how_many_and_tears_nothing(
    log: Log, broken: tuple[str, ...], stream: int
) -> None:
    writer = log.writer()
    assert writer.append(STDOUT, b"abc", T) == 0
    log.disk.broken = broken
    lost = sum(writer.append(stream, b"defg", T + i * STEP_MS) for i in range(3))
    writer.resize(24, 80, T + 3 * STEP_MS)
    writer.exit(1, None, T + 3 * STEP_MS)
    assert writer.end == 15
    log.disk.broken = ()
    assert writer.append(STDERR, b"hij", T + 9 * STEP_MS) == 0
    chunks = list(log.reader().chunks(0))
    assert output(iter(chunks)).startswith(b"abc")
    assert len(output(iter(chunks))) == writer.end - lost
    said = marks(iter(chunks))
    assert sum(values[0] for kind, _, values in said if kind == LOST) == lost
    assert {(RESIZE, (24, 80)), (EXIT, (1, 1))} <= {(kind, values) for kind, _, values in said}
    assert lost == 12 or broken == (".idx",)


def test_what_a_broken_disk_does_not_give_back_is_an_error_and_no_empty_log(log: Log) -> None:
    writer = log.writer()
    writer.append(STDOUT, b"abc", T)
    reader = log.reader()
    assert reader.read(0, 9) == b"abc"
    log.disk.broken = (".log",)
    with pytest.raises(OSError, match="input/output"):
        reader.read(0, 9)
    log.disk.broken = (".idx",)
    with pytest.raises(OSError, match="input/output"):
        list(log.reader().chunks(0))
    log.disk.broken = ()
    assert output(reader.chunks(0)) == b"abc"


def test_any_amount_of_space_leaves_a_log_that_reads_well(log: Log) -> None:
    for space in range(0, 130, 3):
        log.directory += "x"
        writer = log.writer()
        log.disk.space = space
        lost = sum(writer.append(stream, b"0123456789", T + i) for i, stream in enumerate([STDOUT, STDERR, STDOUT]))
        log.disk.space = None
        assert writer.append(STDERR, b"end", LATER) == 0
        assert writer.end == 33
        chunks = list(log.reader().chunks(0))
        assert len(output(iter(chunks))) == writer.end - lost
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
    assert writer.append(TTY, b"def", LATER) == 0
    chunks = list(log.reader().chunks(0))
    assert output(iter(chunks)) == b"def"
    assert {(LOST, 0, (3, 0)), (RESIZE, 3, (24, 80))} <= set(marks(iter(chunks)))


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


def test_a_half_written_record_is_carried_on(log: Log) -> None:
    writer = log.writer(segment=4096)
    writer.append(TTY, b"x" * 4000, T)
    log.disk.space = 5
    writer.exit(0, None, T)
    writer.expire(T + 9999, T + 9999)
    assert log.segments() == [0]
    log.disk.space = None
    assert writer.append(TTY, b"y" * 4000, T) == 0
    assert output(log.reader().chunks(0)) == b"x" * 4000 + b"y" * 4000


def test_a_full_disk_is_not_tried_at_every_append(log: Log) -> None:
    writer = log.writer()
    writer.append(TTY, b"abc", T)
    log.disk.space = 0
    for i in range(100):
        assert writer.append(TTY, b"gone", T + i) == 4
    assert log.disk.writes < 10
    assert writer.append(TTY, b"gone", T - 9999) == 4  # a clock that jumps back does not end the trying
    log.disk.space = None
    assert writer.append(TTY, b"def", T - 9998 + STEP_MS) == 0


def test_a_disk_that_has_room_for_the_index_alone_leaves_one_hole_and_no_litter(log: Log) -> None:
    writer = log.writer()
    writer.append(STDOUT, b"abc", T)
    log.disk.space = 0
    writer.append(STDOUT, b"gone", T + 1)
    writer.exit(3, None, T + 1)
    for i in range(1, 9):
        log.disk.space = 3 * RECORD.size  # EXIT, LOST, the stream: the data then find nothing
        assert writer.append(STDOUT, b"gone", T + i * 2 * STEP_MS) > 0
    assert len(log.segments()) <= 2
    log.disk.space = None
    assert writer.append(STDOUT, b"def", T + 99 * STEP_MS) == 0
    chunks = list(log.reader().chunks(0))
    said = marks(iter(chunks))
    assert sum(values[0] for kind, _, values in said if kind == LOST) + len(output(iter(chunks))) == writer.end
    assert [values for kind, _, values in said if kind == EXIT] == [(1, 3)]


def test_a_record_torn_by_a_full_disk_is_told_whole_in_the_next_segment(log: Log) -> None:
    writer = log.writer()
    writer.append(STDOUT, b"abc", T)
    log.disk.space = 5
    writer.exit(7, None, T + 1)
    assert writer.append(STDERR, b"gone", T + 1) == 4
    log.disk.space = None
    assert writer.append(STDERR, b"def", LATER) == 0
    assert marks(log.reader().chunks(0)) == [(LOST, 3, (4, 0)), (EXIT, 7, (1, 7))]


def test_the_last_lines_and_a_replay_know_of_the_hole(log: Log) -> None:
    writer = log.writer()
    writer.append(TTY, b"one\ntwo\n", T)
    log.disk.space = 0
    writer.append(TTY, b"gone\n", T + 1)
    log.disk.space = None
    writer.append(TTY, b"three\nfour\n", LATER)
    reader = log.reader()
    assert [reader.tail_lines(n) for n in (1, 2, 3)] == [19, 8, 4]  # what was lost may belong to a line
    assert reader.line_start_before(reader.end, 99) == 19
    assert reader.start == 0


def test_a_reader_that_waits_before_a_hole_finds_what_comes_behind_it(log: Log) -> None:
    writer, reader = log.writer(), log.reader()
    writer.append(TTY, b"abc", T)
    assert (reader.read(0, 9), reader.end) == (b"abc", 3)
    log.disk.space = 0
    writer.append(TTY, b"gone", T + 1)
    assert (reader.read(3, 9), reader.end) == (b"", 3)
    log.disk.space = None
    writer.append(TTY, b"def", LATER)
    with pytest.raises(LogExpiredError) as error:
        reader.read(3, 9)
    assert (error.value.oldest, reader.end) == (7, 10)


def test_a_loss_goes_on_in_the_next_program(log: Log) -> None:
    writer = log.writer()
    writer.append(TTY, b"abc", T)
    assert writer.carry() is None
    log.disk.space = 0
    writer.append(TTY, b"gone", T + 1)
    writer.exit(3, None, T + 1)
    writer.close()
    carried = writer.carry()
    assert carried is not None
    again = log.writer()
    again.resume(*carried)
    assert again.end == 7
    log.disk.space = None
    again.append(TTY, b"def", LATER)
    assert marks(log.reader().chunks(0)) == [(LOST, 3, (4, 0)), (EXIT, 7, (1, 3))]


def test_a_log_can_go_on_at_a_later_offset(log: Log) -> None:
    writer = log.writer()
    writer.append(TTY, b"abc", T)
    writer.skip(10)
    writer.skip(5)
    writer.append(TTY, b"def", T + 1)
    assert (writer.start, writer.end, log.segments()) == (0, 13, [0, 10])
    assert marks(log.reader().chunks(0)) == [(DELETED, 3, (3, 10))]
