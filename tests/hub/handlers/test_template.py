"""Templates through the public socket: what is listed, what may run, what is written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.errors import RequestError

pytestmark = pytest.mark.one_daemon

TWO = "panes:\n  a: [sleep, '1000']\n  b: [sleep, '2000']\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "wezparallel.yaml").write_text(TWO)
    return folder


def refusal(daemon: Daemon, command: str, **fields: Any) -> RequestError:
    with pytest.raises(RequestError) as caught:
        daemon.call(command, **fields)
    return caught.value


def test_a_list_says_what_each_template_is(daemon: Daemon, project: Path) -> None:
    text = "description: The shop\npanes: [claude, shell]\nprocesses: { db: x }\n"
    (project / "wezparallel.yaml").write_text(text)
    first = daemon.call("TemplateList", root=str(project))["templates"][0]
    assert first == {
        "name": "wezparallel", "description": "The shop", "path": str(project / "wezparallel.yaml"),
        "origin": "folder", "processes": 3, "trusted": False, "kind": "workspace", "variables": [], "category": "",
        "tags": [],
    }  # fmt: skip


def test_a_template_that_does_not_compile_is_listed_and_says_why(daemon: Daemon, project: Path) -> None:
    (project / "wezparallel.yaml").write_text("pane: [claude]\n")
    first = daemon.call("TemplateList", root=str(project))["templates"][0]
    assert first["description"] == "does not compile: wezparallel.yaml:1:1: a template has no key 'pane'"


def test_a_template_that_came_with_its_folder_runs_only_after_it_was_accepted(daemon: Daemon, project: Path) -> None:
    error = refusal(daemon, "WorkspaceCreate", root=str(project))
    assert error.code == "template.untrusted"
    assert [line.split() for line in error.data["commands"]] == [["a", "sleep", "1000"], ["b", "sleep", "2000"]]
    assert daemon.call("WorkspaceList")["workspaces"] == []
    daemon.call("TemplateTrust", root=str(project), sha256=error.data["sha256"])
    assert daemon.call("TemplateList", root=str(project))["templates"][0]["trusted"]
    assert daemon.call("WorkspaceCreate", root=str(project))["workspace"]["running"] == 2


def test_what_was_accepted_is_known_to_the_next_hub(daemon: Daemon, project: Path) -> None:
    told = daemon.call("TemplateGet", root=str(project))
    daemon.call("TemplateTrust", root=str(project), sha256=told["sha256"])
    daemon.kill_hub()
    assert daemon.call("TemplateGet", root=str(project))["template"]["trusted"]


def test_a_comment_asks_nothing_again_and_a_changed_command_shows_as_a_difference(
    daemon: Daemon, project: Path
) -> None:
    file = project / "wezparallel.yaml"
    told = daemon.call("TemplateGet", root=str(project))
    daemon.call("TemplateTrust", root=str(project), sha256=told["sha256"])
    file.write_text("# a comment\n" + TWO)
    assert daemon.call("TemplateGet", root=str(project))["template"]["trusted"]
    file.write_text(TWO.replace("2000", "3000"))
    error = refusal(daemon, "WorkspaceCreate", root=str(project))
    assert [line.split() for line in error.data["changes"]] == [
        ["-", "b", "sleep", "2000"],
        ["+", "b", "sleep", "3000"],
    ]
    file.write_text(TWO)  # another branch, and back
    assert daemon.call("TemplateGet", root=str(project))["template"]["trusted"]


def test_a_longer_name_beside_it_makes_no_difference_of_a_command(daemon: Daemon, project: Path) -> None:
    file = project / "wezparallel.yaml"
    told = daemon.call("TemplateGet", root=str(project))
    daemon.call("TemplateTrust", root=str(project), sha256=told["sha256"])
    file.write_text(TWO.rstrip() + "\n  longer: x  y\n")
    error = refusal(daemon, "WorkspaceCreate", root=str(project))
    assert error.data["changes"] == ["+ longer  x  y"]


def test_what_is_not_a_command_but_steers_one_is_part_of_what_is_accepted(daemon: Daemon, project: Path) -> None:
    file = project / "wezparallel.yaml"
    hashes = set()
    for text in (
        "panes: { a: x }", "env: { PATH: . }\npanes: { a: x }", "panes: { a: { command: x, env: { A: b } } }",
        "panes: { a: { command: x, cwd: sub } }", "panes: { a: { command: x, may: [ProcessType] } }",
        "panes: { a: { command: x } }", "panes: { a: { command: x, restart: always } }", "root: sub\npanes: { a: x }",
    ):  # fmt: skip
        file.write_text(text)
        hashes.add(daemon.call("TemplateGet", root=str(project))["sha256"])
    assert len(hashes) == 7  # when it is restarted is harmless


def test_only_what_was_shown_can_be_accepted(daemon: Daemon, project: Path) -> None:
    told = daemon.call("TemplateGet", root=str(project))
    (project / "wezparallel.yaml").write_text("panes: { a: evil }\n")
    error = refusal(daemon, "TemplateTrust", root=str(project), sha256=told["sha256"])
    assert error.code == "template.untrusted"
    assert error.data["commands"] == ["a  evil"]
    assert refusal(daemon, "TemplateTrust", root=str(project), sha256="no hash").code == "command.bad_value"


def test_a_secret_is_masked_where_commands_are_shown_and_yet_part_of_the_hash(daemon: Daemon, project: Path) -> None:
    file = project / "wezparallel.yaml"
    file.write_text("env: { API_TOKEN: one }\npanes: { a: x }\n")
    before = daemon.call("TemplateGet", root=str(project))
    assert before["commands"] == ["a  x", "    env: API_TOKEN=•••"]
    daemon.call("TemplateTrust", root=str(project), sha256=before["sha256"])
    file.write_text("env: { API_TOKEN: two }\npanes: { a: x }\n")
    error = refusal(daemon, "WorkspaceCreate", root=str(project))
    assert error.data["changes"] == ["  (a value that is not shown has changed)"]


def test_what_the_user_wrote_into_their_own_folder_and_the_built_ins_need_no_question(
    daemon: Daemon, project: Path
) -> None:
    daemon.call("TemplateCreate", name="mine", source=TWO)
    assert daemon.call("WorkspaceCreate", name="x", root=str(project), template="mine")["workspace"]["running"] == 2
    assert daemon.call("WorkspaceCreate", name="y", root=str(project), template="basic")


def test_a_path_outside_of_the_users_folder_asks_however_it_is_written(daemon: Daemon, project: Path) -> None:
    other = project / "other.yaml"
    other.write_text(TWO)
    around = daemon.home / "config" / "wezterm-parallel" / "templates"
    around.mkdir(parents=True)
    for path in (other, f"{around}/../../../../shop/other.yaml", f"{project}/./other.yaml"):
        error = refusal(daemon, "WorkspaceCreate", root=str(project), template=str(path))
        assert error.code in ("template.untrusted", "template.not_found"), path


def test_an_agent_may_accept_nothing_and_write_no_template(daemon: Daemon, project: Path) -> None:
    sha256 = daemon.call("TemplateGet", root=str(project))["sha256"]
    requests = [
        {"TemplateTrust": {"root": str(project), "sha256": sha256}},
        {"TemplateCreate": {"name": "evil", "source": TWO}},
    ]
    script = (
        "import json, os, sys\nfrom wezparallel.client.sync import Client\n"
        "for request in json.loads(sys.argv[1]):\n"
        "    try:\n        Client(sys.argv[2]).call(*next(iter(request.items())))\n"
        "        print('done')\n"
        "    except Exception as error:\n        print(error.code)\n"
    )
    may = json.dumps(["TemplateTrust", "TemplateCreate"])
    argv = json.dumps([sys.executable, "-c", script, json.dumps(requests), daemon.socket])
    source = f"panes:\n  bot: {{ command: {argv}, agent: codex, may: {may}, restart: never }}\n"
    daemon.call("WorkspaceCreate", name="w", root=str(project), source=source)
    assert _output(daemon).split() == ["caller.agent_not_allowed"] * 2


def _output(daemon: Daemon) -> str:
    def text() -> str:
        return "".join(chunk["text"] for chunk in daemon.call("LogRead", process="w/bot", lines=9)["chunks"])

    until(lambda: text().count("\n") >= 2, 20, "two answers")
    return text()


def test_templates_are_created_replaced_and_deleted_in_the_users_folder_only(daemon: Daemon) -> None:
    created = daemon.call("TemplateCreate", name="mine", source=TWO)
    path = Path(created["path"])
    assert path == daemon.home / "config" / "wezterm-parallel" / "templates" / "mine.yaml"
    assert path.read_text() == TWO
    assert refusal(daemon, "TemplateCreate", name="mine", source=TWO + "# other\n").code == "command.bad_value"
    assert daemon.call("TemplateCreate", name="mine", source=TWO) == created  # a retry
    changed = refusal(daemon, "TemplateUpdate", name="mine", source="panes: [shell]\n", was="something else")
    assert "changed meanwhile" in changed.message
    daemon.call("TemplateUpdate", name="mine", source="panes: [shell]\n", was=TWO)
    assert path.read_text() == "panes: [shell]\n"
    daemon.call("TemplateDelete", name="mine")
    assert not path.exists()
    assert refusal(daemon, "TemplateDelete", name="mine").code == "template.not_found"
    assert [one.name for one in path.parent.iterdir()] == []


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "-x", "", "x.yaml", "a\nb", "ä" * 150, "framework"])
def test_a_template_cannot_have_a_name_that_leads_elsewhere(daemon: Daemon, name: str) -> None:
    assert refusal(daemon, "TemplateCreate", name=name, source=TWO).code == "command.bad_value"
    assert refusal(daemon, "TemplateDelete", name=name).code == "command.bad_value"


def test_what_does_not_compile_is_not_written(daemon: Daemon) -> None:
    assert refusal(daemon, "TemplateCreate", name="mine", source="pans: [x]\n").code == "template.syntax"
    assert refusal(daemon, "TemplateUpdate", name="mine", source=TWO).code == "template.not_found"


def test_a_link_to_another_place_is_neither_replaced_nor_deleted(daemon: Daemon, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere.yaml"
    other.write_text(TWO)
    folder = daemon.home / "config" / "wezterm-parallel" / "templates"
    folder.mkdir(parents=True)
    (folder / "linked.yaml").symlink_to(other)
    for command, rest in (("TemplateUpdate", {"source": "panes: [shell]\n"}), ("TemplateDelete", {})):
        assert "link to another place" in refusal(daemon, command, name="linked", **rest).message
    assert other.read_text() == TWO


def test_everyone_is_told_of_a_changed_template(daemon: Daemon) -> None:
    daemon.call("TemplateCreate", name="mine", source=TWO)
    daemon.call("TemplateDelete", name="mine")
    shown = subprocess.run(
        [sys.executable, "-m", "wezparallel", "events", "template.*", "--json"],
        env=daemon.env, capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    events = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [event["data"]["change"] for event in events][-2:] == ["created", "deleted"]


def test_what_all_processes_have_is_shown_once(daemon: Daemon, project: Path) -> None:
    (project / "wezparallel.yaml").write_text("env: { A: b }\npanes: { x: { command: x, env: { C: d } }, y: y }\n")
    shown = daemon.call("TemplateGet", root=str(project))["commands"]
    assert shown == ["all of them: A=b", "x  x", "    env: C=d", "y  y"]
