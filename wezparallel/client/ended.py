"""What a pane shows after its program ended, and what its keys do, over the hub's public socket. For viewer.py."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys

from wezparallel import paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.types import JsonObject

KEYS = "r restart · l logs · s shell here · Enter close"
REPLY_S = 15.0  # a restart stops first; the hub answers when the new run is spawned


def line(process_id: str, exit_: JsonObject, columns: int) -> str:
    """Return the line between a dead program and the keys, as wide as the terminal."""
    name = process_id.rpartition("/")[2]
    left = f"── {name} {how(exit_)} "
    right = f" {KEYS} ──"
    room = columns - len(left) - len(right)
    if room < 0:
        return f"\r\n{left.rstrip()}\r\n{KEYS}\r\n"
    return f"\r\n{left}{'─' * room}{right}\r\n"


def how(exit_: JsonObject) -> str:
    """Return how a run ended, as `exited 1 after 12 s`."""
    if exit_.get("exit_code") is not None:
        text = f"exited {exit_['exit_code']}"
    elif exit_.get("signal") is not None:
        text = f"was ended by {_signal_name(exit_['signal'])}"
    else:
        text = "ended, nobody knows how,"
    ran_s = exit_.get("ran_s")
    return text if ran_s is None else f"{text} after {_duration(ran_s)}"


def exit_code(exit_: JsonObject) -> int:
    """Return the code to exit with, as a shell would give it; 1 for an unknown exit."""
    if exit_.get("exit_code") is not None:
        return int(exit_["exit_code"])
    return 128 + int(exit_["signal"]) if exit_.get("signal") is not None else 1


def restart(process_id: str) -> str:
    """Ask the hub to start the process again; return what is in the way, or nothing.

    Sent a second time with the same key when the hub went away in between: it happens once.
    """
    request = {"ProcessRestart": {"process": process_id, "key": os.urandom(8).hex()}}
    for _ in range(2):
        try:
            reply = json.loads(_ask(json.dumps(request).encode() + b"\n"))
        except (OSError, ValueError):
            continue
        return str(reply["Error"].get("message", "")) if "Error" in reply else ""
    return "the daemon does not answer; `wezparallel doctor` looks for the reason"


def show_logs(process_id: str) -> None:
    """Run `wezparallel logs` here and come back."""
    command = [sys.executable, "-m", "wezparallel", "logs", process_id]
    # -m finds the package where this file lies, also in a checkout that is not installed.
    package_root = os.path.dirname(paths.package_dir())
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([package_root, os.environ.get("PYTHONPATH", "")])}
    try:
        pid = os.posix_spawn(command[0], command, environment)
        os.waitpid(pid, 0)
    except OSError as error:
        sys.stderr.write(f"wezparallel: {error}\r\n")


def become_shell() -> None:
    """Turn this program into the user's shell. Returns only when that fails."""
    for number in (signal.SIGWINCH, signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGTSTP):
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    shell = os.environ.get("SHELL") or "/bin/sh"
    os.execvp(shell, [shell])


def _ask(data: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(REPLY_S)
        connection.connect(paths.client_socket())
        connection.sendall(data)
        reply = b""
        while not reply.endswith(b"\n"):
            part = connection.recv(65536)
            if not part:
                break
            reply += part
        return reply


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _duration(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h"
