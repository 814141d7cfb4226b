"""Words of our own to the terminal around a program, and why a viewer is gone."""

from __future__ import annotations

import base64
import os
import signal
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.handing import HandedTerminal, Relay, Talk
from tests.support.viewing import HeldKeeper, Pane, cat, shell
from tests.support.waiting import until
from wezparallel.keeper import messages as m
from wezparallel.wire import frames, hello

MUX = "/run/wezterm/gui-sock-1"
INSIDE: dict[str, Any] = {"WEZTERM_PANE": "17", "WEZTERM_UNIX_SOCKET": MUX, "TERM_PROGRAM": "WezTerm"}


def came(held: HeldKeeper) -> dict[str, Any]:
    """Return what the keeper reports of the next viewer that comes."""
    return held.hub.wait_for(lambda event: event["m"] == m.VIEWER and event["state"] == "attached")


def went(held: HeldKeeper) -> dict[str, Any]:
    """Return what the keeper reports of the next viewer that goes."""
    return held.hub.wait_for(lambda event: event["m"] == m.VIEWER and event["state"] == "gone")


def variable(name: str, value: str) -> bytes:
    """Return the sequence that sets a user variable."""
    return f"\x1b]1337;SetUserVar={name}={base64.b64encode(value.encode()).decode()}\x07".encode()


def nudge(held: HeldKeeper, viewer_id: int, value: str = "4711") -> bool:
    return bool(held.hub.call(m.NUDGE, viewer_id=viewer_id, name="wezparallel_request", value=value)["done"])


def live(held: HeldKeeper, pane: Pane, *options: str, **environment: Any) -> dict[str, Any]:
    """Attach to `w/sh` and wait until keys pass; return the report."""
    pane.attach(held, "w/sh", *options, leads=True, **environment)
    report = came(held)
    pane.expect(b"ready")
    pane.type(b"?")
    pane.expect(b"?")
    return report


def test_a_viewer_says_in_which_pane_of_which_gui_it_is_and_who_started_it(held: HeldKeeper, pane: Pane) -> None:
    cat(held)
    report = live(held, pane, **INSIDE)
    assert (report["pane"], report["mux"], report["kind"]) == ("17", MUX, "terminal")
    assert report["parent_pid"] == os.getpid()
    assert report["parent_start"] == int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])


def test_a_pane_of_tmux_within_wezterm_is_no_pane_of_wezterm(held: HeldKeeper, pane: Pane) -> None:
    cat(held)
    report = live(held, pane, **INSIDE, TMUX="/tmp/tmux,1,0")
    assert (report["pane"], report["mux"]) == ("", "")
    assert not nudge(held, report["viewer_id"])


def test_a_nudge_reaches_the_terminal_and_nothing_else(held: HeldKeeper, pane: Pane) -> None:
    cat(held)
    viewer_id = live(held, pane, **INSIDE)["viewer_id"]
    pane.read()
    pane.shown = b""
    assert nudge(held, viewer_id, "an ü")
    seen = pane.expect(b"\x07")
    assert variable("wezparallel_request", "an ü") in seen
    assert b"SetUserVar" not in held.log("w/sh")


@pytest.mark.parametrize("within", [rb"\033]2;half a title", rb"\033[?2026h"])
def test_a_nudge_never_comes_within_a_sequence_or_a_synchronized_update(
    held: HeldKeeper, pane: Pane, within: bytes
) -> None:
    done = b"\\007" if b"]2" in within else b"\\033[?2026l"
    script = f"stty -echo; printf ready; cat; printf '{within.decode()}'; read a; printf '{done.decode()}end'; cat"
    shell(held, script)
    pane.attach(held, "w/sh", leads=True, **INSIDE)
    viewer_id = came(held)["viewer_id"]
    pane.expect(b"ready")
    pane.type(b"\x04")
    pane.expect(b"half a title" if b"]2" in within else b"\x1b[?2026h")
    assert not nudge(held, viewer_id)
    pane.type(b"\n")
    assert b"SetUserVar" not in pane.expect(b"end")
    assert nudge(held, viewer_id)
    pane.expect(variable("wezparallel_request", "4711"))


def test_a_name_cannot_end_the_sequence(held: HeldKeeper, pane: Pane) -> None:
    cat(held)
    viewer_id = live(held, pane, **INSIDE)["viewer_id"]
    for name in ("a=b", "a\x07b", "", "a;b"):
        assert not held.hub.call(m.NUDGE, viewer_id=viewer_id, name=name, value="1")["done"]


def test_nobody_is_nudged_who_is_gone(held: HeldKeeper) -> None:
    assert not nudge(held, 999_999)


@pytest.mark.parametrize(
    ("program", "text"),
    [
        ("WezTerm", b"\x1b]777;notify;shop, coder;needs [31m permission\x1b\\"),
        ("iTerm.app", b"\x1b]9;shop; coder: needs [31m permission\x1b\\"),
    ],
)
def test_a_notification_is_said_in_the_terminals_own_way(
    held: HeldKeeper, pane: Pane, program: str, text: bytes
) -> None:
    cat(held)
    viewer_id = live(held, pane, TERM_PROGRAM=program)["viewer_id"]
    told = {"title": "shop; coder", "body": "needs\n\x1b[31m permission"}
    assert held.hub.call(m.NOTIFY, viewer_id=viewer_id, **told)["done"]
    pane.expect(text)


def test_a_dumb_terminal_is_told_nothing(held: HeldKeeper) -> None:
    cat(held)
    with closing(HandedTerminal(held, "w/sh")):
        told = held.hub.call(m.NOTIFY, viewer_id=came(held)["viewer_id"], title="a", body="b")
        assert not told["done"]


def test_gone_because_the_pane_was_closed(held: HeldKeeper, pane: Pane) -> None:
    cat(held)
    live(held, pane, **INSIDE)
    pane.close_like_wezterm()
    assert went(held)["reason"] == "hangup"


def test_gone_because_the_detach_key_was_pressed(held: HeldKeeper, pane: Pane) -> None:
    cat(held)
    live(held, pane)
    pane.type(b"\x1c\x1c")
    assert pane.wait() == 0
    assert went(held)["reason"] == "detached"


def test_gone_because_the_client_was_told_to_end(held: HeldKeeper, pane: Pane) -> None:
    cat(held)
    live(held, pane, **INSIDE)
    assert pane.client is not None
    pane.client.send_signal(signal.SIGTERM)
    pane.wait()
    assert went(held)["reason"] == "detached"


def test_gone_because_the_client_was_killed(held: HeldKeeper, pane: Pane) -> None:
    cat(held)
    live(held, pane, **INSIDE)
    assert pane.client is not None
    pane.client.kill()
    assert went(held)["reason"] == "lost"


def test_gone_because_the_program_ended(held: HeldKeeper, pane: Pane) -> None:
    shell(held, "printf ready; read a")
    live(held, pane, "--exit", **INSIDE)
    pane.type(b"\r")
    pane.wait()
    assert went(held)["reason"] == "ended"


def test_closed_after_its_program_ended_is_closed_by_hand(held: HeldKeeper, pane: Pane) -> None:
    shell(held, "printf ready; read a")
    live(held, pane, **INSIDE)
    pane.type(b"\r")
    pane.expect(b"exited 0")
    pane.close_like_wezterm(is_held=False)
    assert went(held)["reason"] == "hangup"


def test_gone_because_the_process_was_removed(held: HeldKeeper) -> None:
    about = hello.Viewer(0, (0, 0, 0, 0), 0, (0, 0), None, ["w/other"])
    run = held.hub.spawn(["/bin/true"], process_id="w/other")
    held.hub.exited(run["run_id"])
    with closing(Talk(held, hello.ROLE_FRAMES, about)):
        came(held)
        held.hub.call(m.FORGET, process_id="w/other")
        assert went(held)["reason"] == "removed"


def test_a_stopped_client_that_goes_on_is_not_detached(held: HeldKeeper) -> None:
    cat(held)
    with closing(HandedTerminal(held, "w/sh")) as terminal:
        terminal.ask_back()
        terminal.hand_over()
        terminal.type(b"x")
        terminal.expect(b"x")
    assert went(held)["reason"] in {"lost", "hangup"}


def test_a_relaying_client_detaches_and_hangs_up_alike(held: HeldKeeper) -> None:
    cat(held)
    until(lambda: held.log("w/sh") == b"ready", 10, "the program")
    with closing(Relay(held, "w/sh")) as relay:
        relay.type(b"\x1c\x1c")
    assert went(held)["reason"] == "detached"
    with closing(Relay(held, "w/sh")) as relay:
        relay.say(frames.HANGUP)
        relay.look_for_the_end()
    assert went(held)["reason"] == "hangup"
