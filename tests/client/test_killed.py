"""The attach client killed between every two of its steps: terminal and program are as they were."""

from __future__ import annotations

import os
import re
import signal
import termios
from contextlib import closing

import pytest

from tests.support.handing import HandedTerminal
from tests.support.viewing import HeldKeeper, Pane, cat, shell
from tests.support.waiting import until
from wezparallel.client.frames import FROM_START, FramesViewer
from wezparallel.wire import frames, hello

GOING = ("hello", "descriptor", "raw", "painted", "go")
COMING_BACK = ("asked", "returned", "stop")
BETWEEN_RUNS = ("kept", "keys")
# Folder, title and questions of the keeper itself, between whole sequences.
OURS = re.compile(rb"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[(?:c|22;2t|23;2t)")


@pytest.mark.parametrize("options", [(), ("--relay",), ("--read-only",)], ids=["handed", "relayed", "read-only"])
@pytest.mark.parametrize("point", [*GOING, *COMING_BACK, *BETWEEN_RUNS])
def test_an_attach_killed_at_any_step_leaves_the_terminal_as_it_was(
    keeper: HeldKeeper, pane: Pane, point: str, options: tuple[str, ...]
) -> None:
    if point in BETWEEN_RUNS:
        shell(keeper, "stty raw -echo; printf ready; read x; exit 3")
    else:
        cat(keeper)
    (keeper.failpoints / f"attach.{point}").touch()
    # Only a job of some shell can be stopped.
    pane.attach(keeper, "w/sh", *options, in_session=point == "stop")
    assert pane.client is not None
    if point in COMING_BACK:
        pane.expect(b"ready")
        pane.read_until(lambda: pane.is_raw, "raw mode")
        pane.client.send_signal(signal.SIGTSTP if point == "stop" else signal.SIGTERM)
    elif point in BETWEEN_RUNS:
        pane.expect(b"ready")
        keeper.hub.write("w/sh", b"\n")
    assert pane.wait() == -signal.SIGKILL
    pane.read_until(lambda: pane.attributes == pane.before, "the terminal as it was")
    keeper.hub.wait_for(lambda event: event["m"] == "viewer" and event["state"] == "gone")
    # Nothing of ours reads that terminal any more.
    pane.type(b"for the shell\n")
    assert os.read(pane.slave, 100) == b"for the shell\n"
    assert keeper.log("w/sh") == b"ready"
    if point not in BETWEEN_RUNS:
        keeper.hub.write("w/sh", b"alive")
        until(lambda: keeper.log("w/sh") == b"readyalive", 10, "the program's answer")


def test_a_relay_killed_while_live_is_restored_and_its_file_stays_blocking(keeper: HeldKeeper, pane: Pane) -> None:
    """What the keeper keeps of it is the shell's own file: nothing but the terminal's attributes may change."""
    cat(keeper)
    pane.attach(keeper, "w/sh", "--relay")
    pane.expect(b"ready")
    pane.read_until(lambda: pane.is_raw, "raw mode")
    assert pane.client is not None
    pane.client.kill()
    pane.read_until(lambda: pane.attributes == pane.before, "the terminal as it was")
    assert os.get_blocking(pane.slave)


@pytest.mark.parametrize("options", [(), ("--relay",)], ids=["handed", "relayed"])
def test_a_killed_attach_leaves_no_modes_of_the_program_behind(
    keeper: HeldKeeper, pane: Pane, options: tuple[str, ...]
) -> None:
    shell(keeper, r"stty raw -echo; printf '\033[?1049h\033[?1003h\033[?25lready'; exec cat")
    until(lambda: b"ready" in keeper.log("w/sh"), 10, "the program")
    pane.attach(keeper, "w/sh", *options)
    pane.read_until(lambda: pane.is_raw, "raw mode")
    pane.type(b"live")
    pane.expect(b"live")
    assert pane.client is not None
    pane.client.kill()
    pane.read_until(lambda: pane.attributes == pane.before, "the terminal as it was")
    pane.read()
    assert {b"\x1b[?1049l", b"\x1b[?1003l", b"\x1b[?25h"} <= set(re.findall(rb"\x1b\[\?[0-9]+[hl]", pane.shown))
    assert os.get_blocking(pane.slave)


@pytest.mark.parametrize("options", [(), ("--relay",)], ids=["handed", "relayed"])
def test_a_killed_keeper_leaves_the_terminal_to_its_client_who_restores_it(
    keeper: HeldKeeper, pane: Pane, options: tuple[str, ...]
) -> None:
    shell(keeper, r"stty raw -echo; printf '\033[?1049h\033[?1003h\033[?25lready'; exec cat")
    until(lambda: b"ready" in keeper.log("w/sh"), 10, "the program")
    pane.attach(keeper, "w/sh", *options)
    pane.read_until(lambda: pane.is_raw, "raw mode")
    pane.type(b"live")
    pane.expect(b"live")
    keeper.process.kill()
    assert pane.wait() == 1
    pane.read()
    assert {b"\x1b[?1049l", b"\x1b[?25h"} <= set(re.findall(rb"\x1b\[\?[0-9]+[hl]", pane.shown))
    assert b"no keeper answers" in pane.shown
    assert pane.attributes == pane.before


def test_a_relay_whose_terminal_takes_nothing_is_killed_and_nobody_waits(keeper: HeldKeeper, pane: Pane) -> None:
    shell(keeper, r"stty raw -echo; printf 'ready\033[?1049h'; exec cat")
    pane.attach(keeper, "w/sh", "--relay")
    pane.expect(b"ready")
    pane.read_until(lambda: pane.is_raw, "raw mode")
    termios.tcflow(pane.slave, termios.TCOOFF)
    assert pane.client is not None
    pane.client.kill()
    until(lambda: pane.attributes == pane.before, 10, "the terminal as it was")
    keeper.hub.write("w/sh", b"alive")
    until(lambda: keeper.log("w/sh").endswith(b"alive"), 10, "the program's answer")


@pytest.mark.parametrize("point", [*GOING, *COMING_BACK])
def test_two_others_see_every_byte_whenever_an_attach_is_killed(keeper: HeldKeeper, pane: Pane, point: str) -> None:
    shell(keeper, "stty raw -echo; printf ready; while read -r x; do seq $x $((x + 999)); done")
    until(lambda: b"ready" in keeper.log("w/sh"), 10, "the program")
    with (
        closing(HandedTerminal(keeper, "w/sh", 30, 90, offset=0, flags=hello.GAPLESS)) as other,
        FramesViewer.connect("w/sh", FROM_START, path=keeper.socket) as reader,
    ):
        keeper.hub.write("w/sh", b"1000\n")
        (keeper.failpoints / f"attach.{point}").touch()
        pane.attach(keeper, "w/sh", in_session=point == "stop")
        assert pane.client is not None
        if point in COMING_BACK:
            pane.read_until(lambda: pane.is_raw, "raw mode")
            pane.client.send_signal(signal.SIGTSTP if point == "stop" else signal.SIGTERM)
        keeper.hub.write("w/sh", b"2000\n")
        assert pane.wait() == -signal.SIGKILL
        keeper.hub.write("w/sh", b"3000\n")
        told = b"ready" + b"".join(b"%d\n" % number for number in range(1000, 4000))
        other.read_until(lambda: OURS.sub(b"", other.shown).endswith(b"3999\n"), "the end")
        assert OURS.sub(b"", other.shown) == told
        seen = b""
        while not seen.endswith(b"3999\n"):
            kind, _, _, data, _ = next(iter(reader))
            assert kind in {frames.DATA, frames.RESIZE}
            seen += data
        assert seen == told
    pane.read_until(lambda: pane.attributes == pane.before, "the terminal as it was")
