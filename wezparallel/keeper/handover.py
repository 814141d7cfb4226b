"""The keeper's upgrade: it re-executes itself in place, with the same pid, children and descriptors.

What the next program must know travels as JSON in a memfd. Descriptors become inheritable only around execve. First
the new program must load the real state in a child (`--check`); if it cannot, nothing changes. Viewers give their
terminals back just before, and attach again.
"""

from __future__ import annotations

import base64
import json
import os
import select
import signal
import socket

from wezparallel import paths
from wezparallel.errors import LinkError, RequestError
from wezparallel.keeper import hub_link
from wezparallel.keeper.child import Child, spawn_plain
from wezparallel.keeper.tree import send_one
from wezparallel.wire.terminal import Modes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.keeper.hub_link import HubLink
    from wezparallel.keeper.keeper import Keeper
    from wezparallel.keeper.processes import Process, Run
    from wezparallel.types import JsonObject

FORMAT = 1
_CHECK_S = 30.0
_FLUSH_S = 2.0
_CHECK_FD = 3
_RUN_FDS = ("master", "slave", "stdin", "stdout", "stderr")
_RUN_FIELDS = (
    "pid", "start", "started_at", "started_mono", "had_output", "status", "exit", "told", "stopping", "asked", "kill",
    "stop_signal", "signalled", "swept", "foreground", "session_gone", "ended_at",
)  # fmt: skip


class Upgrade:
    """One attempt to become another program."""

    def __init__(self, keeper: Keeper, argv: list[str], failed: Callable[[RequestError], object]) -> None:
        self._keeper = keeper
        self._argv = argv
        self._failed = failed
        memory = _write(_state(keeper))
        try:
            check = [*argv, "--resume", str(_CHECK_FD), "--check"]
            self._pid = spawn_plain(check, os.devnull, keeper.around, pass_fd=(memory, _CHECK_FD))
        except OSError as error:
            raise RequestError("command.bad_value", f"{argv[0]} cannot be run: {error}; nothing changed") from None
        finally:
            os.close(memory)
        keeper.helpers[self._pid] = self._checked
        self._timer = keeper.loop.after(_CHECK_S, send_one, self._pid, signal.SIGKILL)

    def _checked(self, status: int) -> None:
        self._timer.cancel()
        self._keeper.upgrading = False
        if status != 0:
            text = f"{self._argv[0]} cannot load the keeper's state (status {status}); nothing changed"
            self._failed(RequestError("command.bad_value", text))
            return
        self._keeper.loop.soon(self._execute)

    def _execute(self) -> None:
        keeper = self._keeper
        keeper.viewers.close_all()
        if keeper.link is not None and not _flush(keeper.link):
            keeper.drop_link()
        for process in keeper.processes.values():
            process.log.writer.close()
        state = _state(keeper)
        fds = _descriptors(state)
        memory = _write(state)
        try:
            for fd in [memory, *fds]:
                os.set_inheritable(fd, True)
            os.execvpe(self._argv[0], [*self._argv, "--resume", str(memory)], dict(os.environ))
        except OSError as error:
            for fd in fds:
                os.set_inheritable(fd, False)
            os.close(memory)
            text = f"{self._argv[0]} cannot be run: {error.strerror}; nothing changed"
            self._failed(RequestError("command.bad_value", text))


def begin(keeper: Keeper, payload: bytes, failed: Callable[[RequestError], object]) -> None:
    """Begin an upgrade to `argv`; `failed` is called if it came to nothing. Raises RequestError."""
    try:
        argv = json.loads(payload)["argv"]
    except (ValueError, KeyError, TypeError):
        argv = None
    if not isinstance(argv, list) or not argv or not all(isinstance(word, str) for word in argv):
        raise RequestError("command.bad_value", "an upgrade names the program in `argv`, a list of words")
    if keeper.upgrading:
        raise RequestError("process.bad_state", "an upgrade is under way; wait for its end")
    keeper.upgrading = True
    try:
        Upgrade(keeper, argv, failed)
    except RequestError:
        keeper.upgrading = False
        raise


def carried_by(argv: list[str]) -> JsonObject | None:
    """Return the state that an earlier program handed over; None at an ordinary start."""
    if "--resume" not in argv:
        return None
    fd = int(argv[argv.index("--resume") + 1])
    size = os.fstat(fd).st_size
    data = b""
    while len(data) < size:
        data += os.pread(fd, size - len(data), len(data))
    os.close(fd)
    state: JsonObject = json.loads(data)
    return state


def check(state: JsonObject | None) -> int:
    """Return 0 if this program can go on from that state. It is run in a child before anything is given up."""
    if state is None or state["format"] != FORMAT:
        return 1
    for carried in state["runs"]:
        for name in (*_RUN_FIELDS, "members", "input"):
            carried[name]
        base64.b64decode(carried["input"])
    for carried in state["processes"]:
        folder = paths.log_dir(carried["process_id"])
        if os.path.exists(folder) and not os.access(folder, os.W_OK):
            return 1
    known = {carried["process_id"] for carried in state["processes"]}
    return 0 if all(carried["process_id"] in known for carried in state["runs"]) else 1


def resume(keeper: Keeper, state: JsonObject) -> None:
    """Go on where the program before this one stopped."""
    if check(state):
        raise LinkError("the state that was handed over cannot be read by this version")
    for fd in _descriptors(state):
        os.set_inheritable(fd, False)
    keeper.started_at = state["started_at"]
    keeper.ending = state["ending"]
    keeper.envs = state["envs"]
    keeper.listeners.lock = state["lock"]
    keeper.listeners.private = socket.socket(fileno=state["private"])
    keeper.listeners.private.setblocking(False)
    for name, (fd, address) in state["sockets"].items():
        sock = socket.socket(fileno=fd)
        sock.setblocking(False)
        keeper.listeners.sockets[name] = (sock, address)
    for carried in state["processes"]:
        process = keeper.reserve(carried["process_id"], carried["cap"])
        process.size = tuple(carried["size"])
        process.facts = carried["facts"]
        process.last_exit = carried["last_exit"]
        process.keys.extend(carried["keys"])
        process.log.modes = Modes.load(carried["modes"])
    for carried in state["runs"]:
        _resume_run(keeper, carried)
    keeper.hub.resume(state["hub"])
    if keeper.hub.state == "stopped":
        keeper.listeners.start_at_connect()
    link = state["link"]
    if link is not None:
        carried_bytes = base64.b64decode(link["carried"])
        hub_link.resume(keeper, socket.socket(fileno=link["fd"]), (link["version"], link["pid"]), carried_bytes)
    keeper.loop.soon(keeper.reap)


def _resume_run(keeper: Keeper, carried: JsonObject) -> None:
    child = Child()
    for name in _RUN_FDS:
        setattr(child, name, carried[name])
    run = keeper.restore(keeper.processes[carried["process_id"]], carried, child)
    for name in _RUN_FIELDS:
        setattr(run, name, carried[name])
    run.members = {int(pid): start for pid, start in carried["members"].items()}
    if run.exit is not None:
        run.process.run = None
    pending = base64.b64decode(carried["input"])
    if pending:
        run.write(pending)
    if run.stopping:
        left = max(0.0, carried["grace_at"] - keeper.loop.now())
        keeper.stops.resume(run, left)


def _state(keeper: Keeper) -> JsonObject:
    listeners, link = keeper.listeners, keeper.link
    return {
        "format": FORMAT,
        "lock": listeners.lock,
        "umask": keeper.around.umask,
        "soft": keeper.around.soft,
        "started_at": keeper.started_at,
        "ending": keeper.ending,
        "envs": keeper.envs,
        "private": listeners.private.fileno() if listeners.private else -1,
        "sockets": {name: [sock.fileno(), address] for name, (sock, address) in listeners.sockets.items()},
        "hub": keeper.hub.carry(),
        "link": None if link is None else _state_of_link(link),
        "processes": [_state_of_process(process) for process in keeper.processes.values()],
        "runs": [_state_of_run(run) for run in keeper.runs.values()],
    }


def _state_of_link(link: HubLink) -> JsonObject:
    return {
        "fd": link.connection.sock.fileno(),
        "version": link.version,
        "pid": link.peer_pid,
        "carried": _text(link.connection.carried()),
    }


def _state_of_process(process: Process) -> JsonObject:
    return {
        "process_id": process.process_id,
        "size": process.size,
        "facts": process.facts,
        "keys": list(process.keys),
        "cap": process.log.cap,
        "last_exit": process.last_exit,
        "modes": process.log.modes.dump(),
    }


def _state_of_run(run: Run) -> JsonObject:
    state = {name: getattr(run, name) for name in (*_RUN_FIELDS, *_RUN_FDS)}
    state |= {
        "run_id": run.run_id,
        "process_id": run.process.process_id,
        "definition": run.definition,
        "stop": run.stop_rules,
        "agent": run.agent,
        "may_type": run.may_type,
        "tty": run.tty,
        "members": run.members,
        "input": _text(run.pending_input),
        "grace_at": run.grace.when if run.grace else 0,
    }
    return state


def _descriptors(state: JsonObject) -> list[int]:
    fds = [state["lock"], state["private"], *(fd for fd, _ in state["sockets"].values())]
    if state["link"]:
        fds.append(state["link"]["fd"])
    fds += [run[name] for run in state["runs"] for name in _RUN_FDS]
    return [fd for fd in fds if fd >= 0]


def _write(state: JsonObject) -> int:
    fd = os.memfd_create("wezparallel-keeper")
    data = memoryview(json.dumps(state, separators=(",", ":")).encode())
    while data:
        data = data[os.write(fd, data) :]
    return fd


def _flush(link: HubLink) -> bool:
    """Send what waits for the hub, within a bounded time."""
    poll = select.poll()
    poll.register(link.connection.sock.fileno(), select.POLLOUT)
    while link.unsent:
        if not poll.poll(_FLUSH_S * 1000):
            return False
        if not link.connection.send_waiting():
            return False
    return True


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
