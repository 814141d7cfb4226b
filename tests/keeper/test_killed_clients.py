"""A client killed between every two steps of handing over and giving back: its terminal is as it was before."""

from __future__ import annotations

import os
from contextlib import closing

import pytest

from tests.support.handing import HandedTerminal, Relay
from tests.support.viewing import HeldKeeper, Pane, cat, shell
from tests.support.waiting import until
from wezparallel.client.frames import FROM_START, FramesViewer
from wezparallel.wire import frames

HANDING_OVER = ("keeper.terminal", "keeper.go", "keeper.size", "keeper.live")
GIVING_BACK = ("keeper.returning", "keeper.reset", "keeper.restored", "keeper.closed", "keeper.returned")


def arm(held: HeldKeeper, point: str) -> None:
    (held.failpoints / point).touch()


def dies(held: HeldKeeper, pane: Pane, point: str, *, may_end: bool = False) -> None:
    """Wait until the client was killed at the point, and see that its terminal is as before.

    With `may_end` it has all that it needs to end by itself, and may be faster than the kill.
    """
    assert pane.wait() in ({-9, 0} if may_end else {-9})
    until(lambda: not (held.failpoints / point).exists(), 10, "the point")
    pane.read_until(lambda: pane.attributes == pane.before, "the terminal as it was")


def everything(reader: FramesViewer, end: bytes, last: int = frames.DATA) -> bytes:
    """Return what a reader was told up to some bytes, or a frame of another kind."""
    seen = b""
    for kind, _, _, data, _ in reader:
        assert kind in {frames.DATA, frames.RESIZE, last}
        seen += data
        if kind == last and seen.endswith(end):
            break
    return seen


def open_descriptors(held: HeldKeeper) -> int:
    return len(os.listdir(f"/proc/{held.process.pid}/fd"))


@pytest.mark.parametrize("point", [*HANDING_OVER, *GIVING_BACK])
def test_a_client_killed_while_it_hands_over_or_detaches(held: HeldKeeper, pane: Pane, point: str) -> None:
    run = cat(held)
    with (
        closing(HandedTerminal(held, "w/sh", offset=0)) as other,
        FramesViewer.connect("w/sh", FROM_START, path=held.socket) as reader,
    ):
        other.expect(b"ready")
        other.type(b"one.")
        other.expect(b"one.")
        before = open_descriptors(held)
        if point in HANDING_OVER:
            arm(held, point)
            pane.attach(held, "w/sh")
        else:
            pane.attach(held, "w/sh")
            pane.expect(b"ready")
            arm(held, point)
            pane.type(b"\x1c\x1c")
        dies(held, pane, point, may_end=point == "keeper.returned")
        other.type(b"two.")
        other.expect(b"two.")
        assert everything(reader, b"two.") == b"readyone.two."
        until(lambda: open_descriptors(held) == before, 10, "every descriptor closed")
    os.kill(int(str(run["pid"])), 0)
    assert held.log("w/sh") == b"readyone.two."


@pytest.mark.parametrize("point", GIVING_BACK)
def test_a_client_killed_while_its_terminal_comes_back_after_an_exit(
    held: HeldKeeper, pane: Pane, point: str
) -> None:
    run = shell(held, "stty raw -echo; printf ready; head -c 1; exit 3")
    before = open_descriptors(held)
    with (
        closing(Relay(held, "w/sh")) as other,  # a handed terminal would come back, too, and its client is this test
        FramesViewer.connect("w/sh", FROM_START, path=held.socket) as reader,
    ):
        pane.attach(held, "w/sh")
        pane.expect(b"ready")
        arm(held, point)
        pane.type(b"x")
        dies(held, pane, point)
        other.wait_for(frames.EXITED)
        assert everything(reader, b"", frames.EXITED) == b"readyx"
    assert held.hub.exited(str(run["run_id"]))["exit_code"] == 3
    until(lambda: open_descriptors(held) < before, 10, "every descriptor closed")
