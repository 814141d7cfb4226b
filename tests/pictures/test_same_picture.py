"""A program is left and found again: the picture is the same, cell by cell, with its modes and its title."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.pictures.held import ALL, BASH, FISH, KEYS, LINES, TEXTUAL, VIM, Program
from tests.pictures.window import Window
from tests.support.viewing import HeldKeeper

Run = Callable[..., None]
Opens = Callable[..., Window]
each_program = pytest.mark.parametrize("program", ALL, ids=[program.name for program in ALL])


@each_program
def test_a_program_is_found_as_it_was_left(keeper: HeldKeeper, window: Opens, run: Run, program: Program) -> None:
    first = window()
    run(program, first)
    left = first.settle()
    first.detach()
    assert first.picture.modes == ()
    assert first.attributes == first.before
    second = window()
    second.open(keeper, "w/it")
    second.becomes(left, program.titled)


@each_program
def test_in_another_size_it_is_as_if_it_had_run_there(
    keeper: HeldKeeper, window: Opens, run: Run, program: Program
) -> None:
    first, other = window(), window(33, 101)
    run(program, first)
    first.detach()
    other.open(keeper, "w/it")
    if program.redraws:
        found = other.settle()
        other.type(program.redraws)
        other.becomes(found, program.titled)
    else:
        native = window(33, 101)
        run(program, native, "w/native")
        other.becomes(native.settle(), program.titled)


def test_outside_wezterm_the_hint_stands_above_the_same_picture(keeper: HeldKeeper, window: Opens, run: Run) -> None:
    first, second = window(), window()
    run(LINES, first)
    left = first.settle()
    first.detach()
    second.attach(keeper, "w/it")
    second.sees("last line")
    assert second.picture.text.split("\n", 1) == [
        "attached to w/it; ctrl+\\ twice detaches", left.text.removesuffix("\n")
    ]  # fmt: skip
    second.type(b"\x1c\x1c")
    assert second.wait() == 0


def test_below_the_alternate_screen_lies_what_lay_there(keeper: HeldKeeper, window: Opens, run: Run) -> None:
    first, second, never_left = window(), window(), window()
    for one, name in ((first, "w/it"), (never_left, "w/other")):
        run(BASH, one, name)
        one.type(b"; less -RM text\r")
        one.sees("lines 1-")
        assert one.screen.alternate
    first.detach()
    assert not first.screen.alternate
    second.open(keeper, "w/it")
    second.becomes(never_left.picture)
    for one in (second, never_left):
        one.type(b"q")
        one.sees("me:")
    second.becomes(never_left.picture)
    assert not second.screen.alternate
    second.detach()
    assert "[detached from w/it; wezparallel attach w/it comes back]" in second.picture.text


def test_the_mouse_reaches_a_program_after_coming_back(keeper: HeldKeeper, window: Opens, run: Run) -> None:
    first, second = window(), window()
    run(VIM, first)
    first.detach()
    second.open(keeper, "w/it")
    second.sees("INSERT")
    second.click(10, 4)
    second.read_until(lambda: second.picture.cursor == (10, 4), "the cursor where the click was")


def test_the_mouse_presses_a_button_after_coming_back(keeper: HeldKeeper, window: Opens, run: Run) -> None:
    first, second = window(), window(30, 90)
    run(TEXTUAL, first)
    first.detach()
    second.open(keeper, "w/it")
    second.sees("30 rows, 90 columns")
    second.click(30, 5)
    second.sees("pressed second")


@pytest.mark.parametrize("program", [BASH, FISH], ids=["bash", "fish"])
def test_a_paste_arrives_in_brackets_after_coming_back(
    keeper: HeldKeeper, window: Opens, run: Run, program: Program
) -> None:
    first, second = window(), window()
    run(program, first)
    first.detach()
    second.open(keeper, "w/it")
    second.settle()
    assert second.picture.mode("mode 2004") == "on"
    second.paste(b" ; echo pas''ted\necho tw''o\n")
    second.settle()
    assert "pasted" not in second.picture.text
    assert "two" not in second.picture.text


def test_keys_come_in_the_encoding_that_the_program_chose(keeper: HeldKeeper, window: Opens, run: Run) -> None:
    first, second = window(), window()
    run(KEYS, first)
    left = first.settle()
    assert left.mode("keyboard") == (1, 5)
    assert left.mode("cursor style") == 3
    assert left.mode("mode 1") == "on"
    assert left.mode("title") == "a title"
    first.detach()
    assert not first.screen.keyboard[False] + first.screen.keyboard[True]
    second.open(keeper, "w/it")
    second.becomes(left)
    second.press_up()
    second.sees("^[OA")


def test_what_came_while_nobody_looked_is_there(keeper: HeldKeeper, window: Opens, run: Run) -> None:
    first, second, never_left = window(), window(), window()
    run(LINES, first)
    run(LINES, never_left, "w/other")
    first.detach()
    for process_id in ("w/it", "w/other"):
        keeper.hub.write(process_id, b"\n")
    never_left.sees("later 59")
    second.open(keeper, "w/it")
    second.becomes(never_left.picture, titled=False)
