"""The modes of a terminal, read out of output that is cut anywhere."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wezparallel.wire.terminal import Modes

SEQUENCES = [
    b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?47h", b"\x1b[?1047l", b"\x1b[?1000;1006h", b"\x1b[?1003l", b"\x1b[?25l",
    b"\x1b[?25h", b"\x1b[?7l", b"\x1b[?1h", b"\x1b[?2004h", b"\x1b[?1004h", b"\x1b[?2026h", b"\x1b[?2026l", b"\x1b=",
    b"\x1b>", b"\x1bc", b"\x1b[!p", b"\x1b[5 q", b"\x1b[ q", b"\x1b]0;a title\x07", b"\x1b]2;\xc3\xa9t\xc3\xa9\x1b\\",
    b"\x1b[>1u", b"\x1b[<u", b"\x1b[<9u", b"\x1b[=5;2u", b"\x1b[=1;3u", b"\x1b[=3u", b"\x1b[>4;2m", b"\x1b[>4m",
    b"\x1b[2;9r", b"\x1b[r", b"\x1b[31m", b"\x1b[38;2;1;2;3m", b"\x1b[K", b"\x1b[12;40H", b"\x1b(0", b"\x1b7",
    b"\x1b]4;1;rgb:12/34/56;2;#abc\x1b\\", b"\x1b]11;#102030\x07", b"\x1b]10;white;black;red\x07", b"\x1b]104;1\x07",
    b"\x1b]104\x07", b"\x1b]111\x1b\\", b"\x1b]10;?\x07", b"\x1b]7;file://h/tmp\x07", b"\x1b[?2031h", b"\x1b[?2048h",
    b"text", b"\r\n", b"\x07", b"\xe2\x94\x80", b"\x1b", b"\x1b[", b"\x1b]0;", b"\x1b[?", b"\x1bP1q#0", b"\x1b\\",
]  # fmt: skip


def after(*chunks: bytes) -> Modes:
    modes = Modes()
    for chunk in chunks:
        modes.feed(chunk)
    return modes


streams = st.lists(st.sampled_from(SEQUENCES), max_size=20).map(b"".join)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(ends)]


@settings(max_examples=150, deadline=None)
@given(streams, st.lists(st.integers(0, 120), max_size=8))
def test_modes_do_not_hang_on_how_the_output_is_cut(data: bytes, places: list[int]) -> None:
    whole, parts = after(data), after(*cut(data, places))
    assert parts.enter() == whole.enter()
    assert parts.leave() == whole.leave()
    assert parts.title == whole.title


@settings(max_examples=150, deadline=None)
@given(streams)
def test_entering_brings_another_terminal_into_the_same_modes(data: bytes) -> None:
    modes = after(data)
    assert after(modes.enter()).enter() == modes.enter()


@settings(max_examples=150, deadline=None)
@given(streams)
def test_leaving_brings_every_mode_back(data: bytes) -> None:
    modes = after(data)
    if modes.synchronized:
        data += b"\x1b[?2026l"
    left = after(after(data).enter(), after(data).leave())
    assert left.enter() == b""
    assert left.leave() == after().leave()


@settings(max_examples=150, deadline=None)
@given(streams, streams)
def test_a_successor_goes_on_where_it_was(before: bytes, behind: bytes) -> None:
    modes = after(before)
    successor = Modes.load(json.loads(json.dumps(modes.dump())))
    modes.feed(behind)
    successor.feed(behind)
    assert successor.dump() == modes.dump()


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_junk_never_breaks_it(data: bytes) -> None:
    modes = after(data)
    assert isinstance(modes.at_ground, bool)
    assert len(modes.dump()["tail"]) < 4000


def test_an_older_dump_loads_with_the_rest_as_after_a_reset() -> None:
    assert Modes.load({}).enter() == b""


@pytest.mark.parametrize("mode", [1, 9, 47, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 1047, 1049, 2004])
def test_a_mode_that_was_switched_on_is_entered_and_left(mode: int) -> None:
    modes = after(b"\x1b[?%dh" % mode)
    assert modes.enter() == b"\x1b[?%dh" % mode
    assert b"\x1b[?%dl" % mode in modes.leave()
    modes.feed(b"\x1b[?%dl" % mode)
    assert modes.enter() == b""


@pytest.mark.parametrize("mode", [7, 25])
def test_a_mode_that_is_on_by_default_is_entered_by_switching_it_off(mode: int) -> None:
    modes = after(b"\x1b[?%dl" % mode)
    assert modes.enter() == b"\x1b[?%dl" % mode
    assert b"\x1b[?%dh" % mode in modes.leave()


def test_the_alternate_screen_is_entered_first_and_left_last() -> None:
    modes = after(b"\x1b[?25l\x1b[?1000h\x1b[?1049h")
    assert modes.alternate
    assert modes.enter().startswith(b"\x1b[?1049h")
    assert modes.leave().endswith(b"\x1b[?1049l")


def test_any_of_its_three_modes_ends_the_alternate_screen() -> None:
    assert not after(b"\x1b[?1049h\x1b[?47l").alternate


def test_modes_of_no_interest_are_passed_over() -> None:
    assert after(b"\x1b[?12h\x1b[?;h\x1b[?99999999h\x1b[4h").enter() == b""


def test_keypad_and_cursor_style_are_tracked() -> None:
    assert after(b"\x1b=\x1b[4 q").enter() == b"\x1b=\x1b[4 q"
    assert after(b"\x1b=\x1b[4 q\x1b>\x1b[0 q").enter() == b""
    assert b"\x1b>" in after(b"\x1b=").leave()
    assert b"\x1b[0 q" in after(b"\x1b[4 q").leave()


def test_the_title_is_kept_without_its_control_characters() -> None:
    modes = after(b"\x1b]2;caf\xc3\xa9\n\x08!\x07")
    assert modes.title == "caf\u00e9!"
    assert modes.enter() == b"\x1b]2;caf\xc3\xa9!\x1b\\"
    assert modes.leave().endswith(b"\x1b]2;\x1b\\")


def test_a_full_reset_clears_all_but_the_title() -> None:
    modes = after(b"\x1b]2;t\x07\x1b[?1049h\x1b[?25l\x1b=\x1b[4 q\x1b[>1u\x1b[>4;2m\x1b[2;3r\x1bc")
    assert modes.enter() == b"\x1b]2;t\x1b\\"
    assert b"\x1b[r" not in modes.leave()


def test_a_soft_reset_leaves_screen_and_mouse() -> None:
    modes = after(b"\x1b[?1049h\x1b[?1000h\x1b[?25l\x1b[?1h\x1b[?7l\x1b=\x1b[2;3r\x1b[!p")
    assert modes.enter() == b"\x1b[?1049h\x1b[?1000h"


def test_each_screen_has_a_keyboard_stack_of_its_own() -> None:
    modes = after(b"\x1b[>1u\x1b[>3u\x1b[?1049h\x1b[>5u")
    assert modes.enter() == b"\x1b[>1u\x1b[>3u\x1b[?1049h\x1b[>5u"
    assert modes.leave().index(b"\x1b[<1u") < modes.leave().index(b"\x1b[?1049l") < modes.leave().index(b"\x1b[<2u")
    modes.feed(b"\x1b[?1049l\x1b[=8;2u")
    assert modes.enter() == b"\x1b[>1u\x1b[>11u"


def test_keyboard_stacks_are_bounded() -> None:
    assert after(b"\x1b[>1u" * 1000).enter() == b"\x1b[>1u" * 8


def test_margins_are_taken_back_without_moving_the_cursor() -> None:
    assert b"\x1b7\x1b[r\x1b8" in after(b"\x1b[2;10r").leave()
    assert b"\x1b[r" not in after(b"\x1b[2;10r\x1b[r").leave()


def test_a_synchronized_update_is_known_and_never_entered() -> None:
    modes = after(b"\x1b[?2026h")
    assert modes.synchronized
    assert modes.enter() == b""
    modes.feed(b"\x1b[?2026l")
    assert not modes.synchronized


@pytest.mark.parametrize(
    "data",
    [b"text", b"", b"\x1b[31mred", b"\x1b[31m", b"\x1b]0;t\x07", b"\x1b]0;t\x1b\\", b"\x1bPq\x1b\\", b"\xc3\xa9",
     b"\xf0\x9f\x98\x80", b"\x1b7", b"\x1b[?25l", b"\x1bPq\x18", b"\x1b(B"],
)  # fmt: skip
def test_bytes_may_be_put_in_between_sequences(data: bytes) -> None:
    assert after(b"x", data).at_ground


@pytest.mark.parametrize(
    "data",
    [b"\x1b", b"\x1b[", b"\x1b[31", b"\x1b[?25", b"\x1b[4 ", b"\x1b]0;t", b"\x1b]52;c;aa", b"\x1bPq#0;2", b"\x1b_Ga",
     b"\xc3", b"\xe2\x94", b"\xf0\x9f\x98", b"\x1b(", b"\x1bPq\x1b", b"\x1b]0;t\x1b", b"\x1b]52;c;aa\x1b",
     b"\x1b]0;" + b"t" * 5000],
)  # fmt: skip
def test_bytes_may_not_be_put_within_one(data: bytes) -> None:
    assert not after(b"x", data).at_ground
    assert not after(*(data[i : i + 1] for i in range(len(data)))).at_ground


def test_a_string_over_many_chunks_ends_with_its_terminator() -> None:
    modes = after(b"\x1bPq#0", b"more", b"and more")
    assert not modes.at_ground
    modes.feed(b"last\x1b")
    assert not modes.at_ground
    modes.feed(b"\\")
    assert modes.at_ground
    assert after(b"\x1b]52;c;", b"aaa", b"a\x07").at_ground


def test_a_title_is_read_however_its_end_is_cut() -> None:
    assert after(b"\x1b]2;t\x1b", b"\\").title == "t"
    assert after(b"\x1b[31m\x1b]2;t", b"\x1b\\").title == "t"
    assert after(b"\x1b]2;t\x1b", b"[?25l").enter() == b"\x1b[?25l"


def test_a_flood_of_colour_does_not_hide_a_mode_behind_it() -> None:
    assert after(b"\x1b[31mx" * 500 + b"\x1b[?25l").enter() == b"\x1b[?25l"
    assert after(b"\x1b[31mx" * 500 + b"\x1b[?2", b"5l").enter() == b"\x1b[?25l"
    assert after(b"\x1b[31mx" * 500 + b"\x1b[3", b"1m\x1b[?25l").enter() == b"\x1b[?25l"


def test_colours_that_the_program_has_set_are_set_again_and_taken_back() -> None:
    modes = after(b"\x1b]4;1;rgb:12/34/56;200;#abc\x07\x1b]10;white;#010203\x1b\\\x1b]12;red\x07")
    assert modes.enter() == (
        b"\x1b]4;1;rgb:12/34/56\x1b\\\x1b]4;200;#abc\x1b\\\x1b]10;white\x1b\\\x1b]11;#010203\x1b\\\x1b]12;red\x1b\\"
    )
    assert modes.leave().endswith(b"\x1b]104;1;200\x1b\\\x1b]110\x1b\\\x1b]111\x1b\\\x1b]112\x1b\\")
    modes.feed(b"\x1b]104;1\x07\x1b]111\x1b\\")
    assert modes.colour("4;1") == modes.colour("11") == ""
    assert modes.colour("4;200") == "#abc"
    modes.feed(b"\x1b]104\x07\x1b]110\x07\x1b]112\x07")
    assert modes.enter() == b""


def test_a_colour_that_is_asked_for_is_not_set() -> None:
    assert after(b"\x1b]11;#102030\x07", b"\x1b]11;?\x07\x1b]4;1;?\x07").colour("11") == "#102030"
    assert after(b"\x1b]4;1;?\x07").enter() == b""


def test_a_palette_is_bounded() -> None:
    modes = after(*(b"\x1b]4;%d;red\x07" % number for number in range(1000)))
    assert modes.enter().count(b";red") <= 260


def test_each_screen_gets_its_own_keyboard_stack_back() -> None:
    modes = after(b"\x1b[>1u", b"\x1b[?1049h", b"\x1b[>5u", b"\x1b[>7u")
    assert modes.enter() == b"\x1b[>1u\x1b[?1049h\x1b[>5u\x1b[>7u"
    assert modes.keyboard_flags == 7
    again = after(modes.enter(), b"\x1b[<2u", b"\x1b[?1049l")
    assert again.keyboard_flags == 1
    left = modes.leave()
    assert left.index(b"\x1b[<2u") < left.index(b"\x1b[?1049l") < left.index(b"\x1b[<1u")


def test_a_synchronized_update_is_ended_by_leaving_and_never_begun_by_entering() -> None:
    modes = after(b"\x1b[?2026h", b"half a frame")
    assert b"2026" not in modes.enter()
    assert b"\x1b[?2026l" in modes.leave()


@pytest.mark.parametrize("mode", [1004, 2004, 2031, 2048])
def test_reports_that_the_program_wants_are_wanted_again(mode: int) -> None:
    modes = after(b"\x1b[?%dh" % mode)
    assert modes.enter() == b"\x1b[?%dh" % mode
    assert b"\x1b[?%dl" % mode in modes.leave()
    assert modes.state_of(mode) == 1
    assert after().state_of(mode) == 2
    assert after().state_of(9999) == 0


def test_who_sends_title_and_folder_is_known() -> None:
    assert not after(b"text").sends_title
    assert after(b"\x1b]2;x\x07\x1b]2;\x07").sends_title
    assert after(b"\x1b]7;file://host", b"/tmp\x1b\\").sends_folder
    assert not after(b"\x1b]777;notify;a;b\x07").sends_folder
