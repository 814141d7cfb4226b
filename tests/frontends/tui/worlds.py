"""Worlds of 0, 1, 20 and 200 processes in every state, the same each time, and the dashboard drawn over them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import anyio

from tests.support.scripted_hub import process, workspace
from wezparallel.frontends.tui.app import Dashboard
from wezparallel.frontends.tui.state import World
from wezparallel.frontends.tui.widgets.peek import Peek

NOW = 1_767_243_600.0
"""2026-01-01T05:00:00Z"""
_STATES = (
    "running", "ready", "backoff", "failed", "exited", "stopped", "not_started", "starting", "suspended", "unhealthy",
)  # fmt: skip
_NAMES = ("coder", "server", "tests", "db", "worker", "log", "a-name-longer-than-its-column", "lint", "types", "mail")
_WORKSPACES = ("shop", "api", "docs", "infra", "tools")
PICTURE = {
    "process_id": "shop/coder", "run_id": "5e0c", "rows": 24, "columns": 80, "title": "", "alternate": False,
    "cursor": {"row": 4, "column": 3, "visible": True}, "offset": 5, "whole": True, "format": "json", "text": None,
    "lines": [
        [], [{"text": "● ", "fg": "green"}, {"text": "Bash(npm publish)", "attributes": ["bold"]}],
        [{"text": "  Do you want to proceed?"}], [{"text": "❯ 1. Yes", "fg": "#6cb6ff"}],
        [{"text": "  2. No", "attributes": ["reverse"]}],
    ],
}  # fmt: skip


def at(ago_s: float) -> str:
    """Return a time so long ago, as the socket writes it."""
    then = datetime.datetime.fromtimestamp(NOW - ago_s, datetime.UTC)
    return then.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def world(count: int) -> World:
    """Return a world with so many processes, and their figures of some time."""
    made = World()
    workspaces = []
    for number in range(0 if count == 0 else 1 if count == 1 else max(2, count // 10)):
        name = _WORKSPACES[number % 5] + (f"-{number // 5}" if number >= 5 else "")
        workspaces.append(workspace(name, shown_root=f"~/code/{name} (main)", open=number != 3))
    made.snapshot(workspaces, [_process(number, workspaces) for number in range(count)])
    for sample in range(20):
        for number, one in enumerate(made.processes.values()):
            if one["cpu_percent"] is not None:
                one["cpu_percent"] = float((number * 37 + sample * sample * (number % 5)) % 140)
        made.sampled()
    return made


def _process(number: int, workspaces: list[dict[str, Any]]) -> dict[str, Any]:
    turn = number // len(workspaces)
    state = _STATES[(number * 7 + turn) % 10] if turn > 1 else ("ready", "running")[turn]
    name = _NAMES[turn % 10] if len(workspaces) > 1 else "server"
    fields: dict[str, Any] = {
        "state": state, "started_at": at(60 * (number + 1)), "viewers": number % 3, "cpu_percent": 0.0,
        "memory_bytes": (number * 13 % 400 + 5) << 20,
    }  # fmt: skip
    if state in ("backoff", "failed", "exited", "stopped", "not_started"):
        failed = state in ("backoff", "failed")
        fields |= {"pid": None, "ended_at": at(8 + number), "exit_code": int(failed), "cpu_percent": None}
    if state == "backoff":
        fields |= {"next_start_at": at(-4), "restarts": 3, "reason": "exited 1, again in 9 s (3 of 10)"}
    elif state == "failed":
        fields |= {"reason": "given up after 10 restarts in 10 min", "restarts": 10}
    elif state == "ready":
        fields["health"] = "http://localhost:5173"
    if name == "coder":
        fields |= {"agent": "claude_code", "command": "claude"}
    if number == 3:
        fields["notified"] = {"text": "Bash: npm publish", "at": at(240), "run_id": None}
    if number == 5:
        text = "Which database should the tests use? 1 Postgres 2 SQLite"
        fields["notified"] = {"text": text, "at": at(7300), "run_id": None}
    return process(f"{workspaces[number % len(workspaces)]['name']}/{name}", **fields)


def picture(app: Dashboard) -> str:
    """Return what stands on the screen, without spaces at the ends of lines."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(part.text for part in strip).rstrip() for strip in strips) + "\n"


def drawn(made: World, size: tuple[int, int], keys: Sequence[str] = (), **options: Any) -> tuple[str, Dashboard]:
    """Return the picture of a world after some keys, and the app as it was then."""
    app = Dashboard(world=made, clock=lambda: NOW, **options)

    async def main() -> str:
        with anyio.fail_after(30):
            async with app.run_test(size=size) as pilot:
                await settle(pilot, app)
                for key in keys:
                    await pilot.press(key)
                await settle(pilot, app)
                return picture(app)

    return anyio.run(main), app


async def settle(pilot: Any, app: Dashboard) -> None:
    """Wait until the parts have their sizes and were drawn for them."""
    await pilot.pause()
    app.draw()
    if len(app.screen_stack) == 1 and app.selected:
        app.query_one(Peek).show(app.selected, PICTURE)
    await pilot.pause()
    app.draw()
    await pilot.pause()
