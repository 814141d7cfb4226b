"""The attach client as a job of a real shell: stopped, continued in front and behind, found stopped by the keeper."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.viewing import ATTACH, TAKE_TERMINAL, HeldKeeper, Pane, cat
from tests.support.waiting import until


@pytest.fixture
def bash(keeper: HeldKeeper, pane: Pane) -> Iterator[Pane]:
    """A terminal with a shell that controls jobs."""
    pane.client = subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, "/bin/bash", "--norc", "--noediting", "-i"],
        stdin=pane.slave,
        stdout=pane.slave,
        stderr=pane.slave,
        env={**keeper.env, "PS1": "outer$ "},
        start_new_session=True,
    )
    pane.expect(b"outer$ ")
    yield pane
    pane.client.kill()


def attach(keeper: HeldKeeper, bash: Pane, *options: str) -> int:
    """Attach from the shell; return the client's pid."""
    cat(keeper)
    until(lambda: b"ready" in keeper.log("w/sh"), 10, "the program")
    bash.type(f"{sys.executable} -I -S {ATTACH} w/sh {' '.join(options)}\n".encode())
    bash.expect(b"ready")
    bash.read_until(lambda: bash.is_raw, "raw mode")
    seen = keeper.hub.wait_for(lambda event: event["m"] == "viewer" and event["state"] == "attached")
    return int(seen["pid"])


def stopped(pid: int) -> bool:
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()[0] == b"T"


HOW = pytest.mark.parametrize("options", [(), ("--relay",)], ids=["handed over", "relayed"])


@HOW
def test_a_stopped_job_leaves_the_shell_its_terminal_and_comes_back_with_fg(
    keeper: HeldKeeper, bash: Pane, options: tuple[str, ...]
) -> None:
    pid = attach(keeper, bash, *options)
    os.kill(pid, signal.SIGTSTP)
    bash.expect(b"outer$ ")
    assert bash.attributes == bash.before
    keeper.hub.write("w/sh", b"meanwhile")
    bash.type(b"echo sh-$((1+1))\n")
    bash.expect(b"sh-2\r\n")
    bash.type(b"fg\n")
    bash.expect(b"meanwhile")
    bash.type(b"again")
    bash.expect(b"again")
    bash.type(b"\x1c\x1c")
    bash.expect(b"outer$ ")
    assert bash.attributes == bash.before
    assert keeper.log("w/sh") == b"readymeanwhileagain"


@HOW
def test_a_job_that_goes_on_in_the_background_waits_for_the_foreground(
    keeper: HeldKeeper, bash: Pane, options: tuple[str, ...]
) -> None:
    pid = attach(keeper, bash, *options)
    os.kill(pid, signal.SIGTSTP)
    bash.expect(b"outer$ ")
    bash.type(b"bg\n")
    bash.expect(b"outer$ ")
    until(lambda: stopped(pid), 10, "the job, stopped again by the kernel's rule")
    bash.type(b"echo sh-$((1+1))\n")
    bash.expect(b"sh-2\r\n")
    assert keeper.log("w/sh") == b"ready"
    bash.type(b"fg\n")
    bash.read_until(lambda: bash.is_raw, "raw mode")
    bash.type(b"again")
    bash.expect(b"again")


@HOW
def test_a_job_that_was_stopped_unasked_gets_its_terminal_again(
    keeper: HeldKeeper, bash: Pane, options: tuple[str, ...]
) -> None:
    pid = attach(keeper, bash, *options)
    os.kill(pid, signal.SIGSTOP)
    bash.expect(b"outer$ ")
    # The keeper may still read here for a moment: it looks only now and then whether its clients are stopped.
    for _ in range(100):
        bash.type(b"echo sh-$((1+1))\n")
        bash.read(0.1)
        if re.search(rb"sh-2\r?\n", bash.shown):
            break
    bash.shown = b""
    bash.type(b"fg\n")
    bash.read_until(lambda: bash.is_raw, "raw mode")
    bash.type(b"again")
    bash.expect(b"again")
    bash.type(b"\x1c\x1c")
    bash.expect(b"outer$ ")
    bash.read_until(lambda: bash.attributes == bash.before, "the terminal as it was")


def test_a_job_killed_by_its_shell_leaves_line_editing(keeper: HeldKeeper, bash: Pane) -> None:
    pid = attach(keeper, bash)
    os.kill(pid, signal.SIGKILL)
    bash.expect(b"outer$ ")
    bash.read_until(lambda: bash.attributes == bash.before, "the terminal as it was")
    bash.type(b"echo sh-$((1+1))\n")
    bash.expect(b"sh-2\r\n")
