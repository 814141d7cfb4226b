"""Processes that are started ahead: how many, who gets one, when they go; also over the hub's death."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.hub.handlers.test_process import get, is_alive, text_of
from tests.support.commandline import CommandLine
from tests.support.configured import configured_daemon, write_config
from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.errors import RequestError

TWO = "processes: {slow: {min_idle: 2}}\n"
ONE = "processes: {slow: {min_idle: 1}}\n"
SCRIPT = "echo began; exec sleep 1000"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon for all that leave nothing behind."""
    with configured_daemon(tmp_path_factory.mktemp("spares"), TWO) as daemon:
        yield daemon


@pytest.fixture
def daemon(running: Daemon) -> Iterator[Daemon]:
    """A daemon that keeps two spares of the kind `slow`, and where nothing runs."""
    reconfigure(running, TWO)
    yield running
    for workspace in running.call("WorkspaceList")["workspaces"]:
        running.call("WorkspaceDelete", name=workspace["name"])


def ask(daemon: Daemon, script: str = SCRIPT, name: str = "web/agent", **fields: Any) -> dict[str, Any]:
    """Add an agent of the kind `slow`, under any name that is free."""
    fields = {"agent": "slow", "unique": True, "root": str(daemon.home), "restart": "never", **fields}
    return daemon.call("ProcessAdd", id=name, command="sh", args=["-c", script], **fields)


def spares(daemon: Daemon) -> dict[str, dict[str, Any]]:
    """Return the spares by id."""
    return {one["process_id"]: one for one in daemon.call("ProcessList")["processes"] if one["spare"]}


def up(daemon: Daemon) -> set[str]:
    """Return the ids of spares that run."""
    return {process_id for process_id, one in spares(daemon).items() if one["state"] in ("running", "ready")}


def until_up(daemon: Daemon, *names: str) -> None:
    """Wait until exactly these spares are there, and run."""
    wanted = set(names)
    until(lambda: up(daemon) == wanted == set(spares(daemon)), 15, f"the spares {names}")


def reconfigure(daemon: Daemon, text: str) -> None:
    write_config(daemon.home, text)
    daemon.call("ConfigReload")


def test_after_the_first_of_its_kind_as_many_are_started_ahead_and_marked(daemon: Daemon) -> None:
    first = ask(daemon)
    assert (first["now"], first["reused"], first["process"]["process_id"]) == ("spawned", False, "web/agent")
    until_up(daemon, "web/slow.1", "web/slow.2")
    spare = get(daemon, "web/slow.1")
    assert (spare["name"], spare["workspace"], spare["agent"]) == ("slow.1", "web", "slow")
    assert (spare["argv"], spare["cwd"]) == (first["process"]["argv"], first["process"]["cwd"])
    status = daemon.call("Status")
    assert (status["spares"], status["processes"]) == (2, 3)
    workspace = daemon.call("WorkspaceGet", name="web")
    told = workspace["workspace"]
    assert (told["processes"], told["running"], told["spares"]) == (1, 1, 2)
    assert [one["process_id"] for one in workspace["processes"]] == ["web/agent"]
    environment = Path(f"/proc/{spare['pid']}/environ").read_bytes().split(b"\0")
    assert {b"WORKSPACE=web", b"WEZPARALLEL_PROCESS=web/slow.1"} <= set(environment)


def test_the_next_start_takes_the_oldest_as_it_is_and_another_takes_its_place(daemon: Daemon) -> None:
    ask(daemon)
    until_up(daemon, "web/slow.1", "web/slow.2")
    waiting = get(daemon, "web/slow.1")
    seq, epoch = daemon.call("Status")["seq"], daemon.call("Status")["epoch"]
    taken = ask(daemon, restart="always", on_close="ask")
    record = taken["process"]
    assert (taken["now"], taken["reused"], taken["not_reused"]) == ("spawned", True, None)
    assert (record["process_id"], record["pid"], record["run"]) == ("web/slow.1", waiting["pid"], 1)
    assert (record["name"], record["spare"], record["restart"], record["on_close"]) == (
        "agent-2", False, "always", "ask",
    )  # fmt: skip
    assert get(daemon, "web/agent-2")["process_id"] == "web/slow.1"
    assert text_of(daemon, "web/agent-2") == "began\n"
    until_up(daemon, "web/slow.2", "web/slow.3")
    with daemon.client() as client:
        for message in client.subscribe(["process.reused"], since=seq, epoch=epoch):
            assert message["Event"]["data"]["process_id"] == "web/slow.1"
            break


def test_names_of_taken_ones_are_given_to_nobody_else(daemon: Daemon) -> None:
    ask(daemon)
    until_up(daemon, "web/slow.1", "web/slow.2")
    assert [ask(daemon, reuse=reuse)["process"]["name"] for reuse in (True, False, True, False)] == [
        "agent-2", "agent-3", "agent-4", "agent-5",
    ]  # fmt: skip


def test_what_would_differ_from_a_fresh_start_is_not_taken_and_why_is_said(daemon: Daemon) -> None:
    ask(daemon, environment={"PATH": "/usr/bin:/bin", "COLOUR": "a-value", "WINDOWID": "1"})
    until_up(daemon, "web/slow.1", "web/slow.2")
    env = {"PATH": "/usr/bin:/bin", "COLOUR": "blue"}
    said = ask(daemon, "exec sleep 999", cwd="/tmp", environment=env, reuse=True)
    assert (said["reused"], said["process"]["process_id"]) == (False, "web/agent-2")
    assert said["not_reused"] == "the spare web/slow.1 has another argv, another cwd, another environment (COLOUR)"
    assert "a-value" not in str(said)


def test_a_variable_that_names_the_callers_terminal_makes_no_difference(daemon: Daemon) -> None:
    env = {"PATH": "/usr/bin:/bin", "WINDOWID": "1"}
    ask(daemon, environment=env)
    until_up(daemon, "web/slow.1", "web/slow.2")
    assert ask(daemon, environment={**env, "WINDOWID": "2"})["reused"] is True
    assert "environment" in ask(daemon)["not_reused"], "the login shell's is another one"


def test_a_name_of_its_own_and_a_start_for_later_take_none(daemon: Daemon) -> None:
    ask(daemon)
    until_up(daemon, "web/slow.1", "web/slow.2")
    assert ask(daemon, name="web/mine", unique=False)["process"]["process_id"] == "web/mine"
    assert ask(daemon, auto_start=False)["now"] == "added"
    assert ask(daemon, name="web/other", unique=False, reuse=True)["process"]["name"] == "other"


def test_when_the_newest_is_another_its_spares_take_the_place_of_the_others(daemon: Daemon) -> None:
    ask(daemon)
    until_up(daemon, "web/slow.1", "web/slow.2")
    before = {one["pid"] for one in spares(daemon).values()}
    ask(daemon, "exec sleep 999")
    until(lambda: {one["argv"][-1] for one in spares(daemon).values()} == {"exec sleep 999"}, 15, "the others")
    until(lambda: len(up(daemon)) == 2, 15, "both")
    until(lambda: not any(map(is_alive, before)), 15, "the end of those before")


def test_a_reload_changes_how_many_there_are(daemon: Daemon) -> None:
    ask(daemon)
    until_up(daemon, "web/slow.1", "web/slow.2")
    reconfigure(daemon, "processes: {slow: {min_idle: 3}}\n")
    until_up(daemon, "web/slow.1", "web/slow.2", "web/slow.3")
    reconfigure(daemon, ONE)
    until_up(daemon, "web/slow.1")
    reconfigure(daemon, "processes: {slow: {min_idle: 1, environment: {MODE: fast}}}\n")
    until(lambda: any(b"MODE=fast" in environ(one) for one in spares(daemon).values()), 15, "one with the variable")
    reconfigure(daemon, "{}\n")
    until_up(daemon)


def added_since(daemon: Daemon, status: dict[str, Any]) -> list[str]:
    """Return which processes were added since then."""
    added = []
    with daemon.client() as client:
        for message in client.subscribe(["process.*"], since=status["seq"], epoch=status["epoch"]):
            event = message["Event"]
            if event["name"] == "process.added":
                added.append(event["data"]["process_id"])
            if event["seq"] >= daemon.call("Status")["seq"]:
                return added
    return added


def environ(process: dict[str, Any]) -> list[bytes]:
    """Return a process's variables; none while it is being started."""
    if process["pid"] is None:
        return []
    return Path(f"/proc/{process['pid']}/environ").read_bytes().split(b"\0")


def test_unused_ones_end_after_their_time_and_come_back_with_the_next_use(daemon: Daemon) -> None:
    reconfigure(daemon, "processes: {slow: {min_idle: 1, idle_timeout: 1.5}}\n")
    ask(daemon)
    until(lambda: up(daemon) == {"web/slow.1"}, 15, "one")
    pid = get(daemon, "web/slow.1")["pid"]
    until_up(daemon)
    until(lambda: not is_alive(pid), 15, "its end")
    assert get(daemon, "web/agent")["state"] == "running", "what somebody has asked for stays, however idle"
    ask(daemon)
    until(lambda: len(up(daemon)) == 1, 15, "one more")


def test_they_live_through_the_hubs_death_and_are_taken_by_the_next(daemon: Daemon) -> None:
    env = {"PATH": "/usr/bin:/bin", "COLOUR": "red"}
    ask(daemon, environment=env)
    until_up(daemon, "web/slow.1", "web/slow.2")
    before = {name: one["pid"] for name, one in spares(daemon).items()}
    old = daemon.kill_hub()
    until(lambda: daemon.hub_pid() != old, 15, "the next hub")
    assert {name: one["pid"] for name, one in spares(daemon).items()} == before
    taken = ask(daemon, environment=env)
    assert (taken["reused"], taken["process"]["pid"]) == (True, before["web/slow.1"])
    until_up(daemon, "web/slow.2", "web/slow.3")


@pytest.mark.parametrize("point", ["stored", "sent", "committed"])
def test_none_is_lost_or_doubled_wherever_the_hub_dies_while_it_starts_them(daemon: Daemon, point: str) -> None:
    reconfigure(daemon, "{}\n")
    ask(daemon)
    daemon.arm(point)
    old = daemon.hub_pid()
    write_config(daemon.home, TWO)
    with suppress(RequestError):  # this hub may end before it answers
        daemon.call("ConfigReload")
    until(lambda: daemon.hub_pid() != old, 15, "the next hub")
    until_up(daemon, "web/slow.1", "web/slow.2")
    running = [one for one in daemon.call("ProcessList")["processes"] if one["pid"] is not None]
    assert len(running) == 3


@pytest.mark.parametrize("point", ["committed", "answered"])
def test_a_taking_is_done_once_wherever_the_hub_dies(daemon: Daemon, point: str) -> None:
    ask(daemon)
    until_up(daemon, "web/slow.1", "web/slow.2")
    old = daemon.hub_pid()
    daemon.arm(point)
    taken = ask(daemon)
    assert daemon.hub_pid() != old
    assert (taken["reused"], taken["process"]["process_id"]) == (True, "web/slow.1")
    until_up(daemon, "web/slow.2", "web/slow.3")
    names = sorted(one["name"] for one in daemon.call("WorkspaceGet", name="web")["processes"])
    assert names == ["agent", "agent-2"]


def test_they_count_against_the_limit_of_their_kind_and_give_way(daemon: Daemon) -> None:
    reconfigure(daemon, "processes: {slow: {min_idle: 2, max_instances: 2}}\n")
    ask(daemon)
    until_up(daemon, "web/slow.1")
    other = ask(daemon, "exec sleep 999", unique=False, name="api/agent")
    assert other["now"] in ("spawned", "waits")
    until(lambda: get(daemon, "api/agent")["state"] == "running", 15, "the one that was asked for")
    until_up(daemon)


def test_they_count_against_the_limit_of_their_workspace_and_give_way(daemon: Daemon) -> None:
    reconfigure(daemon, TWO + "workspaces: {max_processes: 2}\n")
    before = daemon.call("Status")
    ask(daemon)
    until_up(daemon, "web/slow.1")
    ask(daemon, "exit 0", agent=None, name="api/other")  # all that a change brings about has been brought about
    assert added_since(daemon, before) == ["web/agent", "web/slow.1", "api/other"]
    ask(daemon, "exec sleep 999", agent=None)
    until_up(daemon)
    assert len(daemon.call("WorkspaceGet", name="web")["processes"]) == 2


def test_they_go_when_their_workspace_is_closed_deleted_or_renamed(daemon: Daemon) -> None:
    ask(daemon)
    until_up(daemon, "web/slow.1", "web/slow.2")
    pids = [one["pid"] for one in spares(daemon).values()]
    daemon.call("WorkspaceRename", name="web", to="shop")
    until_up(daemon, "shop/slow.1", "shop/slow.2")
    until(lambda: not any(map(is_alive, pids)), 15, "the end of those of the former name")
    pids = [one["pid"] for one in spares(daemon).values()]
    daemon.call("WorkspaceClose", name="shop")
    assert not any(map(is_alive, pids))
    until_up(daemon)
    daemon.call("WorkspaceOpen", name="shop")
    daemon.call("ProcessStart", process="shop/agent")
    until_up(daemon, "shop/slow.1", "shop/slow.2")
    daemon.call("WorkspaceDelete", name="shop")
    assert daemon.call("ProcessList")["processes"] == []


def test_what_ends_by_itself_is_not_started_for_ever(daemon: Daemon) -> None:
    marks = daemon.home / "marks"
    marks.mkdir()
    script = f'touch "{marks}/$$"; [ -e "{marks}/first" ] && exit 3; touch "{marks}/first"; exec sleep 1000'
    ask(daemon, script)
    until(lambda: [one["state"] for one in spares(daemon).values()] == ["exited"] * 2, 15, "their ends")
    assert {one["exit_code"] for one in spares(daemon).values()} == {3}
    started = len(list(marks.iterdir()))
    ask(daemon, "exec sleep 999", agent=None, name="web/other")
    assert len(list(marks.iterdir())) == started == 4, "three starts and the mark"
    assert ask(daemon, script)["not_reused"] == "the spare web/slow.1 is exited"


def test_what_is_not_ready_yet_has_none_made_after_it(daemon: Daemon) -> None:
    go = daemon.home / "go"
    ready = {"log_line": "began", "interval_s": 0.05}
    ask(daemon, f'while [ ! -e "{go}" ]; do sleep 0.05; done; {SCRIPT}', ready=ready)
    assert spares(daemon) == {}
    go.touch()
    until_up(daemon, "web/slow.1", "web/slow.2")


def test_who_types_into_one_has_taken_it(daemon: Daemon) -> None:
    ask(daemon, "exec cat")
    until_up(daemon, "web/slow.1", "web/slow.2")
    daemon.call("ProcessType", process="web/slow.1", text="hello\n")
    assert (get(daemon, "web/slow.1")["spare"], get(daemon, "web/slow.1")["name"]) == (False, "slow.1")
    until_up(daemon, "web/slow.2", "web/slow.3")


def test_a_template_neither_wants_nor_forgets_them(daemon: Daemon) -> None:
    reconfigure(daemon, "processes: {codex: {min_idle: 2}}\n")
    source = "processes: {coder: {command: [sleep, '1000'], agent: codex}}\n"
    daemon.call("WorkspaceCreate", name="web", source=source, root=str(daemon.home))
    until_up(daemon, "web/codex.1", "web/codex.2")
    applied = daemon.call("WorkspaceApply", name="web", source=source, prune=True)
    assert [one["kind"] for one in applied["changes"]] == ["kept"]
    assert [one["process_id"] for one in applied["processes"]] == ["web/coder"]
    assert up(daemon) == {"web/codex.1", "web/codex.2"}


def test_a_kind_may_be_a_name(daemon: Daemon) -> None:
    reconfigure(daemon, "processes: {notebook: {min_idle: 1}}\n")
    ask(daemon, name="web/notebook", agent=None)
    until_up(daemon, "web/notebook.1")
    taken = ask(daemon, name="web/notebook", agent=None)
    assert (taken["reused"], taken["process"]["name"]) == (True, "notebook-2")
    until_up(daemon, "web/notebook.2")
    daemon.call("ProcessStop", process="web/notebook")
    again = ask(daemon, name="web/notebook", agent=None)
    assert (again["reused"], again["process"]["name"]) == (True, "notebook-3")
    until_up(daemon, "web/notebook.3")


def test_one_outside_every_workspace_has_its_spares_there(tmp_path: Path) -> None:
    with configured_daemon(tmp_path, ONE) as daemon:
        ask(daemon, name="agent", root=None)
        until_up(daemon, "slow.1")
        taken = ask(daemon, name="agent", root=None)["process"]
        assert (taken["process_id"], taken["name"], taken["workspace"]) == ("slow.1", "agent-2", None)
        assert ask(daemon, name="agent", root=None, reuse=False)["process"]["process_id"] == "agent-3"


def test_run_takes_one_and_ps_marks_what_is_left(tmp_path: Path) -> None:
    with configured_daemon(tmp_path, "processes: {sh: {min_idle: 1}}\n") as daemon:
        real = CommandLine(daemon.env, daemon.home)
        command = ("run", "--", "sh", "-c", SCRIPT)
        first = real(*command)
        assert first.out.startswith("● home/sh  pid "), first
        until_up(daemon, "home/sh.1")
        pid = get(daemon, "home/sh.1")["pid"]
        assert " spare " in next(line for line in real("ps").out.splitlines() if "home/sh.1" in line)
        assert "1 spare" in real("ls").out
        taken = real(*command)
        assert taken.out.startswith(f"● home/sh.1  pid {pid}"), taken
        until_up(daemon, "home/sh.2")
        with real.terminal("logs", "-f", "home/sh.2") as reading:
            reading.wait_for("began")
            assert get(daemon, "home/sh.2")["spare"], "who only reads what it prints has not taken it"
        with real.terminal("attach", "home/sh.2"):
            until_up(daemon, "home/sh.3")
        real.environment["COLOUR"] = "blue"
        other = real(*command)
        assert other.err == "the spare home/sh.3 has another environment (COLOUR)\n"
