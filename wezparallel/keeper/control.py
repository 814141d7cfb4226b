"""The control role: `daemon status | stop | start | upgrade`, when the hub is away or to be ended.

The same framing as the hub's link, four requests, no state.
"""

from __future__ import annotations

import json
import socket

from wezparallel.errors import RequestError
from wezparallel.keeper import messages as m
from wezparallel.keeper.connection import Connection
from wezparallel.keeper.hub_child import BACKOFF, NONE, STOPPED
from wezparallel.wire.frames import HELLO, MESSAGE, REFUSED, UPGRADE
from wezparallel.wire.hello import server_hello

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.keeper.callers import Peer
    from wezparallel.keeper.keeper import Keeper
    from wezparallel.types import Json, JsonObject


class Control:
    """One connection of `wezparallel daemon`."""

    def __init__(self, keeper: Keeper, sock: socket.socket, version: int, peer: Peer) -> None:
        self._keeper = keeper
        self._peer = peer
        self._version = version
        self._connection = Connection(keeper.loop, sock)
        self._connection.on_frame = self._on_frame
        self._connection.start()
        self._connection.send(HELLO, server_hello(version))

    def _on_frame(self, kind: int, payload: bytes) -> bool:
        number: Json = None
        try:
            if kind == UPGRADE:
                self._upgrade(payload)
            elif kind == MESSAGE:
                message = json.loads(payload)
                number = message.get("n")
                self._say(m.OK, {"re": number, **self._serve(message)})
        except RequestError as error:
            self._say(m.REFUSED, {"re": number, **error.to_json()})
        except (ValueError, TypeError, AttributeError, RecursionError):
            self._connection.close()
        return True

    def _serve(self, message: JsonObject) -> JsonObject:
        name = message.get("m")
        if name == m.CONTROL_STATUS:
            return {**self._keeper.status(), "version": self._version}
        self._check_caller()
        if name == m.CONTROL_STOP:
            self._keeper.loop.soon(lambda: self._keeper.end(bool(message.get("children"))))
        elif name == m.CONTROL_START:
            self._keeper.start_hub()
        else:
            raise RequestError("command.unknown", f"this keeper does not know {name}; upgrade it")
        return {}

    def _upgrade(self, payload: bytes) -> None:
        try:
            check_upgrade(self._keeper, self._peer)
        except RequestError as error:
            self._refuse(error)
            return
        self._keeper.upgrade(payload, self._refuse)

    def _refuse(self, error: RequestError) -> None:
        self._connection.send(REFUSED, json.dumps(error.to_json()).encode())

    def _check_caller(self) -> None:
        known, run = self._keeper.run_of(self._peer.pid, self._peer.start)
        if not known or (run is not None and run.agent):
            text = "an agent may not steer the daemon, nor who cannot be told from one; ask a person"
            raise RequestError("caller.agent_not_allowed", text)

    def _say(self, name: str, fields: JsonObject) -> None:
        self._connection.send(MESSAGE, json.dumps({"m": name, **fields}, separators=(",", ":")).encode())


def check_upgrade(keeper: Keeper, peer: Peer) -> None:
    """Refuse an upgrade while the hub can be asked for it, and to whoever lies in a run. Raises RequestError."""
    known, run = keeper.run_of(peer.pid, peer.start)
    if run is not None or not known:
        text = "an upgrade is not taken from a process that the daemon holds; ask in another terminal"
        raise RequestError("caller.agent_not_allowed", text)
    if keeper.hub.state not in {BACKOFF, STOPPED, NONE}:
        raise RequestError("process.bad_state", "the hub is there: ask it for the upgrade")
