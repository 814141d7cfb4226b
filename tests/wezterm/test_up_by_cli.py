"""`up` in a pane of the real WezTerm without our plugin: the plan is built through `wezterm cli`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.wezterm.binaries import binary
from tests.wezterm.mux_server import MuxServer
from tests.wezterm.place import Place
from tests.wezterm.waiting import wait_for
from wezparallel.frontends.wezterm.cli import find_program

pytestmark = pytest.mark.wezterm

SAY = "echo I am $WORKSPACE/{0} on $TERM; while :; do echo at $(stty size); sleep 0.3; done"
TEMPLATE = """
layout:
  areas: |
    coder  coder  server
    coder  coder  tests
    log    log    tests
  columns: [2, 2, 3]
  rows: [4, 4, 2]
panes:
  coder:  {{ command: [sh, -c, '{coder}'], focus: true }}
  server: {{ command: [sh, -c, '{server}'] }}
  tests:  {{ command: [sh, -c, '{tests}'] }}
  log:    {{ command: [sh, -c, '{log}'] }}
""".format(**{name: SAY.format(name) for name in ("coder", "server", "tests", "log")})
NAMES = ("coder", "server", "tests", "log")


@pytest.fixture
def shell(place: Place, mux_server: MuxServer) -> int:
    """A person's shell in the project's folder, in the only window; the plugin is not set up."""
    place.write("shop/wezparallel.yaml", TEMPLATE)
    mux_server.program = ("sh", "-c", "cd ~/shop && exec sh -i")
    mux_server.start()
    return int(wait_for(mux_server.list, "the first pane")[0]["pane_id"])


def up(mux_server: MuxServer, shell: int, *words: str) -> str:
    """Type `wezparallel up` into the shell; return what stands there once it has ended."""
    mux_server.cli(
        "send-text", "--pane-id", str(shell), "--no-paste", stdin=f"wezparallel up {' '.join(words)}; echo en''d $?\r"
    )
    said = mux_server.wait_for_text(shell, "end ", 40)
    mux_server.cli("send-text", "--pane-id", str(shell), "--no-paste", stdin="clear\r")
    return said


def views(place: Place) -> dict[str, int]:
    """Process -> pane, as the daemon knows it."""
    with place.hub() as hub:
        told = hub.call("ViewList", {"workspace": "shop"})["views"]
    return {one["process_id"].rpartition("/")[2]: int(one["pane"]) for one in told}


def panes(mux_server: MuxServer) -> dict[int, dict[str, Any]]:
    """Pane id -> what WezTerm lists."""
    return {one["pane_id"]: one for one in mux_server.list()}


def test_four_panes_stand_where_the_picture_has_them_and_each_program_speaks_in_its_own(
    place: Place, mux_server: MuxServer, shell: int
) -> None:
    said = up(mux_server, shell, "--trust")
    assert "4 of 4 up" in said
    assert "`wezparallel init` adds to WezTerm" in said.replace("\n", "")
    shown = wait_for(lambda: views(place) if len(views(place)) == 4 else None, "four views")
    listed = panes(mux_server)
    assert len(listed) == 5
    # Beside the caller's tab: same window, same workspace of WezTerm's.
    assert {listed[pane]["window_id"] for pane in shown.values()} == {listed[shell]["window_id"]}
    assert {listed[pane]["tab_id"] for pane in shown.values()} - {listed[shell]["tab_id"]}
    assert {one["workspace"] for one in listed.values()} == {listed[shell]["workspace"]}
    assert len({listed[pane]["tab_id"] for pane in shown.values()}) == 1
    columns, rows = listed[shell]["size"]["cols"], listed[shell]["size"]["rows"]
    left = round(4 / 7 * (columns + 1)) - 1
    above, lower = round(0.8 * (rows + 1)) - 1, round(0.4 * (rows + 1)) - 1
    boxes = {
        name: tuple(
            [listed[pane][key] for key in ("left_col", "top_row")]
            + [listed[pane]["size"][key] for key in ("cols", "rows")]
        )
        for name, pane in shown.items()
    }
    assert boxes == {
        "coder": (0, 0, left, above),
        "log": (0, above + 1, left, rows - above - 1),
        "server": (left + 1, 0, columns - left - 1, lower),
        "tests": (left + 1, lower + 1, columns - left - 1, rows - lower - 1),
    }
    for name, pane in shown.items():
        size = listed[pane]["size"]
        mux_server.wait_for_text(pane, f"at {size['rows']} {size['cols']}")
        with place.hub() as hub:
            log = hub.call("LogRead", {"process": f"shop/{name}"})["chunks"][0]["text"]
        assert log.startswith(f"I am shop/{name} on xterm-256color")
    assert listed[shown["coder"]]["is_active"]
    assert {listed[pane]["tab_title"] for pane in shown.values()} == {"shop"}


def test_up_again_goes_to_the_panes_that_are_there(place: Place, mux_server: MuxServer, shell: int) -> None:
    up(mux_server, shell, "--trust")
    before = set(panes(mux_server))
    assert "was on the screen already" in up(mux_server, shell, "--trust").replace("\n", "")
    assert set(panes(mux_server)) == before


def test_after_a_killed_wezterm_up_shows_the_same_processes_again(
    place: Place, mux_server: MuxServer, shell: int
) -> None:
    up(mux_server, shell, "--trust")
    with place.hub() as hub:
        before = {one["process_id"]: one["pid"] for one in hub.call("ProcessList")["processes"]}
    mux_server.kill()
    mux_server.start()
    again = int(wait_for(mux_server.list, "the first pane")[0]["pane_id"])
    up(mux_server, again, "--trust")
    with place.hub() as hub:
        after = {one["process_id"]: one["pid"] for one in hub.call("ProcessList")["processes"]}
    assert after == before
    shown = wait_for(lambda: views(place) if len(views(place)) == 4 else None, "four views")
    for pane in shown.values():
        mux_server.wait_for_text(pane, "at ")


def test_up_in_a_shell_that_we_keep_opens_beside_the_pane_that_shows_it(
    place: Place, mux_server: MuxServer, shell: int
) -> None:
    place.write("shop/wezparallel.yaml", "panes:\n  sh: [sh, -i]\n  b: cat\n")
    place.write("api/wezparallel.yaml", "panes: [cat]\n")
    up(mux_server, shell, "--trust")
    kept = wait_for(lambda: views(place).get("sh"), "its view")
    mux_server.cli("send-text", "--pane-id", str(kept), "--no-paste", stdin="cd ~/api\r")
    before = set(panes(mux_server))
    said = up(mux_server, kept, "--trust")
    assert "1 of 1 up" in said
    (made,) = set(panes(mux_server)) - before
    assert panes(mux_server)[made]["window_id"] == panes(mux_server)[kept]["window_id"]


def test_a_window_without_room_is_told_and_nothing_of_it_is_left(
    place: Place, mux_server: MuxServer, shell: int
) -> None:
    many = "panes:\n" + "".join(f"  p{number}: {{command: cat}}\n" for number in range(40))
    picture = "layout: |\n" + "".join(f"  p{number}\n" for number in range(40))
    place.write("shop/wezparallel.yaml", picture + many)
    said = up(mux_server, shell, "--trust")
    assert "and the window has" in said.replace("\n", " ")
    assert set(panes(mux_server)) == {shell}
    with place.hub() as hub:
        assert not hub.call("WorkspaceList")["workspaces"]


def test_a_direct_pane_runs_in_wezterm_itself_and_its_end_is_known(
    place: Place, mux_server: MuxServer, shell: int
) -> None:
    own = "echo I am $WEZTERM_PANE; read line; exit 7"
    place.write("shop/wezparallel.yaml", f"panes:\n  own: {{command: [sh, -c, '{own}'], direct: true}}\n  b: cat\n")
    up(mux_server, shell, "--trust")
    pane = next(one for one in wait_for(lambda: views(place) or None, "a view").items() if one[0] == "own")[1]
    assert f"I am {pane}" in mux_server.wait_for_text(pane, "I am")
    mux_server.cli("send-text", "--pane-id", str(pane), "--no-paste", stdin="\r")

    def end() -> int | None:
        with place.hub() as hub:
            record = hub.call("ProcessGet", {"process": "shop/own"})["process"]
        return record["exit_code"] if record["state"] == "exited" else None

    assert wait_for(end, "its end") == 7
    wait_for(lambda: pane not in panes(mux_server), "its pane to go")


def test_a_direct_pane_that_is_closed_ends_its_program(place: Place, mux_server: MuxServer, shell: int) -> None:
    place.write("shop/wezparallel.yaml", "panes:\n  own: {command: sleep 1000, direct: true}\n  b: cat\n")
    up(mux_server, shell, "--trust")
    pane = wait_for(lambda: views(place).get("own"), "its view")
    mux_server.cli("kill-pane", "--pane-id", str(pane))

    def state() -> str | None:
        with place.hub() as hub:
            record = hub.call("ProcessGet", {"process": "shop/own"})["process"]
        return str(record["signal"]) if record["state"] == "exited" else None

    assert wait_for(state, "its end") == str(int(signal.SIGHUP))


def test_no_secret_of_the_shell_is_in_the_environment_of_a_pane(
    place: Place, mux_server: MuxServer, shell: int
) -> None:
    mux_server.cli("send-text", "--pane-id", str(shell), "--no-paste", stdin="export SECRET_TOKEN=s3cret\r")
    up(mux_server, shell, "--trust")
    with place.hub() as hub:
        clients = [one["pid"] for one in hub.call("ViewList", {"workspace": "shop"})["views"]]
        held = hub.call("ProcessGet", {"process": "shop/log"})["process"]["pid"]
    assert len(clients) == 4
    for pid in clients:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert b"s3cret" not in environment
        assert re.search(rb"WEZTERM_PANE=\d", environment)
    assert b"SECRET_TOKEN=s3cret" in Path(f"/proc/{held}/environ").read_bytes()


def test_doctor_finds_the_socket_of_the_wezterm_around_it(place: Place, mux_server: MuxServer, shell: int) -> None:
    line = "wezparallel doctor --json > ~/said; echo en''d\r"
    mux_server.cli("send-text", "--pane-id", str(shell), "--no-paste", stdin=line)
    mux_server.wait_for_text(shell, "end", 40)
    checks = {one["subject"]: one for one in json.loads((place.home / "said").read_text())["checks"]}
    assert checks["wezterm"]["level"] == "ok"
    assert "socket answers in" in checks["wezterm"]["said"]
    assert os.environ.get("WEZTERM_BIN_DIR")


def test_a_window_of_its_own_belongs_to_wezterms_workspace_of_that_name(
    place: Place, mux_server: MuxServer, shell: int
) -> None:
    assert place.wezparallel("up", "--trust", cwd=place.home / "shop").code == 0
    argv = [sys.executable, "-m", "wezparallel.frontends.wezterm", "show", "shop", "--new-window"]
    environment = {**place.env, "WEZTERM_UNIX_SOCKET": str(mux_server.socket)}
    done = subprocess.run(argv, env=environment, capture_output=True, check=True, timeout=30)
    made = json.loads(done.stdout)["panes"]
    listed = panes(mux_server)
    assert {listed[pane]["workspace"] for pane in made.values()} == {"shop"}
    assert len(made) == 4
    assert {listed[pane]["window_id"] for pane in made.values()}.isdisjoint({listed[shell]["window_id"]})


def test_the_program_of_a_running_wezterm_is_found_by_its_socket(mux_server: MuxServer) -> None:
    mux_server.start()
    found = find_program({"PATH": "/nowhere"}, str(mux_server.socket))
    assert Path(found).samefile(binary("wezterm"))
