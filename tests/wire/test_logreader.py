"""What the log's reader finds, also beside a writer that unlinks."""

from __future__ import annotations

import os
import struct
import threading
from typing import TYPE_CHECKING

import pytest

from tests.support.logs import BIG, Log, T, marks, output
from wezparallel.wire.logformat import (
    DELETED,
    STDERR,
    STDOUT,
    STEP_MS,
    TTY,
    segment_path,
)
from wezparallel.wire.logreader import LogExpiredError, LogReader

if TYPE_CHECKING:
    from collections.abc import Callable


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


@pytest.mark.parametrize("stream", [None, STDOUT])
def test_the_last_lines_before_an_offset_are_found_in_whatever_segment(log: Log, stream: int | None) -> None:
    writer = log.writer(segment=4096)
    for i in range(1500):
        writer.append(STDOUT, b"out %03d\n" % i, T)
    reader = log.reader()
    assert len(log.segments()) > 2
    for before in (8 * 10, log.segments()[1], log.segments()[1] + 4, 8 * 500):
        at = reader.tail_lines(2, stream, before)
        assert output(reader.chunks(at, before)) == b"".join(b"out %03d\n" % i for i in range(1500))[at:before]
        assert output(reader.chunks(at, before)).count(b"out") == 2
    assert reader.tail_lines(2, stream, 0) == 0


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
