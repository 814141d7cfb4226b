"""A terminal at a process that is suspended: it shows the last picture, and says why nothing moves."""

from __future__ import annotations

import pyte

from tests.keeper.test_suspend import resume, suspend
from tests.keeper.test_terminals_over_an_upgrade import upgrade
from tests.support.viewing import HeldKeeper, Pane, shell
from tests.support.waiting import until
from wezparallel.keeper import messages as m

HINT = b"w/sh is suspended; `wezparallel resume w/sh` lets it go on"


def test_who_looks_is_told_and_the_line_goes_with_the_resume(keeper: HeldKeeper, pane: Pane) -> None:
    run = shell(keeper, "stty -echo; echo ready; while read line; do echo got $line; done")
    pane.attach(keeper, "w/sh")
    pane.expect(b"ready")
    suspend(keeper.hub, run)
    pane.expect(HINT)
    pane.type(b"one\r")
    resume(keeper.hub, run)
    pane.expect(b"\x1b[2K")
    pane.expect(b"got one\r\n")


def test_who_comes_later_is_told_too(keeper: HeldKeeper, pane: Pane) -> None:
    run = shell(keeper, "stty -echo; echo ready; while read line; do echo got $line; done")
    until(lambda: b"ready" in keeper.log("w/sh"), 10, "the past")
    suspend(keeper.hub, run)
    pane.attach(keeper, "w/sh")
    pane.expect(b"ready")
    pane.expect(HINT)
    assert b"got" not in pane.shown


def test_the_picture_of_a_suspended_full_screen_program_is_painted_and_drawn_again_by_the_resume(
    keeper: HeldKeeper, pane: Pane
) -> None:
    drawing = r"printf '\033[?1049h\033[2J\033[5;5Hpicture %s' $1"
    code = f"draw() {{ {drawing}; }}; trap 'draw again' WINCH; echo before; draw once; while :; do sleep 0.05; done"
    run = shell(keeper, code)
    until(lambda: b"picture once" in keeper.log("w/sh"), 10, "the picture")
    suspend(keeper.hub, run)
    pane.attach(keeper, "w/sh")
    pane.expect(b"picture once")
    pane.expect(HINT)
    assert b"again" not in pane.shown
    resume(keeper.hub, run)
    pane.expect(b"picture again")


def test_a_note_about_a_program_that_stopped_itself_is_shown_when_the_terminal_comes_back(
    keeper: HeldKeeper, pane: Pane
) -> None:
    shell(keeper, "stty -echo; echo ready; read line; kill -STOP $$; echo went on; exec sleep 1000")
    pane.attach(keeper, "w/sh")
    pane.expect(b"ready")
    pane.type(b"\r")
    pane.expect(b"went on")
    pane.type(b"\x1c\x1c")
    pane.expect(b"w/sh stopped itself and was continued")


def test_a_suspended_process_can_be_left(keeper: HeldKeeper, pane: Pane) -> None:
    run = shell(keeper, "echo ready; exec sleep 1000")
    pane.attach(keeper, "w/sh")
    pane.expect(b"ready")
    suspend(keeper.hub, run)
    pane.type(b"\x1c\x1c")
    pane.expect(b"comes back]")
    assert pane.wait() == 0
    assert pane.attributes == pane.before
    keeper.hub.call(m.KILL, run_id=run["run_id"])


def test_the_line_fits_into_a_narrow_terminal_so_that_the_resume_leaves_nothing_of_it(keeper: HeldKeeper) -> None:
    run = shell(keeper, "stty -echo; echo ready; while read line; do echo got $line; done")
    pane = Pane(rows=10, columns=40)
    try:
        pane.attach(keeper, "w/sh")
        seen = pane.expect(b"ready")
        suspend(keeper.hub, run)
        seen += pane.expect(HINT[:38])
        resume(keeper.hub, run)
        pane.type(b"one\r")
        seen += pane.expect(b"got one\r\n")
    finally:
        pane.close()
    screen = pyte.Screen(40, 10)
    pyte.ByteStream(screen).feed(seen)
    assert [line.rstrip() for line in screen.display if "go on" in line or "resume" in line] == []


def test_the_line_goes_with_the_resume_also_when_the_keeper_was_upgraded_meanwhile(
    keeper: HeldKeeper, pane: Pane
) -> None:
    run = shell(keeper, "stty -echo; echo ready; while read line; do echo got $line; done")
    pane.attach(keeper, "w/sh")
    pane.expect(b"ready")
    suspend(keeper.hub, run)
    pane.expect(HINT)
    upgrade(keeper)
    resume(keeper.hub, run)
    pane.expect(b"\x1b[2K")
