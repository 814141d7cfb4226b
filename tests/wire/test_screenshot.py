"""Pictures of a screen: what they hold, and that they show the same."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from wezparallel.wire import screenshot
from wezparallel.wire.emulator import Terminal

OUTPUT = (
    "\x1b]0;a <title>\x07plain\r\n\x1b[1;31mred\x1b[0m and \x1b[7mreverse\x1b[0m\r\n\x1b[44m  \x1b[0m\r\n"
    "中 & <tag>\x1b[38;5;120mx\x1b[48;2;1;2;3my\x1b[0m   \r\n\r\n\x1b[2;3;4;9mall\x1b[0m"
)


@pytest.fixture
def terminal() -> Terminal:
    terminal = Terminal(8, 30)
    terminal.feed(OUTPUT.encode())
    return terminal


def test_the_text_has_no_spaces_at_its_ends(terminal: Terminal) -> None:
    assert screenshot.text(terminal) == "plain\nred and reverse\n\n中 & <tag>xy\n\nall\n"


def test_with_its_colours_another_terminal_shows_the_same(terminal: Terminal) -> None:
    other = Terminal(8, 30)
    other.feed(screenshot.ansi(terminal).replace("\n", "\r\n").encode())
    assert screenshot.spans(other) == screenshot.spans(terminal)


def test_as_json_a_span_tells_what_is_not_the_usual(terminal: Terminal) -> None:
    lines = screenshot.lines(terminal)
    assert lines[0] == [{"text": "plain"}]
    assert lines[1] == [
        {"text": "red", "fg": "red", "attributes": ["bold"]},
        {"text": " and "},
        {"text": "reverse", "attributes": ["reverse"]},
    ]
    assert lines[2] == [{"text": "  ", "bg": "blue"}]
    assert lines[3][1:] == [{"text": "x", "fg": "#87ff87"}, {"text": "y", "fg": "#87ff87", "bg": "#010203"}]
    assert lines[4] == []
    assert len(lines) == 8


def test_a_reversed_space_is_seen_at_the_end_of_a_row() -> None:
    terminal = Terminal(2, 10)
    terminal.feed(b"a\x1b[7m  \x1b[0m  ")
    assert screenshot.lines(terminal)[0] == [{"text": "a"}, {"text": "  ", "attributes": ["reverse"]}]


def test_an_svg_is_well_formed_and_says_all(terminal: Terminal) -> None:
    root = ElementTree.fromstring(screenshot.svg(terminal))
    said = "".join(root.itertext()).replace("\N{NO-BREAK SPACE}", " ")
    for words in ("a <title>", "plain", "red", "reverse", "中 & <tag>", "all"):
        assert words in said
    drawn = {node.text: node for node in root.iter("{http://www.w3.org/2000/svg}text")}
    assert drawn["red"].get("font-weight") == "bold"
    assert float(drawn["x"].get("x", "0")) == pytest.approx(screenshot.CELL[0] * len("中_ & <tag>"))
    assert drawn["all"].get("text-decoration") == "underline line-through"


def test_an_svg_bears_what_no_xml_may_hold() -> None:
    terminal = Terminal(2, 20)
    terminal.feed("\x1b]0;\x01\ufffe\x1b\\".encode() + "a\ufffe\U000e0001b".encode())
    assert ElementTree.fromstring(screenshot.svg(terminal)) is not None


def test_an_svg_shows_the_cursor_while_it_is_there(terminal: Terminal) -> None:
    seen = screenshot.svg(terminal)
    terminal.feed(b"\x1b[?25l")
    assert seen.count("fill-opacity") == 1
    assert "fill-opacity" not in screenshot.svg(terminal)
