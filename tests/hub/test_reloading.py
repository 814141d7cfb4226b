"""A real daemon whose configuration is read at the start and again while it runs."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.configured import configured_daemon, write_config
from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.errors import RequestError

SEED = (Path(__file__).parents[1] / "compat" / "seed_002_config.yaml").read_text()


def events(daemon: Daemon, name: str) -> list[dict[str, Any]]:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(daemon.socket)
        sock.sendall(b'{"Subscribe":{"events":["%s"],"since":0},"id":1}\n{"Ping":{},"id":2}\n' % name.encode())
        data = b""
        while True:
            data += sock.recv(65536)
            lines = data.split(b"\n")
            values = [json.loads(line) for line in lines[:-1]]
            found = [value["Event"] for value in values if "Event" in value]
            if found:
                return found


def test_the_seeds_file_holds_in_a_real_daemon_and_keeps_its_secret(tmp_path: Path) -> None:
    agent = tmp_path / "claude"
    agent.write_text('#!/bin/sh\necho "key=$CLAUDE_API_KEY level=$LEVEL other=${OTHER-unset}"\nsleep 60\n')
    agent.chmod(0o755)
    text = SEED.replace("  claude_code:\n", f"  claude_code:\n    command: {agent}\n", 1).replace(
        'CLAUDE_API_KEY: "${CLAUDE_API_KEY}"', 'CLAUDE_API_KEY: "${CLAUDE_API_KEY}"\n      OTHER: "${UNSET_HERE}"'
    )
    with configured_daemon(tmp_path, text) as daemon:
        held = daemon.call("ConfigGet")
        assert (held["errors"], held["warnings"], held["notes"]) == ([], [], [])
        assert held["templates"] == ["default", "web_dev"]
        environment = {"PATH": os.environ["PATH"], "CLAUDE_API_KEY": "hush-hush", "HOME": str(daemon.home)}
        daemon.call("ProcessAdd", id="coder", command="claude", agent="claude_code", environment=environment)
        assert daemon.call("ProcessGet", process="coder")["process"]["restart"] == "always"
        until(lambda: "\n" in log_of(daemon, "coder"), 10, "its first line")
        assert log_of(daemon, "coder").strip() == "key=hush-hush level= other=unset"
        files = [path for path in daemon.home.rglob("*") if path.is_file() and "logs" not in path.parts]
        assert not [path.name for path in files if b"hush-hush" in path.read_bytes()]
        reason = daemon.call("ProcessGet", process="coder")["process"]["reason"]
        assert reason == "OTHER was left out: UNSET_HERE is not set"
        hub_log = (daemon.home / "state" / "wezterm-parallel" / "hub.log").read_text()
        assert "environment.left_out" in hub_log
        assert "OTHER" in hub_log


def log_of(daemon: Daemon, process: str) -> str:
    return "".join(chunk["text"] for chunk in daemon.call("LogRead", process=process, lines=10)["chunks"])


def test_a_limit_that_is_raised_holds_at_once(tmp_path: Path) -> None:
    with configured_daemon(tmp_path, "workspaces: { max_workspaces: 1 }\n") as daemon:
        daemon.call("WorkspaceCreate", name="one", root=str(tmp_path), source="panes: [cat]\n")
        with pytest.raises(RequestError) as refused:
            daemon.call("WorkspaceCreate", name="two", root=str(tmp_path), source="panes: [cat]\n")
        assert refused.value.code == "workspace.limit"
        assert "workspaces.max_workspaces" in refused.value.message
        write_config(daemon.home, "workspaces: { max_workspaces: 2 }\n")
        assert daemon.call("ConfigReload")["changed"] == ["workspaces.max_workspaces"]
        daemon.call("WorkspaceCreate", name="two", root=str(tmp_path), source="panes: [cat]\n")
        assert events(daemon, "config.changed")[0]["data"]["changed"] == ["workspaces.max_workspaces"]


def test_a_bad_file_changes_nothing_and_is_told(tmp_path: Path) -> None:
    with configured_daemon(tmp_path, "web: { port: 9 }\n") as daemon:
        write_config(daemon.home, "web:\n  port: none of them\n")
        with pytest.raises(RequestError) as refused:
            daemon.call("ConfigReload")
        assert refused.value.code == "config.bad_value"
        assert (refused.value.data["line"], refused.value.data["column"]) == (2, 9)
        held = daemon.call("ConfigGet")
        assert {value["option"]: value["value"] for value in held["values"]}["web.port"] == 9
        assert "web.port" in held["errors"][0]["message"]
        assert "web.port" in daemon.call("Status")["config_error"]
        rejected = events(daemon, "config.rejected")[0]["data"]
        assert "`web.port` cannot be 'none of them'" in rejected["message"]
        write_config(daemon.home, "web: { port: 9 }\n")
        assert daemon.call("ConfigReload")["changed"] == []
        assert daemon.call("Status")["config_error"] is None


def test_a_daemon_with_a_bad_file_starts_with_the_defaults_and_says_so(tmp_path: Path) -> None:
    with configured_daemon(tmp_path, "workspaces: { max_workspaces: 1\nweb: { port: 9 }\n") as daemon:
        held = daemon.call("ConfigGet")
        assert {value["option"]: value["value"] for value in held["values"]}["workspaces.max_workspaces"] == 8
        assert "this is not YAML" in held["errors"][0]["message"]
        assert "config.bad_value" in (daemon.home / "state" / "wezterm-parallel" / "hub.log").read_text()


def test_sighup_reads_the_file_again_and_the_log_level_acts(tmp_path: Path) -> None:
    log = tmp_path / "home" / "state" / "wezterm-parallel" / "hub.log"
    with configured_daemon(tmp_path, "framework: { log_level: error }\n") as daemon:
        pid = daemon.hub_pid()
        assert "hub.serving" not in log.read_text()
        write_config(daemon.home, "framework: { log_level: info }\n")
        os.kill(pid, signal.SIGHUP)
        until(lambda: "config.changed" in log.read_text(), 10, "the change in the log")
        write_config(daemon.home, "framework: { log_level: loud }\n")
        os.kill(pid, signal.SIGHUP)
        until(lambda: "config.rejected" in log.read_text(), 10, "the rejection in the log")
        assert daemon.hub_pid() == pid


def test_the_link_goes_where_the_configuration_says_also_after_a_reload(tmp_path: Path) -> None:
    first, second = tmp_path / "one.sock", tmp_path / "deep" / "two.sock"
    with configured_daemon(tmp_path, f"communication: {{ socket_path: {first} }}\n") as daemon:
        assert os.readlink(first) == daemon.socket
        write_config(daemon.home, f"communication: {{ socket_path: {second} }}\n")
        daemon.call("ConfigReload")
        assert not first.is_symlink()
        assert os.readlink(second) == daemon.socket
        os.unlink(second)
        daemon.kill_hub()
        until(second.is_symlink, 10, "the link that the next hub makes again")
    assert not second.is_symlink()


def test_somebody_elses_file_is_not_replaced_by_the_link(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.sock"
    theirs.write_text("mine")
    with configured_daemon(tmp_path, f"communication: {{ socket_path: {theirs} }}\n") as daemon:
        daemon.call("Ping")
        assert "link.taken" in (daemon.home / "state" / "wezterm-parallel" / "hub.log").read_text()
    assert theirs.read_text() == "mine"


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon for what changes nothing of it."""
    text = "workspaces: { default_template: mine, templates: { mine: { processes: { a: cat, b: cat } } } }\n"
    with configured_daemon(tmp_path_factory.mktemp("quiet"), text) as daemon:
        yield daemon


def test_an_agent_may_read_the_configuration_and_not_reload_it(quiet: Daemon, tmp_path: Path) -> None:
    script = tmp_path / "asks"
    script.write_text(
        "import socket, sys\n"
        "for line in (b'{\"ConfigGet\":{}}', b'{\"ConfigReload\":{}}'):\n"
        "    sock = socket.socket(socket.AF_UNIX); sock.connect(sys.argv[1]); sock.sendall(line + b'\\n')\n"
        "    print(sock.makefile().readline()[:60], flush=True)\n"
        "sys.stdin.read()\n"
    )
    quiet.call(
        "ProcessAdd", id="coder", command="python3", args=[str(script), quiet.socket], agent="claude_code",
        environment={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    until(lambda: log_of(quiet, "coder").count("\n") >= 2, 10, "its answers")
    printed = log_of(quiet, "coder").splitlines()
    assert printed[0].startswith('{"Config":')
    assert "caller.agent_not_allowed" in printed[1]


def test_a_check_says_what_is_wrong_and_changes_nothing(quiet: Daemon) -> None:
    found = quiet.call("ConfigCheck", source="web: { port: no }\nwebb: {}\n")
    assert [problem["line"] for problem in found["errors"]] == [1]
    assert "Did you mean 'web'?" in found["warnings"][0]["message"]
    assert quiet.call("ConfigCheck", source="[web]\nport = 1\n", format="toml")["options"] == 1
    assert quiet.call("ConfigCheck")["templates"] == ["mine"]
    with pytest.raises(RequestError) as refused:
        quiet.call("ConfigCheck", path="relative.yaml")
    assert refused.value.code == "command.bad_value"


def test_a_folder_without_a_template_opens_the_configured_one(quiet: Daemon, tmp_path: Path) -> None:
    made = quiet.call("WorkspaceCreate", name="w", root=str(tmp_path))
    assert [one["process_id"] for one in made["processes"]] == ["w/a", "w/b"]


def test_less_room_for_all_output_takes_the_oldest_of_it_at_once_and_a_new_hub_knows_it(tmp_path: Path) -> None:
    logs = tmp_path / "home" / "state" / "wezterm-parallel" / "logs"

    def on_disk() -> int:
        return sum(file.stat().st_size for file in logs.rglob("*") if file.is_file())

    def prints(daemon: Daemon, name: str) -> None:
        script = "head -c 9000000 /dev/zero | tr '\\0' x"
        daemon.call("ProcessAdd", id=name, command="sh", args=["-c", script], log_cap_bytes=16 << 20, restart="never")
        daemon.call("ProcessWait", process=name, **{"for": "exited"})

    with configured_daemon(tmp_path, "") as daemon:
        for name in ("first", "second", "third"):
            prints(daemon, name)
        assert on_disk() > 27_000_000
        write_config(daemon.home, "logs: {total: 16}\n")
        assert daemon.call("ConfigReload")["changed"] == ["logs.total"]
        until(lambda: on_disk() <= 16 << 20, 20, "room")
        assert log_of(daemon, "first") == ""
        os.kill(daemon.call("Status")["hub_pid"], signal.SIGKILL)
        prints(daemon, "fourth")
        prints(daemon, "fifth")
        until(lambda: on_disk() <= 16 << 20, 20, "room again")
