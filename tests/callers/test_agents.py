"""A caller inside an agent's tree is that agent, whatever it does to hide it; and what is refused has no effect."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.callers.conftest import ROOT, Probe, prepare, told
from tests.support.daemon import Daemon
from tests.support.waiting import until

SOURCE = "panes:\n  spy: {command: sleep 1000, may: [ProcessType, Shutdown]}\n"
ENVIRONMENT = {"PATH": "/bin:/usr/bin", "BASH_ENV": "/tmp/evil"}

TYPING: list[dict[str, Any]] = [
    {"ProcessType": {"process": "other/cat", "text": "rm -rf\n"}},
    {"ProcessTypeMany": {"processes": ["other/cat", "work/shell"], "text": "rm -rf\n"}},
]
DESTROYING: list[dict[str, Any]] = [
    {"Shutdown": {"children": True}},
    {"DaemonUpgrade": {"argv": ["/bin/false"]}},
    {"ProcessStop": {"process": "other/cat"}},
    {"ProcessKill": {"process": "other/cat"}},
    {"ProcessRestart": {"process": "other/cat"}},
    {"ProcessSuspend": {"process": "other/cat"}},
    {"ProcessRemove": {"process": "other/cat"}},
    {"WorkspaceClose": {"name": "other"}},
    {"WorkspaceDelete": {"name": "other"}},
    {"WorkspaceOpen": {"name": "other", "environment": ENVIRONMENT}},
    {"WorkspaceApply": {"name": "other", "source": SOURCE, "restart": ["*"], "prune": True}},
    {"EnvironmentGet": {"process": "other/cat"}},
]
TOUCHING: list[dict[str, Any]] = [
    {"ProcessStart": {"process": "other/cat"}},
    {"ProcessResume": {"process": "other/cat"}},
    {"ProcessAdd": {"id": "other/spy", "command": "sleep", "args": ["1000"]}},
    {"WorkspaceCreate": {"name": "third", "source": SOURCE}},
    {"WorkspaceSwitch": {"name": "other"}},
    {"WorkspaceRename": {"name": "other", "to": "mine"}},
    {"ProcessNotify": {"process": "other/cat", "text": "look"}},
]

HIDDEN = [
    "plain", "setsid", "daemon", "bare", "bare daemon", "forged", "forged daemon", "orphan", "passed",
]  # fmt: skip
PRIVATE = ["terminal", "relay", "control exit", "control start", "control upgrade", "hub"]


def refused(answers: dict[str, Any], names: list[str]) -> None:
    for name in names:
        error = answers[name]["Error"]
        assert error["code"] == "caller.agent_not_allowed", (name, error)
        assert "; " in error["message"], name  # the second half says what to do


def names_of(*requests: list[dict[str, Any]]) -> list[str]:
    return [next(iter(request)) for some in requests for request in some]


@pytest.mark.parametrize("way", HIDDEN)
@pytest.mark.usefixtures("unchanged")
def test_an_agent_is_refused_in_every_way_and_may_look(probe: Probe, way: str) -> None:
    answers = probe("work/bot", way, TYPING + DESTROYING + TOUCHING, agent="claude_code")
    refused(answers, names_of(TYPING, DESTROYING, TOUCHING) + PRIVATE)
    assert answers["read-only terminal"] == answers["frames"] == "welcome"
    assert answers["control status"]["m"] == "ok"


@pytest.mark.usefixtures("unchanged")
def test_a_caller_that_has_ended_types_steers_and_destroys_nothing(probe: Probe) -> None:
    answers = probe("work/shell", "gone", TYPING + DESTROYING)
    refused(answers, names_of(TYPING, DESTROYING) + PRIVATE)


@pytest.mark.usefixtures("unchanged")
def test_nobody_can_hide_by_clearing_an_environment_that_was_a_persons(probe: Probe) -> None:
    answers = probe("work/shell", "bare daemon", TYPING + DESTROYING)
    refused(answers, names_of(TYPING, DESTROYING) + PRIVATE)


@pytest.mark.parametrize("way", ["plain", "setsid", "daemon", "forged", "orphan", "passed"])
def test_a_persons_shell_is_a_person(probe: Probe, way: str) -> None:
    requests = [*TYPING, {"ProcessStart": {"process": "other/cat"}}]
    answers = probe("work/shell", way, requests, private=False, tty=True)
    assert {"ProcessTyped", "ProcessStarted"} <= {tag for answer in answers.values() for tag in answer}
    assert answers["terminal"] == answers["relay"] == "welcome"


def test_a_program_called_claude_that_a_person_runs_is_a_person(
    probe: Probe, daemon: Daemon, tmp_path_factory: pytest.TempPathFactory
) -> None:
    claude = tmp_path_factory.mktemp("bin") / "claude"
    claude.write_text('#!/bin/sh\nexec python3 "$@"\n')
    claude.chmod(0o755)
    answers = probe("work/by-hand", "plain", TYPING, private=False, command=str(claude))
    assert "ProcessTyped" in answers["ProcessType"]
    assert answers["terminal"] == "welcome"


@pytest.mark.usefixtures("unchanged")
def test_what_an_agent_adds_is_an_agent(probe: Probe, daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "hand"
    args = prepare(daemon, out, "forged", TYPING + DESTROYING + TOUCHING, private=True)
    add = {"id": "work/hand", "command": sys.executable, "args": args, "environment": ENVIRONMENT}
    assert (
        "ProcessAdded"
        in probe("work/bot", "plain", [{"ProcessAdd": add}], private=False, agent="codex")["ProcessAdd"]
    )
    refused(told(daemon, out, "work/hand"), names_of(TYPING, DESTROYING, TOUCHING) + PRIVATE)


@pytest.mark.usefixtures("unchanged")
def test_an_agent_uses_its_own_workspace(probe: Probe, daemon: Daemon) -> None:
    daemon.call("ProcessAdd", id="work/server", command="sleep", args=["1000"])
    requests = [
        {"ProcessList": {}},
        {"ProcessGet": {"process": "other/cat"}},
        {"LogRead": {"process": "other/cat"}},
        {"ProcessRestart": {"process": "work/server"}},
        {"ProcessSuspend": {"process": "work/server"}},
        {"ProcessResume": {"process": "work/server"}},
        {"ProcessStop": {"process": "server"}},
        {"ProcessRemove": {"process": "work/server"}},
    ]
    answers = probe("work/bot", "plain", requests, private=False, agent="codex")
    assert [tag for name in names_of(requests) for tag in answers[name]] == [
        "Processes", "Process", "Log", "ProcessRestarted", "ProcessSuspended", "ProcessResumed", "ProcessStopped",
        "ProcessRemoved",
    ]  # fmt: skip


@pytest.mark.parametrize("by", ["person", "unknown"])
def test_only_a_person_may_allow_an_agent_more(probe: Probe, daemon: Daemon, tmp_path: Path, by: str) -> None:
    out = tmp_path / "trusted"
    argv = [sys.executable, *prepare(daemon, out, "plain", TYPING, private=False)]
    source = yaml.safe_dump({"panes": {"bot": {"command": argv, "agent": "codex", "may": ["ProcessType"]}}})
    create = {"name": by, "source": source, "root": str(tmp_path)}
    if by == "person":
        daemon.call("WorkspaceCreate", **create)
    else:
        way = probe("work/shell", "gone", [{"WorkspaceCreate": create}], private=False)
        assert "WorkspaceCreated" in way["WorkspaceCreate"]
    answers = told(daemon, out, f"{by}/bot")
    if by == "person":
        assert "ProcessTyped" in answers["ProcessType"]
        assert answers["terminal"] == answers["relay"] == "welcome"
    else:
        refused(answers, ["ProcessType", "terminal", "relay"])
    daemon.call("WorkspaceDelete", name=by)


@pytest.mark.usefixtures("unchanged")
def test_the_command_line_and_netcat_of_an_agent_are_refused(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out"
    wezparallel = f"{sys.executable} -m wezparallel"
    script = f"""
        cd {ROOT}
        exec </dev/null
        script -qec '{wezparallel} attach other/cat' /dev/null
        setsid -w {wezparallel} type other/cat rm
        env -i WEZPARALLEL_RUNTIME_DIR={daemon.runtime} HOME=/ {wezparallel} stop other/cat
        {wezparallel} daemon stop --all --yes
        printf '%s\\n' '{json.dumps(TYPING[0])}' | nc -U {daemon.socket}
        mv {out}.part {out}
    """
    daemon.call(
        "ProcessAdd", id="work/claude", command="sh", args=["-c", f"({script}) >{out}.part 2>&1"], agent="codex"
    )
    until(out.exists, 40, "the end of the script")
    lines = [line for line in out.read_text().splitlines() if "agent" in line]
    assert len(lines) == 5, out.read_text()
    assert all("not allowed" in line or "may not type" in line for line in lines), lines
    assert "`may: [ProcessType]`" in lines[1]


def test_an_agent_says_for_itself_why_it_is_refused(probe: Probe) -> None:
    answers = probe("work/bot", "plain", TYPING, agent="codex")
    assert answers["ProcessType"]["Error"]["data"] == {"command": "ProcessType"}
    assert "`may: [ProcessType]`" in answers["ProcessType"]["Error"]["message"]
    assert "--read-only" in answers["terminal"]["Error"]["message"]
