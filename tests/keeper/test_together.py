"""Processes that are typed into together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.support.fake_hub import FakeHub
from tests.support.handing import HandedTerminal
from tests.support.viewing import HeldKeeper, held_keeper
from tests.support.waiting import until
from wezparallel.keeper import messages as m
from wezparallel.wire import hello

SCRIPT = "stty raw -echo; printf ready; exec cat"


@pytest.fixture
def held(tmp_path: Path) -> Iterator[HeldKeeper]:
    with held_keeper(tmp_path) as keeper:
        for name in ("a", "b", "c"):
            keeper.hub.spawn(["/bin/sh", "-c", SCRIPT], tty=True, process_id=f"w/{name}")
            until(lambda name=name: keeper.log(f"w/{name}") == b"ready", 10, "the program")  # type: ignore[misc]
        yield keeper


def together(held: HeldKeeper, *names: str, on: bool = True) -> None:
    held.hub.call(m.TOGETHER, process_ids=[f"w/{name}" for name in names], on=on)


def printed(held: HeldKeeper, name: str, text: bytes) -> None:
    """Wait until a program has printed exactly that, which is what it was typed."""
    until(lambda: held.log(f"w/{name}") == b"ready" + text, 10, f"{text!r} in {name}: {held.log(f'w/{name}')!r}")


def test_what_is_typed_at_one_goes_to_all_of_its_group_once(held: HeldKeeper) -> None:
    together(held, "a", "b")
    with closing(HandedTerminal(held, "w/a")) as first, closing(HandedTerminal(held, "w/b")) as second:
        first.type(b"one")
        printed(held, "b", b"one")
        second.type(b"two")
        printed(held, "a", b"onetwo")
    printed(held, "b", b"onetwo")
    printed(held, "c", b"")


def test_what_a_terminal_reports_by_itself_stays_with_its_program(held: HeldKeeper) -> None:
    together(held, "a", "b")
    with closing(HandedTerminal(held, "w/a")) as terminal:
        terminal.type(b"x\x1b[I\x1b[12;40R\x1b[<0;5;5My")
        printed(held, "a", b"x\x1b[I\x1b[12;40R\x1b[<0;5;5My")
        printed(held, "b", b"xy")
        terminal.type(b"\x1b")
        printed(held, "b", b"xy\x1b")


def test_a_read_only_viewer_types_into_none_of_them(held: HeldKeeper) -> None:
    together(held, "a", "b")
    with closing(HandedTerminal(held, "w/a", flags=hello.READ_ONLY)) as terminal:
        terminal.type(b"no")
        with closing(HandedTerminal(held, "w/a")) as other:
            other.type(b"yes")
            printed(held, "b", b"yes")
    printed(held, "a", b"yes")


def test_one_that_leaves_is_alone(held: HeldKeeper) -> None:
    together(held, "a", "b", "c")
    together(held, "b", on=False)
    with closing(HandedTerminal(held, "w/a")) as first, closing(HandedTerminal(held, "w/b")) as second:
        first.type(b"x")
        printed(held, "c", b"x")
        second.type(b"y")
        printed(held, "b", b"y")
    printed(held, "a", b"x")


def test_a_new_group_takes_its_members_out_of_others(held: HeldKeeper) -> None:
    together(held, "a", "b")
    together(held, "b", "c")
    with closing(HandedTerminal(held, "w/a")) as first, closing(HandedTerminal(held, "w/b")) as second:
        first.type(b"x")
        printed(held, "a", b"x")
        second.type(b"y")
        printed(held, "c", b"y")
    printed(held, "b", b"y")


def test_one_that_does_not_read_keeps_nobody_waiting(held: HeldKeeper) -> None:
    held.hub.spawn(["/bin/sh", "-c", "stty raw; printf ready; exec sleep 1000"], tty=True, process_id="w/deaf")
    until(lambda: held.log("w/deaf") == b"ready", 10, "the program")
    together(held, "a", "deaf")
    text = memoryview(b"0123456789abcdef" * (96 * 1024))  # more than may wait for a program
    with closing(HandedTerminal(held, "w/a")) as terminal:

        def all_is_printed() -> bool:
            nonlocal text
            with suppress(BlockingIOError):
                text = text[os.write(terminal.master, text[:4096]) :] if text else text
            terminal.read()
            terminal.shown = b""
            return not text and len(held.log("w/a")) == 5 + (96 * 1024 * 16)

        until(all_is_printed, 30, "all of the text")


def test_a_new_hub_is_told_and_the_group_lives_over_an_upgrade(held: HeldKeeper) -> None:
    together(held, "a", "b")
    held.upgrade()
    held.hub.close()
    held.hub = FakeHub(held.socket)
    told = {
        event["process_id"]: event.get("together") for event in held.hub.events if event["m"] == m.PROCESS
    }  # fmt: skip
    assert told == {"w/a": ["w/a", "w/b"], "w/b": ["w/b", "w/a"], "w/c": None}
    with closing(HandedTerminal(held, "w/a")) as terminal:
        terminal.type(b"x")
        printed(held, "b", b"x")


def test_one_that_was_forgotten_is_typed_into_no_more(held: HeldKeeper) -> None:
    run = held.hub.spawn(["/bin/true"], tty=True, process_id="w/gone")
    held.hub.exited(run["run_id"])
    together(held, "a", "gone")
    held.hub.call(m.FORGET, process_id="w/gone")
    with closing(HandedTerminal(held, "w/a")) as terminal:
        terminal.type(b"x")
        printed(held, "a", b"x")
    held.hub.close()
    held.hub = FakeHub(held.socket)
    assert not [event for event in held.hub.events if event["m"] == m.PROCESS and event.get("together")]
    held.upgrade()
    with closing(HandedTerminal(held, "w/a")) as terminal:
        terminal.type(b"y")
        printed(held, "a", b"xy")
