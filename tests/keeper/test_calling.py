"""A program calls for a person: the hub is told, unless somebody is at the keys; and that somebody came."""

from __future__ import annotations

import base64

from tests.support.handing import HandedTerminal
from tests.support.viewing import HeldKeeper
from tests.support.waiting import until
from wezparallel.keeper import messages as m

READS = "stty -echo; while read -r line; do printf '%b' \"$line\"; printf 'end of %s.' \"$line\"; done"


def start(held: HeldKeeper, process_id: str, *, tty: bool = True) -> None:
    held.hub.spawn(["/bin/sh", "-c", f"{READS if tty else READS[12:]}"], process_id=process_id, tty=tty)


def say(held: HeldKeeper, process_id: str, line: str) -> None:
    """Have the program print that, by input from the hub, which is nobody at its terminal."""
    data = base64.b64encode(line.encode() + b"\n").decode()
    held.hub.call(m.WRITE, process_id=process_id, key=f"{process_id} {line}", data=data)
    until(lambda: b"end of " + line.encode() in held.log(process_id), 10, f"the answer to {line}")


def calls(held: HeldKeeper, process_id: str) -> list[tuple[str, str]]:
    """Return what the hub was told of until now."""
    held.hub.call(m.ENV_PUT, env_id="turn", env={})  # its answer comes behind
    return [
        (event["title"], event["text"])
        for event in held.hub.events
        if event["m"] == m.CALLED and event["process_id"] == process_id
    ]


def test_a_bell_and_a_notification_that_nobody_sees_reach_the_hub(held: HeldKeeper) -> None:
    start(held, "w/calls")
    say(held, "w/calls", "plain")
    assert calls(held, "w/calls") == []
    say(held, "w/calls", r"\033]9;needs you\007")
    say(held, "w/calls", r"\033]777;notify;Claude;two words\033\\")
    assert calls(held, "w/calls") == [("", "needs you"), ("Claude", "two words")]


def test_bells_come_once_a_second_and_titles_are_no_bells(held: HeldKeeper) -> None:
    start(held, "w/rings")
    say(held, "w/rings", r"\033]2;a title\007")
    assert calls(held, "w/rings") == []
    say(held, "w/rings", r"\007\007")
    say(held, "w/rings", r"a\007")
    assert calls(held, "w/rings") == [("", "")]


def test_a_program_on_pipes_rings_no_bell(held: HeldKeeper) -> None:
    start(held, "w/pipes", tty=False)
    say(held, "w/pipes", r"\007\033]9;text\007")
    assert calls(held, "w/pipes") == []


def test_who_types_is_there_and_answers_what_was_called_before(held: HeldKeeper) -> None:
    start(held, "w/there")
    say(held, "w/there", r"\007")
    terminal = HandedTerminal(held, "w/there")
    try:
        assert calls(held, "w/there") == [("", "")]
        terminal.type(b"typed\\\\007\r")
        until(lambda: b"end of typed" in held.log("w/there"), 10, "the bell while somebody types")
        assert calls(held, "w/there") == [("", "")]
        answered = [event["process_id"] for event in held.hub.events if event["m"] == m.ANSWERED]
        assert answered.count("w/there") == 1
        say(held, "w/there", r"\033]9;while somebody is there\007")
        assert calls(held, "w/there") == [("", "")]
        terminal.type(b"\x1b[O")  # the window lost the focus
        lines = iter(range(1000))  # the keeper may read the focus after the first of them

        def calls_again() -> bool:
            say(held, "w/there", rf"{next(lines)}\033]9;after somebody left\007")
            return len(calls(held, "w/there")) > 1

        until(calls_again, 10, "a call when nobody looks")
        assert calls(held, "w/there")[1:] == [("", "after somebody left")]
    finally:
        terminal.close()
