"""Themes: by what a terminal says of itself, and complete."""

from __future__ import annotations

import pytest

from wezparallel.frontends.tui import __main__ as program
from wezparallel.frontends.tui import colours


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"TERM": "xterm-256color"}, "dark"), ({"TERM": "linux"}, "16"), ({}, "16"), ({"TERM": "wezterm"}, "dark"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "dark"),
        ({"TERM": "xterm-256color", "COLORFGBG": "0;15"}, "light"),
        ({"TERM": "xterm-256color", "COLORFGBG": "15;0"}, "dark"),
        ({"TERM": "xterm-256color", "COLORFGBG": "12;8"}, "dark"),
        ({"TERM": "linux", "COLORFGBG": "0;15"}, "16"),
    ],
)  # fmt: skip
def test_a_theme_fits_its_terminal(environment: dict[str, str], name: str) -> None:
    assert colours.fitting(environment) == name


def test_every_theme_has_every_style_and_sixteen_colours_are_the_terminals_own() -> None:
    found = [colours.styles(name) for name in colours.NAMES]
    assert found[0].keys() == found[1].keys() == found[2].keys()
    own = [style for style in colours.styles("16").values() if style.color is not None]
    assert all(
        style.color is not None and style.color.number is not None and style.color.number < 16 for style in own
    )
    assert program.THEMES == colours.NAMES


def test_without_a_terminal_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main([]) == program.NO_TERMINAL
    assert "needs a terminal" in capsys.readouterr().err
