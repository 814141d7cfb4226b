"""Who asks its terminal is answered once: by the terminal that looks, or by the keeper with the last one's facts."""

from __future__ import annotations

import base64
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.viewing import HeldKeeper, Pane, held_keeper
from tests.support.waiting import until

ASKED = b"\x1b]10;?\x1b\\\x1b]11;?\x1b\\\x1b[c"
# Prints what it reads as hexadecimal, a byte at a time; `Q` asks for the attributes, `B` for the background.
LISTENER = r"""
import os, sys, termios, tty
tty.setraw(0)
os.write(1, b"ready\r\n")
while True:
    key = os.read(0, 1)
    if key == b"Q":
        os.write(1, b"\x1b[c")
    elif key == b"B":
        os.write(1, b"\x1b]11;?\x07")
    elif key == b"H":
        os.write(1, b"\x1b[")
    elif key == b"I":
        os.write(1, b"c")
    else:
        os.write(1, key.hex().encode() + b".")
"""


def said(answer: bytes) -> bytes:
    """Return how the listener tells of these bytes."""
    return b"".join(b"%02x." % byte for byte in answer)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[HeldKeeper]:
    with held_keeper(tmp_path) as keeper:
        yield keeper


def listen(held: HeldKeeper, **fields: object) -> None:
    held.hub.spawn(["/usr/bin/env", "python3", "-c", LISTENER], tty=True, process_id="w/l", **fields)
    until(lambda: b"ready" in held.log("w/l"), 10, "the listener")


def type_(held: HeldKeeper, keys: bytes) -> None:
    held.hub.call("write", process_id="w/l", key=os.urandom(8).hex(), data=base64.b64encode(keys).decode())


def test_a_program_that_nobody_looks_at_gets_its_answers(held: HeldKeeper) -> None:
    query = r"printf '\033[c\033[>c\033[6n\033[18t\033]11;?\007'; dd bs=1 count=58 2>/dev/null | od -An -c"
    held.hub.spawn(["/bin/sh", "-c", "stty raw -echo; " + query], tty=True, process_id="w/q", size=[31, 97])
    until(lambda: b"]   1   1   ;   r   g   b   :" in held.log("w/q"), 10, "the answers")
    told = held.log("w/q").replace(b" ", b"").replace(b"\n", b"")
    assert b"[?62;22c033[>1;277;0c033[1;1R033[8;31;97t" in told


def test_with_a_terminal_only_the_terminal_answers(held: HeldKeeper, pane: Pane) -> None:
    listen(held)
    pane.attach(held, "w/l", TERM="dumb")
    pane.expect(b"ready")
    pane.type(b"Q")
    pane.expect(b"\x1b[c")
    pane.type(b"\x1b[?65;1c")
    pane.expect(said(b"\x1b[?65;1c"))
    assert held.log("w/l").count(b"63.") == 1


def test_a_terminal_that_only_reads_leaves_the_answers_to_the_keeper(held: HeldKeeper, pane: Pane) -> None:
    listen(held)
    pane.attach(held, "w/l", "--read-only")
    pane.expect(b"ready")
    type_(held, b"Q")
    pane.expect(said(b"\x1b[?62;22c"))


def test_a_query_that_the_terminal_had_no_time_to_answer_is_answered_after_the_detach(
    held: HeldKeeper, pane: Pane
) -> None:
    listen(held)
    pane.attach(held, "w/l", TERM="dumb")
    pane.expect(b"ready")
    pane.type(b"Q")
    pane.expect(b"\x1b[c")
    assert pane.client is not None
    pane.client.terminate()
    pane.wait()
    until(lambda: said(b"\x1b[?62;22c") in held.log("w/l"), 10, "the answer")


def test_half_a_query_shown_before_the_detach_is_answered_when_it_is_whole(held: HeldKeeper, pane: Pane) -> None:
    listen(held)
    pane.attach(held, "w/l", TERM="dumb")
    pane.expect(b"ready")
    pane.type(b"H")
    pane.expect(b"\x1b[")
    assert pane.client is not None
    pane.client.terminate()
    pane.wait()
    type_(held, b"I")
    until(lambda: said(b"\x1b[?62;22c") in held.log("w/l"), 10, "the answer")
    assert held.log("w/l").count(b"63.") == 1


def test_a_client_that_was_stopped_is_not_asked_again_what_was_answered_meanwhile(
    held: HeldKeeper, pane: Pane
) -> None:
    listen(held)
    pane.attach(held, "w/l", in_session=True, TERM="dumb")
    pane.expect(b"ready")
    assert pane.client is not None
    os.kill(pane.client.pid, signal.SIGTSTP)
    pane.read_until(lambda: not pane.is_raw, "the terminal, given back")
    type_(held, b"Q")
    until(lambda: said(b"\x1b[?62;22c") in held.log("w/l"), 10, "the answer")
    pane.shown = b""
    os.kill(pane.client.pid, signal.SIGCONT)
    seen = pane.expect(said(b"\x1b[?62;22c"))
    assert b"\x1b[c" not in seen
    pane.type(b"Q")
    pane.expect(b"\x1b[c")


def test_the_keeper_learns_the_colours_and_types_nothing_into_the_program(held: HeldKeeper, pane: Pane) -> None:
    listen(held)
    pane.attach(held, "w/l")
    pane.expect(ASKED)
    pane.type(b"a\x1b]10;rgb:11/22/33\x1b\\b"[:9])
    pane.type(b"a\x1b]10;rgb:11/22/33\x1b\\b"[9:])
    pane.expect(said(b"a"))
    pane.type(b"\x1b]11;rgb:ffff/fdfd/f6f6\x1b\\\x1b[A\x1b[?65;4c\x1b[?1;2cx")
    pane.expect(said(b"\x1b[A\x1b[?1;2cx"))
    assert pane.client is not None
    pane.client.terminate()
    pane.wait()
    type_(held, b"B")
    until(lambda: said(b"\x1b]11;rgb:ffff/fdfd/f6f6\x07") in held.log("w/l"), 10, "the answer")
    held.upgrade()
    type_(held, b"Q")
    until(lambda: said(b"\x1b[?65;4c") in held.log("w/l"), 10, "the answer of the next program")


def test_the_programs_own_question_behind_ours_gets_its_own_answer(held: HeldKeeper, pane: Pane) -> None:
    listen(held)
    pane.attach(held, "w/l")
    pane.expect(ASKED)
    pane.type(b"Q")
    pane.expect(b"\x1b[c")
    pane.type(b"\x1b[?65;4c\x1b[?65;4cx")
    pane.expect(said(b"\x1b[?65;4cx"))


def test_the_escape_key_is_not_held_by_a_terminal_that_never_answers(held: HeldKeeper, pane: Pane) -> None:
    listen(held)
    pane.attach(held, "w/l")
    pane.expect(ASKED)
    pane.type(b"\x1b")
    pane.expect(said(b"\x1b"))
    pane.type(b"x\x1b[")
    pane.expect(said(b"x\x1b["))


@pytest.mark.parametrize("way", [signal.SIGTERM, signal.SIGKILL])
def test_a_key_that_waits_for_an_answers_rest_passes_when_the_terminal_goes(
    held: HeldKeeper, pane: Pane, way: signal.Signals
) -> None:
    listen(held)
    pane.attach(held, "w/l")
    pane.expect(ASKED)
    assert pane.client is not None
    pane.type(b"y\x1b")
    pane.expect(said(b"y"))
    pane.client.send_signal(way)
    pane.wait()
    until(lambda: held.log("w/l").endswith(said(b"\x1b")), 10, "the Escape key")


def test_what_keeps_coming_and_never_ends_waits_no_longer_for_that(held: HeldKeeper, pane: Pane) -> None:
    listen(held)
    pane.attach(held, "w/l")
    pane.expect(ASKED)
    pane.type(b"\x1b]10;")
    for _ in range(60):  # more would be no answer any more
        pane.type(b"x")
        pane.read(0.05)
        if said(b"\x1b]10;x") in pane.shown:
            break
    else:
        pytest.fail("every key made all of them wait longer")


def test_an_answer_that_comes_while_the_terminal_goes_back_is_not_typed_into_the_shell(
    held: HeldKeeper, pane: Pane
) -> None:
    listen(held)
    pane.attach(held, "w/l")
    pane.expect(ASKED)
    assert pane.client is not None
    # With the keeper held up, the client has asked for its terminal for certain before the answer comes.
    os.kill(held.process.pid, signal.SIGSTOP)
    pane.client.terminate()
    pane.expect(b"waiting for the keeper")
    pane.type(b"\x1b]10;rgb:11/22/33\x1b\\\x1b]11;rgb:00/00/00\x1b\\\x1b[?65;4cfor the ")
    os.kill(held.process.pid, signal.SIGCONT)
    assert pane.wait() == 0
    assert pane.attributes == pane.before
    pane.type(b"shell\n")
    typed = b""
    while not typed.endswith(b"\n"):
        typed += os.read(pane.slave, 100)
    assert typed == b"for the shell\n"
    assert held.log("w/l") == b"ready\r\n"


def test_a_terminal_that_never_answers_is_back_before_its_client_wonders(held: HeldKeeper, pane: Pane) -> None:
    listen(held)
    pane.attach(held, "w/l")
    pane.expect(ASKED)
    assert pane.client is not None
    pane.client.terminate()
    assert pane.wait() == 0
    assert pane.attributes == pane.before
    pane.expect(b"comes back]")


def test_an_upgrade_between_our_question_and_the_answer_types_nothing(held: HeldKeeper, pane: Pane) -> None:
    listen(held)
    pane.attach(held, "w/l")
    pane.expect(ASKED)
    pane.type(b"x\x1b]10;rgb:11/")
    pane.expect(said(b"x"))
    held.upgrade()
    pane.type(b"22/33\x1b\\\x1b]11;rgb:00/00/00\x1b\\\x1b[?65;4cy")
    pane.expect(said(b"y"))
    assert held.log("w/l").split(said(b"x"))[1] == said(b"y")


def test_an_upgrade_passes_on_what_waits_in_its_order(held: HeldKeeper, pane: Pane) -> None:
    listen(held)
    pane.attach(held, "w/l")
    pane.expect(ASKED)
    pane.type(b"x\x1c\x1b]10;rgb:")  # half a detach key, and half an answer
    pane.expect(said(b"x"))
    held.upgrade()
    pane.expect(said(b"\x1c\x1b]10;rgb:"))


def test_an_upgrade_awaits_nothing_from_a_terminal_that_gave_its_last_answer(held: HeldKeeper, pane: Pane) -> None:
    listen(held)
    pane.attach(held, "w/l")
    pane.expect(ASKED)
    pane.type(b"\x1b[?65;4cx")  # it knows no colours
    pane.expect(said(b"x"))
    held.upgrade()
    pane.type(b"\x1b]11;rgb:00/00/00\x07y")
    pane.expect(said(b"\x1b]11;rgb:00/00/00\x07y"))


@pytest.mark.parametrize(
    ("term", "program"), [("dumb", ""), ("linux", ""), ("xterm-256color", "tmux"), ("screen", "")]
)
def test_a_terminal_that_would_show_the_question_is_not_asked(
    held: HeldKeeper, pane: Pane, term: str, program: str
) -> None:
    listen(held)
    pane.attach(held, "w/l", TERM=term, TERM_PROGRAM=program)
    pane.expect(b"ready")
    other = Pane()
    try:
        other.attach(held, "w/l")
        other.expect(ASKED)
    finally:
        other.close()
    pane.read()
    assert b"\x1b]10;?" not in pane.shown
