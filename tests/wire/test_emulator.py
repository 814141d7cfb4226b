"""A program's output, and what is on the screen then."""

from __future__ import annotations

import random

import pytest

from tests.pictures.emulator import Emulator
from wezparallel.wire.emulator import Terminal
from wezparallel.wire.grid import BOLD, DEFAULT, PLAIN


def screen(output: str | bytes, rows: int = 4, columns: int = 10) -> Terminal:
    terminal = Terminal(rows, columns)
    terminal.feed(output if isinstance(output, bytes) else output.encode())
    return terminal


def rows_of(terminal: Terminal) -> list[str]:
    return ["".join(row).rstrip() for row in terminal.grid.texts]


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("one\r\ntwo", ["one", "two", "", ""]),
        ("one\ntwo", ["one", "   two", "", ""]),
        ("0123456789ab", ["0123456789", "ab", "", ""]),
        ("0123456789\r\nab", ["0123456789", "ab", "", ""]),
        ("a\r\nb\r\nc\r\nd\r\ne", ["b", "c", "d", "e"]),
        ("abc\b\bX", ["aXc", "", "", ""]),
        ("a\tb", ["a       b", "", "", ""]),
        ("a\t\t\tb", ["a        b", "", "", ""]),
        ("\x1b[3g\x1b[4G\x1bH\ra\tb", ["a  b", "", "", ""]),
        ("a\tb\x1b[Zx", ["a       x", "", "", ""]),
        ("\x1b[2;3Hx", ["", "  x", "", ""]),
        ("\x1b[99;99Hx", ["", "", "", "         x"]),
        ("abc\x1b[2Dx", ["axc", "", "", ""]),
        ("a\x1b[Bb\x1b[Ac", ["a c", " b", "", ""]),
        ("ab\x1b[2Ex\x1b[Fy", ["ab", "y", "x", ""]),
        ("x\x1b[3dy", ["x", "", " y", ""]),
        ("abcdef\x1b[3G\x1b[K", ["ab", "", "", ""]),
        ("abcdef\x1b[3G\x1b[1K", ["   def", "", "", ""]),
        ("abcdef\x1b[2K", ["", "", "", ""]),
        ("ab\r\ncd\r\nef\x1b[2;2H\x1b[J", ["ab", "c", "", ""]),
        ("ab\r\ncd\r\nef\x1b[2;2H\x1b[1J", ["", "", "ef", ""]),
        ("ab\r\ncd\x1b[2J", ["", "", "", ""]),
        ("ab\x1b[3J", ["ab", "", "", ""]),
        ("abc\r\x1b[2@x", ["x abc", "", "", ""]),
        ("abcd\r\x1b[2P", ["cd", "", "", ""]),
        ("abcd\r\x1b[2X", ["  cd", "", "", ""]),
        ("a\r\nb\r\nc\x1b[2;1H\x1b[L", ["a", "", "b", "c"]),
        ("a\r\nb\r\nc\x1b[1;1H\x1b[M", ["b", "c", "", ""]),
        ("a\r\nb\r\nc\x1b[S", ["b", "c", "", ""]),
        ("a\r\nb\r\nc\x1b[T", ["", "a", "b", "c"]),
        ("a\r\nb\r\nc\r\nd\x1b[2;3r\x1b[3;1H\nx", ["a", "c", "x", "d"]),
        ("a\r\nb\r\nc\r\nd\x1b[2;3r\x1b[2;1H\x1bMx", ["a", "x", "b", "d"]),
        ("\x1b[2;3r\x1b[?6h\x1b[1;1Hx", ["", "x", "", ""]),
        ("ab\x1b7\r\ncd\x1b8x", ["abx", "cd", "", ""]),
        ("ab\x1b[s\r\ncd\x1b[ux", ["abx", "cd", "", ""]),
        ("x\x1b[3b", ["xxxx", "", "", ""]),
        ("\x1b[?7l0123456789ab", ["012345678b", "", "", ""]),
        ("\x1b[4habc\rx\x1b[4ly", ["xybc", "", "", ""]),
        ("\x1b(0lqk\x1b(Bl", ["┌─┐l", "", "", ""]),
        ("\x1b)0q\x0eq\x0fq", ["q─q", "", "", ""]),
        ("\x1b[20ha\nb", ["a", "b", "", ""]),
        ("a\x1bDb\x1bEc", ["a", " b", "c", ""]),
        ("abc\x1bcx", ["x", "", "", ""]),
        ("\x1b#8", ["EEEEEEEEEE"] * 4),
        ("中x", ["中x", "", "", ""]),
        ("012345678中", ["012345678", "中", "", ""]),
        ("中中\r\x1b[P", [" 中", "", "", ""]),
        ("\x1b[3;4r\x1b[2;1H\x1b[5Ax", ["x", "", "", ""]),
        ("\x1b[1;2r\x1b[3;1H\x1b[5Bx", ["", "", "", "x"]),
        ("e\u0301a", ["e\u0301a", "", "", ""]),
        ("\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b\x1bPq#0\x1b\\c\x1b_x\x1b\\d", ["abcd", "", "", ""]),
        ("\x1b[?1000h\x1b[>1u\x1b[?2026h\x1b[5 q\x1b[c\x1b[6na", ["a", "", "", ""]),
        ("a\x1b]2;broken\x1b[31mb", ["ab", "", "", ""]),
        ("a\x1b[3\x18b", ["ab", "", "", ""]),
        ("a\x1b\x1b[1Cb", ["a b", "", "", ""]),
    ],
)
def test_output_becomes_a_screen(output: str, expected: list[str]) -> None:
    assert rows_of(screen(output)) == expected


def test_the_alternate_screen_leaves_the_main_one_as_it_was() -> None:
    terminal = screen("main\x1b[?1049h")
    assert terminal.alternate
    assert rows_of(terminal) == ["", "", "", ""]
    terminal.feed(b"\x1b[3;3Hother")
    assert rows_of(terminal) == ["", "", "  other", ""]
    terminal.feed(b"\x1b[?1049l!")
    assert rows_of(terminal) == ["main!", "", "", ""]
    assert not terminal.alternate


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("ab", (0, 2)),
        ("0123456789", (0, 9)),
        ("\x1b[3;4H", (2, 3)),
        ("\x1b[5;5r\x1b[2;3r", (0, 0)),
    ],
)
def test_where_the_cursor_is(output: str, expected: tuple[int, int]) -> None:
    assert screen(output).cursor == expected


def test_the_cursor_can_be_hidden() -> None:
    terminal = screen("\x1b[?25l")
    assert not terminal.cursor_visible
    terminal.feed(b"\x1b[!p")
    assert terminal.cursor_visible


def test_titles_are_kept_and_bounded() -> None:
    assert screen("\x1b]2;vim\x07").title == "vim"
    assert len(screen("\x1b]0;" + "x" * 5000 + "\x07").title) == 1024


def test_cells_have_the_style_that_was_on() -> None:
    terminal = screen("\x1b[1;31mab\x1b[0mc")
    assert terminal.grid.styles[0][:3] == [(1, DEFAULT, BOLD), (1, DEFAULT, BOLD), PLAIN]


def test_what_is_erased_takes_the_background_alone() -> None:
    terminal = screen("\x1b[1;31;44mab\x1b[2J")
    assert set(terminal.grid.styles[0]) == {(DEFAULT, 4, 0)}


def test_a_row_that_scrolls_in_takes_the_background() -> None:
    terminal = screen("\x1b[44m\x1b[4;1H\n")
    assert terminal.grid.styles[3][5] == (DEFAULT, 4, 0)


def test_half_of_a_wide_character_is_none() -> None:
    assert rows_of(screen("中中\x1b[2Gx")) == [" x中", "", "", ""]
    assert rows_of(screen("中中\rx")) == ["x 中", "", "", ""]
    assert rows_of(screen("a中\x1b[3G\x1b[P")) == ["a", "", "", ""]


def test_a_smaller_size_keeps_the_row_of_the_cursor() -> None:
    terminal = screen("a\r\nb\r\nc\r\nd")
    terminal.resize(2, 5)
    assert rows_of(terminal) == ["c", "d"]
    assert terminal.cursor == (1, 1)
    terminal.resize(3, 12)
    assert rows_of(terminal) == ["c", "d", ""]
    terminal.feed(b"\x1b[3;12Hx")
    assert rows_of(terminal)[2] == " " * 11 + "x"


def test_a_new_size_holds_for_the_main_screen_below_too() -> None:
    terminal = screen("a\r\nb\x1b[?1049h")
    terminal.resize(6, 20)
    terminal.feed(b"\x1b[?1049l\x1b[6;20Hx")
    assert rows_of(terminal) == ["a", "b", "", "", "", " " * 19 + "x"]


def test_an_image_of_a_megabyte_is_passed_over_without_being_kept() -> None:
    terminal = screen("a\x1bPq")
    for _ in range(64):
        terminal.feed(b"#" * 16384)
    terminal.feed(b"\x1b")
    terminal.feed(b"\\b")
    assert rows_of(terminal)[0] == "ab"
    assert len(terminal._rest) < 10


def test_a_sequence_that_never_ends_does_not_eat_the_rest() -> None:
    terminal = screen(b"a\x1b[" + b"1" * 20000)
    terminal.feed(b"mb")
    assert rows_of(terminal)[0].startswith("a")
    assert len(terminal._rest) < 10


def test_numbers_beyond_all_reason_are_harmless() -> None:
    terminal = screen("\x1b[999999999999C\x1b[999999999b\x1b[99999999999;2r\x1b[9999999L\x1b[99999999I")
    assert terminal.cursor[1] < 10


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (0, 0), (100_000, 3)])
def test_odd_sizes_are_borne(size: tuple[int, int]) -> None:
    terminal = Terminal(*size)
    terminal.feed("ab中\r\n\x1b[2;2Hx\t\x1b[L\x1b[P\x1b[@\x1b[J\x1b[K\x1b[2;1r".encode())
    terminal.resize(3, 3)
    terminal.resize(1, 1)
    assert len(terminal.grid.texts) == 1


def test_broken_characters_become_replacements() -> None:
    assert rows_of(screen(b"a\xffb\xc3"))[0] == "a\N{REPLACEMENT CHARACTER}b"


PIECES = [
    "hello", "wörld ─│┐", "中文", "\r\n", "\n", "\b", "\t", "\x1b[3;5H", "\x1b[H", "\x1b[2A", "\x1b[B", "\x1b[4C",
    "\x1b[3D", "\x1b[7G", "\x1b[K", "\x1b[1K", "\x1b[2J", "\x1b[J", "\x1b[2L", "\x1b[M", "\x1b[2P", "\x1b[@",
    "\x1b[3X", "\x1b[31m", "\x1b[1;44m", "\x1b[0m", "\x1b[38;5;120m", "\x1b[2;5r", "\x1b[r", "\x1bM", "\x1bD",
    "\x1b7", "\x1b8", "\x1b[?1049h", "\x1b[?1049l", "\x1b[S", "\x1b[T", "\x1b]0;x\x07", "\x1b[?25l", "\x1b[?25h",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_it_makes_no_difference_where_output_is_cut(seed: int) -> None:
    chance = random.Random(seed)
    data = "".join(chance.choices(PIECES, k=120)).encode()
    whole, cut = Terminal(6, 20), Terminal(6, 20)
    whole.feed(data)
    while data:
        size = chance.randint(1, 9)
        cut.feed(data[:size])
        data = data[size:]
    assert (cut.grid.texts, cut.grid.styles, cut.cursor) == (whole.grid.texts, whole.grid.styles, whole.cursor)


@pytest.mark.parametrize("seed", range(60))
def test_another_emulator_shows_the_same(seed: int) -> None:
    chance = random.Random(seed)
    # It lets wide characters stand over the last column, and has margins hold the cursor that is outside of them.
    pieces = [piece for piece in PIECES if piece not in {"中文", "\x1b[2;5r"}]
    data = "".join(chance.choices(pieces, k=80)).encode()
    mine, other = Terminal(6, 20), Emulator(6, 20)
    mine.feed(data)
    other.feed(data)
    assert rows_of(mine) == [row.rstrip() for row in other.picture().text.split("\n")]
    assert mine.cursor == (other.cursor.y, min(other.cursor.x, 19))
    assert mine.alternate == other.alternate
