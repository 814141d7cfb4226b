"""A caller inside an agent's tree is that agent, however it got there."""

from __future__ import annotations

import json
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
