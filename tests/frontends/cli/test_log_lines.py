"""Lines of several logs: cut out of pieces, named, searched."""

from __future__ import annotations

import json
import re

import pytest

from wezparallel.errors import RequestError
from wezparallel.frontends.cli.log_lines import Lines, LineWriter, cut, pattern
from wezparallel.frontends.cli.log_reading import Piece


def piece(data: bytes, at: float = 1.0, offset: int = 0, stream: str = "tty", process: str = "shop/web") -> Piece:
    return Piece(at, process, offset, stream, data, None)


def written(*lines: Piece, names: tuple[str, ...] = (), grep: str | None = None, **how: object) -> bytes:
    out: list[bytes] = []
    options = {"how": "", "terminal": False, "last": 0} | how
    writer = LineWriter(out.append, grep=pattern(grep, ignore_case=False), **options)  # type: ignore[arg-type]
    if names:
        writer.name(names)
    for line in lines:
        writer.line(line)
    writer.end_of_past()
    return b"".join(out)


def test_pieces_become_lines_with_the_time_and_place_of_their_first_byte() -> None:
    lines = list(cut([piece(b"one\ntw", 1, 10), piece(b"o\nthree", 2, 16), piece(b"\n", 3, 23)]))
    assert [(line.at, line.offset, line.data) for line in lines] == [
        (1, 10, b"one\n"), (1, 14, b"two\n"), (2, 18, b"three\n")
    ]  # fmt: skip


def test_streams_are_cut_apart() -> None:
    lines = list(
        cut([piece(b"out", stream="stdout"), piece(b"err\n", stream="stderr"), piece(b"!\n", stream="stdout")])
    )
    assert [line.data for line in lines] == [b"err\n", b"out!\n"]


def test_a_line_without_an_end_comes_at_the_end_or_is_left_to_go_on_with() -> None:
    assert [line.data for line in cut([piece(b"a\nb")])] == [b"a\n", b"b"]
    lines = Lines()
    assert [line.data for line in cut([piece(b"a\nb")], lines)] == [b"a\n"]
    assert [line.data for line in lines.feed(piece(b"c\n"))] == [b"bc\n"]
    assert not list(lines.finish())


def test_a_line_of_a_megabyte_is_not_held_for_ever() -> None:
    lines = Lines()
    assert list(lines.feed(piece(b"x" * (1 << 20))))


def test_names_are_padded_and_leave_out_the_workspace_that_all_have() -> None:
    names = ("shop/db", "shop/web")
    out = written(piece(b"one\n"), piece(b"two\r\n", process="shop/db"), names=names)
    assert out == b"web | one\ndb  | two\n"
    assert written(piece(b"one\n"), names=("api/web", "shop/web")) == b"shop/web | one\n"


def test_who_comes_later_is_named_as_the_others_are() -> None:
    out: list[bytes] = []
    writer = LineWriter(out.append, how="", terminal=False)
    writer.name(["shop/db", "shop/web"])
    writer.name(["shop/db", "shop/late", "shop/web", "api/web"])
    for process in ("shop/late", "shop/db", "api/web"):
        writer.line(piece(b"x\n", process=process))
    assert b"".join(out) == b"late    | x\ndb      | x\napi/web | x\n"


def test_on_a_terminal_names_have_colours_and_lines_end_without_any() -> None:
    out = written(piece(b"\x1b[32mgreen\n"), names=("shop/db", "shop/web"), terminal=True)
    assert out == b"\x1b[35mweb\x1b[0m \x1b[2m|\x1b[0m \x1b[32mgreen\x1b[0m\n"


def test_a_line_that_was_painted_several_times_shows_its_last_state() -> None:
    bar = piece(b"10 %\r\x1b[K\x1b[32m100 %\x1b[0m\r\n")
    assert written(bar, names=("shop/web",)) == b"web | 100 %\n"
    shown = written(bar, names=("shop/web",), terminal=True)
    assert b"10 %" not in shown.replace(b"100 %", b"")
    assert b"\r" not in shown


def test_what_would_steer_the_terminal_does_not_come_through() -> None:
    out = written(piece(b"a\x1b[2J\x1b]52;c;x\x07\x07b\n"), names=("shop/web",), terminal=True)
    assert out.endswith(b" ab\n")


def test_only_lines_in_which_it_is_found_are_written() -> None:
    lines = [piece(b"\x1b[31mer\x1b[0mror 1\n"), piece(b"fine\n"), piece(b"error 2\n")]
    assert written(*lines, grep=r"error \d") == b"error 1\nerror 2\n"
    assert written(*lines, grep="error", terminal=True).endswith(b"\x1b[1;4merror\x1b[0m 2\n")
    assert json.loads(written(*lines, grep="2", how="json"))["text"] == "error 2\n"
    assert written(*lines, grep="1", how="raw") == lines[0].data


def test_the_last_lines_are_counted_over_all_and_after_the_search() -> None:
    lines = [piece(b"a1\n"), piece(b"b1\n", process="shop/db"), piece(b"a2\n"), piece(b"b2\n", process="shop/db")]
    assert written(*lines, last=2) == b"a2\nb2\n"
    assert written(*lines, last=2, grep="1") == b"a1\nb1\n"


def test_what_follows_the_past_is_written_at_once() -> None:
    out: list[bytes] = []
    writer = LineWriter(out.append, how="", terminal=False, last=1)
    writer.line(piece(b"a\n"))
    writer.line(piece(b"b\n"))
    assert out == []
    writer.end_of_past()
    writer.line(piece(b"c\n"))
    writer.line(piece(b"d\n"))
    assert b"".join(out) == b"b\nc\nd\n"


def test_times_stand_before_names() -> None:
    out = written(piece(b"x\n", 1.5), names=("shop/web",), how="times")
    assert re.fullmatch(rb"\d\d:\d\d:01\.500  web \| x\n", out)


def test_bytes_that_are_no_text_come_through() -> None:
    assert written(piece(b"a\xffb\n")) == b"a\xffb\n"
    assert written(piece(b"a\xffb\n"), grep="b", terminal=True) == b"a\xff\x1b[1;4mb\x1b[0m\n"
    assert json.loads(written(piece(b"a\xffb\n"), how="json"))["encoding"] == "base64"


def test_a_wrong_expression_is_refused_with_its_place() -> None:
    with pytest.raises(RequestError, match="no regular expression"):
        pattern("(", ignore_case=False)
    found = pattern("ERROR", ignore_case=True)
    assert found is not None
    assert found.search("an error")
