"""A terminal's reports are told from what is typed, however the input is cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wezparallel.wire.reports import Reports

REPORTS = [
    b"\x1b[?62;22c", b"\x1b[>41;354;0c", b"\x1bP!|00000000\x1b\\", b"\x1b[0n", b"\x1b[12;40R", b"\x1b[1;1R",
    b"\x1b[?12;40R", b"\x1b[?12;40;1R", b"\x1b[?997;1n", b"\x1b[?2026;2$y", b"\x1b[4;2$y", b"\x1bP1$r0m\x1b\\",
    b"\x1bP1+r524742=38\x1b\\", b"\x1bP0+r\x1b\\", b"\x1bP>|WezTerm 20240203\x1b\\", b"\x1b]4;1;rgb:cc/00/00\x07",
    b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\", b"\x1b]11;rgb:0000/0000/0000\x07", b"\x1b]52;c;aGFsbG8=\x1b\\", b"\x1b[?1u",
    b"\x1b_Gi=31;OK\x1b\\", b"\x1b[48;24;80;384;640t", b"\x1b[4;384;640t", b"\x1b[6;16;8t", b"\x1b[8;24;80t",
    b"\x1b[I", b"\x1b[O", b"\x1b[M !!", b"\x1b[M \xf0\xf1", b"\x1b[<0;10;20M", b"\x1b[<35;10;20m", b"\x1b[32;10;20M",
    b"\x1b]la title\x1b\\", b"\x1b[?1;0;256S", b"\x1b]11;rgb:0/0/0\x1b\\",
]  # fmt: skip
KEYS = [
    b"a", b"\r", b"\x03", b"\xc3\xa4", b"\x1b[A", b"\x1b[1;5C", b"\x1bOP", b"\x1b[3~", b"\x1b[15;2~", b"\x1b[97;5u",
    b"\x1b[97;5:3u", b"\x1b[57441;2u", b"\x1b[27;5;92~", b"\x1b[200~", b"\x1b[201~", b"\x1bb", b"\x1b[Z", b"\x1b[H",
    b"\x1b[1;2R", b"\x1b[1;16R", b"\x1b[13;2~", b"\x1bPx", b"\x1b]x", b"\x1b_x", b"\x1b\x1b[A", b"\x1b\r",
]  # fmt: skip


def split(*chunks: bytes) -> tuple[bytes, bytes]:
    reports = Reports()
    typed = told = b""
    for chunk in chunks:
        more, answers = reports.split(chunk)
        typed += more
        told += answers
    return typed + reports.release(), told


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_is_no_key(report: bytes) -> None:
    assert split(b"x" + report + b"y") == (b"xy", report)


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_no_report(key: bytes) -> None:
    assert split(b"x" + key + b"y") == (b"x" + key + b"y", b"")


words_typed = st.one_of(
    st.sampled_from(REPORTS).map(lambda word: (word, b"r")), st.sampled_from(KEYS).map(lambda word: (word, b"k"))
)


@settings(max_examples=200, deadline=None)
@given(st.lists(words_typed, max_size=12), st.lists(st.integers(0, 200), max_size=10))
def test_it_does_not_hang_on_how_the_input_is_cut(words: list[tuple[bytes, bytes]], places: list[int]) -> None:
    data = b"".join(word for word, _ in words)
    ends = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    typed = b"".join(word for word, kind in words if kind == b"k")
    told = b"".join(word for word, kind in words if kind == b"r")
    assert split(*(data[a:b] for a, b in pairwise(ends))) == (typed, told)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=6))
def test_no_byte_is_lost(chunks: list[bytes]) -> None:
    typed, told = split(*chunks)
    assert sorted(typed + told) == sorted(b"".join(chunks))


@pytest.mark.parametrize("report", REPORTS)
def test_half_a_report_is_held_and_given_up_on_request(report: bytes) -> None:
    for at in range(1, len(report)):
        reports = Reports()
        assert reports.split(report[:at]) == (b"", b"")
        assert reports.held
        assert reports.release() == report[:at]
        assert not reports.held


def test_the_escape_key_alone_is_held_only_until_the_caller_gives_up() -> None:
    reports = Reports()
    assert reports.split(b"a\x1b") == (b"a", b"")
    assert reports.held
    assert reports.release() == b"\x1b"
    assert reports.split(b"b") == (b"b", b"")


@pytest.mark.parametrize("end", [b"\x07", b"\x1b\\"])
def test_a_clipboard_of_megabytes_is_not_gathered_in_memory(end: bytes) -> None:
    reports = Reports()
    told = b""
    for chunk in (b"\x1b]52;c;", *[b"QUJD" * 1000] * 50, b"QUJD" + end[:1], end[1:], b"x"):
        typed, more = reports.split(chunk)
        told += more
        assert typed == (b"x" if chunk == b"x" else b"")
    assert len(told) == 7 + 4 * 50001 + len(end)


def test_a_string_that_breaks_off_hides_no_keys_for_ever() -> None:
    reports = Reports()
    reports.split(b"\x1b]52;c;" + b"A" * 5000)
    assert reports.split(b"\x1b[A") == (b"\x1b[A", b"")
