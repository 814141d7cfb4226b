"""What a keeper hands to the program that it becomes: made, checked and taken up again.

All of it is one JSON value, in which a later version may add fields and leave optional ones out: who reads it ignores
what it does not know and takes a default for what is missing. Required is only what nothing can stand for
(`_REQUIRED`). How the value travels, and what happens around it, is handover.py's business.
"""

from __future__ import annotations

import base64
import os
import socket

from wezparallel import paths
from wezparallel.errors import LinkError
from wezparallel.keeper import hub_link, together
from wezparallel.keeper.child import Child
from wezparallel.keeper.viewers import Viewers
from wezparallel.wire.hello import MAX_VERSION, MIN_VERSION
from wezparallel.wire.terminal import Modes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.keeper.hub_link import HubLink
    from wezparallel.keeper.keeper import Keeper
    from wezparallel.keeper.processes import Process, Run
    from wezparallel.types import JsonObject

FORMAT = 1
READABLE_FROM = 1
"""The oldest format whose reader can go on from what we write; a later one adds fields and leaves this as it is."""
_REQUIRED = ("format", "lock", "private", "sockets", "hub", "processes", "runs")
_RUN_REQUIRED = ("run_id", "process_id", "pid", "start")
_RUN_FDS = ("master", "slave", "stdin", "stdout", "stderr")
_RUN_FIELDS = (
    "started_at", "started_mono", "had_output", "status", "exit", "told", "stopping", "asked", "kill",
    "stop_signal", "signalled", "swept", "foreground", "session_gone", "ended_at", "suspended", "still", "frozen",
)  # fmt: skip


def state_of(keeper: Keeper) -> JsonObject:
    """Return everything that the next program must know."""
    listeners, link = keeper.listeners, keeper.link
    state: JsonObject = {
        "format": FORMAT,
        "readable_from": READABLE_FROM,
        "lock": listeners.lock,
        "umask": keeper.around.umask,
        "soft": keeper.around.soft,
        "started_at": keeper.started_at,
        "ending": keeper.ending,
        "envs": keeper.envs,
        "log_room": keeper.log_room.cap,
        "private": listeners.private.fileno() if listeners.private else -1,
        "sockets": {name: [sock.fileno(), address] for name, (sock, address) in listeners.sockets.items()},
        "hub": keeper.hub.carry(),
        "link": None if link is None else _state_of_link(link),
        "processes": [_state_of_process(process) for process in keeper.processes.values()],
        "runs": [_state_of_run(run) for run in keeper.runs.values()],
        "together": together.groups(keeper.processes.values()),
        "viewers": keeper.viewers.carry(),
    }
    state["fds"] = descriptors(state)
    return state


def descriptors(state: JsonObject) -> list[int]:
    """Return the descriptors that this version knows of."""
    fds = [state["lock"], state["private"], *(fd for fd, _ in state["sockets"].values())]
    link = state.get("link")
    if link:
        fds.append(link["fd"])
        fds += [fd for _, beside in link.get("unsent", ()) for fd in beside]
    fds += [run.get(name, -1) for run in state["runs"] for name in _RUN_FDS]
    fds += Viewers.descriptors(state.get("viewers", []))
    return [fd for fd in fds if fd >= 0]


def fault_of(state: JsonObject | None) -> str | None:
    """Return why this version cannot go on from that state; None if it can."""
    if state is None:
        return "nothing was handed over"
    try:
        oldest: int = state.get("readable_from") or state["format"]
        if oldest > FORMAT:
            return f"the state has format {state['format']}; this version reads up to {FORMAT}"
        for name in _REQUIRED:
            state[name]
        state["sockets"]["public"]
        state["hub"]["state"]
        known = set()
        for carried in state["processes"]:
            known.add(carried["process_id"])
            Modes.load(carried.get("modes") or {})
            folder = paths.log_dir(carried["process_id"])
            if os.path.exists(folder) and not os.access(folder, os.W_OK):
                return f"{folder} cannot be written to"
        for carried in state["runs"]:
            for name in _RUN_REQUIRED:
                carried[name]
            base64.b64decode(carried.get("input", ""))
            if carried["process_id"] not in known:
                return f"run {carried['run_id']} belongs to no process"
        descriptors(state)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return f"the state that was handed over is damaged: {error!r}"
    return None


def take_up(keeper: Keeper, state: JsonObject) -> None:
    """Go on where the program before this one stopped. Raises LinkError when this version cannot."""
    fault = fault_of(state)
    if fault:
        raise LinkError(fault)
    own = set(descriptors(state))
    for fd in own:
        os.set_inheritable(fd, False)
    for fd in set(state.get("fds", ())) - own:
        os.close(fd)  # of something that only the other version knows
    keeper.started_at = state.get("started_at", keeper.started_at)
    keeper.ending = state.get("ending")
    keeper.envs = state.get("envs", {})
    keeper.log_room.cap = state.get("log_room")
    _take_up_listeners(keeper, state)
    for carried in state["processes"]:
        _take_up_process(keeper, carried)
    for carried in state["runs"]:
        _take_up_run(keeper, carried)
    for group in state.get("together", ()):
        together.join(keeper.processes[one] for one in group if one in keeper.processes)
    keeper.viewers.resume(state.get("viewers", []))
    keeper.hub.resume(state["hub"])
    if keeper.hub.state == "stopped" and not keeper.hub.pid:
        keeper.listeners.start_at_connect()
    keeper.loop.soon(keeper.reap)
    keeper.loop.soon(keeper.end_if_done)
    link = state.get("link")
    if link is not None:  # last: what the hub had said already is done now
        _take_up_link(keeper, link)


def _take_up_listeners(keeper: Keeper, state: JsonObject) -> None:
    keeper.listeners.lock = state["lock"]
    keeper.listeners.private = socket.socket(fileno=state["private"])
    keeper.listeners.private.setblocking(False)
    for name, (fd, address) in state["sockets"].items():
        sock = socket.socket(fileno=fd)
        sock.setblocking(False)
        keeper.listeners.sockets[name] = (sock, address)


def _take_up_process(keeper: Keeper, carried: JsonObject) -> None:
    process = keeper.reserve(carried["process_id"], carried.get("cap"))
    process.size = tuple(carried.get("size", process.size))
    process.facts = carried.get("facts", {})
    process.last_exit = carried.get("last_exit")
    process.keys.extend(carried.get("keys", ()))
    process.log.resume(carried.get("log") or {})
    process.log.modes = Modes.load(carried.get("modes") or {})
    process.answers.load(carried.get("answers") or {})


def _take_up_run(keeper: Keeper, carried: JsonObject) -> None:
    child = Child()
    child.pid, child.start = carried["pid"], carried["start"]
    for name in _RUN_FDS:
        setattr(child, name, carried.get(name, -1))
    run = keeper.restore(keeper.processes[carried["process_id"]], carried, child)
    for name in _RUN_FIELDS:
        if name in carried:
            setattr(run, name, carried[name])
    run.members = {int(pid): start for pid, start in carried.get("members", {}).items()}
    if run.exit is not None:
        run.process.run = None
    pending = base64.b64decode(carried.get("input", ""))
    if pending:
        run.write(pending)
    if run.stopping:
        left = max(0.0, carried.get("grace_at", 0) - keeper.loop.now())
        keeper.stops.resume(run, left)


def _take_up_link(keeper: Keeper, link: JsonObject) -> None:
    sock = socket.socket(fileno=link["fd"])
    if not MIN_VERSION <= link["version"] <= MAX_VERSION:
        keeper.say(f"the hub speaks protocol {link['version']}, I {MIN_VERSION} to {MAX_VERSION}: it is replaced")
        for _, fds in link.get("unsent", ()):
            for fd in fds:
                os.close(fd)
        sock.close()
        return
    unsent = [(base64.b64decode(data), fds) for data, fds in link.get("unsent", ())]
    hub_link.resume(keeper, sock, (link["version"], link["pid"]), base64.b64decode(link["carried"]), unsent)


def _state_of_link(link: HubLink) -> JsonObject:
    return {
        "fd": link.connection.sock.fileno(),
        "version": link.version,
        "pid": link.peer_pid,
        "carried": _text(link.connection.carried()),
        "unsent": [[_text(data), fds] for data, fds in link.connection.waiting()],
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
        "log": process.log.carry(),
        "answers": process.answers.dump(),
    }


def _state_of_run(run: Run) -> JsonObject:
    state = {name: getattr(run, name) for name in ("pid", "start", *_RUN_FIELDS, *_RUN_FDS)}
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


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
