"""Probes of all four kinds against real programs: ready, unhealthy, restarted, given up."""

from __future__ import annotations

import os
import socket
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.hub.handlers.test_process import add, get, is_alive
from tests.support.configured import configured_daemon
from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.client.control import Control
from wezparallel.errors import RequestError

pytestmark = pytest.mark.one_daemon

SLEEP = "exec sleep 1000"


def comes(daemon: Daemon, name: str, state: str, timeout_s: float = 10) -> dict[str, Any]:
    until(lambda: get(daemon, name)["state"] == state, timeout_s, f"{name} to be {state}")
    return get(daemon, name)


def soon(**fields: Any) -> dict[str, Any]:
    """Return a probe that looks often and gives up soon."""
    return {"interval_s": 0.05, "start_s": 0.2, "threshold": 2, "timeout_s": 0.3, **fields}


class Web:
    """A server whose answer the test chooses."""

    def __init__(self) -> None:
        self.status = 200
        self.of_path: dict[str, int] = {}
        self.asked: list[tuple[str, str]] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.asked.append((self.path, self.headers["Host"]))
                self.send_response(web.of_path.get(self.path, web.status))
                self.send_header("Location", "http://localhost:1/")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))


@pytest.fixture
def web() -> Iterator[Web]:
    server = Web()
    server.thread.start()
    yield server
    server.server.shutdown()
    server.thread.join(10)
    server.server.server_close()


@pytest.fixture
def silent() -> Iterator[int]:
    """Give a port that accepts and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_url_is_asked_until_it_answers_and_a_redirection_is_an_answer(daemon: Daemon, web: Web) -> None:
    web.status = 500
    url = f"http://127.0.0.1:{web.port}/up?now=1"
    add(daemon, "web", SLEEP, ready={"http": url, "interval_s": 0.05})
    until(lambda: len(web.asked) > 2, 10, "some looks")
    assert get(daemon, "web")["state"] == "running"
    assert get(daemon, "web")["health"] == f"{url} answers 500"
    web.status = 302
    assert comes(daemon, "web", "ready")["health"] == url
    assert set(web.asked) == {("/up?now=1", f"127.0.0.1:{web.port}")}


def test_a_port_is_ready_once_somebody_accepts(daemon: Daemon) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = str(server.getsockname()[1])
        add(daemon, "db", SLEEP, ready={"tcp": port, "interval_s": 0.05})
        until(lambda: get(daemon, "db")["health"] == f"port {port}: connection refused", 10, "a look")
        assert get(daemon, "db")["state"] == "running"
        server.listen()
        assert comes(daemon, "db", "ready")["health"] == f"port {port}"


def test_a_program_sees_its_processs_folder_and_variables(daemon: Daemon, tmp_path: Path) -> None:
    script = 'test "$PWD $COLOUR" = "$ROOT red" || { echo "no: $PWD" >&2; exit 4; }'
    probe = {"exec": ["sh", "-c", script], "interval_s": 0.05}
    env = {"COLOUR": "red", "ROOT": str(tmp_path)}
    assert add(daemon, "a", SLEEP, cwd=str(tmp_path), env=env, ready=probe)["now"] == "spawned"
    comes(daemon, "a", "ready")
    add(daemon, "b", SLEEP, cwd="/", env=env, ready=probe)
    until(lambda: get(daemon, "b")["health"] == "sh exited 4: no: /", 10, "what it said")


def test_a_program_that_hangs_is_killed_with_all_below_it(daemon: Daemon, tmp_path: Path) -> None:
    script = f"sleep 1234 & echo $! > {tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid; wait"
    add(daemon, "a", SLEEP, restart="never", ready=soon(exec=["sh", "-c", script], threshold=1, interval_s=60))
    reason = comes(daemon, "a", "unhealthy")["reason"]
    assert reason.endswith(": no answer within 0.3 s")
    pid = int((tmp_path / "pid").read_text())
    until(lambda: not is_alive(pid), 10, "the end of what hung")


def test_a_port_that_says_nothing_is_no_web_server(daemon: Daemon, silent: int) -> None:
    url = f"http://127.0.0.1:{silent}/"
    add(daemon, "a", SLEEP, restart="never", ready=soon(http=url))
    assert comes(daemon, "a", "unhealthy")["reason"] == f"{url}: no answer within 0.3 s"


@pytest.mark.parametrize("log", ["disk", "memory", "off"])
@pytest.mark.parametrize("tty", [True, False])
def test_a_line_counts_however_it_is_cut_and_coloured(daemon: Daemon, tmp_path: Path, log: str, tty: bool) -> None:
    os.mkfifo(tmp_path / "more")
    script = f"printf 'serving \\033[32mon po'; cat {tmp_path}/more; exec sleep 1000"
    add(daemon, "a", script, log=log, tty=tty, ready={"log_line": "^serving on port [0-9]+$"})
    with (tmp_path / "more").open("w") as more:
        with Control(f"{daemon.runtime}/keeper.sock") as control:
            until(lambda: control.status()["viewers"] == 1, 10, "the viewer that looks for the line")
        assert (get(daemon, "a")["state"], get(daemon, "a")["viewers"]) == ("running", 0)
        more.write("rt \033[1m80\033[0m\r\n")
    comes(daemon, "a", "ready")


@pytest.mark.parametrize("log", ["disk", "memory"])
def test_a_line_of_the_run_before_does_not_count(daemon: Daemon, tmp_path: Path, log: str) -> None:
    script = f"test -e {tmp_path}/mute || echo listening; exec sleep 1000"
    add(daemon, "a", script, log=log, ready={"log_line": "listening"})
    comes(daemon, "a", "ready")
    (tmp_path / "mute").touch()
    daemon.call("ProcessRestart", process="a")
    waited = daemon.call("ProcessWait", process="a", **{"for": "ready"}, timeout_s=0.5)
    assert (waited["outcome"], waited["process"]["state"]) == ("timeout", "running")


def test_what_is_not_ready_in_time_is_stopped_and_started_again_until_it_is_given_up(daemon: Daemon) -> None:
    start = daemon.call("Status")
    add(daemon, "a", SLEEP, backoff_s=0, ready=soon(tcp="127.0.0.1:1"), give_up={"tries": 2, "window_s": 60})
    record = comes(daemon, "a", "failed")
    reason = "127.0.0.1:1: connection refused"
    assert record["reason"] == f"unhealthy: {reason}; given up after 2 restarts in 1 min"
    assert (record["run"], record["restarts"], record["max_tries"], record["desired"]) == (3, 2, 2, "up")
    with daemon.client() as client:
        seen = []
        for message in client.subscribe(["process.*"], since=start["seq"], epoch=start["epoch"]):
            event = message["Event"]
            seen.append(event["name"].removeprefix("process."))
            if seen[-1] == "unhealthy":
                assert event["data"]["reason"] == reason
            if seen[-1] == "failed":
                break
    once = ["starting", "running", "unhealthy", "stopping", "exited"]
    assert seen == ["added", *once, "backoff", *once, "backoff", *once, "failed"]


def test_what_falls_ill_while_it_runs_is_started_again_and_is_well(daemon: Daemon, web: Web, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{web.port}/"
    add(daemon, "a", SLEEP, backoff_s=0.01, ready={"http": url}, health=soon(http=url, start_s=0))
    pid = comes(daemon, "a", "ready")["pid"]
    web.status = 503
    until(lambda: (get(daemon, "a")["reason"] or "").startswith(f"unhealthy: {url} answers 503, again"), 10, "why")
    web.status = 200
    record = comes(daemon, "a", "ready")
    assert record["pid"] != pid
    assert record["restarts"] >= 1
    assert not is_alive(pid)


def test_without_a_restart_policy_it_is_unhealthy_until_it_is_well_again(daemon: Daemon, web: Web) -> None:
    url = f"http://127.0.0.1:{web.port}/"
    add(daemon, "a", SLEEP, restart="never", health=soon(http=url))
    pid = comes(daemon, "a", "ready")["pid"]
    web.status = 500
    assert comes(daemon, "a", "unhealthy")["reason"] == f"{url} answers 500"
    with pytest.raises(RequestError, match="a is unhealthy, not ready: http"):
        daemon.call("ProcessStart", process="a", wait="ready")
    web.status = 200
    record = comes(daemon, "a", "ready")
    assert (record["pid"], record["reason"]) == (pid, None)


def test_nothing_is_looked_at_while_it_stands_still(daemon: Daemon, web: Web) -> None:
    url = f"http://127.0.0.1:{web.port}/"
    add(daemon, "a", SLEEP, health=soon(http=url))
    comes(daemon, "a", "ready")
    daemon.call("ProcessSuspend", process="a")
    web.status = 500
    asked = len(web.asked)
    add(daemon, "clock", SLEEP, health=soon(http=f"http://127.0.0.1:{web.port}/clock"), restart="never")
    comes(daemon, "clock", "unhealthy")
    assert get(daemon, "a")["state"] == "suspended"
    assert {path for path, _ in web.asked[asked + 1 :]} == {"/clock"}
    web.status = 200
    daemon.call("ProcessResume", process="a")
    comes(daemon, "a", "ready")
    assert get(daemon, "a")["run"] == 1


def test_a_stop_and_the_hubs_death_leave_no_probe_behind(daemon: Daemon, web: Web) -> None:
    add(daemon, "a", SLEEP, ready={"http": f"http://127.0.0.1:{web.port}/a", "interval_s": 0.05})
    comes(daemon, "a", "ready")
    web.status = 500
    add(daemon, "b", SLEEP, ready={"http": f"http://127.0.0.1:{web.port}/b", "interval_s": 0.05})
    before = daemon.kill_hub()
    until(lambda: daemon.hub_pid() != before, 10, "the next hub")
    assert get(daemon, "a")["state"] == "ready"
    asked = len(web.asked)
    until(lambda: len(web.asked) > asked, 10, "a look of the next hub")
    assert all(path == "/b" for path, _ in web.asked[asked:])
    daemon.call("ProcessStop", process="b")
    asked = len(web.asked)
    web.of_path["/c"] = 200
    add(daemon, "c", SLEEP, health=soon(http=f"http://127.0.0.1:{web.port}/c"))
    until(lambda: len(web.asked) > asked + 10, 10, "looks at another")
    assert {path for path, _ in web.asked[asked + 1 :]} == {"/c"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({}, "exactly one of"), ({"tcp": "1", "http": "http://x"}, "exactly one of"), ({"log_line": "("}, "log_line")],
)
def test_a_probe_that_makes_no_sense_is_refused(daemon: Daemon, wrong: dict[str, str], said: str) -> None:
    with pytest.raises(RequestError, match=said) as refused:
        add(daemon, "a", SLEEP, ready=wrong)
    assert refused.value.code == "command.bad_value"


def test_an_agent_that_writes_has_a_heartbeat(daemon: Daemon) -> None:
    added = add(daemon, "a", "echo hello; exec sleep 1000", agent="test")
    assert added["process"]["last_heartbeat"] is None
    add(daemon, "b", "echo hello; exec sleep 1000")
    before = daemon.kill_hub()  # the next one looks at once
    until(lambda: daemon.hub_pid() != before, 10, "the next hub")
    until(lambda: get(daemon, "a")["last_heartbeat"] is not None, 10, "a heartbeat")
    assert get(daemon, "b")["last_heartbeat"] is None


def test_a_kinds_figures_hold_where_nobody_names_any(tmp_path: Path) -> None:
    text = "processes: {db: {health_check_interval: 0.05, timeout: 0.2}}"
    with configured_daemon(tmp_path, text) as daemon:
        add(daemon, "db", SLEEP, restart="never", ready={"tcp": "127.0.0.1:1", "threshold": 1})
        add(daemon, "own", SLEEP, restart="never", ready={"tcp": "127.0.0.1:1", "threshold": 1, "start_s": 600})
        comes(daemon, "db", "unhealthy")
        assert get(daemon, "own")["state"] == "running"


def test_what_is_stopped_for_its_health_comes_back_though_the_hub_dies_meanwhile(daemon: Daemon) -> None:
    deaf = "trap '' TERM; while :; do sleep 0.02; done"
    add(daemon, "a", deaf, backoff_s=0.01, stop={"grace_s": 1.5}, ready=soon(tcp="127.0.0.1:1"))
    comes(daemon, "a", "stopping")
    before = daemon.kill_hub()
    until(lambda: daemon.hub_pid() != before, 10, "the next hub")
    until(lambda: get(daemon, "a")["run"] == 2, 10, "the next run")
    assert get(daemon, "a")["desired"] == "up"
