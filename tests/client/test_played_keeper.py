"""The attach client against a keeper that is played: what it says in one breath, too often, or not at all."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.viewing import HeldKeeper, Pane
from tests.support.waiting import until
from wezparallel.client.viewer import MOST_NOTES
from wezparallel.wire import frames, hello

EXIT = json.dumps({"run_id": "1", "exit_code": 4, "signal": None, "ran_s": 1.0, "asked": False}).encode()
RETURNED = frames.pack(frames.RETURNED, bytes(8))


class Played:
    """One connection of a client."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        connection.settimeout(10)
        self.role = connection.recv(65536)[9]
        self._reader = frames.FrameReader()
        self._inbox: list[tuple[int, bytes]] = []

    def welcome(self, flags: int = 0, more: bytes = b"") -> None:
        """Answer the hello, with more behind it."""
        about = hello.Welcome(flags, 0, 0, b"", ["/nowhere", "", ""])
        answer = frames.pack(frames.HELLO, hello.server_hello(1)) + frames.pack(frames.WELCOME, about.pack())
        self.connection.sendall(answer + more)

    def expect(self, kind: int) -> bytes:
        """Wait for a frame of the client; descriptors that come with it are closed, as if they were lost."""
        while True:
            while not self._inbox:
                data, fds, _, _ = socket.recv_fds(self.connection, 65536, 4)
                for fd in fds:
                    os.close(fd)
                assert data, f"the client left before frame {kind}"
                self._inbox += self._reader.feed(data)
            got, payload = self._inbox.pop(0)
            if got == kind:
                return payload


@contextmanager
def keeper_played(keeper: HeldKeeper, pane: Pane, *options: str) -> Iterator[socket.socket]:
    """Attach to a socket of ours."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.settimeout(10)
        listener.bind(f"{keeper.runtime}/played.sock")
        listener.listen()
        pane.attach(keeper, "w/sh", "--socket", f"{keeper.runtime}/played.sock", *options)
        yield listener


def test_a_start_that_comes_together_with_the_welcome_is_not_overlooked(keeper: HeldKeeper, pane: Pane) -> None:
    with keeper_played(keeper, pane) as listener, listener.accept()[0] as connection:
        played = Played(connection)
        played.welcome(more=frames.pack(frames.STARTED, b"{}"))
        assert played.expect(frames.TERMINAL) == b""
        connection.sendall(frames.pack(frames.REMOVED) + RETURNED)
        pane.expect(b"was removed")
    assert pane.wait() == 0


def test_a_keeper_that_loses_the_terminal_twice_gets_it_relayed(keeper: HeldKeeper, pane: Pane) -> None:
    with keeper_played(keeper, pane) as listener:
        for _ in range(2):
            with listener.accept()[0] as connection:
                played = Played(connection)
                assert played.role == hello.ROLE_TERMINAL
                played.welcome(hello.RUNNING | hello.IS_TTY)
                played.expect(frames.GO)
        with listener.accept()[0] as connection:
            played = Played(connection)
            assert played.role == hello.ROLE_FRAMES
            played.welcome(hello.RUNNING | hello.IS_TTY)
            assert played.expect(frames.TERMINAL) == b"hold"
            played.expect(frames.GO)
            pane.type(b"key")
            assert played.expect(frames.DATA) == b"key"
            connection.sendall(frames.pack(frames.DATA, bytes(9) + b"shown") + frames.pack(frames.DETACH) + RETURNED)
            pane.expect(b"shown")
            pane.expect(b"comes back]")
        assert pane.wait() == 0


def test_of_very_many_notes_the_last_are_shown(keeper: HeldKeeper, pane: Pane) -> None:
    with keeper_played(keeper, pane, "--exit") as listener, listener.accept()[0] as connection:
        played = Played(connection)
        played.welcome(hello.RUNNING | hello.IS_TTY)
        played.expect(frames.GO)
        notes = b"".join(frames.pack(frames.NOTE, b"note %d." % number) for number in range(1000))
        connection.sendall(notes + frames.pack(frames.EXITED, EXIT) + RETURNED)
        shown = pane.expect(b"note 999.")
    assert pane.wait() == 4
    assert shown.count(b"note ") == MOST_NOTES


def test_a_terminal_that_is_taken_away_while_its_client_was_stopped_is_handed_over_again(
    keeper: HeldKeeper, pane: Pane
) -> None:
    with keeper_played(keeper, pane) as listener, listener.accept()[0] as connection:
        played = Played(connection)
        played.welcome(hello.RUNNING | hello.IS_TTY)
        played.expect(frames.GO)
        connection.sendall(frames.pack(frames.RETURNED, (77).to_bytes(8, "big")))
        played.expect(frames.TERMINAL)
        assert played.expect(frames.GO) == (77).to_bytes(8, "big")


def test_the_client_goes_where_the_program_is(keeper: HeldKeeper, pane: Pane) -> None:
    with keeper_played(keeper, pane) as listener, listener.accept()[0] as connection:
        played = Played(connection)
        played.welcome(hello.RUNNING | hello.IS_TTY)
        played.expect(frames.GO)
        connection.sendall(frames.pack(frames.CWD, b"/nowhere") + frames.pack(frames.CWD, os.fsencode(keeper.home)))
        assert pane.client is not None
        pid = pane.client.pid
        until(lambda: os.readlink(f"/proc/{pid}/cwd") == str(keeper.home), 10, "the client in that folder")
