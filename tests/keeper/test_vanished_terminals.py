"""A terminal that is gone (its other end was closed, so all there is EIO), whatever the keeper was doing with it."""

from __future__ import annotations

import os
import termios
from contextlib import closing, suppress

import pytest

from tests.support.handing import HandedTerminal
from tests.support.viewing import HeldKeeper, Pane, cat, shell
from tests.support.waiting import until
from wezparallel.wire import frames

STATES = ("held", "live", "behind", "returning", "between runs")


def descriptors(held: HeldKeeper) -> int:
    """Return how many the keeper has open; of the log it may keep some."""
    folder = f"/proc/{held.process.pid}/fd"
    count = 0
    for name in os.listdir(folder):
        with suppress(FileNotFoundError):
            count += not os.readlink(f"{folder}/{name}").endswith((".log", ".idx"))
    return count


def vanish(pane: Pane) -> None:
    """Close the terminal's other end."""
    os.close(pane.master)
    os.close(pane.slave)
    pane.master = pane.slave = -1


def bring_to(state: str, held: HeldKeeper, pane: HandedTerminal, other: HandedTerminal) -> None:
    """Have the keeper hold a terminal in a state; another one looks, too."""
    if state == "held":
        pane.ask_back()
        fd = os.open(os.ttyname(pane.slave), os.O_RDWR | os.O_NOCTTY)
        pane.talk.say(frames.TERMINAL, fd=fd)
        os.close(fd)
    elif state in {"behind", "returning"}:
        termios.tcflow(pane.slave, termios.TCOOFF)
        held.hub.write("w/sh", b"more than a stopped terminal takes." * 4000)
        other.drain(b"takes.")
        until(lambda: len(held.log("w/sh")) > 100_000, 10, "the echo")
        if state == "returning":
            pane.talk.say(frames.DETACH)
    elif state == "between runs":
        pane.ask_back()


@pytest.mark.parametrize("state", STATES)
def test_a_terminal_that_vanishes_takes_nothing_with_it(held: HeldKeeper, state: str) -> None:
    cat(held)
    with closing(HandedTerminal(held, "w/sh", offset=0)) as other:
        other.expect(b"ready")
        other.type(b"one.")
        other.expect(b"one.")
        before = descriptors(held)
        with closing(HandedTerminal(held, "w/sh", offset=0)) as pane:
            pane.expect(b"one.")
            bring_to(state, held, pane, other)
            vanish(pane)
            if state in {"held", "between runs"}:
                # Nobody looks at it now; what its client asks for next ends it.
                with suppress(BrokenPipeError):
                    pane.talk.say(frames.GO, bytes(8))
                    pane.talk.say(frames.HANGUP)
            assert pane.talk.look_for_the_end()
        until(lambda: descriptors(held) == before, 10, "every descriptor closed")
        other.read()
        other.type(b"still here.")
        other.expect(b"still here.")
        other.ask_back()
        assert other.attributes == other.before


def test_a_program_whose_only_terminal_vanished_goes_on_and_is_found_again(held: HeldKeeper) -> None:
    shell(held, "stty raw -echo; trap '' HUP; printf ready; exec cat")
    with closing(HandedTerminal(held, "w/sh", offset=0)) as pane:
        pane.expect(b"ready")
        vanish(pane)
        assert pane.talk.look_for_the_end()
    held.hub.write("w/sh", b"alone.")
    with closing(HandedTerminal(held, "w/sh", offset=0)) as pane:
        pane.expect(b"readyalone.")
        pane.type(b"together.")
        pane.expect(b"together.")


def test_a_client_that_dies_with_its_terminal_is_cleared_away(held: HeldKeeper) -> None:
    cat(held)
    until(lambda: b"ready" in held.log("w/sh"), 10, "the program")
    before = descriptors(held)
    pane = Pane()
    with closing(pane):
        pane.attach(held, "w/sh")
        pane.expect(b"ready")
        pane.read_until(lambda: pane.is_raw, "raw mode")
        assert pane.client is not None
        pane.client.kill()
        vanish(pane)
        pane.client.wait(10)
    until(lambda: descriptors(held) == before, 10, "every descriptor closed")
    held.hub.write("w/sh", b"alive")
    until(lambda: held.log("w/sh") == b"readyalive", 10, "the program's answer")
