"""Seed 002's configuration file, unchanged, in a real daemon: what it says is what comes up."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.configured import configured_daemon, write_config
from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.errors import RequestError

SEED = (Path(__file__).parent / "seed_002_config.yaml").read_text()
PROGRAMS = ("claude", "htop", "npm", "tail")


def environment(folder: Path) -> dict[str, str]:
    """Programs of those names that run until they are stopped; the agent can be told to end."""
    bin_ = folder / "bin"
    bin_.mkdir(exist_ok=True)
    for name in PROGRAMS:
        (bin_ / name).write_text(f'#!/bin/sh\necho "{name} $* key=$CLAUDE_API_KEY for=$CLAUDE_WORKSPACE"\nexec cat\n')
        (bin_ / name).chmod(0o755)
    return {"PATH": f"{bin_}:{os.environ['PATH']}", "CLAUDE_API_KEY": "hush-hush", "HOME": str(folder)}


def said_by(daemon: Daemon, process: str) -> str:
    return "".join(chunk["text"] for chunk in daemon.call("LogRead", process=process, lines=5)["chunks"]).strip()


def test_its_templates_open_and_each_pane_runs_what_it_says(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    with configured_daemon(tmp_path, SEED) as daemon:
        given = environment(tmp_path)
        listed = {one["name"]: one for one in daemon.call("TemplateList", root=str(root))["templates"]}
        assert (listed["default"]["origin"], listed["default"]["processes"]) == ("config", 3)
        assert (listed["web_dev"]["origin"], listed["web_dev"]["processes"]) == ("config", 4)
        made = daemon.call("WorkspaceCreate", name="d", root=str(root), template="default", environment=given)
        assert {one["now"] for one in made["processes"]} == {"spawned"}
        assert [len(tab["panes"]) for tab in made["plan"]["tabs"]] == [3]
        web = daemon.call("WorkspaceCreate", name="w", root=str(root), template="web_dev", environment=given)
        assert [len(tab["panes"]) for tab in web["plan"]["tabs"]] == [4]
        agents = [one for one in daemon.call("ProcessList")["processes"] if one["agent"] == "claude_code"]
        assert len(agents) == 4
        assert {one["restart"] for one in agents} == {"always"}
        main = next(one["process_id"] for one in agents if one["process_id"].startswith("d/"))
        until(lambda: "claude" in said_by(daemon, main), 10, "the agent's first line")
        assert said_by(daemon, main) == "claude  key=hush-hush for=main"


def test_its_restart_policy_brings_an_agent_back_that_ended_well(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    with configured_daemon(tmp_path, SEED + "supervision: { backoff: 0 }\n") as daemon:
        given = environment(tmp_path)
        daemon.call("ProcessAdd", id="coder", command="claude", agent="claude_code", tty=False, environment=given)
        first = daemon.call("ProcessGet", process="coder")["process"]
        os.kill(first["pid"], 9)
        until(
            lambda: daemon.call("ProcessGet", process="coder")["process"]["pid"] not in (None, first["pid"]),
            10, "another run",
        )  # fmt: skip


def test_its_limit_of_workspaces_says_how_to_raise_it(tmp_path: Path) -> None:
    with configured_daemon(tmp_path, SEED) as daemon:
        for number in range(8):
            daemon.call("WorkspaceCreate", name=f"w{number}", root=str(tmp_path), source="processes: { a: cat }\n")
        with pytest.raises(RequestError) as refused:
            daemon.call("WorkspaceCreate", name="w8", root=str(tmp_path), source="processes: { a: cat }\n")
        assert refused.value.code == "workspace.limit"
        assert "workspaces.max_workspaces" in refused.value.message


def test_a_mistake_in_a_template_of_the_file_points_into_the_file(tmp_path: Path) -> None:
    with configured_daemon(tmp_path, SEED) as daemon:
        shown = daemon.call("TemplateGet", name="web-dev")
        assert (shown["template"]["name"], shown["template"]["origin"]) == ("web_dev", "config")
        assert [one["restart"] for one in shown["settings"]] == ["always", "always", "never", "never"]
        write_config(daemon.home, SEED.replace('position: "right"', 'position: "nowhere"'))
        with pytest.raises(RequestError) as refused:
            daemon.call("TemplateGet", name="default")
        assert refused.value.data["line"] == 14
        assert SEED.splitlines()[13].strip().startswith('- { position: "right"')


def test_a_template_may_use_a_process_of_the_configuration(tmp_path: Path) -> None:
    text = "process_templates:\n  api: { command: [cat], variables: { PORT: 80 }, env: { PORT: '${PORT}' } }\n"
    with configured_daemon(tmp_path, text) as daemon:
        source = "processes:\n  one: { template: api, variables: { PORT: 81 } }\n"
        made = daemon.call("WorkspaceCreate", name="w", root=str(tmp_path), source=source)
        assert made["processes"][0]["now"] == "spawned"
        with pytest.raises(RequestError) as refused:
            daemon.call("TemplateCheck", source="processes:\n  one: { template: apo }\n")
        assert "'api'" in refused.value.message
        write_config(
            daemon.home, "processes: { x: { environment: { A_KEY: hush } } }\n" + text.replace("[cat]", "[]")
        )
        with pytest.raises(RequestError) as refused:
            daemon.call("TemplateCheck", source=source)
        assert refused.value.data["line"] == 3
        assert "hush" not in refused.value.message
