"""Requests while nothing can be written: what would change is refused, what is asked is told as it was written."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.errors import RequestError

pytestmark = pytest.mark.skipif(
    not hasattr(resource, "prlimit"), reason="a limit of another process, as Linux has it"
)


@contextmanager
def nothing_can_be_written(daemon: Daemon) -> Iterator[None]:
    """Let the hub's files grow no further than the log of its database has."""
    pid = daemon.hub_pid()
    _, hard = before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    size = os.path.getsize(daemon.home / "state" / "wezterm-parallel" / "state.db-wal")
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def failing(daemon: Daemon) -> str | None:
    told: str | None = daemon.call("Status")["store_error"]
    return told


def test_reads_tell_what_is_written_and_changes_are_refused_until_there_is_room(daemon: Daemon) -> None:
    pid = daemon.call("ProcessAdd", id="a", command="sleep", args=["1000"])["process"]["pid"]
    status = daemon.call("Status")
    with daemon.client() as client, nothing_can_be_written(daemon):
        os.kill(pid, signal.SIGKILL)  # it happens, and cannot be written down
        until(lambda: failing(daemon) is not None, 20, "the failure to be known")
        for _ in range(3):  # the second time it is a request that was asked before
            told = client.call("ProcessGet", {"process": "a"})["process"]
            assert (told["state"], told["pid"]) == ("running", pid)
            assert [one["state"] for one in client.call("ProcessList", {})["processes"]] == ["running"]
            told = client.call("Status", {})
            assert (told["seq"], told["by_state"]) == (status["seq"], {"running": 1})
        assert client.call("WorkspaceList", {})["workspaces"] == []
        assert client.call("TemplateList", {})["templates"]
        assert client.call("LogRead", {"process": "a"})["chunks"] == []
        for command, fields in (
            ("ProcessAdd", {"id": "b", "command": "true"}), ("ProcessStart", {"process": "a"}),
            ("Subscribe", {"events": ["*"]}),
        ):  # fmt: skip
            with pytest.raises(RequestError) as caught:
                client.call(command, fields)
            assert caught.value.code == "store.read_only"
        with pytest.raises(RequestError) as caught:
            client.call("ProcessGet", {"process": "b"})
        assert caught.value.code == "process.not_found"
    until(lambda: failing(daemon) is None, 20, "the next try")
    told = daemon.call("ProcessGet", process="a")["process"]
    assert told["signal"] == signal.SIGKILL
    assert daemon.call("Status")["seq"] > status["seq"]
