"""In words and colours, how a run ended and what may be done now: the one line between two runs. For between.py."""

from __future__ import annotations

import os
import signal
import sys

from wezparallel import paths
from wezparallel.client import jobs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.types import JsonObject

LINES = 10_000  # of the log, in a pager
MOST_COLUMNS = 500  # of a line of ours, however wide the terminal says it is
_RED, _DIM, _PLAIN = "\x1b[31m", "\x1b[2m", "\x1b[0m"

# With a pager if there is one, from the end; without, as it is.
_PAGED = 'if [ -n "$PAGER" ] || command -v less >/dev/null; then "$@" | ${PAGER:-less -R +G}; else "$@"; fi'


def line(said: str, keys: list[str], columns: int, *, failed: bool = False) -> str:
    """Return what stands between two runs, at most as wide as the terminal; keys are left out from the right."""
    room = min(columns, MOST_COLUMNS)
    left = cut(f"── {said} ", room)
    right = ""
    for count in range(len(keys), 0, -1):
        offered = f" {' · '.join(keys[:count])}"
        if len(left) + len(offered) <= room:
            right = f"{offered} ──" if len(left) + len(offered) + 3 <= room else offered
            break
    rule = "─" * (room - len(left) - len(right))
    if os.environ.get("NO_COLOR"):
        return left + rule + right
    return f"{_RED if failed else _DIM}{left}{_PLAIN}{_DIM}{rule}{right}{_PLAIN}"


def cut(text: str, room: int) -> str:
    """Return a text that fits, cut at its end."""
    return text if len(text) <= room else text[: max(room - 1, 0)] + "…"[:room]


def how(exit_: JsonObject, *, duration: bool = True) -> str:
    """Return how a run ended, as `exited 1 after 12 s`."""
    if exit_.get("exit_code") is not None:
        text = f"exited {exit_['exit_code']}"
    elif exit_.get("signal") is not None:
        text = f"killed by {_signal_name(exit_['signal'])}"
    else:
        text = "ended, nobody knows how"
    if exit_.get("asked"):
        text = f"stopped ({text})"
    ran_s = exit_.get("ran_s") if duration else None
    return text if ran_s is None else f"{text} after {_duration(ran_s)}"


def failed(exit_: JsonObject) -> bool:
    """Tell whether a run ended badly, by itself."""
    return exit_.get("exit_code") != 0 and not exit_.get("asked")


def exit_code(exit_: JsonObject) -> int:
    """Return the code to exit with, as a shell would give it; 1 for an unknown exit."""
    if exit_.get("exit_code") is not None:
        return int(exit_["exit_code"])
    return 128 + int(exit_["signal"]) if exit_.get("signal") is not None else 1


def show_logs(process_id: str) -> bool:
    """Show `wezparallel logs` here, in a pager; return whether that could begin."""
    # -m finds the package where this file lies, also in a checkout that is not installed.
    package_root = os.path.dirname(paths.package_dir())
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([package_root, os.environ.get("PYTHONPATH", "")])}
    colour = "never" if os.environ.get("NO_COLOR") else "always"
    words = ["logs", "--color", colour, "--lines", str(LINES), process_id]
    return jobs.run(["/bin/sh", "-c", _PAGED, "sh", sys.executable, "-m", "wezparallel", *words], environment)


def run_shell() -> bool:
    """Run the user's shell here; return whether it could begin."""
    return jobs.run([os.environ.get("SHELL") or "/bin/sh"]) or jobs.run(["/bin/sh"])


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
