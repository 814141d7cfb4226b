"""What is scraped of a real daemon says what is so."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests.support.configured import configured_daemon, write_config
from tests.support.daemon import Daemon
from tests.support.scraping import ANYWHERE, scrape, text_of, url_of, value
from tests.support.waiting import until
from wezparallel.hub.metrics.names import METRICS
from wezparallel.hub.metrics.serving import AT_ONCE, PATIENCE_S

MB = 1 << 20
HOLDS = "import time; held = bytearray(range(256)) * (60 << 12); print('held', flush=True); time.sleep(600)"
SAMPLES = Path(__file__).parents[3] / "config" / "prometheus"
PROMTOOL = shutil.which("promtool")
PROMETHEUS = shutil.which("prometheus")


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon that serves metrics, for all tests here that leave it as it was."""
    with configured_daemon(tmp_path_factory.mktemp("scraped"), ANYWHERE) as daemon:
        yield daemon


def raw(daemon: Daemon, request: bytes) -> bytes:
    """Say something of one's own to the port."""
    place = urlsplit(url_of(daemon))
    with socket.create_connection((place.hostname, place.port), PATIENCE_S / 2) as sock:
        sock.sendall(request)
        answer = b""
        with contextlib.suppress(ConnectionResetError):  # what it did not read makes an end abrupt
            while data := sock.recv(65536):
                answer += data
    return answer


def add(daemon: Daemon, name: str, *argv: str, **more: object) -> str:
    fields = {"id": name, "command": argv[0], "args": list(argv[1:]), "cwd": str(daemon.home), **more}
    return str(daemon.call("ProcessAdd", **fields)["process"]["process_id"])


def tree_memory(pid: int) -> int:
    leader = psutil.Process(pid)
    return sum(one.memory_info().rss for one in [leader, *leader.children(recursive=True)])


def test_the_first_four_have_their_old_names_and_texts_and_no_labels(scraped: Daemon) -> None:
    lines = text_of(scraped).splitlines()
    for name, text in (
        ("workspaces_active", "Active workspace count"),
        ("processes_active", "Active process count"),
        ("task_duration_seconds", "Task execution duration"),
        ("errors_total", "Total error count"),
    ):
        assert f"# HELP {name} {text}" in lines
    samples = scrape(scraped)
    assert value(samples, "workspaces_active") is not None
    assert value(samples, "processes_active") is not None
    assert value(samples, "errors_total") is not None
    assert not [name for name, _ in samples if name.startswith("task_duration")]


def test_everything_of_the_table_is_told_and_nothing_else(scraped: Daemon) -> None:
    told = [line.split()[2] for line in text_of(scraped).splitlines() if line.startswith("# TYPE")]
    assert told == [metric.name for metric in METRICS]


def test_figures_of_a_tree_agree_with_an_independent_reading(scraped: Daemon) -> None:
    shell = f'{sys.executable} -c "{HOLDS}" & wait'
    process_id = add(scraped, "holds", "sh", "-c", shell)
    scraped.call("ProcessWait", process=process_id, **{"for": "output", "regex": "held"})
    pid = scraped.call("ProcessGet", process=process_id)["process"]["pid"]
    until(lambda: tree_memory(pid) > 60 * MB, 10, "the memory to be taken")
    labels = {"workspace": "", "process": process_id}

    def told() -> float:
        return value(scrape(scraped), "wezparallel_process_memory_bytes", **labels) or 0

    until(lambda: told() > 60 * MB, 10, "a look at the table")
    samples = scrape(scraped)
    assert value(samples, "wezparallel_process_memory_bytes", **labels) == pytest.approx(tree_memory(pid), rel=0.1)
    assert value(samples, "wezparallel_process_tree_size", **labels) == 2
    assert value(samples, "wezparallel_process_up", **labels) == 1
    assert value(samples, "wezparallel_log_written_bytes_total", **labels) == len("held\n")
    hub = psutil.Process(scraped.hub_pid())
    assert value(samples, "wezparallel_hub_memory_bytes") == pytest.approx(hub.memory_info().rss, rel=0.1)
    total = value(samples, "wezparallel_system_memory_bytes", kind="total")
    assert total == psutil.virtual_memory().total
    scraped.call("ProcessRemove", process=process_id)
    gone = scrape(scraped)
    assert not [labels for _, labels in gone if ("process", process_id) in labels]


def test_ends_and_restarts_are_counted(scraped: Daemon) -> None:
    before = scrape(scraped)
    process_id = add(scraped, "fails", "sh", "-c", "exit 43", restart="on_failure", give_up={"tries": 2}, backoff_s=0)
    until(lambda: scraped.call("ProcessGet", process=process_id)["process"]["state"] == "failed", 20, "giving up")
    after = scrape(scraped)
    ends = {"code": "43", "signal": "", "asked": "false"}
    counted = value(after, "wezparallel_process_exits_total", **ends)
    restarts = value(after, "wezparallel_process_restarts_total", workspace="", process=process_id)
    assert restarts is not None
    assert restarts >= 1
    assert counted == restarts + 1
    failed = value(after, "wezparallel_processes", state="failed")
    assert failed == (value(before, "wezparallel_processes", state="failed") or 0) + 1
    scraped.call("ProcessRemove", process=process_id)


def test_each_request_is_counted_once_however_it_is_answered(scraped: Daemon) -> None:
    labels = {"command": "Ping"}
    before = value(scrape(scraped), "wezparallel_request_duration_seconds_count", **labels) or 0
    with scraped.client() as client:
        for _ in range(101):
            client.call("Ping", {})
    after = scrape(scraped)
    assert value(after, "wezparallel_request_duration_seconds_count", **labels) == before + 101
    seconds = value(after, "wezparallel_request_duration_seconds_sum", **labels)
    assert seconds is not None
    assert 0 < seconds < 101
    buckets = [
        amount for (name, of), amount in after.items() if name.endswith("_bucket") and ("command", "Ping") in of
    ]
    assert max(buckets) == before + 101


def test_each_error_is_counted_wherever_it_is_found(scraped: Daemon) -> None:
    before = value(scrape(scraped), "errors_total") or 0
    scraped.raw(b'{"ProcessGet":{"process":"nobody"}}\n')  # unknown to the hub
    scraped.raw(b'{"ProcessGet":{"process":"nobody"}}\n')  # and a second time, on the fast path
    scraped.raw(b"no JSON\n")
    scraped.raw(b'{"NoSuchCommand":{}}\n')
    scraped.raw(b'{"ProcessStop":{"process":"nobody"}}\n')
    scraped.raw(b"[" * (1 << 20) + b"[\n")
    after = scrape(scraped)
    assert value(after, "errors_total") == before + 6
    assert value(after, "wezparallel_request_errors_total", code="wire.too_long") == 1


def test_events_and_those_who_get_them_are_counted(scraped: Daemon) -> None:
    before = value(scrape(scraped), "wezparallel_events_published_total", event="process.added") or 0
    with scraped.client() as client:
        client.subscribe(["process.*"])
        process_id = add(scraped, "told", "true")
        samples = scrape(scraped)
        assert value(samples, "wezparallel_subscribers") == 1
        assert value(samples, "wezparallel_events_published_total", event="process.added") == before + 1
    scraped.call("ProcessRemove", process=process_id)


def test_events_that_a_subscriber_did_not_read_are_counted(scraped: Daemon, tmp_path: Path) -> None:
    root = tmp_path.joinpath(*["w" * 250] * 13)
    root.mkdir(parents=True)
    scraped.call("ProcessAdd", id="wide/a", command="true", auto_start=False, root=str(root))
    with socket.socket(socket.AF_UNIX) as deaf, scraped.client() as client:
        deaf.connect(scraped.socket)
        deaf.sendall(b'{"Subscribe":{"events":["workspace.*"]}}\n')

        def lagged() -> bool:
            for _ in range(100):  # a third of a megabyte
                client.call("WorkspaceOpen", {"name": "wide"})
            return bool(value(scrape(scraped), "wezparallel_events_lagged_total"))

        until(lagged, 30, "more events than the buffers hold")
    scraped.call("WorkspaceDelete", name="wide")


def test_openmetrics_is_spoken_to_who_asks_for_it(scraped: Daemon) -> None:
    asked = urllib.request.Request(url_of(scraped), headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    with urllib.request.urlopen(asked, timeout=20) as reply:
        assert "openmetrics-text" in reply.headers["Content-Type"]
        assert reply.read().endswith(b"# EOF\n")


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GET / HTTP/1.1", b"200"),
        ("GET /other HTTP/1.1", b"404"),
        ("POST /metrics HTTP/1.1", b"405"),
        ("HEAD /metrics HTTP/1.1", b"200"),
        ("nonsense", b"400"),
    ],
)
def test_only_get_and_head_of_what_is_there_are_answered(scraped: Daemon, request_line: str, status: bytes) -> None:
    answer = raw(scraped, f"{request_line}\r\nHost: localhost\r\n\r\n".encode())
    assert answer.split(b" ")[1] == status
    if request_line.startswith("HEAD"):
        assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("host", ["evil.example", "127.evil.example", "evil.example:9464", "localhost.evil.example"])
def test_a_web_page_that_calls_this_machine_by_another_name_gets_nothing(scraped: Daemon, host: str) -> None:
    assert b" 403 " in raw(scraped, f"GET /metrics HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())


@pytest.mark.parametrize("host", ["localhost:1234", "127.0.0.1", "127.8.8.8:1", "[::1]:9464"])
def test_names_of_the_machine_itself_are_answered(scraped: Daemon, host: str) -> None:
    assert b" 200 " in raw(scraped, f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())


def test_a_head_without_an_end_is_dropped(scraped: Daemon) -> None:
    assert raw(scraped, b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 20_000) == b""


def test_who_connects_and_says_nothing_keeps_nobody_waiting(scraped: Daemon) -> None:
    place = urlsplit(url_of(scraped))
    silent = [socket.create_connection((place.hostname, place.port), 10) for _ in range(AT_ONCE - 1)]
    try:
        assert b"\nworkspaces_active " in raw(scraped, b"GET /metrics HTTP/1.1\r\n\r\n")
        assert "Pong" in scraped.raw(b'{"Ping":{}}\n').decode()
    finally:
        for sock in silent:
            sock.close()


def test_the_port_outlives_the_hub_and_a_scrape_waits_for_the_next_one(tmp_path: Path) -> None:
    with configured_daemon(tmp_path, ANYWHERE) as daemon:
        url = url_of(daemon)
        killed = daemon.kill_hub()
        with urllib.request.urlopen(url, timeout=20) as reply:  # into the backlog: nothing is refused
            assert b"wezparallel_hub_restarts_total 1.0" in reply.read()
        assert url_of(daemon) == url
        assert daemon.hub_pid() != killed


def test_a_new_configuration_moves_it_and_takes_it_away(tmp_path: Path) -> None:
    with configured_daemon(tmp_path, ANYWHERE) as daemon:
        url = url_of(daemon)
        port = urlsplit(url).port
        write_config(
            daemon.home, f"metrics:\n  address: 0.0.0.0:{port}\n"
        )  # the same port, so the old one is in the way
        daemon.call("ConfigReload")
        moved = f"http://0.0.0.0:{port}/metrics"
        until(lambda: daemon.call("Status")["metrics_url"] == moved, 10, "the other address")
        assert b" 200 " in answer_at(port, "any.name.at.all")
        write_config(daemon.home, "metrics:\n  enabled: false\n")
        daemon.call("ConfigReload")
        until(lambda: refused(port), 10, "the port to be given up")
        assert daemon.call("Status")["metrics_url"] is None


def answer_at(port: int | None, host: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        return sock.recv(65536)


def refused(port: int | None) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 10).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_port_that_is_taken_is_said_and_stops_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with configured_daemon(tmp_path, f"metrics:\n  address: 127.0.0.1:{port}\n") as daemon:
            until(lambda: daemon.call("Status")["metrics_error"] is not None, 10, "the complaint")
            status = daemon.call("Status")
            assert status["metrics_url"] is None
            assert str(port) in status["metrics_error"]


def test_with_a_runtime_folder_of_its_own_nothing_is_served_unasked(one_daemon: Daemon) -> None:
    status = one_daemon.call("Status")
    assert (status["metrics_url"], status["metrics_error"]) == (None, None)


def test_the_library_is_not_loaded_before_somebody_scrapes() -> None:
    code = "import sys, wezparallel.hub.app; print('prometheus_client' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=True)
    assert done.stdout.strip() == "False"


def promtool(*arguments: str, told: str = "") -> tuple[int, str]:
    """Run it; return its exit code and all that it says."""
    if PROMTOOL is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    command = [PROMTOOL, *arguments]
    done = subprocess.run(command, input=told, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stdout + done.stderr


def test_promtool_has_nothing_to_say_of_the_metrics(scraped: Daemon) -> None:
    assert promtool("check", "metrics", told=text_of(scraped)) == (0, "")


@pytest.mark.parametrize(("what", "name"), [("rules", "alerts.yml"), ("config", "prometheus.yml")])
def test_promtool_finds_the_sample_configuration_right(what: str, name: str) -> None:
    code, told = promtool("check", what, str(SAMPLES / name))
    assert code == 0, told


def test_the_sample_rules_speak_up_on_a_bad_day() -> None:
    code, told = promtool("test", "rules", str(Path(__file__).parent / "bad_day.yml"))
    assert code == 0, told


def test_the_sample_rules_name_metrics_that_there_are() -> None:
    text = (SAMPLES / "alerts.yml").read_text()
    known = {metric.name for metric in METRICS} | {f"{m.name}_bucket" for m in METRICS if m.kind == "histogram"}
    expressions = [line for line in text.splitlines() if line.strip().startswith("expr:")]
    used = {word for line in expressions for word in _words(line) if word.startswith("wezparallel_")}
    assert used
    assert used <= known


def _words(line: str) -> list[str]:
    return "".join(letter if letter.isalnum() or letter == "_" else " " for letter in line).split()


@pytest.mark.skipif(PROMETHEUS is None, reason="Prometheus is not installed (Debian: prometheus)")
def test_a_real_prometheus_scrapes_it(scraped: Daemon) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        place = urlsplit(url_of(scraped)).netloc
        (Path(folder) / "prometheus.yml").write_text(
            "global: { scrape_interval: 1s }\n"
            f"scrape_configs: [{{ job_name: wezparallel, static_configs: [{{ targets: ['{place}'] }}] }}]\n"
        )
        command = [
            str(PROMETHEUS), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
        ]  # fmt: skip
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
        try:
            until(lambda: queried(port, "up") == [1.0], 40, "Prometheus to scrape")
            assert queried(port, "workspaces_active") == [scraped.call("Status")["workspaces"]]
            assert queried(port, "wezparallel_system_memory_bytes{kind='total'}") == [psutil.virtual_memory().total]
            assert queried(port, "count(wezparallel_processes)")[0] > 5
        finally:
            running.terminate()
            running.wait(20)


def queried(port: int, query: str) -> list[float]:
    """Ask Prometheus; nothing while it is not there yet."""
    url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": query})
    try:
        with urllib.request.urlopen(url, timeout=10) as reply:
            found = json.loads(reply.read())["data"]["result"]
    except (urllib.error.URLError, ConnectionError, OSError):
        return []
    return [float(one["value"][1]) for one in found]
