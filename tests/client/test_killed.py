"""The attach client killed between every two of its steps: terminal and program are as they were."""

from __future__ import annotations

import os
import signal

import pytest

from tests.support.viewing import HeldKeeper, Pane, cat, shell
from tests.support.waiting import until

GOING = ("hello", "descriptor", "raw", "painted", "go")
COMING_BACK = ("asked", "returned", "stop")
BETWEEN_RUNS = ("kept", "keys")


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
