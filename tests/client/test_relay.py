"""A terminal that cannot be handed over: its client relays it, and it behaves as any other."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

import pytest

from tests.support.viewing import ATTACH, HeldKeeper, Pane, cat, shell
from tests.support.waiting import until

DETACHED = b"comes back]"


def relay(pane: Pane, keeper: HeldKeeper) -> None:
    pane.attach(keeper, "w/sh", "--relay")


def test_the_past_is_painted_and_live_output_arrives_byte_for_byte(keeper: HeldKeeper, pane: Pane) -> None:
    cat(keeper)
    until(lambda: b"ready" in keeper.log("w/sh"), 10, "the program")
    relay(pane, keeper)
    pane.expect(b"ready")
    data = b"".join(b"%06d\x1b[3%dm\xff\x00\x9b" % (number, number % 8) for number in range(3000))
    at = 0
    echoed = b""
    while len(echoed) < len(data):
        at += os.write(pane.master, data[at : at + 1000]) if at < len(data) else 0
        echoed += pane.read(0.1)
    assert echoed == data


def test_the_detach_key_restores_modes_and_terminal(keeper: HeldKeeper, pane: Pane) -> None:
    shell(keeper, "stty raw -echo; printf '\\033[?1049h\\033[?1006h\\033[?25lready'; exec cat")
    until(lambda: b"ready" in keeper.log("w/sh"), 10, "the modes")
    relay(pane, keeper)
    pane.expect(b"\x1b[?25l")
    pane.read_until(lambda: pane.is_raw, "raw mode")
    pane.type(b"\x1c\x1c")
    left = pane.expect(DETACHED)
    assert pane.wait() == 0
    assert b"\x1b[?1049l" in left
    assert b"\x1b[?25h" in left
    assert pane.attributes == pane.before


def test_half_a_sequence_before_the_attach_passes_whole(keeper: HeldKeeper, pane: Pane) -> None:
    shell(keeper, "stty raw -echo; printf 'ready\\033[3'; read x; printf '1mred'; exec cat")
    until(lambda: b"ready\x1b[3" in keeper.log("w/sh"), 10, "the half")
    relay(pane, keeper)
    pane.expect(b"ready")
    pane.type(b"\n")
    assert b"\x1b[31mred" in pane.expect(b"red")


def test_an_exit_comes_behind_the_last_byte_and_a_new_run_takes_the_terminal(keeper: HeldKeeper, pane: Pane) -> None:
    shell(keeper, "stty raw -echo; printf 'ready\\033[?2004h'; read x; printf last; exit 7")
    relay(pane, keeper)
    pane.expect(b"ready")
    pane.type(b"\n")
    assert b"last" in pane.expect(b"\x1b[?2004l")
    pane.expect("── sh exited 7 after ".encode())
    cat(keeper)
    pane.expect(b"ready")
    pane.type(b"xyz\r")
    assert pane.expect(b"xyz\r") == b"xyz\r"
    pane.type(b"\x1c\x1c")
    assert pane.wait() == 0
    assert pane.attributes == pane.before


def test_sizes_pass(keeper: HeldKeeper, pane: Pane) -> None:
    shell(keeper, "stty -echo; trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done")
    until(lambda: b"ready" in keeper.log("w/sh"), 10, "the trap")
    pane.resize(40, 100)
    relay(pane, keeper)
    pane.expect(b"40 100")
    pane.resize(41, 101)
    assert pane.client is not None
    pane.client.send_signal(signal.SIGWINCH)
    pane.expect(b"41 101")


def test_a_terminal_that_does_not_read_holds_up_nobody_and_can_be_left(keeper: HeldKeeper, pane: Pane) -> None:
    shell(keeper, "stty raw -echo; printf ready; read x; seq 500000; printf done; exec cat")
    relay(pane, keeper)
    pane.expect(b"ready")
    pane.type(b"\n")
    until(lambda: keeper.log("w/sh").endswith(b"done"), 30, "the program, which waits for nobody")
    assert pane.client is not None
    pane.client.terminate()
    until(lambda: pane.client is not None and pane.attributes == pane.before, 10, "the terminal as it was")


def test_a_stopped_relay_goes_on_where_it_was(keeper: HeldKeeper, pane: Pane) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh", "--relay", in_session=True)
    pane.expect(b"ready")
    assert pane.client is not None
    pane.client.send_signal(signal.SIGTSTP)
    os.waitid(os.P_PID, pane.client.pid, os.WSTOPPED)
    assert pane.attributes == pane.before
    keeper.hub.write("w/sh", b"meanwhile")
    until(lambda: b"meanwhile" in keeper.log("w/sh"), 10, "its output")
    pane.client.send_signal(signal.SIGCONT)
    pane.expect(b"meanwhile")
    pane.type(b"again")
    pane.expect(b"again")


def test_a_relay_goes_on_after_the_keeper_has_re_executed_itself(keeper: HeldKeeper, pane: Pane) -> None:
    cat(keeper)
    relay(pane, keeper)
    pane.expect(b"ready")
    keeper.upgrade()
    pane.read_until(lambda: pane.is_raw, "the terminal with the next keeper")
    pane.type(b"still here")
    pane.expect(b"still here")
    pane.type(b"\x1c\x1c")
    assert pane.wait() == 0
    assert pane.attributes == pane.before


def test_where_the_terminal_has_no_name_it_is_relayed(keeper: HeldKeeper, pane: Pane) -> None:
    hidden = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /dev/pts && exec "$@"', "sh"]
    if shutil.which("unshare") is None or subprocess.call([*hidden, "true"], stderr=subprocess.DEVNULL):
        pytest.skip("this user may not have a mount namespace of its own")
    cat(keeper)
    pane.client = subprocess.Popen(
        [*hidden, sys.executable, "-I", "-S", ATTACH, "w/sh"],
        stdin=pane.slave,
        stdout=pane.slave,
        stderr=pane.slave,
        env=keeper.env,
        start_new_session=True,
    )
    pane.expect(b"ready")
    keeper.hub.wait_for(lambda event: event["m"] == "viewer" and event["state"] == "attached")
    pane.type(b"typed")
    pane.expect(b"typed")
    pane.type(b"\x1c\x1c")
    assert pane.wait() == 0
    assert pane.attributes == pane.before
