"""Lines cut out of a stream that comes in any packets."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wezparallel.errors import WireError
from wezparallel.wire.lines import MAX_LINE, LineReader


def test_a_whole_line_is_given_without_its_newline() -> None:
    assert LineReader().feed(b'{"Ping":{}}\n') == [b'{"Ping":{}}']


def test_joined_lines_come_apart_and_split_ones_together() -> None:
    reader = LineReader()
    assert reader.feed(b"one\ntwo\nth") == [b"one", b"two"]
    assert reader.feed(b"re") == []
    assert reader.feed(b"e\n") == [b"three"]
    assert reader.finish() is None


def test_empty_lines_and_carriage_returns_are_passed_over() -> None:
    assert LineReader().feed(b"\n\r\n  \none\r\n\n") == [b"one"]


def test_what_stands_unterminated_at_the_end_counts() -> None:
    reader = LineReader()
    assert reader.feed(b"one\n two ") == [b"one"]
    assert reader.finish() == b"two"
    assert reader.finish() is None
    assert reader.feed(b"three\n") == [b"three"]


def test_a_line_of_exactly_the_limit_passes() -> None:
    assert LineReader().feed(b"x" * MAX_LINE + b"\n") == [b"x" * MAX_LINE]


@pytest.mark.parametrize("data", [b"x" * 11 + b"\n", b"x" * 11, b"ok\n" + b"x" * 11])
def test_a_longer_line_is_refused_with_or_without_its_newline(data: bytes) -> None:
    with pytest.raises(WireError) as caught:
        LineReader(max_line=10).feed(data)
    assert caught.value.code == "wire.too_long"
    assert caught.value.data == {"limit_bytes": 10}


def test_a_long_line_in_small_packets_is_refused_as_soon_as_it_is_too_long() -> None:
    reader = LineReader(max_line=10)
    for _ in range(10):
        assert reader.feed(b"x") == []
    with pytest.raises(WireError):
        reader.feed(b"x")


@given(st.lists(st.binary(max_size=20)), st.lists(st.integers(0, 200)))
def test_lines_do_not_hang_on_how_they_are_cut(lines: list[bytes], places: list[int]) -> None:
    data = b"".join(line + b"\n" for line in lines)
    ends = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    reader = LineReader()
    got = [line for a, b in pairwise(ends) for line in reader.feed(data[a:b])]
    assert got == [line.strip() for line in data.split(b"\n") if line.strip()]
    assert reader.finish() is None
