"""Cleaning of output for a replay, and its text alone for a pipe."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wezparallel.wire.replay import Cleaner, clean, plain

KEPT = {
    "colour": b"\x1b[1;38;2;1;2;3;48:5:6m",
    "cursor": b"\x1b[12;40H\x1b[2K\x1b[3A\x1b[2J",
    "mode": b"\x1b[?1049h\x1b[?25l",
    "insert mode": b"\x1b[4h",
    "cursor style": b"\x1b[5 q",
    "soft reset": b"\x1b[!p",
    "margins": b"\x1b[2;9r",
    "keyboard": b"\x1b[>4;2m",
    "title": b"\x1b]0;some title?\x07",
    "title by ST": b"\x1b]2;t\x1b\\",
    "link": b"\x1b]8;;https://example.org/?q=1\x1b\\here\x1b]8;;\x1b\\",
    "prompt": b"\x1b]133;A\x07",
    "folder": b"\x1b]7;file:///tmp\x07",
    "set colour": b"\x1b]11;rgb:00/00/00\x07\x1b]4;1;#ffffff\x07",
    "reset colour": b"\x1b]111\x07\x1b]104\x1b\\",
    "character set": b"\x1b(0lqk\x1b(B",
    "save cursor": b"\x1b7\x1b8\x1bM\x1b=\x1b>\x1bc",
    "text": "dégâts · ─── \u00a0 😀\tx\r\n\x08".encode(),
}
DROPPED = {
    "bell": b"\x07",
    "answerback": b"\x05",
    "DA1": b"\x1b[c",
    "DA1 with 0": b"\x1b[0c",
    "DA2": b"\x1b[>c",
    "DA3": b"\x1b[=c",
    "DECID": b"\x1bZ",
    "DSR": b"\x1b[5n",
    "cursor position": b"\x1b[6n",
    "DECXCPR": b"\x1b[?6n",
    "colour scheme": b"\x1b[?996n",
    "DECRQM": b"\x1b[?2026$p",
    "ANSI DECRQM": b"\x1b[4$p",
    "XTVERSION": b"\x1b[>0q",
    "kitty keyboard query": b"\x1b[?u",
    "kitty keyboard stack": b"\x1b[>1u\x1b[<u\x1b[=1;2u",
    "synchronized update": b"\x1b[?2026h\x1b[?2026l",
    "sizes as reports": b"\x1b[?2048h\x1b[?2004;2048h",
    "modifyOtherKeys query": b"\x1b[?4m",
    "graphics query": b"\x1b[?1;1;0S",
    "window pixels": b"\x1b[14t",
    "cell pixels": b"\x1b[16t",
    "text area": b"\x1b[18t",
    "title report": b"\x1b[21t",
    "window resize": b"\x1b[8;50;100t",
    "terminal parameters": b"\x1b[x",
    "checksum": b"\x1b[1;1;1;1;2;2*y",
    "presentation": b"\x1b[1$w",
    "locator": b"\x1b['|",
    "print": b"\x1b[5i",
    "palette query": b"\x1b]4;1;?\x07",
    "foreground query": b"\x1b]10;?\x1b\\",
    "background query": b"\x1b]11;?\x07",
    "cursor colour query": b"\x1b]12;?\x07",
    "two colours, one asked for": b"\x1b]10;#ffffff;?\x07",
    "clipboard": b"\x1b]52;c;Zm9v\x07",
    "clipboard query": b"\x1b]52;c;?\x1b\\",
    "clipboard with a control in its number": b"\x1b]5\n2;c;Zm9v\x07",
    "notification": b"\x1b]9;done\x07",
    "kitty notification": b"\x1b]99;i=1;done\x1b\\",
    "urxvt notification": b"\x1b]777;notify;a;b\x07",
    "iTerm image": b"\x1b]1337;File=inline=1:AAAA\x07",
    "user variable": b"\x1b]1337;SetUserVar=a=Yg==\x07",
    "long string": b"\x1b]0;" + b"x" * 9000 + b"\x07",
    "sixel": b"\x1bPq#0;2;0;0;0#0~~@@vv@@~~\x1b\\",
    "DECRQSS": b"\x1bP$qm\x1b\\",
    "XTGETTCAP": b"\x1bP+q544e\x1b\\",
    "kitty image": b"\x1b_Gf=100,a=T;AAAA\x1b\\",
    "privacy message": b"\x1b^x\x1b\\",
    "start of string": b"\x1bXx\x1b\\",
    "a query with a control in it": b"\x1b[\n6n",
    "a query behind a control": b"\x1b\x07[6n",
    "long parameters": b"\x1b[" + b"1;" * 200 + b"m",
    "C1 in UTF-8": b"\xc2\x9b",
    "broken off sequence": b"\x1b[31",
    "broken off string": b"\x1b]0;half",
    "broken off image": b"\x1bPq#0",
    "lone escape": b"\x1b",
    "half a character of C1": b"\xc2",
}


@pytest.mark.parametrize("data", KEPT.values(), ids=KEPT.keys())
def test_what_only_draws_is_kept(data: bytes) -> None:
    assert clean(b"a" + data + b"b") == b"a" + data + b"b"


@pytest.mark.parametrize("data", DROPPED.values(), ids=DROPPED.keys())
def test_what_asks_rings_or_stores_is_taken_out(data: bytes) -> None:
    assert clean(b"a" + data) == b"a"
    assert clean(b"a" + data + b"\x1b[31mb") == b"a\x1b[31mb"
    assert data == b"\xc2" or clean(data * 2 + b"\x1b[mb") == b"\x1b[mb"


pieces = st.one_of(
    st.sampled_from([*KEPT.values(), *DROPPED.values()]),
    st.sampled_from([b"\x1b", b"\x1b[", b"\x1b]", b"\x1bP", b"\x1b\\", b"\x18", b"6n", b"[6n", b"52;c;x\x07", b"\n"]),
    st.binary(max_size=8),
)
streams = st.lists(pieces, max_size=12).map(b"".join)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(ends)]


@settings(max_examples=300, deadline=None)
@given(streams, st.lists(st.integers(0, 300), max_size=10))
def test_cleaning_any_split_equals_cleaning_the_whole(data: bytes, places: list[int]) -> None:
    cleaner = Cleaner()
    out = b"".join(cleaner.feed(part) for part in cut(data, places))
    assert out == Cleaner().feed(data)
    # The colour keeps `clean` from taking the beginning for the end of something older.
    assert b"\x1b[m" + out == clean(b"\x1b[m" + data)
    assert b"\x1b[m" + out == clean(b"\x1b[m" + data[: len(data) - cleaner.held])


@settings(max_examples=100, deadline=None)
@given(streams)
def test_cleaning_byte_by_byte_equals_cleaning_the_whole(data: bytes) -> None:
    cleaner = Cleaner()
    assert b"".join(cleaner.feed(data[i : i + 1]) for i in range(len(data))) == Cleaner().feed(data)


@settings(max_examples=300, deadline=None)
@given(streams)
def test_what_is_clean_stays_as_it_is(data: bytes) -> None:
    once = Cleaner().feed(data)
    assert Cleaner().feed(once) == once


ASKS = re.compile(rb"\x1b\[[0-?]*[ -/]*[cnx]|\x1b\[[0-?]*\$p|\x1b\](?:52|9|99|777|1337);|\x1bP|\x1b_|\x1bZ|\x05")


@settings(max_examples=300, deadline=None)
@given(streams)
def test_nothing_that_asks_is_left_however_it_is_broken(data: bytes) -> None:
    assert ASKS.search(clean(data)) is None


def test_what_follows_an_escape_that_was_broken_off_is_kept() -> None:
    assert clean(b"a\x1b\x1b[31mb") == b"a\x1b[31mb"
    assert clean(b"a\x1b[3\x1b[31mb") == b"a\x1b[31mb"
    assert clean(b"a\x1b]0;t\x1b[31mb") == b"a\x1b[31mb"


def test_the_end_of_something_older_goes_from_the_beginning() -> None:
    assert clean(b"c2l4ZWw\x1b\\text") == b"text"
    assert clean(b"38;5;12mtext") == b"text"
    assert clean(b"\x94\x80text") == b"text"
    assert clean(b"QUJD" * 20 + b"\x07text") == b"text"
    assert clean(b"12:30 text") == b"12:30 text"


def test_a_long_open_string_is_held_without_its_bytes() -> None:
    cleaner = Cleaner()
    opened = [b"\x1bPq", b"\x1b]0;", b"\x1b["]
    for start in opened:
        assert cleaner.feed(b"a" + start) == b"a"
        for _ in range(100):
            assert cleaner.feed(b"1" * 1000) == b""
        assert cleaner.held == len(start) + 100_000
        assert cleaner.feed(b"\x1b") == b""
        assert cleaner.feed(b"\\b") in {b"b", b"\x1b\\b"}
        assert cleaner.held == 0


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"text\n", b"text\n"),
        (b"\x1b[31mred\x1b[0m\r\n", b"red\n"),
        (b"10%\r20%\r100%\n", b"100%\n"),
        (b"10%\r\x1b[K20%\r", b"20%"),
        (b"a\r\r\nb\r\n", b"a\nb\n"),
        (b"N\x08NA\x08AM\x08ME\x08E\n", b"NAME\n"),
        (b"typo\x08 \x08\x08 \x08ed\n", b"tyed\n"),
        ("é\x08e".encode(), b"e"),
        (b"\x08\x08x", b"x"),
        (b"a" * 500 + b"\x08" * 500, b"a" * 400),
        (b"\x1b]0;title\x07a\x1bPq##\x1b\\b\x1b]8;;u\x1b\\c\x07\x00\x7f\x0c", b"abc"),
        ("· \u009b é".encode(), "·  é".encode()),
        (b"\x1b(Ba\x1b7\x1b[?25lb\x1b", b"ab"),
    ],
)
def test_a_pipe_gets_the_text_as_it_was_left(data: bytes, expected: bytes) -> None:
    assert plain(data) == expected


@settings(max_examples=300, deadline=None)
@given(streams)
def test_plain_text_has_no_control_characters_but_tabs_and_newlines(data: bytes) -> None:
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", plain(data))
