"""`wait`: what it waits for, what it prints, and the code that a script sees."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from tests.support.commandline import CommandLine
from tests.support.daemon import Daemon

pytestmark = pytest.mark.one_daemon


def add(daemon: Daemon, name: str, script: str, **fields: Any) -> None:
    daemon.call("ProcessAdd", id=name, command="sh", args=["-c", script], **fields)


def test_what_came_exits_with_0_and_a_line_is_printed(real: CommandLine, daemon: Daemon) -> None:
    add(daemon, "web", "echo; echo listening on 80; exec sleep 1000", ready={"log_line": "listening"})
    assert real("wait", "web").code == 0
    done = real("wait", "web", "--for", r"output=on \d+$")
    assert (done.code, done.out) == (0, "listening on 80\n")
    reply = json.loads(real("wait", "web", "--json").out)
    assert (reply["outcome"], reply["process"]["state"]) == ("met", "ready")


def test_what_does_not_come_in_time_exits_with_124_and_what_will_not_come_with_1(
    real: CommandLine, daemon: Daemon
) -> None:
    add(daemon, "slow", "exec sleep 1000", ready={"tcp": "127.0.0.1:1"})
    done = real("wait", "slow", "--timeout", "0.2")
    assert done.code == 124
    assert done.err == "wezparallel: slow is still running; 'ready' did not come in time\n"
    add(daemon, "broken", "exit 3", restart="never", ready={"tcp": "127.0.0.1:1"})
    done = real("wait", "broken", "--timeout", "20")
    assert done.code == 1
    assert done.err.startswith("wezparallel: broken is exited 3, so 'ready' will not come")
    assert real("wait", "broken", "--for", "output=never").code == 1


def test_an_end_is_waited_for_and_its_code_passed_on(real: CommandLine, daemon: Daemon) -> None:
    add(daemon, "job", "read line; exit 7", restart="never")
    waiting = real.terminal("wait", "job", "--for", "exited", "--exit-code")
    with waiting:
        daemon.call("ProcessType", process="job", text="go\n")
        waiting.wait()
    assert waiting.code == 7
    assert real("wait", "job", "--for", "exited").code == 0
    assert real("wait", "job", "--for", "exited", "--exit-code").code == 7


def test_a_wait_outlives_the_hub(real: CommandLine, daemon: Daemon) -> None:
    add(daemon, "job", "read line; exit 0", restart="never")
    with real.terminal("wait", "job", "--for", "exited") as waiting:
        daemon.kill_hub()
        daemon.call("ProcessType", process="job", text="go\n")
        waiting.wait()
    assert waiting.code == 0


@pytest.mark.parametrize("what", ["nothing", "output", "output=", "ready=now", "output=("])
def test_what_cannot_be_waited_for_is_said(what: str, real: CommandLine, daemon: Daemon) -> None:
    add(daemon, "web", f"exec {sys.executable} -c 'input()'")
    done = real("wait", "web", "--for", what)
    assert done.code == 2
    assert "regular expression" in done.err if what == "output=(" else "write ready, exited, or output=" in done.err


def test_what_waits_for_another_is_told_by_name(real: CommandLine, daemon: Daemon) -> None:
    add(daemon, "db", "exec sleep 1000", ready={"tcp": "127.0.0.1:1"})
    add(daemon, "web", "exec sleep 1000", depends_on={"db": "ready"})
    done = real("ps")
    assert "waits for db  " in done.out
    assert "waits for db: ready" not in done.out
