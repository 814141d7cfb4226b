"""A snapshot as the hub writes it: two open workspaces, a closed one, somebody who waits. `tests/lua` reads it too.

`python -m tests.hub.gui.example` writes `tests/lua/gui.json` anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wezparallel.hub.gui import snapshot
from wezparallel.hub.state.model import Process, Run, State, Workspace
from wezparallel.protocol.process import ProcessSettings

FILE = Path(__file__).parents[2] / "lua" / "gui.json"
NOON = 1_795_521_600_000  # milliseconds; 2026-11-24T12:00:00Z
MUX = "/run/user/1000/wezterm/gui-sock-4711"

FACTS: dict[str, Any] = {
    "protocol": {"min": 1, "max": 1}, "version": "0.1.0", "hub_id": "h-9f2c11aa",
    "written_at": "2026-11-24T12:00:09.000Z",
    "python": "/opt/wezparallel/bin/python3", "call": "/opt/wezparallel/client/call.py",
    "attach": "/opt/wezparallel/client/attach.py", "direct": "/opt/wezparallel/client/direct.py",
    "program": ["/opt/wezparallel/bin/python3", "-m", "wezparallel"],
    "socket": "/run/wezparallel/hub.sock", "keeper_socket": "/run/wezparallel/keeper.sock",
    "env": {"WEZPARALLEL_RUNTIME_DIR": "/run/wezparallel"},
    "keys": "/home/alice/.config/wezterm-parallel/keys.json",
    "ui": {"theme": "dark", "show_process_status": True, "auto_hide_inactive_panes": False},
    "gui": MUX,
}  # fmt: skip


def process(
    process_id: str, state: str = "ready", order: int = 0, *, began: int = NOON, ended: int | None = None, **more: Any
) -> Process:
    """Return one process."""
    workspace, _, name = process_id.rpartition("/")
    settings = {"argv": ["sh"], "cwd": "/code", "pane": bool(workspace), **more.pop("settings", {})}
    run = Run(f"{order:032x}", process_id, 1, "spawned", started_at=began, ended_at=ended, **more.pop("run", {}))
    described = ProcessSettings(name=name, **settings)
    return Process(process_id, workspace or None, described, state=state, order=order, run=run, **more)  # type: ignore[arg-type]


def example_state() -> State:
    """Return what the example shows."""
    shop = Workspace("shop", "/home/alice/code/shop", created_at=NOON, focus="shop/coder", switched_at=NOON)
    shop.plan = {"tabs": [_tab("work", "shop", ["coder", "server", "tests"]), _tab("logs", "shop", ["log"])]}
    api = Workspace("api", "/home/alice/code/api", created_at=NOON)
    api.plan = {"tabs": [_tab("api", "api", ["shell"])]}
    old = Workspace("old", "/home/alice/code/old", created_at=NOON, open=False)
    old.plan = {"tabs": [_tab("old", "old", ["shell"])]}
    waits = {"text": "Bash: npm publish", "at": "2026-11-24T12:00:05.000Z", "run_id": f"{0:032x}"}
    failing: dict[str, Any] = {
        "settings": {"on_close": "ask"},
        "run": {"exit_code": 1},
        "reason": "exited 1, again in 4 s (3 of 10)",
    }
    processes = [
        process("shop/coder", "running", 0, settings={"agent": "claude_code", "focus": True}, notified=waits),
        process("shop/server", "ready", 1),
        process("shop/tests", "backoff", 2, ended=NOON + 8000, **failing),
        process("shop/log", "running", 3, settings={"direct": True}),
        process("shop/db", "ready", 4, settings={"pane": False}),
        process("api/shell", "running", 0, settings={"argv": ["bash"]}),
        process("old/shell", "stopped", 0, ended=NOON + 60_000, settings={"argv": ["bash"]}),
        process("backup", "exited", 0, ended=NOON + 4000, run={"exit_code": 0}),
    ]
    return State({"shop": shop, "api": api, "old": old}, {one.process_id: one for one in processes})


def example() -> dict[str, Any]:
    """Return the snapshot of it."""
    views = {
        "shop/coder": [{"pane": "17", "mux": MUX}],
        "shop/server": [{"pane": "18", "mux": MUX}, {"pane": "3", "mux": "/run/user/1000/wezterm/gui-sock-4800"}],
        "shop/tests": [{"pane": "19", "mux": MUX}],
        "shop/log": [{"pane": "20", "mux": MUX}],
    }
    asked = {
        "id": NOON + 9000, "at": "2026-11-24T12:00:09.000Z", "mux": MUX, "kind": "switch", "workspace": "api",
        "focus": None,
    }  # fmt: skip
    templates = [
        {"name": "web_dev", "description": "Front end, back end, and their agents"},
        {"name": "basic", "description": "A shell"},
    ]
    return snapshot.build(example_state(), facts=FACTS, views=views, requests=[asked], templates=templates)


def _tab(title: str, workspace: str, names: list[str]) -> dict[str, Any]:
    panes = [
        {"pane": name, "process_id": f"{workspace}/{name}", "title": name, "focus": name == "coder",
         "direct": name == "log"}
        for name in names
    ]  # fmt: skip
    cuts = [("right", 0.43), ("down", 0.5)]
    splits = [
        {"of": names[at - 1], "pane": name, "direction": cuts[at - 1][0], "share": cuts[at - 1][1]}
        for at, name in enumerate(names)
        if at
    ]
    return {"title": title, "focus": None, "first": names[0], "splits": splits, "panes": panes}


def text() -> str:
    """Return the example as the file holds it: as people read it."""
    return json.dumps(json.loads(snapshot.encode(example())), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
