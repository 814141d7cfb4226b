"""The one way out of Lua: what is run, and what comes back."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.lua.conftest import EMPTY, ROOT
from tests.lua.fake import FakeWezterm
from tests.lua.lua_process import HELD, LuaFaultError, really
from tests.lua.test_state import write
from tests.support.daemon import Daemon

CALL = "return require('wezparallel.client').call(...)"
PING = {"Ping": {}}
FACTS: dict[str, Any] = {
    "format": 1, "python": "/opt/python", "call": "/opt/call.py", "env": {}, "socket": "/run/hub.sock",
}  # fmt: skip


@pytest.fixture
def ready(wezterm: FakeWezterm, home: Path) -> FakeWezterm:
    """A snapshot is there, and a hub that answers every request with a Pong."""
    write(home, json.dumps(FACTS))
    wezterm.answer = lambda _argv: (True, '{"Pong":{"version":"1"}}\n', "")
    return wezterm


def options(wezterm: FakeWezterm, **given: Any) -> None:
    wezterm.call("require('wezparallel.options').read(...)", given)


def test_a_request_is_run_by_absolute_paths_with_a_timeout(ready: FakeWezterm) -> None:
    assert ready.call(CALL, PING) == ({"version": "1"}, None)
    assert ready.children == [
        ["/opt/python", "-I", "-S", "/opt/call.py", "--timeout", "10.000", "--retry", '{"Ping":{}}']
    ]


def test_a_name_alone_is_a_request_and_the_timeout_can_be_told(ready: FakeWezterm) -> None:
    ready.call("return require('wezparallel.client').call('Ping', 0.5)")
    assert ready.children[0][5:] == ["0.500", "--retry", '{"Ping":{}}']


def test_what_changes_something_carries_a_key_and_what_reads_does_not(ready: FakeWezterm) -> None:
    for _ in range(2):
        ready.call(CALL, {"ProcessStart": {"process": "web/api"}})
    ready.call(CALL, {"ProcessList": {}})
    ready.call(CALL, {"ProcessStart": {"process": "web/api", "key": "mine"}})
    sent = [json.loads(words[-1]) for words in ready.children]
    keys = [sent[0]["ProcessStart"]["key"], sent[1]["ProcessStart"]["key"]]
    assert len(set(keys)) == 2
    assert all(len(key) > 30 for key in keys)
    assert sent[2:] == [{"ProcessList": {}}, {"ProcessStart": {"process": "web/api", "key": "mine"}}]


def test_a_table_that_stands_twice_in_a_request_arrives_twice(ready: FakeWezterm) -> None:
    ready.call(
        "local t = {A='1'} require('wezparallel.client').call{WorkspaceCreate={variables=t, environment=t, key='k'}}"
    )
    assert json.loads(ready.children[0][-1]) == {
        "WorkspaceCreate": {"variables": {"A": "1"}, "environment": {"A": "1"}, "key": "k"}
    }


def test_the_request_of_the_caller_is_left_as_it_is(ready: FakeWezterm) -> None:
    body = "local body = {process='x'} require('wezparallel.client').call{ProcessStart=body} return body"
    assert ready.call(body) == {"process": "x"}


def test_an_error_comes_back_with_code_sentence_and_data(ready: FakeWezterm) -> None:
    error = {"code": "process.not_found", "message": "there is none", "data": {"process": "x"}}
    ready.answer = lambda _argv: (True, json.dumps({"Error": error}) + "\n", "")
    assert ready.call(CALL, PING) == (None, error)


@pytest.mark.parametrize("output", ["", "nonsense", "[]", '"Pong"', '{"Pong":3}', "{}"])
def test_an_answer_of_another_shape_is_an_error(ready: FakeWezterm, output: str) -> None:
    ready.answer = lambda _argv: (True, output, "")
    assert ready.call(CALL, PING)[1]["code"] == "gui.bad_answer"


def test_no_answer_is_told_in_the_words_of_the_child(ready: FakeWezterm) -> None:
    ready.answer = lambda _argv: (False, "", "wezparallel: no answer within 10 s\n")
    assert ready.call(CALL, PING) == (None, {"code": "gui.no_answer", "message": "no answer within 10 s"})
    ready.answer = lambda _argv: (False, "", "")
    assert "wezparallel doctor" in ready.call(CALL, PING)[1]["message"]


def test_a_python_that_is_gone_is_an_error_not_a_raise(ready: FakeWezterm) -> None:
    def gone(_argv: list[str]) -> Any:
        raise FileNotFoundError(2, "No such file or directory")

    ready.answer = gone
    assert ready.call(CALL, PING)[1]["code"] == "gui.no_program"


def test_without_a_snapshot_nothing_is_run(wezterm: FakeWezterm, home: Path) -> None:
    assert wezterm.call(CALL, PING)[1]["code"] == "gui.no_snapshot"
    write(home, '{"format":7}')
    assert wezterm.call(CALL, PING)[1]["code"] == "gui.format"
    assert wezterm.children == []


def test_a_request_that_no_program_can_be_told_is_refused(ready: FakeWezterm) -> None:
    assert ready.call(CALL, {"WorkspaceCreate": {"source": "x" * 140_000}})[1]["code"] == "wire.too_long"
    assert ready.children == []


def test_places_that_the_gui_does_not_know_are_told_to_the_child(
    make: Callable[..., FakeWezterm], home: Path
) -> None:
    env = {"WEZPARALLEL_RUNTIME_DIR": "/run/w", "XDG_STATE_HOME": f"{home}/.local/state"}
    write(home, json.dumps({**FACTS, "env": env}))
    wezterm = make(env={"XDG_STATE_HOME": f"{home}/.local/state"})
    wezterm.load(EMPTY)
    wezterm.call(CALL, PING)
    assert wezterm.children[0][:3] == ["/usr/bin/env", "WEZPARALLEL_RUNTIME_DIR=/run/w", "/opt/python"]


def test_a_daemon_is_started_with_the_configuration_that_setup_names(ready: FakeWezterm, home: Path) -> None:
    own = home / "mine.yaml"
    options(ready, config_path=str(own))
    ready.call(CALL, PING)
    own.write_text("")
    ready.call(CALL, PING)
    usual = home / ".config/wezterm-parallel/config.yaml"
    usual.parent.mkdir(parents=True)
    usual.write_text("")
    options(ready, config_path=str(usual))
    ready.call(CALL, PING)
    assert [words[:2] for words in ready.children] == [
        ["/opt/python", "-I"], ["/usr/bin/env", f"WEZPARALLEL_CONFIG={own}"], ["/opt/python", "-I"],
    ]  # fmt: skip


def test_without_auto_start_no_daemon_is_started_and_none_is_waited_for(ready: FakeWezterm) -> None:
    options(ready, auto_start=False)
    ready.call(CALL, PING)
    assert "--no-start" in ready.children[0]
    assert "--retry" not in ready.children[0]


def test_it_yields_and_fails_in_a_sync_event(ready: FakeWezterm) -> None:
    ready.answer = lambda _argv: HELD
    ready.start(CALL, PING)
    ready.finish_child(True, '{"Pong":{}}')
    ready.answer = lambda _argv: (True, "{}", "")
    with pytest.raises(LuaFaultError, match="outside a coroutine"):
        ready.call_sync("local _, err = require('wezparallel.client').call('Ping') error(err.message)")


def test_a_real_hub_answers(wezterm: FakeWezterm, home: Path, daemon: Daemon) -> None:
    facts = {
        **FACTS, "python": sys.executable, "call": str(ROOT / "wezparallel/client/call.py"),
        "env": {name: value for name, value in daemon.env.items() if name.startswith(("WEZPARALLEL", "XDG"))},
    }  # fmt: skip
    write(home, json.dumps(facts))
    wezterm.answer = really
    body, failure = wezterm.call(CALL, PING)
    assert failure is None
    assert body["protocol"] == {"min": 1, "max": 1}
