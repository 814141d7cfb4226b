"""The template language through the public socket: what is started, and what is written down of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.errors import RequestError

pytestmark = pytest.mark.one_daemon

SECRET = "s3cret-of-a-caller"
SLEEP = "exec sleep 1000"


def environ(pid: int) -> dict[str, str]:
    pairs = (entry.partition("=") for entry in Path(f"/proc/{pid}/environ").read_text().split("\0"))
    return {name: value for name, _, value in pairs if name}


def processes(daemon: Daemon, workspace: str = "shop") -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in daemon.call("ProcessList", workspace=workspace)["processes"]}


def create(daemon: Daemon, source: str, root: Path, **fields: Any) -> Any:
    return daemon.call("WorkspaceCreate", name="shop", source=source, root=str(root), **fields)


def test_secrets_reach_the_process_and_no_file(daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FILE_SECRET=of-a-file-s3cret\nPORT=81\n")
    reply = create(
        daemon,
        "env_file: .env\n"
        "variables: { URL: 'http://u:${CALLER_SECRET}@h' }\n"
        "env: { A: '${URL}:${PORT}', B: '${FILE_SECRET}', C: '${NOWHERE}', D: '$$5 ${NAMED}' }\n"
        f"panes: {{ a: 'echo ${{PORT}}; {SLEEP}' }}",
        tmp_path,
        variables={"NAMED": "n", "TYPO": "x"},
        environment={"PATH": "/usr/bin:/bin", "CALLER_SECRET": SECRET},
    )
    (note,) = reply["notes"]
    assert note.startswith("nothing uses the variable TYPO; known are: ")
    one = processes(daemon)["a"]
    assert one["command"] == f"echo 81; {SLEEP}"
    assert one["reason"] == "C was left out: NOWHERE is not set"
    env = environ(one["pid"])
    assert (env["A"], env["B"], env["D"], env["FILE_SECRET"]) == (
        f"http://u:{SECRET}@h:81", "of-a-file-s3cret", "$5 n", "of-a-file-s3cret",
    )  # fmt: skip
    assert "C" not in env
    daemon.call("ProcessRestart", process="shop/a")
    assert environ(processes(daemon)["a"]["pid"])["A"] == f"http://u:{SECRET}@h:81"
    told = daemon.call("WorkspaceGet", name="shop")
    assert SECRET not in str(told)
    written = [one for one in (daemon.home / "state").rglob("*") if one.is_file()]
    assert any(one.name.startswith("state.db") for one in written)
    for file in written:
        content = file.read_bytes()
        assert SECRET.encode() not in content, file
        assert b"of-a-file-s3cret" not in content, file


def test_a_changed_file_of_variables_acts_at_the_next_start(daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\n")
    create(daemon, f"env_file: .env\npanes: {{ a: '{SLEEP}' }}", tmp_path)
    assert environ(processes(daemon)["a"]["pid"])["A"] == "1"
    (tmp_path / ".env").write_text("A=2\n")
    daemon.call("ProcessRestart", process="shop/a")
    assert environ(processes(daemon)["a"]["pid"])["A"] == "2"


def test_an_agent_is_told_its_prompt_once(daemon: Daemon, tmp_path: Path) -> None:
    agent = tmp_path / "claude"
    agent.write_text('#!/bin/sh\nprintf "%s\\n" "$#:$1" >> "$OUT"\nexec sleep 1000\n')
    agent.chmod(0o755)
    out = tmp_path / "out"
    create(
        daemon, f"env: {{ OUT: '{out}' }}\npanes: {{ a: {{ agent: claude, prompt: 'Read it''s TODO' }} }}", tmp_path,
        environment={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )  # fmt: skip
    until(lambda: out.exists() and out.read_text() == "1:Read it's TODO\n", 10, "the prompt")
    daemon.call("ProcessRestart", process="shop/a")
    until(lambda: out.read_text() == "1:Read it's TODO\n0:\n", 10, "a start without a prompt")


def test_variables_of_up_are_known_to_the_next_look_at_the_template(daemon: Daemon, tmp_path: Path) -> None:
    source = "variables: { N: 1 }\npanes: { a: { command: [sleep, '${S}'], replicas: '${N}' } }"
    create(daemon, source, tmp_path, variables={"S": "1000", "N": "2"})
    assert sorted(processes(daemon)) == ["a-1", "a-2"]
    planned = daemon.call("WorkspaceApply", name="shop", source=source, dry_run=True)
    assert {one["kind"] for one in planned["changes"]} == {"kept"}
    applied = daemon.call("WorkspaceApply", name="shop", source=source, variables={"N": "3"})
    assert {one["name"]: one["kind"] for one in applied["changes"]}["a-3"] == "added"
    with pytest.raises(RequestError) as caught:
        create(daemon, source.replace("shop", "other"), tmp_path, unique=True)
    assert caught.value.code in {"template.variable_unset", "workspace.exists"}


def test_a_variable_without_a_value_opens_nothing(daemon: Daemon, tmp_path: Path) -> None:
    with pytest.raises(RequestError) as caught:
        create(daemon, "panes: { a: 'x ${NOWHERE_AT_ALL}' }", tmp_path)
    assert caught.value.code == "template.variable_unset"
    assert daemon.call("WorkspaceList")["workspaces"] == []


def test_what_runs_in_the_pane_itself_is_not_started_by_the_daemon(daemon: Daemon, tmp_path: Path) -> None:
    reply = create(daemon, "panes: { a: { command: [sleep, '1000'], direct: true }, b: [sleep, '1000'] }", tmp_path)
    assert {one["process_id"]: one["now"] for one in reply["processes"]} == {
        "shop/a": "not_started", "shop/b": "spawned",
    }  # fmt: skip
    assert [pane["direct"] for pane in reply["plan"]["tabs"][0]["panes"]] == [True, False]
    for command in ("ProcessStart", "ProcessRestart"):
        with pytest.raises(RequestError) as caught:
            daemon.call(command, process="shop/a")
        assert (caught.value.code, caught.value.data["direct"]) == ("process.bad_state", True)
    source = "panes: { a: { command: [sleep, '1000'], direct: true }, c: { command: [sleep, '1'], direct: true } }"
    applied = daemon.call("WorkspaceApply", name="shop", source=source)
    assert {one["process_id"]: one["now"] for one in applied["processes"]}["shop/c"] == "not_started"


TEMPLATES = """\
process_templates:
  worker:
    { command: sleep, args: ["${SECONDS_}"], env: { A: 1, B: "${T}" }, restart: never, variables: { SECONDS_: 1000 } }
panes: { a: [sleep, "1000"] }
"""


def test_a_process_can_be_added_from_a_definition_of_its_workspaces_template(daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / "wezparallel.yaml").write_text(TEMPLATES)
    told = daemon.call("TemplateGet", root=str(tmp_path))
    daemon.call("TemplateTrust", root=str(tmp_path), sha256=told["sha256"])
    daemon.call(
        "WorkspaceCreate", name="shop", root=str(tmp_path), environment={"PATH": "/usr/bin:/bin", "T": SECRET}
    )
    added = daemon.call("ProcessAdd", id="shop/w", template="worker", variables={"SECONDS_": "1001"}, env={"A": "2"})
    assert added["process"]["argv"] == ["sleep", "1001"]
    assert added["process"]["restart"] == "never"
    assert {name: environ(added["process"]["pid"]).get(name) for name in ("A", "B")} == {"A": "2", "B": None}
    told = daemon.call(
        "ProcessAdd",
        id="shop/v",
        template="worker",
        restart="always",
        environment={"PATH": "/usr/bin:/bin", "T": "t"},
    )
    assert (told["process"]["argv"], told["process"]["restart"]) == (["sleep", "1000"], "always")
    assert environ(told["process"]["pid"])["B"] == "t"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"template": "nope"}, "template.not_found"), ({}, "command.bad_value"),
        ({"template": "worker", "command": "sleep"}, "command.bad_value"),
    ],
)  # fmt: skip
def test_a_process_has_a_command_or_a_definition_that_is_there(
    daemon: Daemon, tmp_path: Path, fields: dict[str, Any], code: str
) -> None:
    daemon.call("WorkspaceCreate", name="shop", source=TEMPLATES, root=str(tmp_path))
    with pytest.raises(RequestError) as caught:
        daemon.call("ProcessAdd", id="shop/w", **fields)
    assert caught.value.code == code


def test_an_untrusted_template_lends_no_definition(daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / "wezparallel.yaml").write_text(TEMPLATES)
    daemon.call("WorkspaceCreate", name="shop", source="panes: [sleep 1000]", root=str(tmp_path))
    with pytest.raises(RequestError) as caught:
        daemon.call("ProcessAdd", id="shop/w", template="worker")
    assert caught.value.code == "template.untrusted"


def test_trust_holds_for_what_is_written_whatever_variables_it_is_opened_with(daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / "wezparallel.yaml").write_text("panes: { a: { command: [sleep, '${S}'] } }")
    told = daemon.call("TemplateGet", root=str(tmp_path), variables={"S": "1000"})
    daemon.call("TemplateTrust", root=str(tmp_path), sha256=told["sha256"], variables={"S": "1000"})
    daemon.call(
        "WorkspaceCreate", name="shop", root=str(tmp_path), environment={"PATH": "/bin:/usr/bin", "S": "1001"}
    )
    assert processes(daemon)["a"]["argv"] == ["sleep", "1001"]
    (tmp_path / "wezparallel.yaml").write_text("panes: { a: { command: [sleep, '${S}', '1'] } }")
    with pytest.raises(RequestError) as caught:
        daemon.call("WorkspaceApply", name="shop", template=str(tmp_path / "wezparallel.yaml"), variables={"S": "1"})
    assert caught.value.code == "template.untrusted"
