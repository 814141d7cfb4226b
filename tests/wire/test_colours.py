"""Colours: out of sequences, into names and sequences again."""

from __future__ import annotations

import pytest

from wezparallel.wire import colours
from wezparallel.wire.grid import BOLD, DEFAULT, DIM, ITALIC, PLAIN, REVERSE, RGB, STRIKE, UNDERLINE

Style = tuple[int, int, int]
RED_ON_BLUE: Style = (1, 4, BOLD | UNDERLINE)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("", PLAIN),
        ("0", PLAIN),
        ("0;32", (2, DEFAULT, 0)),
        ("22", (1, 4, UNDERLINE)),
        ("24;3;9", (1, 4, BOLD | ITALIC | STRIKE)),
        ("2", (1, 4, BOLD | DIM | UNDERLINE)),
        ("4:0", (1, 4, BOLD)),
        ("4:3;7", (1, 4, BOLD | UNDERLINE | REVERSE)),
        ("39;49", (DEFAULT, DEFAULT, BOLD | UNDERLINE)),
        ("97;101", (15, 9, BOLD | UNDERLINE)),
        ("38;5;200", (200, 4, BOLD | UNDERLINE)),
        ("48;2;1;2;3", (1, RGB | 0x010203, BOLD | UNDERLINE)),
        ("38:2::1:2:3", (RGB | 0x010203, 4, BOLD | UNDERLINE)),
        ("38:2:1:2:3", (RGB | 0x010203, 4, BOLD | UNDERLINE)),
        ("38:5:9", (9, 4, BOLD | UNDERLINE)),
        ("58;5;9;3", (1, 4, BOLD | UNDERLINE | ITALIC)),
        ("38;5", (0, 4, BOLD | UNDERLINE)),
        ("38", (1, 4, BOLD | UNDERLINE)),
        ("38;2;999;0;0", (RGB | 0xFF0000, 4, BOLD | UNDERLINE)),
        ("777", RED_ON_BLUE),
    ],
)
def test_a_sequence_changes_a_style(parameters: str, expected: Style) -> None:
    assert colours.styled(RED_ON_BLUE, parameters) == expected


@pytest.mark.parametrize(
    "style",
    [PLAIN, RED_ON_BLUE, (9, 15, 0), (120, 255, DIM), (RGB | 0xABCDEF, RGB, ITALIC), (DEFAULT, DEFAULT, 255)],
)
def test_a_style_becomes_a_sequence_and_comes_back(style: Style) -> None:
    parameters = colours.sequence(style).removeprefix("\x1b[").removesuffix("m")
    assert colours.styled(RED_ON_BLUE, parameters) == style


@pytest.mark.parametrize(
    ("colour", "name"),
    [(DEFAULT, None), (1, "red"), (9, "bright_red"), (16, "#000000"), (196, "#ff0000"), (255, "#eeeeee"),
     (RGB | 0x0102AB, "#0102ab")],
)  # fmt: skip
def test_a_colour_has_a_name(colour: int, name: str | None) -> None:
    assert colours.name(colour) == name


def test_flags_have_words() -> None:
    assert colours.flag_names(BOLD | REVERSE) == ["bold", "reverse"]
