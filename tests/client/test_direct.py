"""The wrapper of a `direct` pane: the program runs in the pane itself, and the daemon knows of it."""

from __future__ import annotations

import json
import os
import signal
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.commandline import CommandLine, Terminal
from tests.support.daemon import Daemon, running_daemon
from tests.support.waiting import until
from wezparallel.client import direct
from wezparallel.errors import RequestError

PROGRAM = 'echo "in $PWD as $WORKSPACE/$NAME on $TERM pane $WEZTERM_PANE"; echo; echo there; read line; exit 7'
TEMPLATE = f"""
layout: |
  held  own
panes:
  held: sleep 1000
  own: {{command: [sh, -c, {json.dumps(PROGRAM)}], direct: true, env: {{NAME: own}}}}
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon for the whole module; its processes come and go with each test."""
    with running_daemon(tmp_path_factory.mktemp("home")) as running:
        (running.home / "shop").mkdir()
        yield running


@pytest.fixture
def shop(shared: Daemon) -> Iterator[Daemon]:
    """A workspace in which one pane is direct."""
    environment = {"PATH": os.environ["PATH"], "SECRET_TOKEN": "s3cret"}
    root = str(shared.home / "shop")
    shared.call("WorkspaceCreate", name="shop", root=root, source=TEMPLATE, environment=environment)
    yield shared
    for workspace in shared.call("WorkspaceList")["workspaces"]:
        shared.call("WorkspaceDelete", name=workspace["name"])


@contextmanager
def pane(shop: Daemon, process_id: str = "shop/own", **more: str) -> Iterator[Terminal]:
    """A pane of WezTerm with the wrapper in it."""
    argv = [sys.executable, "-I", "-S", direct.__file__, process_id]
    environment = {**shop.env, "TERM": "xterm-256color", "WEZTERM_PANE": "5", **more}
    with Terminal(argv, environment, Path("/"), 100) as terminal:
        yield terminal


def state(shop: Daemon) -> dict[str, Any]:
    """The record of the direct process."""
    found: dict[str, Any] = shop.call("ProcessGet", process="shop/own")["process"]
    return found


def is_running(shop: Daemon) -> None:
    until(lambda: state(shop)["state"] == "running", 10, "the program to run")


def test_it_runs_in_the_pane_with_the_environment_of_up_and_its_end_is_told_exactly(shop: Daemon) -> None:
    assert state(shop)["state"] == "not_started"
    with pane(shop) as terminal:
        terminal.wait_for("there")
        assert f"in {shop.home}/shop as shop/own on xterm-256color pane 5" in terminal.text.replace("\n", "")
        is_running(shop)
        record = state(shop)
        assert (record["direct"], record["desired"]) == (True, "up")
        environment = Path(f"/proc/{record['pid']}/environ").read_bytes().split(b"\0")
        assert b"SECRET_TOKEN=s3cret" in environment
        assert f"WEZPARALLEL_RUN={record['run_id']}".encode() in environment
        terminal.type("\n")
        assert terminal.wait() == 7
    until(lambda: state(shop)["state"] == "exited", 10, "its end to be told")
    assert (state(shop)["exit_code"], state(shop)["signal"]) == (7, None)


def test_a_second_pane_for_what_runs_is_refused_and_says_so(shop: Daemon) -> None:
    with pane(shop) as terminal:
        terminal.wait_for("there")
        is_running(shop)
        with pane(shop) as second:
            second.wait_for("Enter closes this pane.")
            assert "runs in another pane already" in second.text
            second.type("\n")
            assert second.wait() == 1
        assert state(shop)["state"] == "running"


def test_keys_are_the_programs_business(shop: Daemon) -> None:
    with pane(shop) as terminal:
        terminal.wait_for("there")
        is_running(shop)
        terminal.type("\x03")
        assert terminal.wait() == 128 + signal.SIGINT
    until(lambda: state(shop)["state"] == "exited", 10, "its end to be told")
    assert state(shop)["signal"] == signal.SIGINT


def test_the_end_of_a_program_whose_wrapper_was_killed_is_seen(shop: Daemon) -> None:
    with pane(shop) as terminal:
        terminal.wait_for("there")
        is_running(shop)
        terminal._program.kill()
        terminal.wait()
    until(lambda: state(shop)["state"] == "exited", 15, "its end to be seen")
    assert state(shop)["reason"] == "ended, nobody saw how"


def test_stop_ends_it(shop: Daemon) -> None:
    with pane(shop) as terminal:
        terminal.wait_for("there")
        is_running(shop)
        stopped = shop.call("ProcessStop", process="shop/own")["process"]
        assert (stopped["state"], stopped["signal"]) == ("stopped", signal.SIGTERM)
        assert terminal.wait() == 128 + signal.SIGTERM


def test_it_lives_on_through_the_death_of_the_hub_and_is_told_by_the_next(shop: Daemon) -> None:
    with pane(shop) as terminal:
        terminal.wait_for("there")
        is_running(shop)
        before = state(shop)
        shop.kill_hub()
        after = state(shop)
        assert [after[name] for name in ("state", "pid", "run_id")] == [
            before[name] for name in ("state", "pid", "run_id")
        ]
        terminal.type("\n")
        assert terminal.wait() == 7
    until(lambda: state(shop)["exit_code"] == 7, 10, "its end to be told")


def test_what_ended_while_no_hub_looked_is_over(shop: Daemon) -> None:
    with pane(shop) as terminal:
        terminal.wait_for("there")
        is_running(shop)
        pid, hub = state(shop)["pid"], shop.hub_pid()
        os.kill(hub, signal.SIGSTOP)  # it sees nothing of what comes now, and never will
        terminal._program.kill()
        os.kill(pid, signal.SIGKILL)
        terminal.wait()
        os.kill(hub, signal.SIGKILL)
    until(lambda: state(shop)["state"] == "exited", 15, "its end to be seen")


def test_its_folder_is_told_as_it_moves(shop: Daemon) -> None:
    source = "panes:\n  own: {command: [sh, -c, 'cd /; echo there; read line'], direct: true}\n"
    shop.call("WorkspaceCreate", name="other", root=str(shop.home / "shop"), source=source)
    assert shop.call("ProcessGet", process="other/own")["process"]["cwd"] == str(shop.home / "shop")
    with pane(shop, "other/own") as terminal:
        terminal.wait_for("there")
        until(lambda: shop.call("ProcessGet", process="other/own")["process"]["cwd"] == "/", 10, "its folder")


def test_a_change_of_its_template_leaves_it_running_in_its_pane(shop: Daemon) -> None:
    with pane(shop) as terminal:
        terminal.wait_for("there")
        is_running(shop)
        changed = TEMPLATE.replace("exit 7", "exit 8")
        shop.call("WorkspaceApply", name="shop", source=changed, restart=["*"])
        assert (state(shop)["state"], state(shop)["run"]) == ("running", 1)
        held = TEMPLATE.replace("direct: true, ", "")
        shop.call("WorkspaceApply", name="shop", source=held, restart=["*"])
        assert state(shop)["state"] == "running"
        terminal.type("\n")
        assert terminal.wait() == 7
    until(lambda: state(shop)["exit_code"] == 7, 10, "its end to be told")


def test_it_comes_again_in_the_next_pane(shop: Daemon) -> None:
    for number in (1, 2):
        with pane(shop) as terminal:
            terminal.wait_for("there")
            is_running(shop)
            assert state(shop)["run"] == number
            terminal.type("\n")
            terminal.wait()
        until(lambda: state(shop)["state"] == "exited", 10, "its end to be told")


def test_what_needs_a_keeper_is_refused_by_name(shop: Daemon) -> None:
    for command in ("LogRead", "LogExport", "ProcessStart", "ProcessRestart", "ProcessSuspend", "ProcessType"):
        fields = {"text": "x"} if command == "ProcessType" else {}
        with pytest.raises(RequestError, match="shop/own is `direct`") as raised:
            shop.call(command, process="shop/own", **fields)
        assert raised.value.code == "process.bad_state"


def test_nobody_attaches_to_it(shop: Daemon) -> None:
    wezparallel = CommandLine(shop.env, shop.home)
    assert "is `direct`: it runs in its pane alone" in wezparallel("attach", "own").err
    assert "is `direct`: it runs in its pane alone" in wezparallel.on_terminal("attach", "shop/own").text
    assert "is `direct`" in wezparallel("logs", "own").err


def test_it_is_marked_in_lists(shop: Daemon) -> None:
    assert "(direct)" in CommandLine(shop.env, shop.home)("ps").out


def test_what_the_keeper_holds_is_not_run_in_a_pane(shop: Daemon) -> None:
    with pane(shop, "shop/held") as terminal:
        terminal.wait_for("Enter closes this pane.")
        assert "shop/held is held by the keeper" in terminal.text


def test_a_program_that_is_not_there_keeps_its_pane_until_it_was_read(shop: Daemon) -> None:
    source = "panes:\n  gone: {command: [no-such-program], direct: true}\n"
    shop.call("WorkspaceCreate", name="other", root=str(shop.home / "shop"), source=source)
    with pane(shop, "other/gone") as terminal:
        terminal.wait_for("Enter closes this pane.")
        assert "'no-such-program' is no program" in terminal.text


def test_a_pane_of_wezterm_is_a_view_of_it(shop: Daemon) -> None:
    with pane(shop, WEZTERM_UNIX_SOCKET="/run/wezterm/gui-sock-1") as terminal:
        terminal.wait_for("there")
        until(lambda: bool(shop.call("ViewList", process="shop/own")["views"]), 10, "the view")
        (view,) = shop.call("ViewList", process="shop/own")["views"]
        assert (view["pane"], view["mux"]) == ("5", "/run/wezterm/gui-sock-1")


def _answer(server: socketserver.StreamRequestHandler) -> None:
    """Tell what to run, and refuse to write down that it runs."""
    for line in server.rfile:
        request = json.loads(line)
        number = request.pop("id")
        prepared = {"argv": ["sh", "-c", "echo ran; exit 7"], "cwd": "/", "env": {"PATH": os.environ["PATH"]}}
        full = {"Error": {"code": "disk.full", "message": "there is no room", "data": {}}}
        reply = {"ProcessPrepared": prepared} if "ProcessPrepare" in request else full
        server.wfile.write(json.dumps({**reply, "id": number}).encode() + b"\n")


def test_a_daemon_that_cannot_write_it_down_ends_no_program(shared: Daemon) -> None:
    path = f"{shared.runtime}/other.sock"
    handler = type("Handler", (socketserver.StreamRequestHandler,), {"handle": _answer})
    with socketserver.ThreadingUnixStreamServer(path, handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        argv = [sys.executable, "-I", "-S", direct.__file__, "shop/own", "--socket", path]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20, stdin=subprocess.DEVNULL)
        server.shutdown()
        thread.join()
    assert (done.returncode, done.stdout) == (7, "ran\n")
    assert "there is no room; it runs on, and nobody was told" in done.stderr


def test_closing_its_workspace_ends_it_and_removing_it_forgets_it(shop: Daemon) -> None:
    with pane(shop) as terminal:
        terminal.wait_for("there")
        is_running(shop)
        shop.call("WorkspaceDelete", name="shop")
        terminal.wait()
    assert not shop.call("ProcessList")["processes"]


def test_wrong_usage_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert direct.main([]) == 2
    assert "usage: direct PROCESS_ID" in capsys.readouterr().err
