"""Templates of one process through the public socket: found, written, accepted, and started with their variables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon
from wezparallel.errors import RequestError

pytestmark = pytest.mark.one_daemon

WORKER = """\
kind: process
description: A worker
variables:
  - { name: seconds, default: 1000, type: number, description: How long. }
  - { name: mode, required: true, example: fast }
command: sleep
args: ["{{seconds}}"]
env: { MODE: "{{mode}}", TOKEN: "${TOKEN}" }
restart: never
default_auto_start: true
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / ".wezparallel").mkdir(parents=True)
    return folder


def refusal(daemon: Daemon, command: str, **fields: Any) -> RequestError:
    with pytest.raises(RequestError) as caught:
        daemon.call(command, **fields)
    return caught.value


def environ(pid: int) -> dict[str, str]:
    pairs = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return dict(pair.decode().split("=", 1) for pair in pairs if b"=" in pair)


def test_one_is_written_read_replaced_and_deleted_beside_those_of_workspaces(daemon: Daemon) -> None:
    source = WORKER.removeprefix("kind: process\n")
    written = daemon.call("TemplateCreate", name="worker", kind="process", source=source)
    assert Path(written["path"]).read_text() == WORKER
    assert daemon.call("TemplateCreate", name="worker", source=WORKER)["path"] == written["path"]
    assert "worker" not in [one["name"] for one in daemon.call("TemplateList")["templates"]]
    (listed,) = daemon.call("TemplateList", kind="process")["templates"]
    assert (listed["name"], listed["description"], listed["kind"]) == ("worker", "A worker", "process")
    assert [one["name"] for one in listed["variables"]] == ["seconds", "mode"]
    told = daemon.call("TemplateGet", name="worker")
    assert (told["template"], told["settings"], told["source"]) == (listed, [], WORKER)
    assert told["notes"] == ["it needs a value for mode"]
    told = daemon.call("TemplateGet", name="worker", kind="process", variables={"mode": "slow"})
    assert (told["settings"][0]["argv"], told["settings"][0]["env"]["MODE"]) == (["sleep", "1000"], "slow")
    assert refusal(daemon, "TemplateGet", name="worker", kind="workspace").code == "template.not_found"
    assert refusal(daemon, "TemplateDelete", name="worker", kind="workspace").code == "template.not_found"
    daemon.call("TemplateUpdate", name="worker", kind="process", source=WORKER + "nice: 3\n", was=WORKER)
    assert daemon.call("TemplateGet", name="worker", variables={"mode": "x"})["settings"][0]["limits"]["nice"] == 3
    daemon.call("TemplateDelete", name="worker", kind="process")
    assert daemon.call("TemplateList", kind="process")["templates"] == []
    assert not Path(written["path"]).exists()


def test_what_could_make_no_process_is_not_written_and_says_where(daemon: Daemon) -> None:
    error = refusal(daemon, "TemplateCreate", name="w", kind="process", source="command: x\nrestart: sometimes\n")
    assert (error.code, error.data["line"], error.data["column"]) == ("template.syntax", 3, 10)
    assert refusal(daemon, "TemplateCheck", source="kind: process\ncommand: 'a {{b}} | c'\n").data["column"] == 13
    checked = daemon.call("TemplateCheck", source=WORKER)
    assert (checked["kind"], checked["plan"]["tabs"]) == ("process", [])
    assert refusal(daemon, "TemplateCreate", name="w", kind="workspace", source=WORKER).code == "command.bad_value"
    assert daemon.call("TemplateList", kind="process")["templates"] == []


def test_a_process_is_added_with_the_values_of_its_variables(daemon: Daemon) -> None:
    daemon.call("TemplateCreate", name="worker", source=WORKER)
    error = refusal(daemon, "ProcessAdd", id="w", template="worker")
    assert error.code == "template.variable_unset"
    assert "Required variable 'mode' is missing" in error.message
    error = refusal(daemon, "ProcessAdd", id="w", template="worker", variables={"mode": "x", "second": "1"})
    assert error.code == "command.bad_value"
    assert "did you mean 'seconds'?" in error.message
    assert daemon.call("ProcessList")["processes"] == []
    added = daemon.call(
        "ProcessAdd", id="w", template="worker", variables={"mode": "a $b", "seconds": "1001"},
        environment={"PATH": "/usr/bin:/bin", "TOKEN": "t"},
    )["process"]  # fmt: skip
    assert (added["argv"], added["restart"]) == (["sleep", "1001"], "never")
    assert {name: environ(added["pid"])[name] for name in ("MODE", "TOKEN")} == {"MODE": "a $b", "TOKEN": "t"}
    added = daemon.call("ProcessAdd", id="v", template="worker", variables={"mode": "x"}, restart="always")["process"]
    assert (added["argv"], added["restart"]) == (["sleep", "1000"], "always")


def test_seed_001s_checks_hold_for_what_a_value_leads_to(daemon: Daemon) -> None:
    source = "kind: process\ncommand: '{{program}}'\nargs: []\ncwd: '/tmp/{{folder}}'\n"
    daemon.call("TemplateCreate", name="any", source=source)
    error = refusal(daemon, "ProcessAdd", id="a", template="any", variables={"program": "a;b", "folder": "x"})
    assert error.code == "process.bad_command"
    assert "Dangerous characters in command" in error.message
    error = refusal(daemon, "ProcessAdd", id="a", template="any", variables={"program": "ls", "folder": "../x"})
    assert error.code == "process.bad_directory"
    assert "Path traversal detected" in error.message


def test_one_that_came_with_a_folder_runs_only_once_it_was_accepted(daemon: Daemon, project: Path) -> None:
    path = project / ".wezparallel" / "worker.yaml"
    path.write_text(WORKER)
    daemon.call("WorkspaceCreate", name="shop", root=str(project), source="panes: [shell]")
    fields: dict[str, Any] = {"template": "worker", "variables": {"mode": "x"}}
    error = refusal(daemon, "ProcessAdd", id="shop/w", **fields)
    assert (error.code, error.data["path"]) == ("template.untrusted", str(path))
    assert any("sleep 1000" in line for line in error.data["commands"])
    daemon.call("TemplateTrust", name=str(path), root=str(project), sha256=error.data["sha256"])
    added = daemon.call("ProcessAdd", id="shop/w", **fields)["process"]
    assert (added["argv"], added["cwd"]) == (["sleep", "1000"], str(project))
    daemon.call("ProcessAdd", id="shop/v", template="worker", variables={"mode": "y"})  # other values, the same text
    path.write_text(WORKER.replace("command: sleep", "command: cat"))
    assert refusal(daemon, "ProcessAdd", id="shop/u", **fields).code == "template.untrusted"


def test_a_workspaces_own_definition_goes_before_and_its_processes_can_begin_with_one(
    daemon: Daemon, project: Path
) -> None:
    daemon.call("TemplateCreate", name="worker", source=WORKER)
    daemon.call("TemplateCreate", name="other", source=WORKER)
    template = (
        "process_templates: { worker: { command: [sleep, '7'] } }\n"
        "processes: { a: { template: other, variables: { mode: m, seconds: 2000 } } }\n"
    )
    daemon.call("TemplateCreate", name="both", source=template)
    daemon.call("WorkspaceCreate", name="shop", root=str(project), template="both")
    assert daemon.call("ProcessGet", process="shop/a")["process"]["argv"] == ["sleep", "2000"]
    assert daemon.call("ProcessAdd", id="shop/b", template="worker")["process"]["argv"] == ["sleep", "7"]
    made = daemon.call("ProcessAdd", id="shop/c", template="other", variables={"mode": "x"})["process"]
    assert made["argv"] == ["sleep", "1000"]
