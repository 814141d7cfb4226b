"""Processes through the public socket, with real children."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.errors import RequestError

pytestmark = pytest.mark.one_daemon


def add(daemon: Daemon, name: str, script: str, **fields: Any) -> dict[str, Any]:
    """Add a process that runs a shell script."""
    return daemon.call("ProcessAdd", id=name, command="sh", args=["-c", script], **fields)


def get(daemon: Daemon, name: str) -> dict[str, Any]:
    """Return a process's record."""
    return dict(daemon.call("ProcessGet", process=name)["process"])


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def text_of(daemon: Daemon, name: str, **fields: Any) -> str:
    """Return a whole log as text."""
    return "".join(chunk["text"] for chunk in daemon.call("LogRead", process=name, **fields)["chunks"])


def test_what_is_answered_as_spawned_does_run(daemon: Daemon) -> None:
    added = add(daemon, "one", "exec sleep 100")
    assert added["now"] == "spawned"
    assert is_alive(added["process"]["pid"])


def test_exits_are_exact(daemon: Daemon) -> None:
    for name, script, code, signal in (
        ("zero", "exit 0", 0, None),
        ("seven", "exit 7", 7, None),
        ("killed", "kill -9 $$", None, 9),
    ):
        add(daemon, name, script, restart="never")
        until(lambda name=name: get(daemon, name)["state"] == "exited", 10, name)  # type: ignore[misc]
        record = get(daemon, name)
        assert (record["exit_code"], record["signal"]) == (code, signal)
        assert record["ended_at"]


def test_a_stop_leaves_nothing_of_the_tree(daemon: Daemon) -> None:
    add(daemon, "tree", "setsid sh -c 'setsid sleep 1001 & sleep 1002' & sleep 1003 & echo up; wait")
    until(lambda: "up" in text_of(daemon, "tree"), 10, "the tree")
    pid = get(daemon, "tree")["pid"]
    stopped = daemon.call("ProcessStop", process="tree", grace_s=0.2)["process"]
    assert stopped["state"] == "stopped"
    assert not is_alive(pid)
    left = [
        entry
        for entry in os.listdir("/proc")
        if entry.isdigit() and stopped["run_id"].encode() in _environment(int(entry)) and is_alive(int(entry))
    ]
    assert left == []


def test_a_process_that_ignores_sigterm_is_killed_after_its_grace_period(daemon: Daemon) -> None:
    add(daemon, "deaf", "trap '' TERM; echo up; while :; do sleep 0.05; done")
    until(lambda: "up" in text_of(daemon, "deaf"), 10, "the trap")
    stopped = daemon.call("ProcessStop", process="deaf", grace_s=0.1)["process"]
    assert (stopped["state"], stopped["signal"]) == ("stopped", 9)


def test_a_stop_is_final_under_any_policy(daemon: Daemon) -> None:
    add(daemon, "always", "exec sleep 100", restart="always")
    stopped = daemon.call("ProcessStop", process="always")["process"]
    assert (stopped["state"], stopped["desired"]) == ("stopped", "down")


def test_a_stop_during_backoff_stays(daemon: Daemon) -> None:
    add(daemon, "again", "exit 1")
    until(lambda: get(daemon, "again")["state"] == "backoff", 10, "backoff")
    stopped = daemon.call("ProcessStop", process="again")["process"]
    assert stopped["state"] == "stopped"
    assert stopped["next_start_at"] is None


def test_a_failure_comes_back_with_backoff_and_says_why(daemon: Daemon) -> None:
    add(daemon, "again", "exit 3")
    until(lambda: get(daemon, "again")["run"] == 2, 15, "the second run")
    until(lambda: get(daemon, "again")["state"] == "backoff", 15, "the second backoff")
    assert "exited 3, again in" in get(daemon, "again")["reason"]


def test_a_restart_gives_a_new_run(daemon: Daemon) -> None:
    before = add(daemon, "one", "exec sleep 100")["process"]
    after = daemon.call("ProcessRestart", process="one")["process"]
    assert after["run_id"] != before["run_id"]
    assert is_alive(after["pid"])
    assert not is_alive(before["pid"])


def test_a_missing_program_or_folder_is_refused_with_its_code(daemon: Daemon, tmp_path: Path) -> None:
    no_binary = daemon.call("ProcessAdd", id="a", command="no-such-program-here", restart="never")
    assert (no_binary["now"], no_binary["error"]["code"]) == ("refused", "process.no_binary")
    no_folder = daemon.call("ProcessAdd", id="b", command="sh", cwd=str(tmp_path / "gone"), restart="never")
    assert no_folder["error"]["code"] == "process.no_directory"
    with pytest.raises(RequestError) as refused:
        daemon.call("ProcessStart", process="a")
    assert refused.value.code == "process.no_binary"


def test_a_taken_name_is_refused_or_numbered(daemon: Daemon) -> None:
    add(daemon, "one", "exec sleep 100")
    with pytest.raises(RequestError):
        add(daemon, "one", "exec sleep 100")
    assert add(daemon, "one", "exec sleep 100", unique=True)["process"]["process_id"] == "one-2"


def test_what_is_removed_is_gone_with_its_log(daemon: Daemon) -> None:
    add(daemon, "one", "echo hello; exec sleep 100")
    until(lambda: "hello" in text_of(daemon, "one"), 10, "output")
    folder = daemon.home / "state" / "wezterm-parallel" / "logs" / "one"
    assert folder.exists()
    daemon.call("ProcessRemove", process="one")
    with pytest.raises(RequestError) as gone:
        get(daemon, "one")
    assert gone.value.code == "process.not_found"
    until(lambda: not folder.exists(), 5, "the log to go")


def test_stdout_and_stderr_are_told_apart_on_pipes(daemon: Daemon) -> None:
    add(daemon, "both", "echo out; sleep 0.1; echo err >&2; exec sleep 100")
    until(lambda: "err" in text_of(daemon, "both"), 10, "both")
    assert text_of(daemon, "both", stream="stdout") == "out\n"
    assert text_of(daemon, "both", stream="stderr") == "err\n"
    assert text_of(daemon, "both", lines=1) == "err\n"


def test_what_is_typed_reaches_the_program_once(daemon: Daemon) -> None:
    daemon.call("ProcessAdd", id="cat", command="cat")
    for _ in range(2):
        daemon.call("ProcessType", process="cat", text="hello\n", key="k-1")
    daemon.call("ProcessType", process="cat", text="end\n", key="k-2")
    until(lambda: "end" in text_of(daemon, "cat"), 10, "the end")
    assert text_of(daemon, "cat") == "hello\nend\n"


def test_output_that_is_not_utf8_comes_as_base64(daemon: Daemon) -> None:
    add(daemon, "bytes", r"printf '\377\376'; exec sleep 100")
    until(lambda: bool(daemon.call("LogRead", process="bytes")["chunks"]), 10, "output")
    (chunk,) = daemon.call("LogRead", process="bytes")["chunks"]
    assert (chunk["encoding"], chunk["text"]) == ("base64", "//4=")


def test_lists_are_paged(daemon: Daemon) -> None:
    for name in "abc":
        add(daemon, name, "exec sleep 100")
    first = daemon.call("ProcessList", limit=2)
    assert [record["process_id"] for record in first["processes"]] == ["a", "b"]
    second = daemon.call("ProcessList", limit=2, after=first["next"])
    assert ([record["process_id"] for record in second["processes"]], second["next"]) == (["c"], None)


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def test_an_id_that_is_none_is_refused_and_leaves_nothing_behind(daemon: Daemon) -> None:
    for bad in ("new/" + "x" * 65, "/x", "a/b/c", "new/", "new/tab\t"):
        with pytest.raises(RequestError) as refused:
            daemon.call("ProcessAdd", id=bad, command="true")
        assert refused.value.code == "command.bad_value", bad
    with pytest.raises(RequestError):
        daemon.call("ProcessAdd", id="new/x", command="true", cwd="relative")
    assert daemon.call("WorkspaceList")["workspaces"] == []


def test_an_exit_is_told_with_the_state_that_follows(daemon: Daemon) -> None:
    before = daemon.call("Status")
    add(daemon, "once", "exit 5", restart="never")
    with daemon.client() as client:
        for message in client.subscribe(["process.exited"], since=before["seq"], epoch=before["epoch"]):
            data = message["Event"]["data"]
            break
    assert (data["state"], data["exit_code"], data["signal"]) == ("exited", 5, None)
