"""A process asks for a look; its environment is told to those who may know it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.client.frames import FramesViewer
from wezparallel.errors import RequestError

pytestmark = pytest.mark.one_daemon


def add(daemon: Daemon, name: str = "a", **fields: Any) -> dict[str, Any]:
    return daemon.call("ProcessAdd", id=name, command="cat", **{"tty": True, **fields})["process"]


def notice(daemon: Daemon, name: str = "a") -> Any:
    return daemon.call("ProcessGet", process=name)["process"]["notified"]


def test_a_notice_stays_until_somebody_types_or_looks_or_it_is_taken_back(daemon: Daemon) -> None:
    add(daemon)
    daemon.call("ProcessNotify", process="a", text="tests are green")
    assert notice(daemon)["text"] == "tests are green"
    before = daemon.kill_hub()
    until(lambda: daemon.hub_pid() != before, 10, "the next hub")
    assert notice(daemon)["text"] == "tests are green"
    daemon.call("ProcessType", process="a", text="x")
    assert notice(daemon) is None
    daemon.call("ProcessNotify", process="a", text="look")
    with closing(FramesViewer.connect("a", path=f"{daemon.runtime}/keeper.sock")):
        until(lambda: notice(daemon) is None, 10, "the look")
    daemon.call("ProcessNotify", process="a", text="look again")
    daemon.call("ProcessNotify", process="a")
    assert notice(daemon) is None
    daemon.call("ProcessNotify", process="a", text="what this run has to say")
    daemon.call("ProcessRestart", process="a")
    assert notice(daemon) is None


def test_a_notice_is_one_line_that_cannot_move_a_cursor(daemon: Daemon) -> None:
    add(daemon)
    daemon.call("ProcessNotify", process="a", text="\x1b[2J two\nlines\x07 ")
    assert notice(daemon)["text"] == "[2J two lines"
    with pytest.raises(RequestError) as refused:
        daemon.call("ProcessNotify", process="a", text="x" * 501)
    assert refused.value.code == "command.bad_value"
    with pytest.raises(RequestError) as refused:
        daemon.call("ProcessNotify", process="nobody", text="x")
    assert refused.value.code == "process.not_found"


def test_a_bell_and_a_notification_of_a_program_are_notices(daemon: Daemon) -> None:
    calls = (r"\a", r"\033]777;notify;Claude;needs you\007", r"\a")
    lines = "; ".join(f"read -r go; printf '{call}'" for call in calls)
    daemon.call("ProcessAdd", id="b", command="sh", args=["-c", f"stty -echo; {lines}; exec sleep 1000"], tty=True)
    daemon.call("ProcessType", process="b", text="\r")
    until(lambda: (notice(daemon, "b") or {}).get("text") == "rang the bell", 10, "the bell")
    daemon.call("ProcessType", process="b", text="\r")
    until(lambda: (notice(daemon, "b") or {}).get("text") == "Claude: needs you", 10, "the notification")
    with closing(FramesViewer.connect("b", path=f"{daemon.runtime}/keeper.sock")):
        until(lambda: notice(daemon, "b") is None, 10, "the look")


def variables(daemon: Daemon, name: str, **fields: Any) -> dict[str, dict[str, Any]]:
    told = daemon.call("EnvironmentGet", process=name, **fields)["variables"]
    assert [one["name"] for one in told] == sorted(one["name"] for one in told)
    return {one["name"]: one for one in told}


def test_an_environment_is_what_a_run_gets_with_secrets_covered(daemon: Daemon, tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "API_TOKEN": "swordfish-9f2c", "WEZTERM_PANE": "3", "EDITOR": "vi"}
    out = tmp_path / "out"
    daemon.call(
        "ProcessAdd", id="e", command="sh", args=["-c", f"env > {out}.part; mv {out}.part {out}; sleep 1000"],
        env={"MODE": "test", "DB_URL": "postgres://me:perch@db/x"}, environment=environment, tty=True,
    )  # fmt: skip
    until(out.exists, 10, "its environment")
    real = dict(line.partition("=")[::2] for line in out.read_text().splitlines())
    told = variables(daemon, "e", show_secrets=True)
    for name, value in told.items():
        if value["value"] is not None:
            assert real[name] == value["value"]
        assert name in real
    assert set(real) - set(told) <= {"PWD", "_", "SHLVL", "OLDPWD", "LINES", "COLUMNS"}
    assert "WEZTERM_PANE" not in told
    assert (told["EDITOR"]["origin"], told["MODE"]["origin"], told["WEZPARALLEL_RUN"]["value"]) == (
        "caller", "template", None,
    )  # fmt: skip
    covered = variables(daemon, "e")
    assert (covered["API_TOKEN"]["value"], covered["API_TOKEN"]["masked"]) == (None, True)
    assert "perch" not in str(covered)
    assert covered["EDITOR"]["masked"] is False
    for path in (daemon.home / "state").rglob("*"):
        if path.is_file():
            assert b"swordfish-9f2c" not in path.read_bytes(), path


def test_what_is_filled_in_at_a_start_and_what_isolation_takes_away_is_told_too(
    daemon: Daemon, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("FROM_FILE=1\n")
    out = tmp_path / "out"
    source = f"""
env_file: [.env]
panes:
  e:
    command: [sh, -c, 'env > {out}.part; mv {out}.part {out}; sleep 1000']
    isolate: true
    env: {{ MODE: "${{EDITOR}}-mode" }}
"""
    environment = {"PATH": "/usr/bin:/bin", "EDITOR": "vi", "SECRET_OF_MINE": "swordfish"}
    daemon.call("WorkspaceCreate", name="w", source=source, root=str(tmp_path), environment=environment)
    until(out.exists, 10, "its environment")
    real = dict(line.partition("=")[::2] for line in out.read_text().splitlines())
    told = variables(daemon, "w/e", show_secrets=True)
    assert {name: one["value"] for name, one in told.items() if one["value"] is not None}.items() <= real.items()
    assert ("SECRET_OF_MINE" in told, told["MODE"]["value"], told["FROM_FILE"]["value"]) == (False, "vi-mode", "1")


def test_an_agent_may_know_the_environment_of_its_own_workspace_only(daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / "ask.py").write_text(
        "import json, os, socket, sys\n"
        "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
        "for p in sys.argv[2:]:\n"
        "    s.sendall(json.dumps({'EnvironmentGet': {'process': p}, 'id': 1}).encode() + b'\\n')\n"
        "    print(next(iter(json.loads(s.makefile().readline()).items())), flush=True)\n"
        "print('done', flush=True)\nsys.stdin.read()\n"
    )
    daemon.call("ProcessAdd", id="theirs/x", command="sleep", args=["1000"], root=str(tmp_path))
    daemon.call("ProcessAdd", id="own/x", command="sleep", args=["1000"], root=str(tmp_path))
    daemon.call(
        "ProcessAdd", id="own/coder", command="python3", agent="claude_code",
        args=[str(tmp_path / "ask.py"), daemon.socket, "own/x", "theirs/x"],
    )  # fmt: skip

    def said() -> list[str]:
        entries = daemon.call("LogRead", process="own/coder", lines=100)["chunks"]
        return "".join(entry["text"] for entry in entries).splitlines()

    until(lambda: said()[-1:] == ["done"], 20, "both answers")
    own, theirs, _ = said()
    assert own.startswith("('Environment'")
    assert "caller.agent_not_allowed" in theirs


def test_figures_are_told_to_those_who_ask_for_them_by_name_alone(daemon: Daemon) -> None:
    add(daemon)
    with daemon.client() as looking, daemon.client() as others:
        all_else = others.subscribe(["*"])
        for message in looking.subscribe(["metric.sampled"]):
            data = message["Event"]["data"]
            if data["processes"]:
                break
        assert data["memory_bytes"] > 0
        add(daemon, "b")
        names = []
        for message in all_else:
            names.append(message["Event"]["name"])
            if names[-1] == "process.running":
                break
    assert "metric.sampled" not in names
