"""Where a program is and what runs in its foreground: told to clients, shown by their terminals, never in the log."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.support.fake_hub import RefusedError
from tests.support.handing import HandedTerminal, Relay
from tests.support.viewing import HeldKeeper, Pane, held_keeper
from tests.support.waiting import until
from wezparallel.keeper import messages as m

HOST = os.uname().nodename.encode()


@pytest.fixture
def held(tmp_path: Path) -> Iterator[HeldKeeper]:
    with held_keeper(tmp_path) as keeper:
        yield keeper
        for run_id in keeper.hub.fds:  # an interactive shell heeds no SIGTERM
            with suppress(RefusedError):
                keeper.hub.call(m.KILL, run_id=run_id)


def start_shell(held: HeldKeeper, folder: Path) -> None:
    environment = {"PS1": "at prompt$ ", "ENV": ""}
    held.hub.spawn(["/bin/sh"], tty=True, process_id="w/sh", cwd=str(folder), env=environment)
    until(lambda: b"at prompt$" in held.log("w/sh"), 10, "the prompt")


def test_a_terminal_is_told_of_folder_and_command_and_gets_its_title_back(
    held: HeldKeeper, pane: Pane, tmp_path: Path
) -> None:
    other = tmp_path / "a täst %"
    other.mkdir()
    start_shell(held, tmp_path)
    pane.attach(held, "w/sh")
    pane.expect(b"\x1b]7;file://" + HOST + str(tmp_path).encode() + b"\x1b\\")
    pane.expect(b"\x1b[22;2t\x1b]2;sh\x1b\\")
    pane.type(b"cd 'a t\xc3\xa4st %'\r")
    pane.expect(b"/a%20t%C3%A4st%20%25\x1b\\")
    pane.type(b"cat\r")
    pane.expect(b"\x1b]2;cat\x1b\\")
    pane.type(b"\x04")
    pane.expect(b"\x1b]2;sh\x1b\\")
    pane.type(b"\x1c\x1c")
    pane.expect(b"\x1b]2;\x1b\\\x1b[23;2t")
    assert pane.wait() == 0
    assert b"\x1b]" not in held.log("w/sh")


def test_clients_are_told_of_the_folder_with_and_without_a_terminal(held: HeldKeeper, tmp_path: Path) -> None:
    start_shell(held, tmp_path)
    with closing(HandedTerminal(held, "w/sh")) as pane, closing(Relay(held, "w/sh")) as relay:
        for talk in (pane.talk, relay):
            until(lambda talk=talk: not talk.look() or talk.folders == [str(tmp_path).encode()], 10, "the folder")  # type: ignore[misc]
        pane.type(b"cd /\r")
        for talk in (pane.talk, relay):
            until(lambda talk=talk: talk.look() is not None and talk.folders[-1:] == [b"/"], 10, "the next")  # type: ignore[misc]


@pytest.mark.parametrize(
    ("own", "left"), [(rb"\033]2;mine\007", b"\x1b]2;sh"), (rb"\033]7;file://h/tmp\007", b"\x1b]7;file://" + HOST)]
)
def test_a_program_that_tells_it_itself_is_left_alone(
    held: HeldKeeper, pane: Pane, tmp_path: Path, own: bytes, left: bytes
) -> None:
    start_shell(held, tmp_path)
    held.hub.write("w/sh", b"printf '" + own + b"'\n")
    until(lambda: b"\x07" in held.log("w/sh"), 10, "its own")
    pane.attach(held, "w/sh")
    other = b"\x1b]7;file://" + HOST if b"]2;" in left else b"\x1b]2;sh"
    seen = pane.expect(other)
    pane.type(b"cd /; echo do''ne\r")
    seen += pane.expect(b"done\r\n")
    pane.type(b"cat\r")
    until(lambda: b"cat\r\n" in held.log("w/sh"), 10, "the command")
    with closing(HandedTerminal(held, "w/sh")) as second:
        # It is told like the first, so the first has been, too.
        until(lambda: second.talk.look() is not None and second.talk.folders == [b"/"], 10, "the folder")
    assert left not in seen + pane.read()


@pytest.mark.parametrize("open_end", [rb"\033]8;;http://x", rb"\033[38;5", rb"\033[?2026h"])
def test_nothing_is_put_into_a_sequence_or_an_update(held: HeldKeeper, tmp_path: Path, open_end: bytes) -> None:
    start_shell(held, tmp_path)
    held.hub.write("w/sh", b"stty -echo; PS1=; printf '<" + open_end + b"'; read x; printf 'm\\007>\\033[?2026l'\n")
    end = open_end.replace(rb"\033", b"\x1b")
    until(lambda: held.log("w/sh").endswith(end), 10, "the open end")
    with closing(HandedTerminal(held, "w/sh", term="xterm")) as pane:
        until(lambda: pane.talk.look() is not None and bool(pane.talk.folders), 10, "a look")
        pane.read()
        assert b"\x1b]7" not in pane.shown
        pane.type(b"\r")
        pane.expect(b"m\x07>\x1b[?2026l")
        pane.expect(b"\x1b]7;file://")


def test_a_dumb_terminal_is_shown_nothing_of_it(held: HeldKeeper, pane: Pane, tmp_path: Path) -> None:
    start_shell(held, tmp_path)
    pane.attach(held, "w/sh", TERM="dumb")
    with closing(Relay(held, "w/sh")) as relay:
        until(lambda: relay.look() is not None and bool(relay.folders), 10, "a look")
    pane.read()
    assert b"\x1b]7" not in pane.shown
    assert b"\x1b]2" not in pane.shown
