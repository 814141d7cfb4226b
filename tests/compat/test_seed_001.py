"""Seed 001's create request and its grid of panes, as they are, in a real daemon: what they say is what comes up."""

from __future__ import annotations

from pathlib import Path

from tests.support.daemon import Daemon
from tests.support.waiting import until

GRID = """
name: two-by-two
layout:
  type: dynamic
  panes:
    - { id: main, position: { row: 0, col: 0, span_rows: 2 }, size: 0.6, command: "echo main at work; exec cat" }
    - { id: top, position: { row: 0, col: 1 }, size: 0.5, command: "echo top at work; exec cat" }
    - { id: below, position: { row: 1, col: 1 }, size: 0.5, command: "echo below at work; exec cat" }
workspace:
  name: two-by-two
  processes:
    - { name: api, command: "echo api on $PORT; exec cat", environment: { PORT: "3000" } }
"""


def said_by(daemon: Daemon, process: str) -> str:
    return "".join(chunk["text"] for chunk in daemon.call("LogRead", process=process)["chunks"])


def test_the_create_request_runs_what_its_six_fields_say(daemon: Daemon, tmp_path: Path) -> None:
    made = daemon.call(
        "ProcessAdd", id="example-process", command="/bin/sh", args=["-c", "echo $FOO in $PWD; exec cat"],
        env={"FOO": "bar"}, cwd=str(tmp_path), auto_start_on_restore=True,
    )["process"]  # fmt: skip
    assert made["process_id"] == "example-process"
    until(lambda: said_by(daemon, "example-process") == f"bar in {tmp_path}\n", 10, "its first line")
    assert not daemon.call("ProcessGet", process="example-process")["process"]["tty"]


def test_a_grid_file_comes_up_as_it_says(daemon: Daemon, tmp_path: Path) -> None:
    made = daemon.call("WorkspaceCreate", name="grid", source=GRID, root=str(tmp_path))
    (tab,) = made["plan"]["tabs"]
    assert tab["first"] == "main"
    assert [(cut["of"], cut["pane"], cut["direction"]) for cut in tab["splits"]] == [
        ("main", "top", "right"), ("top", "below", "down"),
    ]  # fmt: skip
    for name in ("main", "top", "below"):
        until(lambda name=name: f"{name} at work" in said_by(daemon, f"grid/{name}"), 10, f"the output of {name}")  # type: ignore[misc]
    until(lambda: said_by(daemon, "grid/api") == "api on 3000\n", 10, "the output of api")
