"""What a program asks is found, however its output is cut, and answered from what is known."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wezparallel.wire.queries import Facts, Queries, asks
from wezparallel.wire.reports import Reports
from wezparallel.wire.terminal import Modes

ANSWERS = {
    b"\x1b[c": b"\x1b[?62;22c",
    b"\x1b[0c": b"\x1b[?62;22c",
    b"\x1bZ": b"\x1b[?62;22c",
    b"\x1b[>c": b"\x1b[>1;277;0c",
    b"\x1b[=c": b"\x1bP!|00000000\x1b\\",
    b"\x1b[5n": b"\x1b[0n",
    b"\x1b[6n": b"\x1b[1;1R",
    b"\x1b[?6n": b"\x1b[?1;1R",
    b"\x1b[?996n": b"\x1b[?997;1n",
    b"\x1b[>q": b"\x1bP>|wezparallel\x1b\\",
    b"\x1b[?u": b"\x1b[?0u",
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",
    b"\x1b[?25$p": b"\x1b[?25;1$y",
    b"\x1b[?4242$p": b"\x1b[?4242;0$y",
    b"\x1b[4$p": b"\x1b[4;0$y",
    b"\x1b[14t": b"\x1b[4;384;640t",
    b"\x1b[16t": b"\x1b[6;16;8t",
    b"\x1b[18t": b"\x1b[8;24;80t",
    b"\x1b[?2048h": b"\x1b[48;24;80;384;640t",
    b"\x1b]10;?\x07": b"\x1b]10;rgb:cccc/cccc/cccc\x07",
    b"\x1b]11;?\x1b\\": b"\x1b]11;rgb:0000/0000/0000\x1b\\",
    b"\x1b]10;?;?\x07": b"\x1b]10;rgb:cccc/cccc/cccc\x07\x1b]11;rgb:0000/0000/0000\x07",
    b"\x1b]4;1;?\x07": b"\x1b]4;1;rgb:cdcd/0000/0000\x07",
    b"\x1b]4;196;?;255;?\x07": b"\x1b]4;196;rgb:ffff/0000/0000\x07\x1b]4;255;rgb:eeee/eeee/eeee\x07",
    b"\x1bP$qm\x1b\\": b"\x1bP0$r\x1b\\",
    b"\x1bP+q544e\x1b\\": b"\x1bP0+r\x1b\\",
}
SILENT = [
    b"text", b"\x1b[31m", b"\x1b]52;c;?\x07", b"\x1b]52;c;aGFsbG8=\x07", b"\x1b]8;;http://x\x1b\\",
    b"\x1b]2;title\x07", b"\x1b[5 q",
    b"\x1b]11;#102030\x1b\\", b"\x1b[?2026h", b"\x1b[u", b"\x1b[s", b"\x1b[22;0t", b"\x1b[2;9r", b"\x1b[!p",
    b"\x1b]4;1;red\x07", b"\x1b[?62;22c", b"\x1b[0n", b"\x1b[>1u", b"\x1b_Gi=31,s=1,v=1,a=q;AAAA\x1b\\",
]  # fmt: skip


def answers(*chunks: bytes, facts: Facts | None = None) -> bytes:
    queries, modes = Queries(), Modes()
    out = b""
    for chunk in chunks:
        modes.feed(chunk)
        if not (modes.quiet and queries.skip(modes.unfinished)):
            out += queries.answers(chunk, facts or Facts(), modes)
    return out


@pytest.mark.parametrize(("query", "answer"), ANSWERS.items())
def test_a_query_is_answered(query: bytes, answer: bytes) -> None:
    assert answers(b"x" + query + b"y") == answer
    assert asks(query)
    assert Reports().split(answer) == (b"", answer)


@pytest.mark.parametrize("output", SILENT)
def test_what_asks_nothing_is_not_answered(output: bytes) -> None:
    assert answers(output) == b""
    assert not asks(output)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([*ANSWERS, *SILENT]), max_size=10), st.lists(st.integers(0, 150), max_size=10))
def test_it_does_not_hang_on_how_the_output_is_cut(words: list[bytes], places: list[int]) -> None:
    data = b"".join(words)
    ends = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    # What is answered from the modes may be those of a later moment of the same chunk; how many answers may not.
    assert answers(*(data[a:b] for a, b in pairwise(ends))).count(b"\x1b") == answers(data).count(b"\x1b")


def test_a_query_that_began_before_we_looked_is_answered() -> None:
    modes = Modes()
    modes.feed(b"x\x1b]1")
    queries = Queries(modes.unfinished)
    modes.feed(b"1;?\x07")
    assert queries.answers(b"1;?\x07", Facts(), modes) == b"\x1b]11;rgb:0000/0000/0000\x07"


def test_the_last_terminals_facts_are_the_answers() -> None:
    facts = Facts()
    facts.attributes, facts.background, facts.program = b"\x1b[?65;4;6c", "rgb:ff/fd/f6", "WezTerm 20240203"
    facts.size = (50, 100, 1000, 2000)
    facts = Facts.load(json.loads(json.dumps(facts.dump())))
    facts.size = (50, 100, 1000, 2000)
    asked = b"\x1b[c\x1b]11;?\x07\x1b[>q\x1b[?996n\x1b[16t"
    expected = b"\x1b[?65;4;6c\x1b]11;rgb:ff/fd/f6\x07\x1bP>|WezTerm 20240203\x1b\\\x1b[?997;2n\x1b[6;40;10t"
    assert answers(asked, facts=facts) == expected


def test_the_programs_own_settings_come_first() -> None:
    asked = b"\x1b]11;#102030\x07\x1b[>5u\x1b[?2004h", b"\x1b]11;?\x07\x1b[?u\x1b[?2004$p"
    assert answers(*asked) == b"\x1b]11;#102030\x07\x1b[?5u\x1b[?2004;1$y"


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=5))
def test_junk_never_breaks_it(chunks: list[bytes]) -> None:
    assert isinstance(answers(*chunks), bytes)
