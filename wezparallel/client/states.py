"""How a process is told of: its symbol, its state's word and colour, why it is so, how much it needs you. Pure."""

from __future__ import annotations

import re
import signal

from wezparallel.client import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.types import JsonObject

_LOOKS = {
    "not_started": ("◌", "dim"), "starting": ("◐", "good"), "running": ("●", "good"), "ready": ("●", "good"),
    "unhealthy": ("!", "needs"), "suspended": ("‖", "dim"), "stopping": ("◐", "dim"), "stopped": ("○", "dim"),
    "exited": ("○", "dim"), "backoff": ("✗", "bad"), "failed": ("✗", "bad"),
}  # fmt: skip
_NEED = {"failed": 0, "backoff": 1, "unhealthy": 2, "exited": 4, "stopped": 5, "not_started": 5}
_NEED_WORD = re.compile(r": (?:started|ready|exited_ok)(?=,|$)")
UP = frozenset({"starting", "running", "ready", "unhealthy", "suspended", "stopping", "backoff"})
SETTLED = frozenset({"running", "ready", "unhealthy", "exited", "failed", "backoff", "stopped", "suspended"})


def look(process: JsonObject) -> tuple[str, str]:
    """Return symbol and style of a process's state."""
    state = process["state"]
    if process.get("notified"):
        return "!", "needs"
    if is_spare(process):
        return "◇", "dim"
    if state == "exited" and (process.get("exit_code") or process.get("signal")):
        return "✗", "bad"
    return _LOOKS.get(state, ("?", ""))


def is_spare(process: JsonObject) -> bool:
    """Tell whether it was started ahead, waits for somebody to ask for it, and is well."""
    return bool(process.get("spare")) and process["state"] in UP and process["state"] != "backoff"


def is_failing(process: JsonObject) -> bool:
    """Tell whether somebody should look at it."""
    return look(process)[1] in ("bad", "needs")


def need(process: JsonObject) -> tuple[int, str]:
    """Return a key that sorts the neediest first, then by name."""
    state = process["state"]
    if process.get("notified"):
        return -1, process["name"]
    if is_spare(process):
        return 6, process["name"]
    rank = 1 if state == "exited" and look(process)[1] == "bad" else _NEED.get(state, 3)
    return rank, process["name"]


def word(process: JsonObject) -> str:
    """Return the state as people read it."""
    state = str(process["state"])
    if is_spare(process):
        return "spare" if state in ("running", "ready") else f"spare, {state}"
    reason = str(process.get("reason") or "")
    if state == "not_started" and reason.startswith("waits for "):
        return _NEED_WORD.sub("", reason)
    if state == "not_started" and process.get("waits_for"):
        return f"waits for {process['waits_for']}"
    if state == "exited" and process.get("exit_code"):
        return how_it_ended(process)
    return state.replace("_", " ")


def how_it_ended(process: JsonObject) -> str:
    """Return `exited 1`, `SIGKILL`; empty if unknown or alive."""
    if process.get("exit_code") is not None:
        return f"exited {process['exit_code']}"
    if process.get("signal") is not None:
        try:
            return "ended by " + signal.Signals(process["signal"]).name
        except ValueError:
            return f"ended by signal {process['signal']}"
    return ""


def why(process: JsonObject, now: float) -> str:
    """Return what is worth saying beside the state: a reason if there is one, else what it runs."""
    if process.get("notified"):
        return str(process["notified"]["text"])
    told = reason(process, now) or str(process.get("command") or " ".join(process.get("argv") or []))
    return f"{told}  (direct)" if process.get("direct") else told


def reason(process: JsonObject, now: float) -> str:
    """Return how it ended, why, and when it comes back; empty if the state says it all."""
    state = process["state"]
    parts = []
    if state in ("exited", "backoff", "failed", "stopped"):
        ended = "" if _is_plain_end(process) else how_it_ended(process)
        said = str(process.get("reason") or "").rstrip(".")
        if ended and ended != word(process) and ended.split()[-1] not in said.replace(",", " ").split():
            parts.append(ended)
        if said and said != word(process):
            parts.append(said)
        if state == "backoff" and process.get("next_start_at") and "again" not in said:
            parts.append(f"again in {text.in_seconds(text.parse_time(process['next_start_at']) - now)}")
    elif process.get("reason") and not (state == "not_started" and word(process).startswith("waits for ")):
        parts.append(str(process["reason"]).rstrip("."))
    if process.get("spare") and not is_spare(process):
        parts.append("a spare")
    if process.get("in_template") is False:
        parts.append("no longer in its template")
    elif process.get("needs_restart"):
        parts.append("changed since it was started")
    return ", ".join(parts)


def _is_plain_end(process: JsonObject) -> bool:
    """Tell whether an end needs no words: a stop that worked, an exit with 0."""
    if process["state"] == "stopped":
        return process.get("signal") != signal.SIGKILL
    return process["state"] == "exited" and process.get("exit_code") == 0


def since(process: JsonObject) -> str | None:
    """Return the time that its age counts from: its start while it is up, else its end."""
    if process["state"] in UP and process["state"] != "backoff":
        at = process.get("started_at")
    else:
        at = process.get("ended_at") or process.get("created_at")
    return None if at is None else str(at)


def program(process: JsonObject) -> str:
    """Return the kind of agent, else the program's name; of a line for the shell its first word."""
    argv = process.get("argv") or [""]
    words = str(process.get("command") or "").split() or argv
    return str(process.get("agent") or words[0].rpartition("/")[2])


def memory(process: JsonObject) -> int | None:
    """Return the bytes it uses; nothing is used by what does not run."""
    return process.get("memory_bytes") if process.get("pid") is not None else None
