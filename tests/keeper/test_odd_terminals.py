"""Terminals of absurd sizes, terminals that take nothing, and terminals that get lost on their way hurt nobody."""

from __future__ import annotations

import os
import resource
import select
import socket
import struct
import termios
from contextlib import closing, suppress

import pytest

from tests.support.handing import HandedTerminal, Relay
from tests.support.viewing import HeldKeeper, cat, shell
from tests.support.waiting import until
from wezparallel.wire import frames, hello

SIZES = "stty raw -echo; trap 'stty size' WINCH; echo ready; while :; do sleep 0.02; done"
MEGABYTE = 1024 * 1024


def ready(held: HeldKeeper) -> None:
    until(lambda: b"ready" in held.log("w/sh"), 10, "the program")


def resident(held: HeldKeeper) -> int:
    """Return the keeper's memory in bytes."""
    with open(f"/proc/{held.process.pid}/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


@pytest.mark.parametrize(
    ("size", "told"),
    [
        ((0, 0), b""),  # a terminal that does not know: the program keeps what it has
        ((0, 100), b"24 100"),
        ((1, 1), b"1 1"),
        ((10_000, 10_000), b"10000 10000"),
        ((65_535, 65_535), b"65535 65535"),
    ],
)
def test_absurd_sizes_hurt_nobody(held: HeldKeeper, size: tuple[int, int], told: bytes) -> None:
    shell(held, SIZES)
    ready(held)
    before = resident(held)
    with closing(HandedTerminal(held, "w/sh", 24, 80)) as pane, closing(Relay(held, "w/sh")) as relay:
        pane.has(*size)
        relay.expect(told)
        pane.has(30, 101)
        relay.expect(b"30 101")
        relay.say(frames.RESIZE, struct.pack("!4H", *size, 65_535, 65_535))
        relay.type(b"x")
        pane.has(31, 102)
        pane.type(b"x")
        relay.expect(b"31 102")
    assert b"0 0" not in held.log("w/sh").replace(b"10000", b"")
    assert resident(held) < before + MEGABYTE


def test_a_run_that_waits_for_a_terminal_of_no_size_starts_in_an_ordinary_one(held: HeldKeeper) -> None:
    held.hub.call("reserve", process_id="w/sh")
    with closing(HandedTerminal(held, "w/sh", 0, 0)) as pane:
        pane.has(0, 0)
        shell(held, "stty size; read x")
        until(lambda: b"24 80" in held.log("w/sh"), 10, "the size")


def test_a_stopped_terminal_beside_one_that_reads_keeps_nobody_waiting(held: HeldKeeper) -> None:
    shell(held, "stty raw -echo; printf ready; head -c 1 >/dev/null; seq 200000; exec cat")
    ready(held)
    with (
        closing(HandedTerminal(held, "w/sh", offset=0)) as stopped,
        closing(HandedTerminal(held, "w/sh", offset=0, flags=hello.GAPLESS)) as reads,
    ):
        stopped.expect(b"ready")
        termios.tcflow(stopped.slave, termios.TCOOFF)
        reads.type(b"x")
        reads.expect(b"\n200000")
        for number in range(20):
            reads.type(b"key %d." % number)
            reads.expect(b"key %d." % number)
        stopped.type(b"it types")
        reads.expect(b"it types")
        spent = cpu(held)
        select.select([], [], [], 0.2)
        assert cpu(held) - spent <= 2  # ticks: nobody turns round the terminal that takes nothing
        stopped.ask_back()  # in a bounded time, although no reset passes
        assert stopped.attributes == stopped.before


def test_a_stopped_terminal_goes_on_where_it_was(held: HeldKeeper) -> None:
    shell(held, "stty raw -echo; printf ready; head -c 1 >/dev/null; seq 100000; exec cat")
    ready(held)
    with closing(HandedTerminal(held, "w/sh", offset=0)) as pane:
        pane.expect(b"ready")
        termios.tcflow(pane.slave, termios.TCOOFF)
        pane.type(b"x")
        until(lambda: held.log("w/sh").endswith(b"\n100000\n"), 10, "the flood's end")
        termios.tcflow(pane.slave, termios.TCOON)
        assert pane.drain(b"\n100000\n").endswith(b"".join(b"%d\n" % number for number in range(1, 100_001)))


def test_a_terminal_that_gets_lost_for_want_of_descriptors_may_come_again(held: HeldKeeper) -> None:
    cat(held)
    ready(held)
    pid = held.process.pid
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    with closing(HandedTerminal(held, "w/sh", offset=0)) as other:
        other.expect(b"ready")
        pane = HandedTerminal(held, "w/sh", offset=0)
        pane.expect(b"ready")
        pane.ask_back()
        used = len(os.listdir(f"/proc/{pid}/fd"))
        try:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest_free(pid), limits[1]))
            pane.hand_over()
            assert pane.talk.look_for_the_end()
        finally:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
            pane.close()
        until(lambda: len(os.listdir(f"/proc/{pid}/fd")) == used - 1, 10, "every descriptor closed")
        other.type(b"still here")
        other.expect(b"still here")
        with closing(HandedTerminal(held, "w/sh", offset=0)) as again:
            again.type(b"and again")
            again.expect(b"and again")


def test_more_descriptors_than_anybody_needs_are_closed(held: HeldKeeper) -> None:
    cat(held)
    ready(held)
    with closing(HandedTerminal(held, "w/sh", offset=0)) as pane:
        pane.type(b"one")
        pane.expect(b"one")
        before = open_descriptors(held)
        ends = os.pipe()
        for _ in range(3):
            socket.send_fds(pane.talk.socket, [frames.pack(frames.RESIZE, bytes(8))], list(ends) * 20)
        for fd in ends:
            os.close(fd)
        held.hub.sync()
        pane.type(b"two")
        pane.expect(b"two")
        until(lambda: open_descriptors(held) <= before, 10, "every descriptor closed")


def test_descriptors_that_nobody_asks_for_end_the_connection_and_are_closed(held: HeldKeeper) -> None:
    cat(held)
    ready(held)
    before = open_descriptors(held)
    with closing(HandedTerminal(held, "w/sh", offset=0)) as pane:
        pane.expect(b"ready")
        ends = os.pipe()
        with suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(9):
                socket.send_fds(pane.talk.socket, [frames.pack(frames.RESIZE, bytes(8))], [ends[0]])
        for fd in ends:
            os.close(fd)
        assert pane.talk.look_for_the_end()
        until(lambda: pane.attributes == pane.before, 10, "the terminal as it was")
        until(lambda: open_descriptors(held) == before, 10, "every descriptor closed")


def test_a_terminal_that_is_gone_at_go_is_let_go(held: HeldKeeper) -> None:
    cat(held)
    ready(held)
    folder = f"/proc/{held.process.pid}/fd"
    before = len(os.listdir(folder))
    pane = HandedTerminal(held, "w/sh", offset=0)
    pane.expect(b"ready")
    pane.ask_back()
    os.close(pane.master)
    fd = os.open("/dev/null", os.O_RDWR)
    pane.talk.say(frames.TERMINAL, fd=pane.slave)
    with suppress(BrokenPipeError):  # it may have been let go already
        pane.talk.say(frames.GO, bytes(8))
    assert pane.talk.look_for_the_end()
    pane.master = fd
    pane.close()
    until(lambda: len(os.listdir(folder)) == before, 10, "every descriptor closed")


def open_descriptors(held: HeldKeeper) -> int:
    """Return how many descriptors the keeper has open."""
    return len(os.listdir(f"/proc/{held.process.pid}/fd"))


def cpu(held: HeldKeeper) -> int:
    """Return the ticks of processor time that the keeper has used."""
    with open(f"/proc/{held.process.pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def lowest_free(pid: int) -> int:
    """Return a limit under which no descriptor is free."""
    used = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
    return next(number for number in range(len(used) + 1) if number not in used)
