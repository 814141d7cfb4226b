"""Limits of how many may run: who waits for a place goes on by itself, in order, also over the hub's death."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hub.handlers.test_process import add, get
from tests.support.configured import configured_daemon, write_config
from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.errors import RequestError

pytestmark = pytest.mark.one_daemon

TWO = "processes: {claude_code: {max_instances: 2}}\nworkspaces: {max_processes: 6}\n"
SLEEP = "exec sleep 100"


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon with two places for claude_code, and for six processes in a workspace."""
    with configured_daemon(tmp_path, TWO) as daemon:
        yield daemon


def agent(daemon: Daemon, name: str, **fields: Any) -> dict[str, Any]:
    """Add an agent that sleeps."""
    return add(daemon, name, SLEEP, agent="claude_code", restart="never", **fields)


def up(daemon: Daemon) -> set[str]:
    """Return which processes run."""
    return {p["process_id"] for p in daemon.call("ProcessList")["processes"] if p["state"] == "running"}


def test_a_start_above_the_limit_waits_says_for_what_and_goes_on_by_itself(limited: Daemon) -> None:
    assert [agent(limited, name)["now"] for name in ("a", "b", "c")] == ["spawned", "spawned", "waits"]
    waiting = get(limited, "c")
    assert (waiting["state"], waiting["waits_for"], waiting["desired"]) == ("not_started", "admission", "up")
    assert waiting["reason"] == (
        "waits for a place: 2 of 2 claude_code run; it starts when one ends, or raise "
        "`processes.claude_code.max_instances` in the configuration"
    )
    add(limited, "other", SLEEP)
    limited.call("ProcessKill", process="a")
    until(lambda: up(limited) == {"b", "c", "other"}, 10, "the one that waited")
    assert (get(limited, "c")["waits_for"], get(limited, "c")["reason"]) == (None, None)


def test_who_waited_first_is_first_also_when_the_hub_dies_meanwhile(limited: Daemon) -> None:
    for name in ("m", "n", "z", "y", "x"):
        agent(limited, name)
    before = limited.kill_hub()
    until(lambda: limited.hub_pid() != before, 10, "the next hub")
    assert up(limited) == {"m", "n"}
    limited.call("ProcessKill", process="m")
    until(lambda: up(limited) == {"n", "z"}, 10, "the first that waited")
    assert agent(limited, "late")["now"] == "waits"
    before = limited.hub_pid()
    limited.arm("exited")
    limited.call("ProcessKill", process="n")
    until(lambda: limited.hub_pid() != before, 10, "the next hub")
    until(lambda: up(limited) == {"z", "y"}, 10, "the second that waited")
    assert get(limited, "x")["waits_for"] == get(limited, "late")["waits_for"] == "admission"


def test_who_no_longer_waits_is_passed_over(limited: Daemon) -> None:
    for name in ("a", "b", "c", "d", "e"):
        agent(limited, name)
    assert limited.call("ProcessStop", process="c")["process"]["state"] == "stopped"
    limited.call("ProcessRemove", process="d")
    limited.call("ProcessKill", process="a")
    until(lambda: up(limited) == {"b", "e"}, 10, "the one that still waits")


def test_a_restart_gives_its_place_to_who_waits_and_waits_itself(limited: Daemon) -> None:
    for name in ("a", "b", "c"):
        agent(limited, name)
    restarted = limited.call("ProcessRestart", process="a")["process"]
    until(lambda: up(limited) in ({"a", "b"}, {"b", "c"}), 10, "two that run")
    assert restarted["desired"] == "up"
    limited.call("ProcessKill", process="b")
    until(lambda: up(limited) == {"a", "c"}, 10, "both others")


def test_a_start_that_cannot_be_spawned_takes_no_place(limited: Daemon) -> None:
    agent(limited, "a")
    limited.call("ProcessAdd", id="bad", command="/no/such/program", agent="claude_code", restart="never")
    assert agent(limited, "b")["now"] == "spawned"


def test_raising_the_limit_lets_in_who_waits(limited: Daemon) -> None:
    for name in ("a", "b", "c"):
        agent(limited, name)
    write_config(limited.home, TWO.replace("2", "3"))
    limited.call("ConfigReload")
    until(lambda: up(limited) == {"a", "b", "c"}, 10, "the one that waited")


def test_a_process_above_its_workspaces_limit_is_refused_and_changes_nothing(limited: Daemon) -> None:
    for number in range(6):
        add(limited, f"w/{number}", "exit 0", restart="never", auto_start=False)
    with pytest.raises(RequestError) as refused:
        add(limited, "w/6", "exit 0")
    assert refused.value.code == "process.limit"
    assert "`workspaces.max_processes`" in refused.value.message
    assert len(limited.call("WorkspaceGet", name="w")["processes"]) == 6
    add(limited, "v/0", "exit 0", auto_start=False)
    source = "panes: [shell]\nprocesses: {" + ", ".join(f"p{n}: 'true'" for n in range(6)) + "}"
    with pytest.raises(RequestError) as refused:
        limited.call("WorkspaceCreate", name="big", source=source)
    assert refused.value.code == "process.limit"
    assert {w["name"] for w in limited.call("WorkspaceList")["workspaces"]} == {"w", "v"}
