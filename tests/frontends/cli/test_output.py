"""Cleaning a log for a terminal, a pipe, JSON."""

from __future__ import annotations

import json

import pytest

from wezparallel.client.cleaning import Cleaner
from wezparallel.frontends.cli.output import Writer


def cleaned(data: bytes, *, terminal: bool, step: int = 1000) -> bytes:
    cleaner = Cleaner(terminal=terminal)
    out = b"".join(cleaner.feed(data[at : at + step]) for at in range(0, len(data), step))
    return out + cleaner.finish()


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_into_a_pipe_only_text_is_left_however_it_was_cut(step: int) -> None:
    data = b"\x1b]0;title\x07\x1b[31mred\x1b[0m\r\n\x1b[2J\x1bPq\x1b\\plain \xc3\xa9\x07\n"
    assert cleaned(data, terminal=False, step=step) == "red\nplain é\n".encode()


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_a_terminal_keeps_colours_and_nothing_that_steers(step: int) -> None:
    data = b"\x1b[31mred\x1b[0m \x1b[2J\x1b[5A\x1b[?1049hx\x1b]52;c;QUJD\x07\n"
    assert cleaned(data, terminal=True, step=step) == b"\x1b[31mred\x1b[0m x\n"


def test_a_progress_bar_is_shown_in_its_last_state() -> None:
    assert cleaned(b"10%\r20%\r100%\ndone\n", terminal=False) == b"100%\ndone\n"


def test_what_a_program_erased_is_gone() -> None:
    assert cleaned(b"spin\x1b[1G\x1b[0K\r\nnext\x1b[2K\rlast", terminal=False) == b"\nlast"


def test_an_overwritten_line_keeps_what_was_not_overwritten() -> None:
    assert cleaned(b"abcdef\rXY\n", terminal=False) == b"XYcdef\n"


def test_bytes_that_are_no_text_pass() -> None:
    assert cleaned(b"\xff\xfe ok\n", terminal=False) == b"\xff\xfe ok\n"


def test_raw_is_every_byte() -> None:
    out: list[bytes] = []
    writer = Writer(out.append, terminal=False, how="raw")
    writer.piece(0, 0, "tty", b"\x1b[31m\xff\r\n")
    writer.finish()
    assert b"".join(out) == b"\x1b[31m\xff\r\n"


def test_json_lines_carry_what_is_no_text_as_base64() -> None:
    out: list[bytes] = []
    writer = Writer(out.append, terminal=False, how="json", process_id="shop/a")
    writer.piece(1, 7, "stdout", b"\xff", "r1")
    assert json.loads(b"".join(out)) == {
        "process_id": "shop/a", "at": "1970-01-01T00:00:01.000Z", "offset": 7, "stream": "stdout", "run_id": "r1",
        "text": "/w==", "encoding": "base64",
    }  # fmt: skip


def test_only_the_last_lines_are_written_when_so_many_are_wanted() -> None:
    out: list[bytes] = []
    writer = Writer(out.append, terminal=False, lines=2)
    writer.piece(0, 0, "tty", b"1\n2\n")
    writer.piece(0, 4, "tty", b"3\n")
    writer.finish()
    assert b"".join(out) == b"2\n3\n"


def test_on_a_terminal_the_prompt_comes_on_a_line_of_its_own() -> None:
    out: list[bytes] = []
    writer = Writer(out.append, terminal=True)
    writer.piece(0, 0, "tty", b"no newline")
    writer.finish()
    assert b"".join(out) == b"no newline\x1b[0m\n"
