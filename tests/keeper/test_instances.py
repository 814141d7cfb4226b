"""One keeper per runtime directory, its sockets and its end."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.keeper.conftest import Daemon, wait_until
from tests.support.fake_hub import FakeHub
from wezparallel.keeper import messages as m
from wezparallel.keeper.__main__ import TAKEN


def test_of_twenty_starts_at_once_exactly_one_lives(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon()
    started = [daemon.launch() for _ in range(20)]
    wait_until(lambda: sum(p.poll() is not None for p in started) == 19, 40)
    losers = [p for p in started if p.poll() is not None]
    daemon.process = next(p for p in started if p.poll() is None)
    assert {p.returncode for p in losers} == {TAKEN}
    wait_until(daemon.answers)
    assert daemon.control("status")["pid"] == daemon.pid


def test_the_places_are_the_users_alone(daemon: Daemon) -> None:
    assert os.stat(daemon.runtime).st_mode & 0o777 == 0o700
    for path in (daemon.private, daemon.public):
        assert os.stat(path).st_mode & 0o777 == 0o600


def test_sockets_left_by_a_killed_keeper_are_replaced(daemon: Daemon) -> None:
    daemon.process.kill()  # type: ignore[union-attr]
    daemon.process.wait()  # type: ignore[union-attr]
    assert os.path.exists(daemon.private)
    assert not daemon.answers()
    daemon.start()


def test_a_socket_that_somebody_serves_is_not_stolen(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(daemon.public)
        other.listen()
        inode = os.stat(daemon.public).st_ino

        def pong() -> None:
            client, _ = other.accept()
            client.recv(100)
            client.sendall(b'{"Pong":{}}\n')
            client.close()

        server = threading.Thread(target=pong)
        server.start()
        keeper = daemon.launch()
        assert keeper.wait(20) == 1
        server.join()
    assert os.stat(daemon.public).st_ino == inode
    assert "somebody serves" in daemon.said()


def test_a_socket_that_only_accepts_is_dead(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon()
    with socket.socket(socket.AF_UNIX) as hung:
        hung.bind(daemon.public)
        hung.listen()
        daemon.start()
        assert daemon.control("status")["m"] == m.OK


def test_a_directory_that_others_may_enter_is_closed_to_them(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon()
    os.chmod(daemon.runtime, 0o777)
    daemon.start()
    assert os.stat(daemon.runtime).st_mode & 0o777 == 0o700


def test_a_link_in_place_of_the_directory_is_refused(make_daemon: Callable[..., Daemon], tmp_path: Path) -> None:
    daemon = make_daemon()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = daemon.runtime + "/link"
    os.symlink(elsewhere, link)
    daemon.env["WEZPARALLEL_RUNTIME_DIR"] = link
    assert daemon.launch().wait(20) == 1
    assert not list(elsewhere.iterdir())


def test_what_a_cleaner_removed_is_made_again(daemon: Daemon, hub: FakeHub) -> None:
    run = hub.spawn(["sleep", "600"])
    for name in os.listdir(daemon.runtime):
        if name != "keeper.err":
            os.unlink(f"{daemon.runtime}/{name}")
    os.kill(daemon.pid, signal.SIGCONT)
    wait_until(daemon.answers)
    with daemon.hub() as other:
        assert list(other.runs) == [run["run_id"]]
        listening = socket.socket(fileno=os.dup(other.listeners["public"][1]))
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(daemon.public)
            listening.accept()[0].close()
        listening.close()
    assert daemon.launch().wait(20) == TAKEN


def test_it_survives_the_signals_of_a_lost_terminal(daemon: Daemon, hub: FakeHub) -> None:
    run = hub.spawn(["sleep", "600"])
    for number in (signal.SIGHUP, signal.SIGPIPE, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTERM, signal.SIGINT):
        os.kill(daemon.pid, number)
    assert daemon.control("status")["runs"] == 1
    hub.call(m.KILL, run_id=run["run_id"])
    hub.exited(run["run_id"])


def test_an_empty_keeper_ends_when_it_is_told(daemon: Daemon) -> None:
    daemon.control("exit", children=False)
    assert daemon.process is not None
    assert daemon.process.wait(20) == 0
    assert not os.path.exists(daemon.private)
    assert not os.path.exists(daemon.public)
    assert os.path.exists(daemon.runtime + "/stopped")


def test_a_keeper_that_is_told_to_end_waits_for_its_last_process(daemon: Daemon, hub: FakeHub) -> None:
    run = hub.spawn(["sleep", "600"])
    daemon.control("exit", children=False)
    assert daemon.control("status")["runs"] == 1
    hub.call(m.KILL, run_id=run["run_id"])
    hub.exited(run["run_id"])
    assert daemon.process is not None
    assert daemon.process.wait(20) == 0


def test_the_end_with_children_acknowledges_every_exit_first(daemon: Daemon, hub: FakeHub) -> None:
    runs = [hub.spawn(["sleep", "600"]) for _ in range(5)]
    hub.send(m.EXIT, children=True)
    assert [hub.exited(run["run_id"])["asked"] for run in runs] == [True] * 5
    assert daemon.process is not None
    assert daemon.process.wait(20) == 0


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start children without coverage, which would double their memory."""
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.mark.usefixtures("unmeasured")
def test_its_memory_is_small(daemon: Daemon, hub: FakeHub) -> None:
    hub.run(["true"], tty=True)
    status = Path(f"/proc/{daemon.pid}/status").read_text()
    resident_kb = int(status.split("VmRSS:")[1].split()[0])
    assert resident_kb <= 16 * 1024
