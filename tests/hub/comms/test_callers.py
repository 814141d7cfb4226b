"""A caller inside an agent's tree is that agent, however it got there."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.waiting import until

pytestmark = pytest.mark.one_daemon

ASK = "printf '%s\\n' '{request}' | {wrapper} nc -U {socket} > {out}.part; mv {out}.part {out}; sleep 100"


def answer(daemon: Daemon, out: Path, request: dict[str, Any], **how: Any) -> dict[str, Any]:
    """Have a process of ours ask the hub; return what it was told."""
    wrapper = how.pop("wrapper", "")
    script = ASK.format(request=json.dumps(request), wrapper=wrapper, socket=daemon.socket, out=out)
    daemon.call("ProcessAdd", command="sh", args=["-c", script], **how)
    until(out.exists, 15, "an answer")
    return dict(json.loads(out.read_text()))


@pytest.fixture
def target(daemon: Daemon) -> Daemon:
    """A daemon with a process that a caller may want to touch."""
    daemon.call("ProcessAdd", id="work/cat", command="cat")
    return daemon


@pytest.mark.parametrize("wrapper", ["", "setsid -w", "setsid -w setsid -w"])
def test_an_agent_cannot_type(target: Daemon, tmp_path: Path, wrapper: str) -> None:
    request = {"ProcessType": {"process": "work/cat", "text": "rm -rf\n"}}
    told = answer(target, tmp_path / "out", request, id="work/bot", agent="claude_code", wrapper=wrapper)
    assert told["Error"]["code"] == "caller.agent_not_allowed"
    assert target.call("LogRead", process="work/cat")["chunks"] == []


def test_an_agent_cannot_shut_down_or_touch_other_workspaces(target: Daemon, tmp_path: Path) -> None:
    for number, request in enumerate((
        {"Shutdown": {}}, {"WorkspaceDelete": {"name": "work"}}, {"ProcessStop": {"process": "work/cat"}},
    )):  # fmt: skip
        told = answer(target, tmp_path / f"out{number}", request, id=f"other/bot{number}", agent="claude_code")
        assert told["Error"]["code"] == "caller.agent_not_allowed"


def test_an_agent_reads_and_uses_its_own_workspace(target: Daemon, tmp_path: Path) -> None:
    read = answer(target, tmp_path / "a", {"ProcessList": {}}, id="work/reader", agent="claude_code")
    assert "Processes" in read
    stop = {"ProcessStop": {"process": "work/cat"}}
    assert "ProcessStopped" in answer(target, tmp_path / "b", stop, id="work/stopper", agent="claude_code")


def test_a_persons_shell_is_a_person(target: Daemon, tmp_path: Path) -> None:
    request = {"ProcessType": {"process": "work/cat", "text": "hello\n"}}
    assert "ProcessTyped" in answer(target, tmp_path / "out", request, id="work/shell", tty=True)


def test_what_an_agent_adds_is_no_person(target: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "helper"
    shut_down = ASK.format(request='{"Shutdown":{}}', wrapper="", socket=target.socket, out=out)
    file = tmp_path / "helper.sh"
    file.write_text(shut_down)
    request = {"ProcessAdd": {"id": "work/helper", "command": "sh", "args": [str(file)]}}
    assert "ProcessAdded" in answer(target, tmp_path / "out", request, id="work/bot", agent="claude_code")
    until(out.exists, 15, "the helper's answer")
    assert json.loads(out.read_text())["Error"]["code"] == "caller.agent_not_allowed"


@pytest.fixture
def with_a_pane_of_its_own(target: Daemon) -> Iterator[Daemon]:
    """A workspace in which a person's program runs in its pane itself, with that person's environment."""
    source = "panes:\n  own: {command: [sleep, '100'], direct: true}\n"
    root = target.home / "panes"
    root.mkdir(exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "TOKEN": "s3cret"}
    target.call("WorkspaceCreate", name="panes", root=str(root), source=source, environment=environment)
    yield target
    target.call("WorkspaceDelete", name="panes")


@pytest.fixture
def victim() -> Iterator[subprocess.Popen[bytes]]:
    """A program that has nothing to do with any of this."""
    with subprocess.Popen(["sleep", "100"]) as program:
        yield program
        program.kill()


def test_an_agent_does_not_become_a_person_by_saying_that_its_child_is_a_persons_program(
    with_a_pane_of_its_own: Daemon, tmp_path: Path, victim: subprocess.Popen[bytes]
) -> None:
    observe = {"ProcessObserve": {"process": "panes/own", "run_id": "0" * 32, "pid": victim.pid}}
    told = answer(with_a_pane_of_its_own, tmp_path / "out", observe, id="panes/bot", agent="claude_code")
    assert told["Error"]["code"] == "caller.agent_not_allowed"
    assert with_a_pane_of_its_own.call("ProcessGet", process="panes/own")["process"]["state"] == "not_started"


def test_an_agent_does_not_read_the_environment_of_a_program_in_a_pane(
    with_a_pane_of_its_own: Daemon, tmp_path: Path
) -> None:
    prepare = {"ProcessPrepare": {"process": "panes/own"}}
    told = answer(with_a_pane_of_its_own, tmp_path / "out", prepare, id="panes/bot", agent="claude_code")
    assert told["Error"]["code"] == "caller.agent_not_allowed"
    assert "s3cret" not in str(told)


def test_an_agent_sees_the_names_of_secrets_in_its_own_workspace_and_no_more(
    with_a_pane_of_its_own: Daemon, tmp_path: Path
) -> None:
    request: dict[str, Any] = {"EnvironmentGet": {"process": "panes/own"}}
    told = answer(with_a_pane_of_its_own, tmp_path / "a", request, id="panes/one", agent="claude_code")
    assert "TOKEN" in str(told)
    assert "s3cret" not in str(told)
    request["EnvironmentGet"]["show_secrets"] = True
    told = answer(with_a_pane_of_its_own, tmp_path / "b", request, id="panes/two", agent="claude_code")
    assert told["Error"]["code"] == "caller.agent_not_allowed"


@pytest.mark.parametrize("command", ["ViewBind", "ViewOpen", "ViewFocus", "ViewClose", "ViewSee"])
def test_what_is_on_the_screen_is_the_persons_even_in_an_agents_own_workspace(
    target: Daemon, tmp_path: Path, command: str
) -> None:
    fields = {"process": "work/cat", "mux": str(tmp_path)} | ({"pane": "0"} if command == "ViewBind" else {})
    told = answer(target, tmp_path / "out", {command: fields}, id=f"work/{command}", agent="claude_code")
    assert told["Error"]["code"] == "caller.agent_not_allowed"
    assert target.call("ViewList")["views"] == []
