"""`status` and `daemon start | stop | status | upgrade`."""

from __future__ import annotations

import json
import os
import time
from importlib import metadata

from wezparallel.client import launch, sync, text
from wezparallel.client.control import Control
from wezparallel.errors import LinkError, RequestError
from wezparallel.frontends.cli import exits
from wezparallel.frontends.cli.render import Cell, Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject, Seconds

_ROWS = (Column(cut=""), Column(least=20))
END_S = 20.0  # for a hub to write down what it knows and end; stopping every process has its own grace periods
ALL_S = 120.0
UPGRADE_S = 90.0  # for the new program to load the state (at most 30 s) and for its hub to come up
_AWAY = ("backoff", "stopped", "none")  # states of a hub that cannot be asked
EMPTY_S = 2.0  # for a keeper that holds nothing to end; one that was told to stay is no fault


def version() -> str:
    """Return the installed version."""
    try:
        return metadata.version("wezparallel")
    except metadata.PackageNotFoundError:
        return "0 (not installed)"


def hub_status(context: Context) -> int:
    """Show the figures of the daemon; start none for it."""
    if not context.args.socket and not launch.listens(context.socket):
        raise LinkError(_absent())
    status = context.call("Status")
    if context.json:
        context.dump(status)
        return exits.OK
    states = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in sorted(status["by_state"].items()))
    deaths = status["hub_deaths"]
    rows = [
        ("workspaces", str(status["workspaces"])),
        ("processes", f"{status['processes']}" + (f" ({states})" if states else "")),
        ("their memory", text.size(status["processes_memory_bytes"])),
        ("hub", f"pid {status['hub_pid']}, up {text.duration(status['uptime_s'])}, "
         + text.size(status["hub_memory_bytes"])
         + (f", died {text.plural(deaths, 'time')}" if deaths else "")),
        ("keeper", "" if status["keeper_pid"] is None else f"pid {status['keeper_pid']}"
         + (f", up {text.duration(status['keeper_uptime_s'])}" if status["keeper_uptime_s"] is not None else "")),
        ("state", status.get("store_error") or ""),
        ("configuration", (status.get("config_error") or "").partition("\n")[0]),
        ("socket", status["socket"]),
        ("metrics", status.get("metrics_url") or status.get("metrics_error") or ""),
        ("journal", f"{status['seq']} events, epoch {status['epoch']}"),
        ("subscribers", str(status["subscribers"])),
        ("version", status["version"]),
    ]  # fmt: skip
    context.screen.table(_ROWS, [[Cell(name, "dim"), Cell(value)] for name, value in rows if value])
    return exits.OK


def daemon(context: Context) -> int:
    """Start, stop, look at or upgrade the daemon."""
    verbs: dict[str, Callable[[Context], int]] = {
        "start": _start, "stop": _stop, "status": _status, "upgrade": _upgrade,
    }  # fmt: skip
    return verbs[context.args.what](context)


def _start(context: Context) -> int:
    _choose_configuration(context)
    running = launch.ping(context.socket)
    if running is None or launch.is_stopped():
        _start_hub(context)
        pong = launch.ensure(asked=True)
        _say(context, {"started": True, **pong}, f"The daemon runs (version {pong['version']}).")
    else:
        _say(context, {"started": False, **running}, f"The daemon runs since {text.duration(running['uptime_s'])}.")
    return _say_configuration(context)


def _choose_configuration(context: Context) -> None:
    """Hand the keeper what its hubs are told of the configuration: the environment, as theirs is the keeper's."""
    if context.args.config:
        os.environ["WEZPARALLEL_CONFIG"] = os.path.abspath(os.path.expanduser(context.args.config))
    if context.args.set:
        os.environ["WEZPARALLEL_SET"] = json.dumps(context.args.set)


def _say_configuration(context: Context) -> int:
    """Tell what is wrong with the configuration, and whether another one was asked for than holds."""
    try:
        held = context.call("ConfigGet")
    except RequestError:  # a daemon from before there was one
        return exits.OK
    for problem in held["errors"]:
        context.note(problem["message"])
    if held["errors"]:
        context.note("The daemon runs without what is wrong; `wezparallel config reload` reads it again.")
    wanted = os.environ.get("WEZPARALLEL_CONFIG")
    flags = {value["option"] for value in held["values"] if value["origin"] == "flag"}
    is_other = bool(context.args.config) and held["path"] != wanted
    if is_other or (context.args.set and not held["errors"] and not flags):
        shown = held["path"] or "its defaults"
        context.note(
            f"wezparallel: the daemon was started with {shown} and keeps to that; "
            "`wezparallel daemon stop --all` ends it, then start it again"
        )
        return exits.REFUSED
    return exits.OK


def _start_hub(context: Context) -> None:
    """Where a keeper lives on without a hub, have it start one; else there is nothing to ask."""
    try:
        with Control(context.keeper_socket) as control:
            control.start_hub()
    except (ConnectionError, LinkError):
        return


def _stop(context: Context) -> int:
    try:
        control = Control(context.keeper_socket)
    except ConnectionError:
        _say(context, {"stopped": False}, "No daemon runs.")
        return exits.OK
    with control:
        runs = _count(control.status().get("runs"))
        if context.args.all and runs and not context.args.yes:
            if not context.interactive:
                context.note(f"wezparallel: this stops {text.plural(runs, 'process', 'processes')}; say --yes")
                return exits.USAGE
            if context.ask(f"Stop {text.plural(runs, 'process', 'processes')} and the daemon? [y/N]", "n") != "y":
                context.screen.say("Nothing was changed.")
                return exits.OK
        if context.args.all:
            _shut_down(context)
        else:
            control.stop(children=False, timeout_s=END_S)
    left = _until_stopped(context, ALL_S if context.args.all else END_S)
    if left:
        sentence = (
            f"The daemon is stopped. {text.plural(left, 'process goes', 'processes go')} on; "
            "`wezparallel daemon start` goes on from there."
        )
    else:
        sentence = "The daemon is stopped."
    _say(context, {"stopped": True, "processes": left}, sentence)
    return exits.OK


def _shut_down(context: Context) -> None:
    """Stop every process through the hub, which keeps its promises to them; through the keeper if there is no hub."""
    if launch.ping(context.socket) is not None:
        with sync.Client(context.socket, patience_s=1) as client:
            try:
                client.call("Shutdown", {"children": True}, timeout_s=ALL_S)
            except LinkError:
                pass  # it ended before its answer was read
            else:
                return
    with Control(context.keeper_socket) as control:
        control.stop(children=True, timeout_s=ALL_S)


def _until_stopped(context: Context, timeout_s: Seconds) -> int:
    """Wait until the hub has ended, an empty keeper too; return how many runs it still holds. Raises LinkError."""
    deadline = time.monotonic() + timeout_s
    ended = False
    while time.monotonic() < deadline:
        try:
            with Control(context.keeper_socket) as control:
                status = control.status()
        except ConnectionError:
            return 0
        if not ended and (status["hub"].get("pid") is None or status["hub"].get("state") in ("stopped", "none")):
            ended = True
            deadline = time.monotonic() + EMPTY_S
        runs = _count(status.get("runs"))
        if ended and runs:
            return runs
        sync.wait(0.05)
    if ended:
        return 0
    raise LinkError(f"the hub did not end within {timeout_s:g} s; `wezparallel daemon status` shows what it does")


def _status(context: Context) -> int:
    try:
        with Control(context.keeper_socket) as control:
            keeper = control.status()
    except ConnectionError:
        if context.json:
            context.dump({"keeper": None, "hub": None, "stopped": launch.is_stopped()})
            return exits.NO_DAEMON
        raise LinkError(_absent()) from None
    pong = launch.ping(context.socket)
    if context.json:
        context.dump({"keeper": keeper, "hub": pong, "stopped": launch.is_stopped()})
        return exits.OK if pong else exits.NO_DAEMON
    hub = keeper.get("hub") or {}
    state = hub.get("state", "?")
    if pong:
        said = f"up {text.duration(pong['uptime_s'])}, version {pong['version']}, {_pid(hub.get('pid'))}"
    else:
        said = "stopped by you" if launch.is_stopped() else f"does not answer ({state})"
    age = _age(keeper.get("started_at"), context.now)
    deaths = hub.get("deaths") or 0
    rows = [
        ("●" if pong else "✗", "good" if pong else "bad", "hub",
         said + (f", died {text.plural(deaths, 'time')}" if deaths else "")),
        ("●", "good", "keeper", f"up {age}, {_pid(keeper.get('pid'))}, protocol {keeper.get('version')}"),
        ("", "", "holds", f"{text.plural(_count(keeper.get('runs')), 'process', 'processes')}, "
         f"{text.plural(_count(keeper.get('viewers')), 'viewer')}"),
    ]  # fmt: skip
    cells = [[Cell(symbol, style), Cell(name, "dim"), Cell(value)] for symbol, style, name, value in rows]
    context.screen.table((Column(cut=""), *_ROWS), cells)
    return exits.OK if pong else exits.NO_DAEMON


def _upgrade(context: Context) -> int:
    """Have keeper and hub go over to this program, or to that of another Python; processes and viewers go on."""
    command = launch.upgrade_command(context.args.to)
    previous, held = None, 0
    deadline = time.monotonic() + UPGRADE_S
    while True:
        try:
            state, held = _state_of_hub(context)
            if state not in _AWAY:
                done = _upgrade_through_hub(context, command)
                previous, held = done["previous"], done["processes"]
            else:
                _upgrade_keeper(context, command)
            break
        except ConnectionError:
            break  # there is no keeper: a new one is the upgrade
        except RequestError as error:
            if error.code not in ("process.bad_state", "hub.restarting") or time.monotonic() > deadline:
                raise
            sync.wait(0.1)  # the hub came or went while it was asked
    pong = launch.ensure(asked=True)
    words = [f"The daemon runs version {pong['version']} now"]
    if previous is not None:
        words.append(f", before {previous}" if previous != pong["version"] else ", as before, started anew")
    words.append(f"; {text.plural(held, 'process', 'processes')} went on." if held else ".")
    _say(context, {"upgraded": True, "previous": previous, "processes": held, **pong}, "".join(words))
    return exits.OK


def _upgrade_through_hub(context: Context, command: list[str]) -> JsonObject:
    """Ask the hub, which hears the answer from its successor."""
    with sync.Client(context.socket) as client:
        return client.call("DaemonUpgrade", {"argv": command}, timeout_s=UPGRADE_S)


def _state_of_hub(context: Context) -> tuple[str, int]:
    """Return the hub's state and how many runs the keeper holds, as far as a keeper of another version tells."""
    try:
        with Control(context.keeper_socket) as control:
            status = control.status()
    except LinkError as error:
        if error.code != "wire.version":
            raise
        return "running" if launch.ping(context.socket) else "stopped", 0
    return status["hub"].get("state", ""), _count(status.get("runs"))


def _upgrade_keeper(context: Context, command: list[str]) -> None:
    """Ask the keeper itself, while there is no hub to ask, and then for its hub."""
    try:
        with Control(context.keeper_socket) as control:
            control.upgrade(command)
    except LinkError as error:
        if error.code != "wire.version":
            raise
        Control.upgrade_other_version(context.keeper_socket, command)
    _start_new_hub(context)


def _start_new_hub(context: Context) -> None:
    """Ask the keeper's next program, once it listens, for its hub. Raises RequestError if the old one went on."""
    deadline = time.monotonic() + END_S
    while time.monotonic() < deadline:
        try:
            with Control(context.keeper_socket) as control:
                failed = (control.status().get("upgrade") or {}).get("failed")
                control.start_hub()
        except (ConnectionError, LinkError):
            sync.wait(0.05)
            continue
        if failed:
            raise RequestError("command.bad_value", failed)
        return


def _say(context: Context, document: JsonObject, sentence: str) -> None:
    if context.json:
        context.dump(document)
    else:
        context.screen.say(sentence)


def _absent() -> str:
    said = "the daemon was stopped" if launch.is_stopped() else "no daemon runs"
    return f"{said}; `wezparallel daemon start` starts it"


def _count(value: object) -> int:
    """Return a count, whether the keeper says how many or which."""
    if isinstance(value, int):
        return value
    return len(value) if isinstance(value, list | dict) else 0


def _age(started_at: object, now: float) -> str:
    return text.duration(now - started_at / 1000) if isinstance(started_at, int | float) else "?"


def _pid(pid: object) -> str:
    return f"pid {pid}" if pid else "no pid"
