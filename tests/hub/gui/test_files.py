"""The snapshot file beside a real daemon: whole at every moment, calm, small, and right again after any crash."""

from __future__ import annotations

import base64
import json
import os
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon, running_daemon
from tests.support.fake_gui import FakeGui
from tests.support.views import add, configured, has_view, requests, snapshot, snapshot_file
from tests.support.waiting import until
from wezparallel.hub.gui.snapshot import MAX_BYTES


@pytest.fixture
def daemon(emptied: Daemon) -> Daemon:
    """The module's daemon."""
    return emptied


class Reader:
    """Reads the file all the time, as the plugin does, and keeps what was wrong with it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.reads = 0
        self.faults: list[str] = []
        self.versions: dict[tuple[int, int], dict[str, Any]] = {}

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                fd = os.open(self._path, os.O_RDONLY)
                with open(fd, "rb") as file:
                    facts, data = os.fstat(fd), file.read()
                self.versions.setdefault((facts.st_ino, facts.st_mtime_ns), json.loads(data))
            except (OSError, ValueError) as error:
                self.faults.append(repr(error))
            self.reads += 1


def process(found: dict[str, Any], process_id: str) -> dict[str, Any] | None:
    """Return what a snapshot says of a process."""
    every = [*found["loose"], *(one for workspace in found["workspaces"] for one in workspace["processes"])]
    return next((one for one in every if one["id"] == process_id), None)


def test_it_names_programs_and_sockets_by_absolute_paths_that_exist(daemon: Daemon) -> None:
    until(snapshot_file(daemon).exists, 10, "the first one")
    found = snapshot(daemon)
    assert found["format"] == 1
    for name in ("python", "call", "attach", "socket", "keeper_socket"):
        assert os.path.isabs(found[name])
        assert os.path.exists(found[name]), name
    assert found["socket"] == daemon.socket
    assert found["env"] == {
        "WEZPARALLEL_RUNTIME_DIR": daemon.runtime, "XDG_STATE_HOME": str(daemon.home / "state"),
        "XDG_CONFIG_HOME": str(daemon.home / "config"),
    }  # fmt: skip
    assert found["hub_id"] == daemon.call("Ping")["hub_id"]
    assert snapshot_file(daemon).stat().st_mode & 0o777 == 0o600


def test_settings_that_are_read_again_stand_in_it(daemon: Daemon) -> None:
    config = configured(daemon, "ui: { theme: light, show_process_status: true }\n")
    until(lambda: snapshot(daemon)["ui"]["theme"] == "light", 5, "the theme")
    assert snapshot(daemon)["ui"]["show_process_status"] is True
    config.unlink()
    daemon.call("ConfigReload")
    until(lambda: snapshot(daemon)["ui"]["theme"] == "dark", 5, "the default")


def test_it_is_whole_at_every_moment_and_calm_while_much_changes(daemon: Daemon) -> None:
    add(daemon, "a")
    with Reader(snapshot_file(daemon)) as reader:
        for number in range(200):
            daemon.call("ProcessNotify", process="a", text=f"number {number}")
        until(lambda: (process(snapshot(daemon), "a") or {})["waits"] == "number 199", 5, "the last")
    assert reader.faults == []
    assert reader.reads > len(reader.versions)
    times = sorted(at for _, at in reader.versions)
    assert len(times) < 100
    assert all(later - earlier > 90_000_000 for earlier, later in pairwise(times))


def test_what_a_read_has_shown_is_in_it_soon(daemon: Daemon) -> None:
    daemon.call("WorkspaceCreate", name="w", root=str(daemon.home), source="panes: [cat, sleep 1000]")
    until(lambda: (process(snapshot(daemon), "w/sleep") or {}).get("state") == "running", 5, "both")
    (workspace,) = snapshot(daemon)["workspaces"]
    assert workspace["tabs"] == daemon.call("WorkspaceGet", name="w")["plan"]["tabs"]
    assert (workspace["name"], workspace["open"], workspace["root"]) == ("w", True, str(daemon.home))
    daemon.call("ProcessStop", process="w/sleep")
    until(lambda: (process(snapshot(daemon), "w/sleep") or {}).get("state") == "stopped", 5, "the stop")
    daemon.call("WorkspaceDelete", name="w")
    until(lambda: snapshot(daemon)["workspaces"] == [], 5, "the end of it")


def test_three_hundred_processes_fit(daemon: Daemon) -> None:
    config = configured(daemon, "workspaces: { max_processes: 1000 }\n")
    settings = "{ command: sleep 1000, auto_start: false }"
    processes = "".join(f"  process-{number:03d}: {settings}\n" for number in range(100))
    for name in ("one", "two", "three"):
        daemon.call("WorkspaceCreate", name=name, root=str(daemon.home), source=f"processes:\n{processes}")
    until(lambda: snapshot(daemon)["counts"]["processes"] == 300, 10, "all of them")
    found = snapshot(daemon)
    assert "cut" not in found
    assert sum(len(workspace["processes"]) for workspace in found["workspaces"]) == 300
    assert snapshot_file(daemon).stat().st_size < MAX_BYTES
    config.unlink()
    daemon.call("ConfigReload")


def test_numbers_of_requests_rise_over_a_hub_that_dies(daemon: Daemon, gui: FakeGui) -> None:
    add(daemon, "a")
    daemon.call("Ping", mux=gui.mux)
    numbers = []
    with Reader(snapshot_file(daemon)) as reader:
        for _ in range(2):
            numbers += [daemon.call("ViewFocus", process="a")["request"] for _ in range(4)]
            assert numbers[-1] in [one["id"] for one in requests(daemon, "focus", gui.mux)]  # before the answer
            before = daemon.kill_hub()
            until(lambda before=before: daemon.hub_pid() != before, 10, "the next hub")  # type: ignore[misc]
        numbers.append(daemon.call("ViewFocus", process="a")["request"])  # it still knows whom to ask
    assert reader.faults == []
    assert numbers == sorted(set(numbers))
    assert set(numbers) <= {one["id"] for one in requests(daemon, "focus", gui.mux)}


def test_a_request_that_was_accepted_is_written_by_the_next_hub(daemon: Daemon, gui: FakeGui) -> None:
    add(daemon, "w/a", root=str(daemon.home))
    daemon.call("Ping", mux=gui.mux)
    daemon.arm("committed")
    found = daemon.call("ViewFocus", process="w/a", key="once")  # the client asks again
    again = daemon.call("ViewFocus", process="w/a", key="once")
    assert found == again
    assert [one["id"] for one in requests(daemon, "focus", gui.mux)] == [found["request"]]


def test_a_disk_that_refuses_is_tried_again(daemon: Daemon) -> None:
    path = snapshot_file(daemon)
    add(daemon, "a")
    until(lambda: process(snapshot(daemon), "a") is not None, 5, "the process")
    blocked = Path(f"{path}.new")
    blocked.mkdir()
    daemon.call("ProcessNotify", process="a", text="look")
    log = path.parent / "hub.log"
    until(lambda: "gui_file.failed" in log.read_text(), 10, "the complaint")
    assert daemon.call("ProcessGet", process="a")["process"]["notified"]["text"] == "look"
    blocked.rmdir()
    until(lambda: len(snapshot(daemon)["waiting"]) == 1, 15, "the next try")


def test_a_visible_pane_is_nudged_once_the_file_says_why(daemon: Daemon, gui: FakeGui) -> None:
    add(daemon, "a")
    gui.open(1, "a")
    has_view(daemon, "a")
    daemon.call("ProcessType", process="a", text="live", enter=True)
    until(lambda: b"live" in gui.shown(1), 10, "a live terminal")
    number = daemon.call("ViewFocus", process="a")["request"]
    until(lambda: b"\x1b]1337;SetUserVar=wezparallel_request=" in gui.shown(1), 10, "the nudge")
    assert base64.b64encode(str(number).encode()) in gui.shown(1)


def test_templates_are_looked_for_once_a_plugin_speaks(daemon: Daemon, gui: FakeGui) -> None:
    daemon.call("Ping", mux=gui.mux)
    until(lambda: "basic" in {one["name"] for one in snapshot(daemon)["templates"]}, 10, "the templates")
    daemon.call("TemplateCreate", name="mine", source="description: my own\npanes: [cat]\n")
    until(lambda: {"name": "mine", "description": "my own"} in snapshot(daemon)["templates"], 10, "the new one")
    daemon.call("TemplateDelete", name="mine")
    until(lambda: "mine" not in {one["name"] for one in snapshot(daemon)["templates"]}, 10, "its end")


def test_a_hub_that_was_told_to_end_says_that_it_is_gone(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        add(daemon, "a")
        until(snapshot_file(daemon).exists, 10, "the first one")
        daemon.stop()
        found = snapshot(daemon)
    assert found["hub_id"] is None
    assert found["counts"]["running"] == 0
    assert found["loose"][0]["state"] == "stopped"
