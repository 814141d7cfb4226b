"""What tests of views look at: the snapshot file, events, and processes on terminals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.daemon import Daemon
from tests.support.waiting import until


def snapshot_file(daemon: Daemon) -> Path:
    """Return the path of the snapshot file."""
    return daemon.home / "state" / "wezterm-parallel" / "gui.json"


def snapshot(daemon: Daemon) -> dict[str, Any]:
    """Return what the plugin would read now."""
    found: dict[str, Any] = json.loads(snapshot_file(daemon).read_bytes())
    return found


def requests(daemon: Daemon, kind: str, mux: str | None) -> list[dict[str, Any]]:
    """Return what a GUI is asked to do."""
    return [one for one in snapshot(daemon)["requests"] if (one["kind"], one["mux"]) == (kind, mux)]


def add(daemon: Daemon, process_id: str, **fields: Any) -> dict[str, Any]:
    """Have `cat` on a terminal."""
    found: dict[str, Any] = daemon.call("ProcessAdd", id=process_id, command="cat", **{"tty": True, **fields})
    return found["process"]  # type: ignore[no-any-return]


def state(daemon: Daemon, process_id: str) -> str:
    """Return a process's state."""
    return str(daemon.call("ProcessGet", process=process_id)["process"]["state"])


def views(daemon: Daemon, **fields: Any) -> list[dict[str, Any]]:
    """Return the views that the hub knows."""
    found: list[dict[str, Any]] = daemon.call("ViewList", **fields)["views"]
    return found


def has_view(daemon: Daemon, process_id: str, count: int = 1) -> None:
    """Wait until a process has so many views."""
    until(lambda: len(views(daemon, process=process_id)) == count, 10, f"{count} views of {process_id}")


def events(
    daemon: Daemon, since: dict[str, Any], name: str, count: int, timeout_s: float = 15
) -> list[dict[str, Any]]:
    """Wait for the first events of that name after a `Status`; return their data."""
    found: list[dict[str, Any]] = []
    with daemon.client() as client:
        stream = client.subscribe([name], since=since["seq"], epoch=since["epoch"])
        while len(found) < count:
            message = stream.next(timeout_s)
            assert message is not None, f"no more {name} within {timeout_s} s: {found}"
            found.append(message["Event"]["data"])
    return found


def event(daemon: Daemon, since: dict[str, Any], name: str, timeout_s: float = 15) -> dict[str, Any]:
    """Wait for the first event of that name after a `Status`; return its data."""
    return events(daemon, since, name, 1, timeout_s)[0]


def configured(daemon: Daemon, text: str) -> Path:
    """Have the daemon read this configuration; return its file."""
    config = daemon.home / "config" / "wezterm-parallel" / "config.yaml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(text)
    daemon.call("ConfigReload")
    return config
