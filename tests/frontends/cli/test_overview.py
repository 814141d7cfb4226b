"""Bare `wezparallel`, `ls` and `ps` over states that take long to come about."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.commandline import CommandLine
from tests.support.scripted_hub import ScriptedHub, process, workspace

PROCESSES = [
    process("shop/server"),
    process(
        "shop/tests", state="backoff", exit_code=1, pid=None, ended_at="2026-01-01T00:00:00Z", command="npm test"
    ),
    process("shop/old", state="stopped", pid=None, command="make"),
    process("api/coder", agent="claude_code", viewers=0, command="claude"),
]
TEMPLATE = {
    "template": {"name": "shop", "description": "", "path": "detected", "origin": "detected", "processes": 1},
    "source": "panes: [shell]\n", "picture": "┌─┐\n└─┘", "found": ["package.json (dev)", "git"],
    "plan": {"tabs": []}, "settings": [],
}  # fmt: skip


def script(hub: ScriptedHub, processes: list[dict[str, object]]) -> None:
    names = sorted({str(one["workspace"]) for one in processes})
    hub.answers["WorkspaceList"] = {
        "workspaces": [workspace(name, root=f"/srv/{name}") for name in names],
        "next": None,
    }
    hub.answers["ProcessList"] = {"processes": processes, "next": None}


def test_the_first_line_says_what_runs_and_who_needs_you(hub: ScriptedHub, wezparallel: CommandLine) -> None:
    script(hub, PROCESSES)
    done = wezparallel()
    assert done.code == 0
    first = done.out.splitlines()[0]
    assert first == "1 needs you: shop/tests backoff  2 workspaces · 1 agent · 3 processes · 192 MB"


def test_the_neediest_comes_first_in_its_workspace_and_its_workspace_first(
    hub: ScriptedHub, wezparallel: CommandLine
) -> None:
    script(hub, PROCESSES)
    rows = [line.split()[:2] for line in wezparallel().out.splitlines()[2:8]]
    assert [row[0] for row in rows] == ["shop", "✗", "●", "○", "api", "●"]
    assert [row[1] for row in rows[1:4]] == ["tests", "server", "old"]


def test_what_has_no_pane_on_any_screen_says_so(hub: ScriptedHub, wezparallel: CommandLine) -> None:
    script(hub, PROCESSES)
    assert "api   /srv/api   not on screen" in wezparallel().out


def test_it_says_what_to_do_next(hub: ScriptedHub, wezparallel: CommandLine) -> None:
    script(hub, PROCESSES)
    assert wezparallel().out.splitlines()[-1].startswith("why: wezparallel logs shop/tests")


def test_an_empty_state_says_what_to_do(hub: ScriptedHub, wezparallel: CommandLine) -> None:
    script(hub, [])
    hub.answers["TemplateGet"] = TEMPLATE
    out = wezparallel().out
    assert out.startswith("Nothing runs yet.\n")
    assert "(found: package.json (dev), git)" in out
    assert "wezparallel run -- CMD" in out


def test_json_is_one_document(hub: ScriptedHub, wezparallel: CommandLine) -> None:
    script(hub, PROCESSES)
    document = json.loads(wezparallel("--json").out)
    assert [one["process_id"] for one in document["processes"]] == [one["process_id"] for one in PROCESSES]


def test_at_40_columns_symbol_name_and_state_stay(hub: ScriptedHub, wezparallel: CommandLine) -> None:
    script(hub, PROCESSES)
    shown = wezparallel.on_terminal(columns=40).lines
    assert "✗ tests" in "\n".join(shown)
    assert "backoff" in "\n".join(shown)


def test_a_terminal_gets_colour_and_no_color_takes_it_away(hub: ScriptedHub, wezparallel: CommandLine) -> None:
    script(hub, PROCESSES)
    assert b"\x1b[31m" in wezparallel.on_terminal().raw
    wezparallel.environment["NO_COLOR"] = "1"
    assert b"\x1b[" not in wezparallel.on_terminal().raw


def test_a_command_line_with_control_characters_does_not_steer_the_terminal(
    hub: ScriptedHub, wezparallel: CommandLine
) -> None:
    script(hub, [process("shop/a", command="evil\x1b[2J\x07")])
    assert "\x1b" not in wezparallel("ps").out


def test_ps_pages_through_everything(hub: ScriptedHub, wezparallel: CommandLine) -> None:
    def page(fields: dict[str, object]) -> dict[str, object]:
        if fields.get("after"):
            return {"processes": [process("shop/b")], "next": None}
        return {"processes": [process("shop/a")], "next": "shop/a"}

    hub.answers["ProcessList"] = page
    assert len(json.loads(wezparallel("ps", "--json").out)["processes"]) == 2


def test_after_a_stop_nothing_is_started_and_the_way_back_is_said(runtime: str, wezparallel: CommandLine) -> None:
    Path(runtime, "stopped").touch()
    done = wezparallel()
    assert done.code == 5
    assert "wezparallel daemon start" in done.out
    assert [path.name for path in Path(runtime).iterdir()] == ["stopped"]
