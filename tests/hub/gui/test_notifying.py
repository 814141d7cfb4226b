"""What happens where nobody looks is told once: by the plugin's toast, else by another terminal's notification."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.viewing import Pane
from tests.support.waiting import until


@pytest.fixture
def pane() -> Iterator[Pane]:
    pane = Pane()
    try:
        yield pane
    finally:
        pane.close()


def add(daemon: Daemon, name: str, script: str, **fields: Any) -> None:
    daemon.call("ProcessAdd", id=name, command="/bin/sh", args=["-c", script], restart="never", **fields)


def requests(daemon: Daemon) -> list[dict[str, Any]]:
    file = daemon.home / "state" / "wezterm-parallel" / "gui.json"
    return [one for one in json.loads(file.read_text())["requests"] if one["kind"] == "toast"]


def look(daemon: Daemon, pane: Pane, name: str) -> None:
    """Have a terminal look at a process of its own, and wait until the hub knows."""
    daemon.call("ProcessAdd", id=name, command="cat", tty=True)
    pane.attach(daemon, name, leads=True, TERM="xterm-256color")
    until(lambda: daemon.call("ViewList", process=name)["views"], 10, "the view")
    pane.type(b"here\r")
    pane.expect(b"here\r\nhere")


def test_another_terminal_is_told_of_a_bad_end_once_and_not_of_a_good_one(daemon: Daemon, pane: Pane) -> None:
    look(daemon, pane, "home")
    add(daemon, "good", "exit 0")
    add(daemon, "bad", "exit 3")
    pane.expect(b"\x1b]777;notify;bad;exited 3")
    daemon.call("ProcessStart", process="bad", wait="spawned")
    until(lambda: daemon.call("ProcessGet", process="bad")["process"]["state"] == "exited", 10, "its second end")
    daemon.call("ProcessNotify", process="good", text="have a look")
    seen = pane.expect(b"\x1b]777;notify;good;have a look")
    assert b"notify;bad" not in seen
    assert b"exited 0" not in seen


def test_who_looks_at_it_is_told_nothing_and_a_stop_is_no_news(daemon: Daemon, pane: Pane) -> None:
    look(daemon, pane, "home")
    add(daemon, "other", "exec sleep 1000")
    daemon.call("ProcessStop", process="other")
    daemon.call("ProcessNotify", process="home", text="about me")
    daemon.call("ProcessNotify", process="other", text="about another")
    seen = pane.expect(b"about another")
    assert b"about me" not in seen
    assert b"other;ended" not in seen


def test_where_the_plugin_is_it_shows_a_toast(daemon: Daemon, pane: Pane, tmp_path: Path) -> None:
    look(daemon, pane, "home")
    mux = str(tmp_path / "mux")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(mux)
        daemon.call("ViewSee", process="home", mux=mux)
        add(daemon, "bad", "kill -9 $$")
        until(lambda: bool(requests(daemon)), 10, "the toast")
        (toast,) = requests(daemon)
        assert toast["mux"] == mux
        assert (toast["title"], toast["process_id"]) == ("bad", "bad")
        assert toast["body"].startswith("ended by signal 9")
    Path(mux).unlink()
    add(daemon, "worse", "exit 4")
    pane.expect(b"\x1b]777;notify;worse;exited 4")
    assert len(requests(daemon)) == 1
