"""The attach client against a real keeper: what a person sees and types, and the terminal that comes back."""

from __future__ import annotations

import os
import signal

import pytest

from tests.support.viewing import HeldKeeper, Pane, cat, shell
from tests.support.waiting import until

DETACHED = b"comes back]"
NOW = {"signal": "SIGKILL", "grace_s": 0.1, "kill": "tree"}


def test_the_past_is_painted_and_what_is_typed_reaches_the_program(keeper: HeldKeeper, pane: Pane) -> None:
    shell(keeper, "stty -echo; echo one; echo two; read line; echo got $line; exec sleep 1000")
    until(lambda: b"two\r\n" in keeper.log("w/sh"), 10, "the past")
    pane.attach(keeper, "w/sh")
    pane.expect(b"one\r\ntwo\r\n")
    pane.type(b"three\r")
    pane.expect(b"got three\r\n")


def test_live_output_arrives_byte_for_byte(keeper: HeldKeeper, pane: Pane) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh", TERM="linux")  # which is asked and told nothing
    pane.expect(b"ready")
    data = b"".join(b"%06d\x1b[3%dm\xff\x00\x9b" % (number, number % 8) for number in range(3000))
    at = 0
    echoed = b""
    while len(echoed) < len(data):
        at += os.write(pane.master, data[at : at + 1000]) if at < len(data) else 0
        echoed += pane.read(0.1)
    assert echoed == data


def test_the_detach_key_gives_the_terminal_back_as_it_was(keeper: HeldKeeper, pane: Pane) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh")
    pane.expect(b"ready")
    assert pane.is_raw
    pane.type(b"a\x1c")
    pane.expect(b"a")
    pane.type(b"\x1c")
    pane.expect(DETACHED)
    assert pane.wait() == 0
    assert pane.attributes == pane.before
    assert keeper.log("w/sh") == b"readya"


@pytest.mark.parametrize("typed", [b"\x1b[92;5u\x1b[92;5:3u\x1b[92;5u", b"\x1b[27;5;92~\x1b[27;5;92~", b"\x1c\x1c"])
def test_the_detach_key_is_known_in_every_encoding(keeper: HeldKeeper, pane: Pane, typed: bytes) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh")
    pane.expect(b"ready")
    pane.type(typed)
    assert pane.wait() == 0
    assert keeper.log("w/sh") == b"ready"


def test_inside_wezterm_there_is_no_detach_key_and_no_hint(keeper: HeldKeeper, pane: Pane) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh", WEZTERM_PANE="3")
    assert b"detaches" not in pane.expect(b"ready")
    pane.type(b"\x1c\x1c.")
    assert pane.expect(b".") == b"\x1c\x1c."


@pytest.mark.parametrize("other", [{"TERM_PROGRAM": "vscode"}, {"ZELLIJ": "0"}, {"TMUX": "/tmp/x,1,0"}])
def test_what_was_started_from_a_pane_of_wezterm_is_none_and_has_the_detach_key(
    keeper: HeldKeeper, pane: Pane, other: dict[str, str]
) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh", WEZTERM_PANE="3", **other)
    shown = pane.expect(b"ready")
    assert b"ctrl+\\ twice detaches" in shown
    assert b"SetUserVar" not in shown


def test_a_pane_of_wezterm_carries_the_name_of_its_process_until_the_client_ends(
    keeper: HeldKeeper, pane: Pane
) -> None:
    shell(keeper, "printf ready; read x; exit 7")
    pane.attach(keeper, "w/sh", "--exit", WEZTERM_PANE="3")
    assert b"\x1b]1337;SetUserVar=wezparallel_process=dy9zaA==\x07" in pane.expect(b"ready")
    pane.type(b"\r")
    assert pane.wait() == 7
    assert pane.shown.endswith(b"\x1b]1337;SetUserVar=wezparallel_process=\x07")
    assert b"1337" not in keeper.log("w/sh")


def test_outside_wezterm_the_detach_key_is_told_before_anything_is_painted(keeper: HeldKeeper, pane: Pane) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh")
    assert b"ctrl+\\ twice detaches" in pane.expect(b"ready")


def test_an_exit_gives_the_terminal_back_and_its_code(keeper: HeldKeeper, pane: Pane) -> None:
    shell(keeper, "stty raw -echo; printf 'ready\\033[?1000h\\033[?2004h'; read x; printf last; exit 7")
    pane.attach(keeper, "w/sh", "--exit")
    pane.expect(b"ready")
    pane.type(b"\n")
    assert pane.wait() == 7
    shown = pane.shown
    assert shown.index(b"last") < shown.index(b"\x1b[?1000l") < len(shown)
    assert b"\x1b[?2004l" in shown
    assert pane.attributes == pane.before


def test_after_an_exit_a_line_says_how_and_enter_closes_with_the_code(keeper: HeldKeeper, pane: Pane) -> None:
    shell(keeper, "printf ready; read x; exit 3")
    pane.attach(keeper, "w/sh")
    pane.expect(b"ready")
    pane.type(b"\r")
    pane.expect("── sh exited 3 after ".encode())
    pane.expect("Enter close ──".encode())
    pane.type(b"\r")
    assert pane.wait() == 3
    assert pane.attributes == pane.before


def test_a_new_run_takes_the_terminal_again(keeper: HeldKeeper, pane: Pane) -> None:
    shell(keeper, "printf first; read x; exit 3")
    pane.attach(keeper, "w/sh")
    pane.expect(b"first")
    pane.type(b"\r")
    pane.expect("Enter close ──".encode())
    cat(keeper)
    pane.expect(b"ready")
    pane.type(b"xyz\r")
    assert pane.expect(b"xyz\r") == b"xyz\r"
    pane.type(b"\x1c\x1c")
    assert pane.wait() == 0
    assert pane.attributes == pane.before


def test_a_process_that_has_not_started_takes_the_terminal_when_it_does(keeper: HeldKeeper, pane: Pane) -> None:
    keeper.hub.call("reserve", process_id="w/sh")
    pane.resize(31, 97)
    pane.attach(keeper, "w/sh")
    pane.expect(b"waiting for it")
    shell(keeper, "stty raw -echo; stty size; exec cat")
    pane.expect(b"31 97\n")
    pane.type(b"once\r")
    assert pane.expect(b"once\r") == b"once\r"
    assert b"once" not in pane.read(0.2)


def test_an_attach_killed_while_live_leaves_modes_and_terminal_as_they_were(keeper: HeldKeeper, pane: Pane) -> None:
    shell(keeper, "stty raw -echo; printf '\\033[?1049h\\033[?1006h\\033[?25lready'; exec cat")
    until(lambda: b"ready" in keeper.log("w/sh"), 10, "the modes")
    pane.attach(keeper, "w/sh")
    pane.expect(b"\x1b[?25l")
    keeper.hub.write("w/sh", b"live")
    pane.expect(b"live")
    assert pane.client is not None
    pane.client.kill()
    pane.expect(b"\x1b[?1049l")
    pane.read_until(lambda: pane.attributes == pane.before, "the terminal as it was")


@pytest.mark.parametrize("leads", [True, False], ids=["session leader", "below a shell"])
def test_a_terminal_that_types_newline_and_eof_while_it_closes_leaves_the_program_alive(
    keeper: HeldKeeper, pane: Pane, leads: bool
) -> None:
    keeper.hub.spawn(["/bin/bash", "--norc", "-i"], tty=True, process_id="w/bash", env={"PS1": "$ "}, stop=NOW)
    pane.attach(keeper, "w/bash", leads=leads, WEZTERM_PANE="1")
    pane.expect(b"$ ")
    pane.type(b"echo live-$((1+1))\r")
    pane.expect(b"live-2\r\n")
    pane.close_like_wezterm()
    keeper.hub.wait_for(lambda event: event["m"] == "viewer" and event["state"] == "gone")
    keeper.hub.write("w/bash", b"echo still-$((40+2))\n")
    until(lambda: b"still-42" in keeper.log("w/bash"), 10, "the shell's answer")


def test_a_hang_up_restores_nothing(keeper: HeldKeeper, pane: Pane) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh")
    pane.expect(b"ready")
    assert pane.client is not None
    pane.client.send_signal(signal.SIGHUP)
    assert pane.wait() == 128 + signal.SIGHUP
    keeper.hub.wait_for(lambda event: event["m"] == "viewer" and event["state"] == "gone")
    assert pane.is_raw


def test_sigterm_detaches(keeper: HeldKeeper, pane: Pane) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh")
    pane.expect(b"ready")
    assert pane.client is not None
    pane.client.terminate()
    pane.expect(DETACHED)
    assert pane.wait() == 0
    assert pane.attributes == pane.before


def test_a_stopped_client_gives_its_terminal_back_and_goes_on_where_it_was(keeper: HeldKeeper, pane: Pane) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh", in_session=True)
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


def test_a_replay_types_nothing_into_the_program(keeper: HeldKeeper, pane: Pane) -> None:
    queries = r"\033[c\033[>c\033[6n\033[5n\033]11;?\033\\\033P+q544e\033\\\033[?u"
    shell(keeper, f"stty raw -echo; printf '{queries}\\033]52;c;?\\007\\007ready'; exec cat")
    until(lambda: b"ready" in keeper.log("w/sh"), 10, "the queries")
    pane.attach(keeper, "w/sh")
    painted = pane.expect(b"ready")
    for query in (
        b"\x1b[c",
        b"\x1b[>c",
        b"\x1b[6n",
        b"\x1b[5n",
        b"\x1b]11",
        b"\x1bP",
        b"\x1b[?u",
        b"\x1b]52",
        b"\x07",
    ):
        assert query not in painted


def test_two_terminals_type_at_one_program(keeper: HeldKeeper, pane: Pane, second: Pane) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh")
    pane.expect(b"ready")
    second.attach(keeper, "w/sh")
    second.expect(b"ready")
    for one, other in ((pane, second), (second, pane)):
        one.type(b"mine")
        one.expect(b"mine")
        other.expect(b"mine")
    second.type(b"\x1c\x1c")
    assert second.wait() == 0
    assert second.attributes == second.before
    pane.type(b"still here")
    pane.expect(b"still here")


def test_a_read_only_terminal_sees_everything_and_types_nothing(keeper: HeldKeeper, pane: Pane, second: Pane) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh")
    pane.expect(b"ready")
    second.attach(keeper, "w/sh", "--read-only")
    second.expect(b"ready")
    second.type(b"not this")
    pane.type(b"but this")
    pane.expect(b"but this")
    second.expect(b"but this")
    second.type(b"\x1c\x1c")
    assert second.wait() == 0
    assert keeper.log("w/sh") == b"readybut this"


def test_the_program_gets_this_terminals_size_and_its_changes(keeper: HeldKeeper, pane: Pane) -> None:
    shell(keeper, "stty -echo; trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done")
    until(lambda: b"ready" in keeper.log("w/sh"), 10, "the trap")
    pane.resize(40, 100)
    pane.attach(keeper, "w/sh")
    pane.expect(b"40 100")
    pane.resize(41, 101)
    assert pane.client is not None
    pane.client.send_signal(signal.SIGWINCH)
    pane.expect(b"41 101")


def test_on_the_alternate_screen_a_terminal_of_the_same_size_gets_a_redraw(keeper: HeldKeeper, pane: Pane) -> None:
    shell(
        keeper,
        "trap 'stty size' WINCH; printf 'main\\n\\033[?1049hdrawn once'; while :; do sleep 0.05; done",
        size=[24, 80],
    )
    until(lambda: b"once" in keeper.log("w/sh"), 10, "the drawing")
    pane.attach(keeper, "w/sh")
    painted = pane.expect(b"24 80")
    assert b"drawn once" not in painted
    assert painted.index(b"main\r\n") < painted.index(b"\x1b[?1049h")


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (10_000, 10_000), (65_535, 65_535)])
def test_a_terminal_of_any_size_is_painted_within_bounds(
    keeper: HeldKeeper, pane: Pane, size: tuple[int, int]
) -> None:
    shell(keeper, "printf ready; read x; exit 3")
    pane.resize(*size)
    pane.attach(keeper, "w/sh", WEZPARALLEL_SOCKET=f"{keeper.runtime}/nobody.sock")
    painted = pane.expect(b"ready")
    pane.type(b"\r")
    painted += pane.expect("──".encode() if size[1] != 1 else "…".encode())
    pane.type(b"q")
    assert pane.wait() == 3
    assert len(painted + pane.shown) < 16_384
    assert pane.attributes == pane.before


def test_a_read_only_terminal_says_that_it_is(keeper: HeldKeeper, pane: Pane) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh", "--read-only")
    pane.expect(b"attached to w/sh, read only; ctrl+\\ twice detaches")
