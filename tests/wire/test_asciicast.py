"""Recordings as terminal players replay them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.logs import T
from wezparallel.wire.asciicast import Cast, header, whole_characters
from wezparallel.wire.logformat import DELETED, LOST, RESIZE, RUN, STDOUT, TTY
from wezparallel.wire.logreader import Chunk


def cast_of(*chunks: Chunk) -> list[list[object]]:
    """Return the events of some chunks."""
    cast = Cast(T, T, (24, 80))
    return [json.loads(line) for line in [*map(cast.event, chunks), cast.finish()] if line]


def tty(data: bytes, at_ms: int = T) -> Chunk:
    return Chunk(at_ms, TTY, 0, data, (0, 0))


def test_the_header_names_version_size_and_time() -> None:
    line = header((40, 132), T + 999, {"title": "web/api"})
    assert line.endswith("\n")
    assert json.loads(line) == {
        "version": 2, "width": 132, "height": 40, "timestamp": T // 1000, "title": "web/api",
    }  # fmt: skip


def test_output_and_sizes_are_events_with_seconds_since_the_start() -> None:
    resize = Chunk(T + 1500, RESIZE, 5, b"", (30, 100))
    assert cast_of(tty(b"hello", T + 250), resize, tty(b"\x1b[1mx", T + 1750)) == [
        [0.25, "o", "hello"],
        [1.5, "r", "100x30"],
        [1.75, "o", "\x1b[1mx"],
    ]


def test_a_size_that_is_in_force_already_is_no_event() -> None:
    assert cast_of(Chunk(T, RESIZE, 0, b"", (24, 80)), Chunk(T, RUN, 0, b"", (1, 2))) == []


def test_a_clock_that_jumps_back_stands_still() -> None:
    times = [event[0] for event in cast_of(tty(b"a", T + 500), tty(b"b", T - 90_000), tty(b"c", T + 750))]
    assert times == [0.5, 0.5, 0.75]


def test_lines_of_pipes_get_their_carriage_return() -> None:
    assert cast_of(Chunk(T, STDOUT, 0, b"a\nb\n", (0, 0))) == [[0.0, "o", "a\r\nb\r\n"]]


def test_what_is_missing_is_marked() -> None:
    lost = Chunk(T, LOST, 0, b"", (12, 0))
    deleted = Chunk(0, DELETED, 0, b"", (3, 8))
    assert cast_of(lost, deleted) == [
        [0.0, "m", "12 bytes were lost to a full disk"],
        [0.0, "m", "5 bytes are no longer kept"],
    ]


@given(st.text(), st.lists(st.integers(0, 40)))
def test_text_is_cut_at_characters_wherever_the_log_was_cut(text: str, cuts: list[int]) -> None:
    data = text.encode()
    ends = sorted({min(cut, len(data)) for cut in cuts} | {len(data)})
    begins = [0, *ends]
    events = cast_of(*(tty(data[begin:end]) for begin, end in zip(begins, ends, strict=False)))
    assert "".join(str(event[2]) for event in events) == text


@given(st.lists(st.binary(max_size=9)))
def test_what_is_no_utf8_is_shown_as_a_terminal_shows_it(pieces: list[bytes]) -> None:
    events = cast_of(*map(tty, pieces))
    assert len(b"".join(pieces).decode("utf-8", "ignore")) <= sum(len(str(event[2])) for event in events)


@pytest.mark.parametrize(
    ("data", "whole"),
    [(b"", 0), (b"a", 1), ("é".encode(), 2), (b"a\xc3", 1), (b"\xe2\x82", 0), (b"\xf0\x9f\x98", 0), (b"\x80\x80", 2)],
)  # fmt: skip
def test_a_character_that_has_not_ended_waits(data: bytes, whole: int) -> None:
    assert whole_characters(data) == whole
