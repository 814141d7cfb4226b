"""Which events are news for a person, and in which words. Pure, standard library only.

The hub tells its three usual kinds by itself (`hub/gui/notifying.py`); `integrations/notify` tells what rules ask
for. Both take their words from here, so that a toast and a message on a phone say the same.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from wezparallel.types import Seconds

KINDS = {
    "exit_abnormal": "a process ended badly, and nobody had asked for it",
    "finished": "a process ended well after a long time",
    "error": "a process was given up or is unhealthy, output was lost, or something failed in the daemon itself",
    "threshold": "a figure is above its alert threshold",
    "waiting": "a process asks to be looked at",
}
"""What rules call a kind, and what it means."""

EVENTS = {
    "exit_abnormal": ("process.exited",),
    "finished": ("process.exited",),
    "error": ("process.failed", "process.unhealthy", "process.output_lost", "hub.error", "config.rejected"),
    "threshold": ("alert.raised",),
    "waiting": ("process.notified",),
}
"""The events that can be of a kind."""

FINISHED_AFTER_S = 30.0
"""A command that took so long was left alone meanwhile."""


def kind_of(name: str, data: Mapping[str, Any]) -> str | None:
    """Return of which kind an event is; None for most. How long a process has to run is left to the caller."""
    if name == "process.exited":
        code, signal = data.get("exit_code"), data.get("signal")
        if code == 0 and signal is None:
            return "finished" if data.get("ran_s") is not None else None
        return None if code is None and signal is None else "exit_abnormal"
    if name == "process.notified":
        return "waiting" if data.get("text") else None
    return next((kind for kind, names in EVENTS.items() if name in names), None)


def title(data: Mapping[str, Any]) -> str:
    """Return what an event is about."""
    return str(data.get("process_id") or data.get("workspace") or "wezparallel")


def words(name: str, data: Mapping[str, Any]) -> str:
    """Return what happened, as a short sentence."""
    reason = data.get("reason")
    if name == "process.notified":
        return str(data.get("text") or "asks for nothing any more")
    if name == "process.failed":
        return f"given up: {reason or 'it ended too often'}"
    if name == "process.exited":
        return _ended(data)
    if name == "process.output_lost":
        return f"output is lost: {reason or 'how much is not known'}"
    if name == "hub.error":
        return f"something failed in the daemon; its log explains incident {data.get('incident') or '?'}"
    if name == "config.rejected":
        return f"the configuration was rejected: {data.get('message') or 'see the log'}"
    if name in {"alert.raised", "alert.cleared"}:
        return _figures(name, data)
    what = name.partition(".")[2].replace("_", " ") or name
    return f"{what}: {reason}" if reason else what


def duration(seconds: Seconds) -> str:
    """Return a time span for people."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, hours = whole // 60, whole // 3600
    return f"{minutes} min" if minutes < 60 else f"{hours} h {minutes % 60} min"


def _ended(data: Mapping[str, Any]) -> str:
    code, signal, ran_s = data.get("exit_code"), data.get("signal"), data.get("ran_s")
    after = f" after {duration(ran_s)}" if ran_s else ""
    if signal is not None:
        return f"ended by signal {signal}{after}"
    if code is None:
        return "ended, nobody knows how"
    return f"finished{after}" if code == 0 else f"exited {code}{after}"


def _figures(name: str, data: Mapping[str, Any]) -> str:
    what, value, threshold = str(data.get("what")), data.get("value"), data.get("threshold")
    if name == "alert.cleared":
        return f"{what} is no longer above {_figure(what, threshold)}"
    return f"{what} is at {_figure(what, value)}, above {_figure(what, threshold)}"


def _figure(what: str, value: Any) -> str:
    if not isinstance(value, int | float):
        return "?"
    return f"{value / (1 << 20):.0f} MB" if what == "memory" else f"{value:.0f} %"
