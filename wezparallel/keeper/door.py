"""The private socket's door: who comes in is checked, says hello, and is handed to whoever serves its role.

Nothing happens before a valid hello. The hello is read to its last byte and no further, so that descriptors which
travel beside what follows reach those who serve the role.
"""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress

from wezparallel.errors import LinkError, RequestError, WezparallelError, WireError
from wezparallel.keeper import hub_link
from wezparallel.keeper.callers import Peer
from wezparallel.keeper.control import Control, check_upgrade
from wezparallel.keeper.hub_child import NONE
from wezparallel.wire.frames import HEAD, HELLO, REFUSED, UPGRADE, FrameReader, pack
from wezparallel.wire.hello import ROLE_CONTROL, ROLE_FRAMES, ROLE_HUB, ROLE_TERMINAL, parse_client_hello, role_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.keeper.keeper import Keeper

_HELLO_S = 10.0
_MAX_HELLO = 64 * 1024
_MAX_GUESTS = 256  # connections without a hello; more wait in the backlog
_ACCEPTS_A_TURN = 16
_SPARE = 20  # descriptors that no guest gets: looks at /proc need them, and a log that begins


class Door:
    """Accepts on keeper.sock."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._guests = 0
        keeper.open_door = self._open
        self._open()

    def _open(self) -> None:
        if self._keeper.listeners.private is not None:
            self._keeper.loop.watch(self._keeper.listeners.private.fileno(), self._accept, urgent=True)

    def _accept(self) -> None:
        private = self._keeper.listeners.private
        for _ in range(_ACCEPTS_A_TURN):
            if private is None:
                return
            if self._guests >= _MAX_GUESTS:
                self._keeper.loop.unwatch(private.fileno())
                return
            try:
                sock, _ = private.accept()
            except BlockingIOError:
                return
            except OSError:
                # No descriptor is free: look again in a while instead of turning round it.
                self._keeper.loop.unwatch(private.fileno())
                self._keeper.loop.after(0.1, self._open)
                return
            if sock.fileno() >= self._keeper.around.hard - _SPARE > 0:
                sock.close()
                continue
            self._guests += 1
            _Guest(self._keeper, sock, self._left)

    def _left(self) -> None:
        self._guests -= 1
        if self._guests == _MAX_GUESTS - 1:
            self._open()


class _Guest:
    """A connection that has not said hello yet."""

    def __init__(self, keeper: Keeper, sock: socket.socket, left: Callable[[], object]) -> None:
        self._keeper = keeper
        self._sock = sock
        self._left = left
        self._data = b""
        self._awaited = HELLO
        self._peer: Peer | None = None
        self._from_hub = False
        sock.setblocking(False)
        self._timer = keeper.loop.after(_HELLO_S, self._close)
        keeper.loop.watch(sock.fileno(), self._on_readable)

    def _on_readable(self) -> None:
        try:
            wanted = self._wanted() - len(self._data)
            data = self._sock.recv(wanted)
        except BlockingIOError:
            return
        except (OSError, WireError):
            data = b""
        if not data:
            self._close()
            return
        self._data += data
        try:
            if len(self._data) >= HEAD.size and len(self._data) == self._wanted():
                if self._awaited == UPGRADE:
                    self._upgrade()
                else:
                    self._enter()
        except WezparallelError as error:
            self._refuse(error)

    def _wanted(self) -> int:
        if len(self._data) < HEAD.size:
            return HEAD.size
        length, kind = HEAD.unpack_from(self._data)
        if kind != self._awaited or not 1 <= length <= _MAX_HELLO:
            raise WireError("not a hello of wezparallel", code="wire.version")
        return 4 + int(length)

    def _enter(self) -> None:
        keeper, sock = self._keeper, self._sock
        peer = Peer(sock)
        if peer.uid not in {os.getuid(), 0}:
            raise RequestError("caller.other_user", f"this keeper serves uid {os.getuid()} alone", uid=peer.uid)
        try:
            role, version, body = parse_client_hello(self._data[HEAD.size :])
        except WireError as error:
            role = role_of(self._data[HEAD.size :])
            if role not in {ROLE_HUB, ROLE_CONTROL} or "max" not in error.data:
                raise
            self._await_upgrade(role, peer, error)
            return
        if role == ROLE_HUB:
            self._check_hub(peer)
        elif role not in {ROLE_CONTROL, ROLE_TERMINAL, ROLE_FRAMES}:
            raise WireError(f"role {role} is unknown here; run `wezparallel daemon upgrade`", code="wire.version")
        self._leave()
        if role == ROLE_HUB:
            hub_link.begin(keeper, sock, version, peer.pid)
        elif role == ROLE_CONTROL:
            Control(keeper, sock, version, peer)
        else:
            keeper.viewers.accept(sock, FrameReader(), role, version, body, [])

    def _await_upgrade(self, role: int, peer: Peer, error: WireError) -> None:
        """A hub or a command of another time: one that is too new for us may say now what we are to become."""
        if role == ROLE_HUB:
            self._check_hub(peer)
            self._keeper.say(f"the hub (pid {peer.pid}) is refused: {error.message}")
        self._peer, self._from_hub = peer, role == ROLE_HUB
        try:
            self._sock.send(pack(REFUSED, json.dumps(error.to_json()).encode()))
        except OSError:
            self._close()
            return
        self._data, self._awaited = b"", UPGRADE

    def _upgrade(self) -> None:
        if self._peer is not None and not self._from_hub:
            check_upgrade(self._keeper, self._peer)
        self._timer.cancel()
        self._keeper.loop.unwatch(self._sock.fileno())
        self._keeper.upgrade(self._data[HEAD.size :], self._refuse, from_new_hub=self._from_hub)

    def _check_hub(self, peer: Peer) -> None:
        hub = self._keeper.hub
        if hub.state != NONE and peer.pid == hub.pid and peer.start == hub.start_time:
            return
        known, run = self._keeper.run_of(peer.pid, peer.start)
        if run is not None or not known:
            raise RequestError(
                "caller.agent_not_allowed", "a process of mine cannot be my hub; ask at the public socket instead"
            )
        if hub.state != NONE:
            raise LinkError(f"pid {peer.pid} is not the hub that I started (pid {hub.pid})")

    def _refuse(self, error: WezparallelError) -> None:
        body = json.dumps(error.to_json()).encode()
        with suppress(OSError):
            self._sock.send(pack(REFUSED, body))
        self._close()

    def _leave(self) -> None:
        self._timer.cancel()
        self._keeper.loop.unwatch(self._sock.fileno())
        self._left()

    def _close(self) -> None:
        if self._sock.fileno() >= 0:
            self._leave()
            self._sock.close()
