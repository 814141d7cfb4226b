"""A client that somebody stopped loses its terminal: the shell above it reads there now, and must not be fought."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.support.viewing import ATTACH, TAKE_TERMINAL, HeldKeeper, Pane, cat, shell
from tests.support.waiting import until


def stop(held: HeldKeeper, pid: int, pane: Pane) -> None:
    """Stop a client, and have the program print until the keeper has noticed."""
    os.kill(pid, signal.SIGSTOP)
    until(lambda: state(pid) == "T", 10, "the client to stand still")

    def noticed() -> bool:
        held.hub.write("w/sh", b".")
        pane.read()
        return not pane.is_raw

    until(noticed, 10, "the terminal given back")


def is_live(pane: Pane) -> None:
    """Wait until keys go through the keeper: what the client has painted comes before that."""
    until(lambda: pane.is_raw, 10, "the terminal in the keeper's hands")
    pane.type(b"live")
    pane.expect(b"live")


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def test_a_stopped_clients_terminal_is_given_back_and_taken_again(held: HeldKeeper, pane: Pane) -> None:
    cat(held)
    pane.attach(held, "w/sh", in_session=True)
    is_live(pane)
    assert pane.client is not None
    stop(held, pane.client.pid, pane)
    assert pane.attributes == pane.before
    pane.type(b"not for the program\n")
    held.hub.write("w/sh", b"meanwhile")
    until(lambda: held.log("w/sh").endswith(b"meanwhile"), 10, "its output")
    termios.tcflush(pane.slave, termios.TCIFLUSH)  # as a shell reads it
    pane.client.send_signal(signal.SIGCONT)
    pane.expect(b"meanwhile")
    pane.type(b"again")
    pane.expect(b"again")
    assert b"not for" not in held.log("w/sh")


def test_a_program_floods_on_while_its_only_client_stands_still(held: HeldKeeper, pane: Pane) -> None:
    run = shell(held, "stty raw -echo; head -c 4; read x; seq 500000", log_cap=1 << 26)
    pane.attach(held, "w/sh", in_session=True)
    is_live(pane)
    assert pane.client is not None
    os.kill(pane.client.pid, signal.SIGSTOP)
    held.hub.write("w/sh", b"\n")
    assert held.hub.exited(str(run["run_id"]))["exit_code"] == 0
    pane.read_until(lambda: not pane.is_raw, "the terminal given back")
    assert pane.attributes == pane.before


@pytest.mark.parametrize("program", ["bash", "zsh"])
def test_the_shell_above_gets_the_keys_and_keeps_its_own_attributes(
    held: HeldKeeper, pane: Pane, program: str
) -> None:
    cat(held)
    quiet = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"]}[program]
    env = held.env | {"PS1": "at prompt$ ", "HOME": str(held.home), "TERM": "xterm"}
    taker = [sys.executable, "-c", TAKE_TERMINAL, f"/usr/bin/{program}", *quiet, "-i"]
    pane.client = subprocess.Popen(
        taker, stdin=pane.slave, stdout=pane.slave, stderr=pane.slave, env=env, start_new_session=True
    )
    pane.expect(b"at prompt$ ")
    pane.type(shlex.join([sys.executable, "-I", "-S", ATTACH, "w/sh"]).encode() + b"\r")
    pane.expect(b"ready")
    is_live(pane)
    came = held.hub.wait_for(lambda event: event["m"] == "viewer" and event["state"] == "attached")
    os.kill(came["pid"], signal.SIGSTOP)
    seen = pane.expect(b"at prompt$ ")
    at_prompt = pane.attributes

    def noticed() -> bool:
        held.hub.write("w/sh", b".")
        pane.read()
        return b"\x1b[0m\x1b(B" in seen + pane.shown

    until(noticed, 10, "the terminal given back")
    assert pane.attributes == at_prompt
    pane.type(b"echo to $((40 + 2)) the shell\r")
    pane.expect(b"to 42 the shell")
    pane.expect(b"at prompt$ ")
    pane.type(b"fg\r")
    held.hub.write("w/sh", b"meanwhile")
    pane.expect(b"meanwhile")
    pane.type(b"again")
    pane.expect(b"again")
    assert b"shell" not in held.log("w/sh")
    pane.type(b"\x1c\x1c")
    pane.expect(b"at prompt$ ")
