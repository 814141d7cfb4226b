"""Soft limits and niceness of children: what they get, what is refused, and that the keeper keeps its own."""

from __future__ import annotations

import os
import resource

import pytest

from tests.keeper.conftest import Daemon
from tests.support.fake_hub import FakeHub, RefusedError


def test_a_child_starts_with_its_soft_limits_and_the_keeper_keeps_its_own(daemon: Daemon, hub: FakeHub) -> None:
    pid = hub.adopted["keeper_pid"]
    before = [resource.prlimit(pid, number) for number in range(16)]
    wished = {"core": 0, "fsize": 4096, "stack": 1 << 20, "nofile": 77}
    run = hub.spawn(["sleep", "60"], ulimits=wished)
    found = {name: resource.prlimit(run["pid"], getattr(resource, f"RLIMIT_{name.upper()}"))[0] for name in wished}
    assert found == wished
    assert [resource.prlimit(pid, number) for number in range(16)] == before
    os.kill(run["pid"], 9)
    hub.exited(run["run_id"])
    hub.run(["sh", "-c", "ulimit -n"], process_id="t/b")
    assert daemon.log("t/b").decode().strip() != "77"


def test_memory_processes_and_processor_time_are_limited_after_the_start(hub: FakeHub) -> None:
    run = hub.spawn(["sleep", "60"], ulimits={"as": 1 << 30, "cpu": 5, "nproc": 40, "data": 1 << 29})
    found = {name: resource.prlimit(run["pid"], getattr(resource, f"RLIMIT_{name}"))[0]
             for name in ("AS", "CPU", "NPROC", "DATA")}  # fmt: skip
    assert found == {"AS": 1 << 30, "CPU": 5, "NPROC": 40, "DATA": 1 << 29}
    os.kill(run["pid"], 9)
    hub.exited(run["run_id"])


def test_a_program_beyond_its_processor_time_ends_and_the_keeper_lives(hub: FakeHub) -> None:
    ended = hub.run(["sh", "-c", "while :; do :; done"], ulimits={"cpu": 1})
    assert ended["signal"] is not None
    hub.sync()


def test_minus_one_lifts_a_limit_as_far_as_may_be(hub: FakeHub) -> None:
    run = hub.spawn(["sleep", "60"], ulimits={"stack": -1})
    soft, hard = resource.prlimit(run["pid"], resource.RLIMIT_STACK)
    assert soft == hard
    os.kill(run["pid"], 9)
    hub.exited(run["run_id"])


@pytest.mark.parametrize("name", ["nofile", "nope", "locks"])
def test_what_cannot_be_set_is_refused_with_what_is_possible(hub: FakeHub, name: str) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with pytest.raises(RefusedError) as refused:
        hub.spawn(["true"], ulimits={name: hard + 1})
    assert refused.value.code == "process.limit"
    if name == "nofile":
        assert f"at most {hard} is possible" in str(refused.value)
        assert refused.value.message["data"] == {"limit": "nofile", "possible": hard}
    hub.run(["true"])


def test_niceness_is_added_to_the_keepers_own_also_for_what_the_child_starts(daemon: Daemon, hub: FakeHub) -> None:
    own = os.getpriority(os.PRIO_PROCESS, hub.adopted["keeper_pid"])
    run = hub.spawn(["sh", "-c", "read line; nice; sh -c nice"], process_id="t/a", nice=5)
    hub.write("t/a", b"go\n")
    hub.exited(run["run_id"])
    assert daemon.log("t/a").decode().split() == [str(min(own + 5, 19))] * 2
    assert os.getpriority(os.PRIO_PROCESS, hub.adopted["keeper_pid"]) == own


def test_a_niceness_below_ours_is_given_or_refused_and_never_kept(daemon: Daemon, hub: FakeHub) -> None:
    own = os.getpriority(os.PRIO_PROCESS, hub.adopted["keeper_pid"])
    try:
        hub.run(["nice"], process_id="t/a", nice=-3)
    except RefusedError as error:
        said = str(error)
    else:
        said = daemon.log("t/a").decode().strip()
    assert said == str(max(own - 3, -20)) or "at least 0 is possible" in said
    assert os.getpriority(os.PRIO_PROCESS, hub.adopted["keeper_pid"]) == own
