"""Frames cut out of a stream that comes in any packets."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wezparallel.errors import WireError
from wezparallel.wire import frames
from wezparallel.wire.frames import HEAD, MAX_FRAME, FrameReader, pack


def test_a_frame_comes_back_as_it_was_packed() -> None:
    assert FrameReader().feed(pack(frames.DATA, b"abc")) == [(frames.DATA, b"abc")]
    assert FrameReader().feed(pack(frames.REMOVED)) == [(frames.REMOVED, b"")]


def test_the_length_counts_kind_and_payload() -> None:
    assert pack(8, b"abc") == b"\x00\x00\x00\x04\x08abc"


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=20))), st.lists(st.integers(0, 300)))
def test_frames_do_not_hang_on_how_they_are_cut(sent: list[tuple[int, bytes]], places: list[int]) -> None:
    data = b"".join(pack(kind, payload) for kind, payload in sent)
    ends = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    reader = FrameReader()
    assert [frame for a, b in pairwise(ends) for frame in reader.feed(data[a:b])] == sent
    assert reader.pending == b""


def test_half_a_frame_is_carried_over_to_another_reader() -> None:
    reader = FrameReader()
    data = pack(frames.MESSAGE, b"{}")
    assert reader.feed(data[:4]) == []
    assert reader.pending == data[:4]
    successor = FrameReader()
    assert successor.feed(reader.pending + data[4:]) == [(frames.MESSAGE, b"{}")]


def test_a_frame_of_exactly_the_limit_passes() -> None:
    payload = b"x" * (MAX_FRAME - 1)
    assert FrameReader().feed(pack(frames.DATA, payload)) == [(frames.DATA, payload)]


@pytest.mark.parametrize("length", [0, MAX_FRAME + 1, 0xFFFF_FFFF])
def test_a_length_out_of_bounds_is_refused_by_its_head_alone(length: int) -> None:
    with pytest.raises(WireError) as caught:
        FrameReader().feed(HEAD.pack(length, frames.DATA))
    assert caught.value.code == "wire.too_long"


@given(st.binary(max_size=100))
def test_junk_is_refused_or_waits_for_more(data: bytes) -> None:
    reader = FrameReader()
    try:
        reader.feed(data)
    except WireError:
        return
    assert len(reader.pending) <= len(data)
