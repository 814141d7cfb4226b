"""`doctor`'s look at WezTerm: program, socket, plugin, the environment of a GUI, the snapshot, how long a key takes.

Each finding is `level` (`ok`, `fix`, `note`), `subject`, `said`, `fix`, as the command line's doctor draws them.
Starts nothing. Above: `wezparallel doctor`; below: cli.py, linking.py.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time

from wezparallel import paths
from wezparallel.client import launch, text
from wezparallel.client.findings import Finding
from wezparallel.errors import RequestError
from wezparallel.frontends.wezterm import json_files, linking
from wezparallel.frontends.wezterm.cli import Wezterm, find_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from wezparallel.types import JsonObject

FORMAT = 1
_PATIENCE_S = 5.0
_SLOW_MS = 100
_TRIES = 3
_GUI_SOCKET = re.compile(r"/gui-sock-(\d+)\Z")


def doctor(args: argparse.Namespace) -> int:
    """Check everything; exit code 1 when something is to be fixed and nobody reads the JSON."""
    snapshot, problem = read_snapshot()
    findings = [*_wezterm(), *_plugin(), *_path(snapshot), *_snapshot(snapshot, problem, args.socket)]
    findings += _latency(snapshot)
    if args.json:
        keys = ("level", "subject", "said", "fix")
        told = [dict(zip(keys, finding, strict=True)) for finding in findings]
        sys.stdout.write(json.dumps({"checks": told}, ensure_ascii=False) + "\n")
        return 0
    for finding in findings:
        fix = f" → {finding.fix}" if finding.fix else ""
        sys.stdout.write(f"{finding.level} {finding.subject}: {finding.said}{fix}\n")
    return 1 if any(finding.level == "fix" for finding in findings) else 0


def read_snapshot() -> tuple[JsonObject | None, str]:
    """Return what Lua reads, and what is wrong with it."""
    path = paths.gui_snapshot()
    try:
        told = json_files.read(path)
    except FileNotFoundError:
        return None, f"{_short(path)} is missing"
    except (OSError, ValueError) as error:
        return None, f"{_short(path)} cannot be read: {error}"
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        return None, f"{_short(path)} has a format that this version does not know"
    return told, ""


def _wezterm() -> Iterator[Finding]:
    try:
        program = find_program(os.environ)
    except RequestError:
        yield Finding(
            "note", "wezterm", "not on PATH; everything but panes works without it", "https://wezterm.org/install/"
        )
        return
    socket = os.environ.get("WEZTERM_UNIX_SOCKET", "")
    wezterm = Wezterm(socket, patience_s=_PATIENCE_S)
    try:
        version = wezterm.version() or "of an unknown version"
    except RequestError as error:
        yield Finding("fix", "wezterm", error.message, f"see whether {program} runs")
        return
    if not socket:
        yield Finding("ok", "wezterm", f"{version}; this is none of its panes")
        return
    began = time.perf_counter()
    try:
        wezterm.panes()
    except RequestError as error:
        yield Finding(
            "fix", "wezterm", f"{version}; {error.message}",
            "open a new pane: what a restarted WezTerm has left behind, in tmux for one, names a socket that is gone",
        )  # fmt: skip
        return
    yield Finding("ok", "wezterm", f"{version}, socket answers in {_ms(began):.0f} ms")
    yield from _other_version(program, version)


def _other_version(program: str, version: str) -> Iterator[Finding]:
    """Tell of a `wezterm` on the PATH that is not the running one: it may not be understood by it."""
    other = shutil.which("wezterm")
    if other is None or os.path.realpath(other) == os.path.realpath(program):
        return
    try:
        done = subprocess.run([other, "--version"], capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return
    found = (done.stdout.split() or ["", ""])[-1]
    if found != version:
        yield Finding(
            "note", "wezterm", f"{_short(other)} is {found or 'another one'}, and the one that runs is {version}",
            "ours asks the running one's own program; restart WezTerm if it was upgraded",
        )  # fmt: skip


def _plugin() -> Iterator[Finding]:
    config = linking.config_file()
    if config is None:
        yield Finding("note", "plugin", "WezTerm has no configuration", "wezparallel init --write")
        return
    if not linking.is_set_up():
        yield Finding(
            "note",
            "plugin",
            f"{_short(config)} does not ask for wezparallel",
            "wezparallel init --write adds two lines",
        )
        return
    bad = [link for link in linking.links() if link.state != "ok"]
    if bad and not linking.is_cloned():
        said = {"missing": "is missing", "old": "leads to another installation", "foreign": "is not ours"}
        names = ", ".join(f"{_short(link.path)} {said[link.state]}" for link in bad)
        yield Finding("fix", "plugin", names, "wezparallel init")
        return
    yield Finding("ok", "plugin", f"set up in {_short(config)}")


def _path(snapshot: JsonObject | None) -> Iterator[Finding]:
    """Tell what WezTerm's own PATH lacks: a GUI that a dock started has a short one."""
    match = _GUI_SOCKET.search(os.environ.get("WEZTERM_UNIX_SOCKET", ""))
    environment = _environment_of(match[1]) if match else None
    if environment is None:
        return
    seen = environment.get("PATH", "").split(os.pathsep)
    wanted = [program for name in ("wezparallel", "git", "claude") if (program := shutil.which(name))]
    lacking = sorted({os.path.dirname(program) for program in wanted} - set(seen))
    if not lacking:
        yield Finding("ok", "PATH", "WezTerm sees what this shell sees of our programs")
        return
    folders = ", ".join(map(_short, lacking))
    if snapshot is not None and os.access(str(snapshot.get("python")), os.X_OK):
        yield Finding(
            "ok", "PATH", f"WezTerm does not see {folders}, and need not: its plugin has absolute paths, and what it "
            "opens gets the login shell's environment",
        )  # fmt: skip
    else:
        yield Finding(
            "fix",
            "PATH",
            f"WezTerm does not see {folders}",
            "wezparallel init writes down the absolute paths of ours",
        )


def _snapshot(snapshot: JsonObject | None, problem: str, socket: str | None) -> Iterator[Finding]:
    if snapshot is None:
        yield Finding("fix" if linking.is_set_up() else "note", "snapshot", problem, "wezparallel init")
        return
    gone = [str(snapshot.get(name)) for name in ("python", "call", "attach") if not _is_there(snapshot.get(name))]
    if gone:
        yield Finding("fix", "snapshot", f"it names {', '.join(gone)}, which is gone", "wezparallel init")
        return
    pong = launch.ping(socket or paths.client_socket())
    if pong is not None and snapshot.get("hub_id") != pong["hub_id"]:
        yield Finding(
            "fix", "snapshot", f"{_short(paths.gui_snapshot())} is not written by the daemon that runs",
            f"the disk may be full, or XDG_STATE_HOME another; the daemon's log: {paths.own_log('hub')}",
        )  # fmt: skip
        return
    size = os.stat(paths.gui_snapshot()).st_size
    by = "of the daemon that runs" if pong is not None else "no daemon runs"
    yield Finding("ok", "snapshot", f"{_short(paths.gui_snapshot())}, {max(1, size >> 10)} KB, {by}")
    yield from _keys(snapshot)


def _keys(snapshot: JsonObject) -> Iterator[Finding]:
    path = str(snapshot.get("keys") or paths.keys_file())
    try:
        json_files.read(path)
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        yield Finding(
            "fix", "keys", f"{_short(path)} cannot be read: {error}", "delete it; the daemon writes it again"
        )


def _latency(snapshot: JsonObject | None) -> Iterator[Finding]:
    """Ask as a key does, by the interpreter and the program that the snapshot names."""
    if snapshot is None or not _is_there(snapshot.get("python")) or not _is_there(snapshot.get("call")):
        return
    argv = [snapshot["python"], "-I", "-S", snapshot["call"], "--no-start", '{"Ping":{}}']
    best = float("inf")
    for _ in range(_TRIES):
        began = time.perf_counter()
        try:
            done = subprocess.run(
                argv, capture_output=True, timeout=_PATIENCE_S, check=False, env={**os.environ, **snapshot["env"]},
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired, KeyError, TypeError):
            return
        if done.returncode:
            return  # no daemon: the check of that says so
        best = min(best, _ms(began))
    if best > _SLOW_MS:
        yield Finding(
            "note", "client", f"a key's request takes {best:.0f} ms: {_short(snapshot['python'])} starts slowly",
            "a Python that is no shim of pyenv or asdf starts in a tenth of it",
        )  # fmt: skip
    else:
        yield Finding("ok", "client", f"a key's request takes {best:.0f} ms")


def _environment_of(pid: str) -> dict[str, str] | None:
    """Return the environment that a process was started with, None where it cannot be seen."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            words = file.read().decode("utf-8", "replace").split("\0")
    except OSError:
        return None
    return dict(word.split("=", 1) for word in words if "=" in word)


def _is_there(path: object) -> bool:
    return isinstance(path, str) and os.path.isfile(path)


def _ms(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def _short(path: str) -> str:
    return text.home(path, os.path.expanduser("~"))
