"""The hub's link: every message of messages.py, answered in order, and all that a new hub must adopt.

It translates; what a message means is the keeper's business. A handler returns the fields of its `ok` and the
descriptors beside it, or raises RequestError, which becomes `refused`.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import socket

from wezparallel.errors import RequestError
from wezparallel.keeper import messages as m
from wezparallel.keeper import outer_terminal, together, tree
from wezparallel.keeper.connection import Connection
from wezparallel.keeper.log import MEMORY
from wezparallel.wire.frames import HELLO, MESSAGE, UPGRADE
from wezparallel.wire.hello import server_hello

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from wezparallel.keeper.keeper import Keeper
    from wezparallel.keeper.processes import Process, Run
    from wezparallel.types import JsonObject

    Answer: TypeAlias = tuple[JsonObject, list[int]]

_NOTHING: Answer = ({}, [])


class HubLink:
    """The one hub that is served."""

    def __init__(self, keeper: Keeper, sock: socket.socket, version: int, peer_pid: int) -> None:
        self._keeper = keeper
        self.version = version
        self.peer_pid = peer_pid
        self.connection = Connection(keeper.loop, sock, urgent=True)
        self.connection.on_frame = self._on_frame
        self.connection.on_close = self._on_close
        self._handlers: dict[str, Callable[[JsonObject], Answer]] = {
            m.SPAWN: self._spawn,
            m.STOP: self._stop,
            m.KILL: self._kill,
            m.SUSPEND: self._suspend,
            m.RESUME: self._resume,
            m.SIGNAL: self._signal,
            m.WRITE: self._write,
            m.RESIZE: self._resize,
            m.RESERVE: self._reserve,
            m.FORGET: self._forget,
            m.ACK: self._ack,
            m.LOG_CAP: self._log_cap,
            m.LOG_ROOM: self._log_room,
            m.LOG_EXPIRE: self._log_expire,
            m.LOG_READ: self._log_read,
            m.ENV_PUT: self._env_put,
            m.ENV_GET: self._env_get,
            m.ENV_KEEP: self._env_keep,
            m.NUDGE: self._nudge,
            m.NOTIFY: self._notify,
            m.TOGETHER: self._together,
            m.LISTEN: self._listen,
            m.UNLISTEN: self._unlisten,
            m.ADOPTED: self._adopted,
            m.PONG: self._pong,
            m.EXIT: self._exit,
        }

    @property
    def unsent(self) -> int:
        """Bytes that the hub has not taken yet."""
        return self.connection.unsent

    def tell(self, name: str, fields: Mapping[str, object], fds: Sequence[int] = ()) -> None:
        """Send one message."""
        body = {"m": name, **fields}
        if fds:
            body["fds"] = len(fds)
        self.connection.send(MESSAGE, json.dumps(body, separators=(",", ":")).encode(), fds)

    def adopt(self) -> None:
        """Tell a new hub everything that there is."""
        keeper = self._keeper
        waiting = [run for run in keeper.runs.values() if not run.told]
        for run in waiting:
            self._tell_run(run)
        for process in keeper.processes.values():
            others = [other.process_id for other in process.together]
            more = {"together": [process.process_id, *others]} if others else {}
            self.tell(m.PROCESS, {"process_id": process.process_id, **more})
        for report in keeper.viewer_reports.values():
            self.tell(m.VIEWER, report)
        self.tell(m.ENV, {"env_ids": list(keeper.envs)})
        for name, (sock, address) in keeper.listeners.sockets.items():
            self.tell(m.LISTENER, {"name": name, "address": address}, [sock.fileno()])
        for run in waiting:
            if run.exit is not None:
                self.tell(m.EXITED, {"run_id": run.run_id, "process_id": run.process.process_id, **run.exit})
        self.tell(
            m.ADOPT_END,
            {
                "keeper_pid": os.getpid(),
                "keeper_started_at": keeper.started_at,
                "hub_deaths": keeper.hub.all_deaths,
                "upgrade": keeper.upgraded,
            },
        )

    def _tell_run(self, run: Run) -> None:
        writer = run.process.log.writer
        fds = run.descriptors() if run.exit is None else []
        state = {
            "run_id": run.run_id,
            "process_id": run.process.process_id,
            "definition": run.definition,
            "pid": run.pid,
            "start": run.start,
            "started_at": run.started_at,
            "tty": run.tty,
            "stopping": run.stopping,
            "suspended": run.suspended and run.still,
            "log_start": writer.start,
            "log_end": writer.end,
            "exit": run.exit,
            "fds": len(fds),
        }
        self.tell(m.RUN, state, fds)

    # Frames

    def _on_frame(self, kind: int, payload: bytes) -> bool:
        if kind == UPGRADE:
            self._keeper.upgrade(payload, self._upgrade_failed)
            return True
        if kind != MESSAGE:
            return False
        try:
            message = json.loads(payload)
            name = message["m"]
        except (ValueError, KeyError, TypeError, RecursionError):
            self._keeper.say("the hub sent a message that is none; its link is closed")
            self.connection.close()
            return True
        self._answer(name, message)
        return bool(name == m.SPAWN)

    def _answer(self, name: str, message: JsonObject) -> None:
        number = message.get("n")
        try:
            fields, fds = self._handlers.get(name, _unknown)(message)
        except RequestError as error:
            if number is not None:
                self.tell(m.REFUSED, {"re": number, **error.to_json()})
            return
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if number is not None:
                text = f"{name}: {type(error).__name__}: {error}; correct the message"
                self.tell(m.REFUSED, {"re": number, "code": "command.bad_value", "message": text, "data": {}})
            return
        except Exception as error:  # noqa: BLE001  a hub that waits for an answer must get one
            self._keeper.say(f"bug: {name}: {error!r}")
            if number is not None:
                text = f"{name}: {error!r}; see the keeper's log"
                self.tell(m.REFUSED, {"re": number, "code": "internal.bug", "message": text, "data": {}})
            return
        if number is not None:
            self.tell(m.OK, {"re": number, **fields}, fds)

    def _on_close(self) -> None:
        if self._keeper.link is self:
            self._keeper.link = None

    def _upgrade_failed(self, error: RequestError) -> None:
        self.tell(m.REFUSED, {"re": "upgrade", **error.to_json()})

    # Messages

    def _spawn(self, message: JsonObject) -> Answer:
        run = self._keeper.spawn(message)
        fds = run.descriptors()
        return {"pid": run.pid, "start": run.start, "fds": len(fds)}, fds

    def _stop(self, message: JsonObject) -> Answer:
        run = self._run(message)
        number = _signal_of(message) if message.get("signal") else None
        self._keeper.stops.begin(run, number, message.get("grace_s"))
        return _NOTHING

    def _kill(self, message: JsonObject) -> Answer:
        self._keeper.stops.begin(self._run(message), 9, 0)
        return _NOTHING

    def _suspend(self, message: JsonObject) -> Answer:
        run = self._run(message)
        if self._is_repeated(run.process, message):
            return {"done": run.still or not run.suspended, "already": True}, []
        return {"done": self._keeper.suspends.begin(run), "already": False}, []

    def _resume(self, message: JsonObject) -> Answer:
        run = self._run(message)
        already = self._is_repeated(run.process, message)
        if not already:
            self._keeper.suspends.end(run)
        return {"done": True, "already": already}, []

    @staticmethod
    def _is_repeated(process: Process, message: JsonObject) -> bool:
        """Tell whether a message with this key was done before; remember the key."""
        key = message.get("key")
        if not key:
            return False
        if key in process.keys:
            return True
        process.keys.append(key)
        return False

    def _signal(self, message: JsonObject) -> Answer:
        run = self._run(message)
        if run.status is not None:
            raise RequestError("process.not_running", f"{run.process.process_id} has ended; start it first")
        tree.send_one(run.pid, _signal_of(message), group=True)
        return _NOTHING

    def _write(self, message: JsonObject) -> Answer:
        process = self._process(message)
        key = message.get("key") or ""
        if key and key in process.keys:
            return {"already": True}, []
        try:
            data = base64.b64decode(message["data"], validate=True)
        except binascii.Error as error:
            raise ValueError(error) from None
        run = process.run
        if run is None or run.input_fd < 0:
            raise RequestError("process.not_running", f"{process.process_id} takes no input now; start it first")
        if not run.write(data):
            raise RequestError("process.bad_state", f"{process.process_id} does not read its input; try again later")
        if key:
            process.keys.append(key)
        return {"already": False}, []

    def _resize(self, message: JsonObject) -> Answer:
        process = self._process(message)
        rows, columns = message["size"][:2]
        process.size = (int(rows), int(columns), 0, 0)
        if process.run is not None and process.run.tty:
            process.run.resize(*process.size)
            process.log.resized(process.size)
        return _NOTHING

    def _reserve(self, message: JsonObject) -> Answer:
        process = self._keeper.reserve(str(message["process_id"]), message.get("log_cap"))
        if message.get("size"):
            process.expect(message["size"], message.get("facts") or {})
        return _NOTHING

    def _forget(self, message: JsonObject) -> Answer:
        self._keeper.forget(message["process_id"])
        return _NOTHING

    def _ack(self, message: JsonObject) -> Answer:
        self._keeper.acknowledge(message["run_id"])
        return _NOTHING

    def _log_cap(self, message: JsonObject) -> Answer:
        self._process(message).log.set_cap(int(message["bytes"]))
        return _NOTHING

    def _log_room(self, message: JsonObject) -> Answer:
        self._keeper.log_room.set_cap(int(message["bytes"]))
        return _NOTHING

    def _log_expire(self, message: JsonObject) -> Answer:
        self._process(message).log.expire(int(message["before"]))
        return _NOTHING

    def _log_read(self, message: JsonObject) -> Answer:
        log = self._process(message).log
        told: JsonObject = {"kind": log.kind, "start": log.writer.start, "end": log.writer.end}
        if log.kind != MEMORY:
            return told, []
        fd = os.memfd_create("wezparallel-log")
        data = memoryview(log.dump())
        while data:
            data = data[os.write(fd, data) :]
        return {**told, "fds": 1}, [fd]

    def _env_put(self, message: JsonObject) -> Answer:
        self._keeper.envs[str(message["env_id"])] = {str(k): str(v) for k, v in message["env"].items()}
        return _NOTHING

    def _env_get(self, message: JsonObject) -> Answer:
        env = self._keeper.envs.get(message["env_id"])
        if env is None:
            raise RequestError("process.bad_state", f"environment {message['env_id']} is not held here; put it again")
        return {"env": env}, []

    def _env_keep(self, message: JsonObject) -> Answer:
        wanted = set(message["env_ids"])
        for env_id in [env_id for env_id in self._keeper.envs if env_id not in wanted]:
            del self._keeper.envs[env_id]
        return _NOTHING

    def _nudge(self, message: JsonObject) -> Answer:
        viewer = self._keeper.viewers.find(message["viewer_id"])
        done = viewer is not None and outer_terminal.nudge(viewer, str(message["name"]), str(message["value"]))
        return {"done": done}, []

    def _notify(self, message: JsonObject) -> Answer:
        viewer = self._keeper.viewers.find(message["viewer_id"])
        done = viewer is not None and outer_terminal.notify(viewer, str(message["title"]), str(message["body"]))
        return {"done": done}, []

    def _together(self, message: JsonObject) -> Answer:
        processes = [self._process({"process_id": process_id}) for process_id in message["process_ids"]]
        (together.join if message["on"] else together.leave)(processes)
        return _NOTHING

    def _listen(self, message: JsonObject) -> Answer:
        fd, address = self._keeper.listeners.listen(str(message["name"]), str(message["address"]))
        return {"address": address, "fds": 1}, [fd]

    def _unlisten(self, message: JsonObject) -> Answer:
        self._keeper.listeners.unlisten(str(message["name"]))
        return _NOTHING

    def _adopted(self, message: JsonObject) -> Answer:
        self._keeper.hub.serves()
        return _NOTHING

    def _pong(self, message: JsonObject) -> Answer:
        self._keeper.hub.ponged()
        return _NOTHING

    def _exit(self, message: JsonObject) -> Answer:
        self._keeper.loop.soon(lambda: self._keeper.end(bool(message.get("children"))))
        return _NOTHING

    def _run(self, message: JsonObject) -> Run:
        run = self._keeper.runs.get(message["run_id"])
        if run is None:
            raise RequestError("process.not_running", f"there is no run {message['run_id']}; it has ended")
        return run

    def _process(self, message: JsonObject) -> Process:
        process = self._keeper.processes.get(message["process_id"])
        if process is None:
            raise RequestError("process.not_found", f"there is no process {message['process_id']}; reserve it first")
        return process


def _unknown(message: JsonObject) -> Answer:
    raise RequestError("command.unknown", f"this keeper does not know {message['m']}; upgrade it")


def begin(keeper: Keeper, sock: socket.socket, version: int, pid: int) -> None:
    """Answer a hub's hello and tell it everything. An earlier hub's link ends first."""
    keeper.drop_link()
    link = keeper.link = HubLink(keeper, sock, version, pid)
    link.connection.start()
    link.connection.send(HELLO, server_hello(version))
    link.adopt()
    keeper.hub.said_hello()


def resume(
    keeper: Keeper,
    sock: socket.socket,
    peer: tuple[int, int],
    carried: bytes,
    unsent: Sequence[tuple[bytes, list[int]]] = (),
) -> None:
    """Go on with the link (version and pid) of the program before this one; the hub notices nothing."""
    link = keeper.link = HubLink(keeper, sock, *peer)
    link.connection.start(carried, unsent)


def _signal_of(message: JsonObject) -> int:
    number = tree.signal_number(message["signal"])
    if number is None:
        raise RequestError("command.bad_value", f"there is no signal {message['signal']}; use a name such as SIGTERM")
    return number
