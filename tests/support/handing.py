"""A viewer's client in the test itself: it hands a pane's terminal over, or relays it, word by word."""

from __future__ import annotations

import os
import select
import socket
import struct
import termios
import time
import tty
from contextlib import suppress

from tests.support.fake_hub import RefusedError
from tests.support.viewing import PATIENCE_S, HeldKeeper, Pane
from tests.support.waiting import until
from wezparallel.keeper import messages as m
from wezparallel.wire import frames, hello

_OFFSET = struct.Struct("!Q")
_SIZE = struct.Struct("!4H")
DETACH_KEY = "1c1c"
PLAIN = "linux"  # a terminal that the keeper asks and tells nothing: what it shows is the program's alone


class Talk:
    """A connection with the keeper after its hello."""

    def __init__(self, keeper: HeldKeeper, role: int, about: hello.Viewer) -> None:
        self._reader = frames.FrameReader()
        self.got: list[tuple[int, bytes]] = []
        self.folders: list[bytes] = []
        """Where the program was, as it was told; that comes at any time, so it is no part of `got`."""
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE_S)
        try:
            self.socket.connect(keeper.socket)
            self.say(frames.HELLO, hello.client_hello(role, about.pack()))
            self.welcome = hello.parse_welcome(self.wait_for(frames.WELCOME))
        except BaseException:
            self.socket.close()
            raise

    def say(self, kind: int, payload: bytes = b"", fd: int = -1) -> None:
        """Send one frame."""
        data = frames.pack(kind, payload)
        if fd < 0:
            self.socket.sendall(data)
        else:
            socket.send_fds(self.socket, [data], [fd])

    def wait_for(self, kind: int) -> bytes:
        """Wait for a frame; everything before it is dropped."""
        while True:
            while self.got:
                got, payload = self.got.pop(0)
                if got == kind:
                    return payload
            data = self.socket.recv(65536)
            assert data, f"the keeper closed before frame {kind}"
            self._take(data)

    def _take(self, data: bytes) -> None:
        for kind, payload in self._reader.feed(data):
            if kind == frames.CWD:
                self.folders.append(payload)
            else:
                self.got.append((kind, payload))

    def look(self) -> list[int]:
        """Take in what has come by now, without waiting; return the kinds of frames."""
        while select.select([self.socket], [], [], 0)[0]:
            data = self.socket.recv(65536)
            if not data:
                break
            self._take(data)
        return [kind for kind, _ in self.got]

    def look_for_the_end(self) -> bool:
        """Wait for the connection's end, whatever is said before it."""
        with suppress(ConnectionResetError):  # it had not read everything
            while self.socket.recv(65536):
                pass
        return True

    def close(self) -> None:
        """End the connection."""
        self.socket.close()


class HandedTerminal(Pane):
    """A terminal in the keeper's hands."""

    def __init__(
        self,
        keeper: HeldKeeper,
        process_id: str,
        rows: int = 24,
        columns: int = 80,
        *,
        flags: int = 0,
        offset: int | None = None,
        term: str = PLAIN,
    ) -> None:
        super().__init__(rows, columns)
        self.about = _about(process_id, (rows, columns, 0, 0), flags, self.before, term)
        try:
            self.talk = Talk(keeper, hello.ROLE_TERMINAL, self.about)
        except BaseException:
            super().close()
            raise
        self.offset = self.talk.welcome.end if offset is None else offset
        self.hand_over()

    def hand_over(self) -> None:
        """Give the terminal to the keeper, which goes on from our offset."""
        fd = os.open(os.ttyname(self.slave), os.O_RDWR | os.O_NOCTTY)
        self.talk.say(frames.TERMINAL, fd=fd)
        os.close(fd)
        tty.setraw(self.slave, termios.TCSANOW)
        self.talk.say(frames.GO, _OFFSET.pack(self.offset))

    def has(self, rows: int, columns: int) -> None:
        """Tell the keeper of another size."""
        self.talk.say(frames.RESIZE, _SIZE.pack(rows, columns, 0, 0))

    def ask_back(self) -> None:
        """Ask for the terminal, and wait until it is back."""
        self.talk.say(frames.DETACH)
        self.returned()

    def returned(self) -> None:
        """Wait until the terminal is back."""
        (self.offset,) = _OFFSET.unpack(self.talk.wait_for(frames.RETURNED))

    def close(self) -> None:
        """End the connection and the terminal."""
        self.talk.close()
        super().close()


class Relay(Talk):
    """A client that relays: frames both ways."""

    def __init__(
        self, keeper: HeldKeeper, process_id: str, rows: int = 24, columns: int = 80, *, flags: int = hello.RELAYS
    ) -> None:
        self.shown = b""
        super().__init__(keeper, hello.ROLE_FRAMES, _about(process_id, (rows, columns, 0, 0), flags, None, PLAIN))

    def type(self, data: bytes) -> None:
        """Type."""
        self.say(frames.DATA, data)

    def expect(self, text: bytes) -> bytes:
        """Read until a text is shown; return everything up to its end, and forget that."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.shown:
            assert time.monotonic() < deadline, f"waited for {text!r}; shown: {self.shown[-2000:]!r}"
            self.shown += self.wait_for(frames.DATA)[9:]
        end = self.shown.index(text) + len(text)
        seen, self.shown = self.shown[:end], self.shown[end:]
        return seen


def clear(keeper: HeldKeeper) -> None:
    """End `w/sh` and forget it, so that the next test finds the keeper as new."""
    hub = keeper.hub
    for run_id in hub.fds:
        with suppress(RefusedError):
            hub.call(m.KILL, run_id=run_id)

    def is_gone() -> bool:
        try:
            hub.call(m.FORGET, process_id="w/sh")
        except RefusedError:
            return False
        return True

    until(is_gone, PATIENCE_S, "the end of w/sh")
    hub.fds.clear()
    hub.events.clear()


def _about(
    process_id: str, size: tuple[int, int, int, int], flags: int, before: list[object] | None, term: str
) -> hello.Viewer:
    packed = None
    if before is not None:
        *numbers, characters = before
        assert isinstance(characters, list)
        cc = bytes(one if isinstance(one, int) else one[0] for one in characters)
        packed = (*numbers, cc)
    strings = [process_id, term, "", "", "", "", "", DETACH_KEY]
    return hello.Viewer(flags, size, hello.FROM_END, (0, 0), packed, strings)  # type: ignore[arg-type]
