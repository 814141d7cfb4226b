"""How a program calls a person: bells and notifications in its output, cut anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wezparallel.wire.bells import Bells

PIECES = [
    (b"text \xe3\x81\x82\r\n", []),
    (b"\x07", [("", "")]),
    (b"\x1b]9;done with it\x07", [("", "done with it")]),
    (b"\x1b]9;100 files\x1b\\", [("", "100 files")]),
    (b"\x1b]777;notify;Claude;needs you; now\x1b\\", [("Claude", "needs you; now")]),
    (b"\x1b]777;notify;Only a title\x07", [("Only a title", "")]),
    (b"\x1b]2;a title\x07", []),
    (b"\x1b]9;4;1;50\x07", []),
    (b"\x1b]9;4\x1b\\", []),
    (b"\x1b]8;;http://h/\x07link\x1b]8;;\x07", []),
    (b"\x1bPq#0\x1b\\", []),
    (b"\x1b[31mred\x1b[0m\x1b[?25l", []),
    (b"\x1b]52;c;" + b"QUJD" * 2000 + b"\x07", []),
]


@given(st.lists(st.sampled_from(PIECES), max_size=12), st.lists(st.integers(1, 40), min_size=1))
def test_calls_are_heard_however_the_output_is_cut(pieces: list[tuple[bytes, list]], cuts: list[int]) -> None:
    data = b"".join(piece for piece, _ in pieces)
    wanted = [call for _, calls in pieces for call in calls]
    bells, heard, at, turn = Bells(), [], 0, 0
    while at < len(data):
        size = cuts[turn % len(cuts)]
        heard += bells.feed(data[at : at + size])
        at, turn = at + size, turn + 1
    assert heard == wanted


def test_a_string_that_never_ends_is_not_kept() -> None:
    bells = Bells()
    for _ in range(100):
        assert bells.feed(b"\x1b]52;c;" + b"x" * 100_000) == []
    assert bells.is_open
    assert bells.feed(b"\x07\x07") == [("", "")]


@pytest.mark.parametrize("data", [b"", b"plain", b"\x1b[1m", b"\x1b]2;t\x07"])
def test_what_is_at_its_end_leaves_nothing_open(data: bytes) -> None:
    bells = Bells()
    assert bells.feed(data) == []
    assert not bells.is_open
