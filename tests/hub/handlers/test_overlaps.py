"""Requests about one thing that meet each other: each is answered, truly, and nothing is left over."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.hub.handlers.test_process import add, get, is_alive, text_of
from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.errors import RequestError

pytestmark = pytest.mark.one_daemon

STUBBORN = "trap '' TERM; echo up; while :; do sleep 0.05; done"
ONE_STUBBORN = f"panes:\n  a: {json.dumps(['sh', '-c', STUBBORN])}\n"


class Pipeline:
    """Several requests in one packet; their replies as they come."""

    def __init__(self, daemon: Daemon, *requests: dict[str, Any]) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(15)
        self.sock.connect(daemon.socket)
        lines = [json.dumps({**request, "id": number}).encode() + b"\n" for number, request in enumerate(requests)]
        self.sock.sendall(b"".join(lines))
        with self.sock, self.sock.makefile("rb") as file:
            replies = [json.loads(file.readline()) for _ in requests]
        self.replies = sorted(replies, key=lambda reply: reply["id"])


def test_a_name_is_free_again_only_when_nothing_of_the_deleted_workspace_runs(daemon: Daemon, tmp_path: Path) -> None:
    daemon.call("WorkspaceCreate", name="w", source=ONE_STUBBORN, root=str(tmp_path))
    until(lambda: "up" in text_of(daemon, "w/a"), 10, "the trap")
    pid = get(daemon, "w/a")["pid"]
    alive_at_reply: list[bool] = []

    def delete() -> None:
        daemon.call("WorkspaceDelete", name="w")
        alive_at_reply.append(is_alive(pid))

    deleting = threading.Thread(target=delete)
    deleting.start()
    until(lambda: daemon.call("WorkspaceList")["workspaces"] == [], 10, "the deletion to begin")
    with pytest.raises(RequestError) as refused:
        daemon.call("WorkspaceCreate", name="w", source=ONE_STUBBORN, root=str(tmp_path))
    other = daemon.call("WorkspaceCreate", name="w", source="panes: [true]", root=str(tmp_path), unique=True)
    deleting.join(20)
    assert (refused.value.code, other["workspace"]["name"]) == ("workspace.exists", "w-2")
    assert alive_at_reply == [False]
    created = daemon.call("WorkspaceCreate", name="w", source=ONE_STUBBORN, root=str(tmp_path))
    assert created["processes"][0]["now"] == "spawned"


def test_a_workspace_that_is_deleted_while_it_is_created_leaves_no_bug_and_nothing_running(
    daemon: Daemon, tmp_path: Path
) -> None:
    source = "panes: ['sleep 1000', 'sleep 1000', 'sleep 1000']"
    create = {"WorkspaceCreate": {"name": "w", "source": source, "root": str(tmp_path)}}
    for _ in range(5):
        created, deleted = Pipeline(daemon, create, {"WorkspaceDelete": {"name": "w"}}).replies
        assert created.get("Error", {}).get("code") != "internal.bug", created
        assert "WorkspaceDeleted" in deleted
    assert daemon.call("ProcessList")["processes"] == []


def test_a_stop_that_a_start_overtakes_is_answered(daemon: Daemon) -> None:
    add(daemon, "one", "exec sleep 100", auto_start=False)
    for _ in range(10):
        start, stop, again = (
            {"ProcessStart": {"process": "one"}}, {"ProcessStop": {"process": "one"}},
            {"ProcessStart": {"process": "one"}},
        )  # fmt: skip
        _, stopped, started = Pipeline(daemon, start, stop, again).replies
        assert "ProcessStopped" in stopped or stopped["Error"]["code"] == "process.superseded"
        assert "ProcessStarted" in started
        assert is_alive(get(daemon, "one")["pid"])
        assert daemon.call("ProcessStop", process="one", grace_s=0)["process"]["pid"] is None


def test_a_second_stop_may_shorten_the_grace_period(daemon: Daemon) -> None:
    add(daemon, "deaf", STUBBORN, stop={"grace_s": 3600})
    until(lambda: "up" in text_of(daemon, "deaf"), 10, "the trap")
    first, second = Pipeline(
        daemon, {"ProcessStop": {"process": "deaf"}}, {"ProcessStop": {"process": "deaf", "grace_s": 0}}
    ).replies
    assert first["ProcessStopped"]["process"]["signal"] == second["ProcessStopped"]["process"]["signal"] == 9


def test_the_pid_of_a_run_that_is_over_names_no_process(daemon: Daemon) -> None:
    add(daemon, "over", "exit 0", restart="never")
    until(lambda: get(daemon, "over")["state"] == "exited", 10, "the exit")
    living = add(daemon, "living", "exec sleep 100")["process"]["pid"]
    assert get(daemon, str(living))["process_id"] == "living"
    daemon.call("ProcessKill", process="living")
    with pytest.raises(RequestError) as refused:
        daemon.call("ProcessRestart", process=str(living))
    assert refused.value.code == "process.not_found"


def test_a_removal_during_backoff_is_final(daemon: Daemon) -> None:
    add(daemon, "again", "exit 1")
    until(lambda: get(daemon, "again")["state"] == "backoff", 10, "backoff")
    daemon.call("ProcessRemove", process="again")
    with pytest.raises(RequestError):
        get(daemon, "again")
    folder = daemon.home / "state" / "wezterm-parallel" / "logs" / "again"
    until(lambda: not folder.exists(), 5, "the log to go")
