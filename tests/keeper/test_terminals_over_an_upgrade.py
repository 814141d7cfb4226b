"""The keeper re-executes itself under live terminals: nothing is given back, lost or shown twice."""

from __future__ import annotations

import fcntl
import os
import sys
import termios
from contextlib import closing
from pathlib import Path

from tests.support.handing import HandedTerminal, Relay
from tests.support.viewing import HeldKeeper, cat, shell
from tests.support.waiting import until
from wezparallel.wire import frames, hello

SIZES = "stty raw -echo; trap 'stty size' WINCH; echo ready; while :; do sleep 0.02; done"
NUMBERS = """
import os
os.write(1, b"ready")
os.read(0, 1)
for number in range(%d): os.write(1, b"%%07d\\r\\n" %% number)
os.read(0, 1)
"""


def ready(held: HeldKeeper) -> None:
    until(lambda: b"ready" in held.log("w/sh"), 10, "the program")


def upgrade(held: HeldKeeper) -> None:
    """Upgrade, and see that it was one."""
    auxv = Path(f"/proc/{held.process.pid}/auxv")
    before = auxv.read_bytes()
    held.upgrade()
    until(lambda: auxv.read_bytes() != before, 10, "another program")
    held.hub.sync()


def test_not_a_byte_of_a_flood_is_lost_or_shown_twice(held: HeldKeeper) -> None:
    count = 60_000
    script = held.home / "numbers.py"
    script.write_text(NUMBERS % count)
    shell(held, f"stty raw -echo; exec {sys.executable} -IS {script}", log_cap=1 << 28)
    ready(held)
    with closing(HandedTerminal(held, "w/sh", flags=hello.GAPLESS)) as pane, closing(Relay(held, "w/sh")) as relay:
        pane.type(b"\n")
        shown_before = [pane.expect(b"0000100\r\n")]
        for _ in range(2):
            upgrade(held)
        last = b"%07d\r\n" % (count - 1)
        numbers = b"".join(b"%07d\r\n" % number for number in range(count))
        assert b"".join(shown_before) + pane.drain(last) == numbers
        assert relay.expect(last) == numbers
        assert pane.talk.look() == []


def test_keys_modes_and_the_way_back_are_as_before(held: HeldKeeper) -> None:
    shell(held, r"stty raw -echo; printf 'ready\033[?2004h\033[?1049h\033[?1h'; exec cat")
    ready(held)
    with closing(HandedTerminal(held, "w/sh", offset=0)) as pane:
        pane.expect(b"\x1b[?1h")
        raw = pane.attributes
        upgrade(held)
        assert pane.attributes == raw
        for number in range(20):
            pane.type(b"key %d;" % number)
            pane.expect(b"key %d;" % number)
        pane.ask_back()
        pane.read()
        for switched_off in (b"\x1b[?2004l", b"\x1b[?1049l", b"\x1b[?1l"):
            assert pane.shown.count(switched_off) == 1
        assert pane.attributes == pane.before
        pane.hand_over()
        pane.expect(b"\x1b[?2004h")
        pane.type(b"again")
        pane.expect(b"again")


def test_keys_typed_during_the_upgrade_arrive(held: HeldKeeper) -> None:
    cat(held)
    ready(held)
    with closing(HandedTerminal(held, "w/sh", offset=0)) as pane:
        pane.expect(b"ready")
        auxv = Path(f"/proc/{held.process.pid}/auxv")
        before = auxv.read_bytes()
        held.upgrade()
        keys = [b"first;"]
        while auxv.read_bytes() == before:
            keys.append(b"%d;" % len(keys))
            pane.type(keys[-1])
            pane.expect(keys[-1])
        pane.type(keys[0])
        pane.expect(keys[0])
        held.hub.sync()
    assert held.log("w/sh") == b"ready" + b"".join([*keys[1:], keys[0]])


def test_the_lead_the_ranks_and_the_sizes_are_carried(held: HeldKeeper) -> None:
    shell(held, SIZES)
    ready(held)
    panes = [HandedTerminal(held, "w/sh", 30 + number, 100) for number in range(3)]
    try:
        for number in (2, 1):
            panes[number].type(b"x")
            panes[0].expect(b"%d 100" % (30 + number))
        said = held.log("w/sh")
        upgrade(held)
        panes[0].type(b"\x1b[I")  # no lead by a report
        assert held.log("w/sh") == said
        panes[1].talk.close()
        panes[0].expect(b"32 100")
        panes[2].ask_back()
        panes[0].expect(b"30 100")
    finally:
        for pane in panes:
            pane.close()


def test_what_was_held_back_goes_on(held: HeldKeeper) -> None:
    """Half a frame, the first press of the detach key, output that the terminal does not take."""
    cat(held)
    ready(held)
    with closing(HandedTerminal(held, "w/sh", offset=0)) as pane:
        pane.expect(b"ready")
        termios.tcflow(pane.slave, termios.TCOOFF)
        held.hub.write("w/sh", b"o" * 5000)
        until(lambda: len(held.log("w/sh")) == 5005, 10, "the output")
        resize = frames.pack(frames.RESIZE, b"\0\x20\0\x70\0\0\0\0")
        pane.talk.socket.sendall(resize[:7])
        pane.type(b"\x1c")
        until(lambda: not pane_waits(pane), 10, "the key's way")
        upgrade(held)
        termios.tcflow(pane.slave, termios.TCOON)
        pane.drain(b"o" * 5000)
        pane.talk.socket.sendall(resize[7:])
        pane.type(b"\x1c")
        pane.returned()
        assert b"\x1c" not in held.log("w/sh")


def test_exits_and_starts_around_an_upgrade_are_told(held: HeldKeeper) -> None:
    run = shell(held, "printf ready; read x; exit 3")
    ready(held)
    with closing(HandedTerminal(held, "w/sh", offset=0)) as pane, closing(Relay(held, "w/sh")) as relay:
        pane.expect(b"ready")
        pane.type(b"\r")
        held.hub.exited(str(run["run_id"]))
        upgrade(held)
        pane.returned()
        second = shell(held, "printf second; read x; exit 4")
        upgrade(held)
        pane.talk.wait_for(frames.STARTED)
        pane.hand_over()
        pane.expect(b"second")
        pane.type(b"\r")
        held.hub.exited(str(second["run_id"]))
        pane.returned()
        kinds = [kind for kind, _ in told(relay, 3)]
        assert kinds == [frames.EXITED, frames.STARTED, frames.EXITED]


def test_a_terminal_that_hangs_up_after_an_upgrade_is_left_alone(held: HeldKeeper) -> None:
    cat(held)
    ready(held)
    pane = HandedTerminal(held, "w/sh", offset=0)
    pane.expect(b"ready")
    upgrade(held)
    before = len(os.listdir(f"/proc/{held.process.pid}/fd"))
    pane.close()
    held.hub.wait_for(lambda event: event["m"] == "viewer" and event["state"] == "gone")
    assert len(os.listdir(f"/proc/{held.process.pid}/fd")) < before


def pane_waits(pane: HandedTerminal) -> bool:
    """Tell whether keys wait at the terminal."""
    return fcntl.ioctl(pane.slave, termios.FIONREAD, b"1234") != bytes(4)


def told(relay: Relay, count: int) -> list[tuple[int, bytes]]:
    """Wait for so many frames that are no output."""
    seen: list[tuple[int, bytes]] = []

    def enough() -> bool:
        relay.look()
        seen.extend(frame for frame in relay.got if frame[0] not in {frames.DATA, frames.RESIZE})
        relay.got.clear()
        return len(seen) >= count

    until(enough, 10, "frames")
    return seen
