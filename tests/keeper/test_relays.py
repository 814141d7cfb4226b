"""Terminals that could not be handed over: keys and sizes come as frames, and count as a terminal's do."""

from __future__ import annotations

import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.support.handing import HandedTerminal, Relay
from tests.support.viewing import HeldKeeper, cat, shell
from tests.support.waiting import until
from wezparallel.wire import frames, hello

SIZES = "stty raw -echo; trap 'stty size' WINCH; echo ready; while :; do sleep 0.02; done"
SAY_HELLO = """
import socket, sys
sys.path.insert(0, {root!r})
from wezparallel.wire import frames, hello
about = hello.Viewer({flags}, (24, 80, 0, 0), hello.FROM_END, (0, 0), None, ["w/sh"])
sock = socket.socket(socket.AF_UNIX)
sock.connect({path!r})
said = frames.pack(frames.HELLO, hello.client_hello(hello.ROLE_FRAMES, about.pack()))
sock.sendall(said + frames.pack(frames.DATA, b"from an agent"))
print(sock.recv(65536), flush=True)
sock.recv(65536)
"""


def ready(held: HeldKeeper) -> None:
    until(lambda: b"ready" in held.log("w/sh"), 10, "the program")


def test_a_relay_types_sees_and_leads_like_a_terminal(held: HeldKeeper) -> None:
    shell(held, SIZES)
    ready(held)
    with closing(Relay(held, "w/sh", 30, 100)) as relay, closing(HandedTerminal(held, "w/sh", 31, 101)) as terminal:
        relay.expect(b"30 100")
        terminal.type(b"x")
        relay.expect(b"31 101")
        relay.type(b"y")
        terminal.expect(b"30 100")
        relay.say(frames.RESIZE, b"\0\x20\0\x70\0\0\0\0")
        terminal.expect(b"32 112")
        relay.type(b"\x1b[I")
    assert (relay.welcome.flags & hello.IS_TTY, relay.welcome.modes) == (hello.IS_TTY, b"")


def test_a_relays_detach_key_ends_it_and_it_may_go_on_from_its_offset(held: HeldKeeper) -> None:
    cat(held)
    ready(held)
    with closing(Relay(held, "w/sh")) as relay, closing(HandedTerminal(held, "w/sh")) as terminal:
        relay.type(b"one")
        relay.expect(b"one")
        relay.type(b"\x1c")
        relay.type(b"\x1cnot this")
        relay.wait_for(frames.DETACH)
        offset = relay.wait_for(frames.RETURNED)
        relay.type(b"nor this")
        terminal.type(b"\x1b[Itwo")
        terminal.expect(b"two")
        assert relay.look() == []
        relay.say(frames.GO, offset)
        relay.expect(b"two")
        relay.say(frames.DETACH)
        relay.wait_for(frames.RETURNED)
    assert held.log("w/sh") == b"readyonetwo" or held.log("w/sh") == b"readyone\x1b[Itwo"


def test_a_reader_that_is_no_relay_cannot_type(held: HeldKeeper) -> None:
    cat(held)
    ready(held)
    for flags in (0, hello.READ_ONLY, hello.READ_ONLY | hello.RELAYS):
        with closing(Relay(held, "w/sh", 50, 150, flags=flags)) as reader:
            reader.type(b"not this")
            reader.say(frames.RESIZE, b"\0\x20\0\x70\0\0\0\0")
            held.hub.write("w/sh", b"but this")
            reader.expect(b"but this")
    assert held.log("w/sh") == b"ready" + b"but this" * 3


def test_a_relay_to_a_program_that_does_not_read_waits_and_loses_nothing(held: HeldKeeper) -> None:
    shell(held, "stty raw -echo; printf ready; while [ ! -e go ]; do sleep 0.02; done; exec cat", cwd=str(held.home))
    ready(held)
    typed = b"".join(b"%09d " % number for number in range(400_000))
    with closing(Relay(held, "w/sh")) as relay:
        relay.socket.setblocking(False)
        sent = b"".join(frames.pack(frames.DATA, typed[at : at + 8000]) for at in range(0, len(typed), 8000))
        rest = memoryview(sent)
        with suppress(BlockingIOError):
            while rest:
                rest = rest[relay.socket.send(rest) :]
        assert len(rest) > len(sent) / 4
        (held.home / "go").touch()
        seen = bytearray()
        while len(seen) < len(typed):
            with suppress(BlockingIOError):
                rest = rest[relay.socket.send(rest) :]
            relay.look()
            seen += b"".join(payload[9:] for kind, payload in relay.got if kind == frames.DATA)
            relay.got.clear()
    assert seen == typed


@pytest.mark.parametrize(
    ("flags", "refused"), [(hello.RELAYS, True), (hello.RELAYS | hello.READ_ONLY, False), (0, False)]
)
def test_an_agent_may_not_relay_keys(held: HeldKeeper, flags: int, *, refused: bool) -> None:
    cat(held)
    ready(held)
    root = str(Path(hello.__file__).parent.parent.parent)
    code = SAY_HELLO.format(root=root, flags=flags, path=held.socket)
    held.hub.spawn([sys.executable, "-c", code], process_id=f"w/agent{flags}", agent=True)
    until(lambda: bool(held.log(f"w/agent{flags}")), 10, "the answer")
    assert (b"caller.agent_not_allowed" in held.log(f"w/agent{flags}")) == refused
    held.hub.write("w/sh", b"person")
    until(lambda: b"person" in held.log("w/sh"), 10, "the program")
    assert held.log("w/sh") == b"readyperson"
