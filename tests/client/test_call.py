"""call.py as Lua and hooks run it: a bare interpreter, bytes through, an end in any case."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.scripted_hub import PONG, ScriptedHub
from wezparallel import paths
from wezparallel.client import call
from wezparallel.client.control import Control

CALL = str(Path(call.__file__).resolve())


def run(*words: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-I", "-S", CALL, *words], input=stdin, capture_output=True, timeout=30, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip


def test_it_prints_the_reply_and_ends_with_0(runtime: str) -> None:
    with ScriptedHub(runtime + "/hub.sock"):
        done = run('{"Ping":{}}')
    assert json.loads(done.stdout)["Pong"]["hub_id"] == PONG["hub_id"]
    assert done.returncode == 0


def test_requests_on_stdin_are_answered_one_a_line(runtime: str) -> None:
    with ScriptedHub(runtime + "/hub.sock"):
        done = run(stdin=b'{"Ping":{},"id":1}\n{"Ping":{},"id":2}\n')
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [1, 2]


def test_an_error_reply_is_an_answer_too(runtime: str) -> None:
    with ScriptedHub(runtime + "/hub.sock"):
        done = run('{"Pong":{}}')
    assert json.loads(done.stdout)["Error"]["code"] == "command.unknown"
    assert done.returncode == 0


def test_without_a_daemon_it_says_so_and_ends_with_5(runtime: str) -> None:
    done = run("--no-start", '{"Ping":{}}')
    assert done.returncode == 5
    assert b"no daemon at" in done.stderr


def test_a_daemon_that_the_user_stopped_is_not_started(runtime: str) -> None:
    Path(runtime, "stopped").touch()
    done = run('{"Ping":{}}')
    assert done.returncode == 5
    assert b"stopped by you" in done.stderr
    assert sorted(os.listdir(runtime)) == ["stopped"]


def test_a_missing_daemon_is_started_by_the_bare_interpreter(runtime: str) -> None:
    Path(runtime).chmod(0o700)
    try:
        done = run("--timeout", "20", '{"Ping":{}}')
        assert b'"Pong"' in done.stdout, done.stderr
    finally:
        with Control() as control:
            control.stop(children=True)
            with suppress(ConnectionError):  # its end: its folder is removed behind this test
                while True:
                    control._next(20)


def test_a_hub_that_never_answers_ends_at_the_timeout(runtime: str) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(runtime + "/hub.sock")
        listener.listen()
        done = run("--timeout", "0.2", '{"Ping":{}}')
    assert done.returncode == 5
    assert b"no answer within 0.2 s" in done.stderr


def test_with_retry_a_request_is_sent_again_after_the_connection_ended(runtime: str) -> None:
    with ScriptedHub(runtime + "/hub.sock") as hub:
        hub.drop_next = 1
        done = run("--retry", '{"Ping":{}}')
        assert len(hub.requests) == 2
    assert b"Pong" in done.stdout


def test_without_retry_it_is_not(runtime: str) -> None:
    with ScriptedHub(runtime + "/hub.sock") as hub:
        hub.drop_next = 1
        done = run('{"Ping":{}}')
        assert len(hub.requests) == 1
    assert done.returncode == 5


@pytest.mark.parametrize("words", [["--timeout"], ["--what", "{}"], ["--timeout", "soon", "{}"]])
def test_wrong_usage_ends_with_2(words: list[str], runtime: str) -> None:
    assert run(*words).returncode == 2


def test_it_knows_the_same_places_as_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("WEZPARALLEL_RUNTIME_DIR", "/r"), ("WEZPARALLEL_SOCKET", "/s"), ("", "")):
        if name:
            monkeypatch.setenv(name, value)
        known = subprocess.run(
            [sys.executable, "-c", "from wezparallel.client.call import *; print(default_socket(), runtime_dir())"],
            capture_output=True, text=True, check=True,
        ).stdout.split()  # fmt: skip
        assert known == [paths.client_socket(), paths.runtime_dir()]
        if name:
            monkeypatch.delenv(name)


def test_it_imports_c_modules_only() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c",
         "import sys; before = set(sys.modules); source = open(sys.argv[1]).read(); "
         "exec(compile(source, 'call.py', 'exec'), {'__name__': 'call', '__file__': sys.argv[1]}); "
         "print([n for n in set(sys.modules) - before if getattr(sys.modules[n], '__file__', None) "
         "and sys.modules[n].__file__.endswith('.py')])", CALL],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
