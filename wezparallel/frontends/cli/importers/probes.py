"""process-compose's probes as ours. Pure.

Above: process_compose.py.
"""

from __future__ import annotations

import re
import shlex

from wezparallel.frontends.cli.importers.documents import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wezparallel.frontends.cli.importers.documents import Value

_TIMES = (("initial_delay_seconds", "start"), ("period_seconds", "interval"), ("timeout_seconds", "timeout"))
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?\Z")
_MEANINGS = {"success_threshold": "one look that passes is enough"}


def number(text: str) -> bool:
    """Tell whether a text is a number above 0."""
    return bool(_NUMBER.match(text)) and float(text) > 0


def probe(told: Value, notes: list[Note], filled: Callable[[str, Value], str]) -> dict[str, Any]:
    """Return what our template says for a probe; empty if it has no kind that is known here."""
    found: dict[str, Any] = {}
    exec_, http = told.get("exec"), told.get("http_get")
    if exec_ is not None and exec_.told("command"):
        command, folder = exec_.told("command"), exec_.told("working_dir")
        found["exec"] = filled(f"cd {shlex.quote(folder)} && {command}" if folder else command, exec_)
        notes += exec_.unread()
    elif http is not None:
        found["http"] = filled(_url(http), http)
        code = http.told("status_code")
        if code not in ("", "0", "200"):
            notes.append(Note(http.line, f"{http.path}.status_code", "any status below 400 passes here"))
        notes += http.unread({"headers": "a probe sends no headers of yours"})
    else:
        notes.append(Note(told.line, told.path, "it looks at nothing; it is left out"))
        return {}
    for theirs, ours in _TIMES:
        if number(told.told(theirs)):
            found[ours] = f"{told.told(theirs)}s"
    failures = told.told("failure_threshold")
    if failures.isdigit() and 0 < int(failures) <= 100:
        found["threshold"] = int(failures)
    if told.told("success_threshold") not in ("", "0", "1"):
        notes.append(Note(told.line, f"{told.path}.success_threshold", _MEANINGS["success_threshold"]))
    notes += told.unread()
    return found


def _url(http: Value) -> str:
    host, port = http.told("host") or "127.0.0.1", http.told("port") or http.told("num_port")
    path = http.told("path") or "/"
    path = path if path.startswith("/") else f"/{path}"
    return f"{http.told('scheme') or 'http'}://{host}" + (f":{port}" if port and port != "0" else "") + path
