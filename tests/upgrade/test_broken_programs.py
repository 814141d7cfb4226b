"""A program that cannot go on: the old one does, and says why."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.programs import Program, arguments, times_executed
from tests.upgrade.conftest import Installed, running

CHECK_S = "1.5"


@pytest.fixture(scope="module")
def one_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """A daemon that all of these tests may fail to upgrade."""
    root = tmp_path_factory.mktemp("broken")
    with ExitStack() as stack:
        yield running(stack, root, Program(root / "first"), WEZPARALLEL_CHECK_S=CHECK_S)


@pytest.fixture
def daemon(one_daemon: Installed) -> Iterator[Installed]:
    record = one_daemon.add("echo", ["cat"])
    before = (times_executed(one_daemon.keeper_pid), one_daemon.hub_pid(), record["pid"])
    yield one_daemon
    after = one_daemon.call("ProcessGet", process="home/echo")["process"]
    assert (times_executed(one_daemon.keeper_pid), one_daemon.hub_pid(), after["pid"]) == before
    one_daemon.call("ProcessRemove", process="home/echo")


def refuses(daemon: Installed, program: Program, *why: str) -> None:
    done = daemon.run(daemon.program, "daemon", "upgrade", "--to", program.python)
    assert done.returncode != 0
    assert "nothing changed" in done.stderr
    for words in why:
        assert words in done.stderr


def no_syntax(program: Program) -> None:
    program.change("keeper/keeper.py", ("class Keeper:", "class class Keeper:"))


def no_module(program: Program) -> None:
    program.change("keeper/keeper.py", ("class Keeper:", "import no_such_module\n\n\nclass Keeper:"))


def no_hub(program: Program) -> None:
    program.change("hub/app.py", ("class Hub:", "import no_such_module\n\n\nclass Hub:"))


def too_new_a_state(program: Program) -> None:
    program.change("keeper/carried.py", ("\n_REQUIRED = (", '\n_REQUIRED = ("what_only_it_writes", '))


def too_old_for_the_database(program: Program) -> None:
    path = program.package / "hub" / "state" / "migrations"
    for step in path.glob("0*"):
        step.unlink()
    (path / "0000_nothing.sql").write_text("")


def says_no(program: Program) -> None:
    program.change("keeper/handover.py", ("    if fault:\n", '    fault = "not today"\n    if fault:\n'))


def hangs(program: Program) -> None:
    program.change("keeper/handover.py", ("    if fault:\n", "    signal.pause()\n    if fault:\n"))


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (no_syntax, "SyntaxError"),
        (no_module, "no_such_module"),
        (no_hub, "no_such_module"),
        (too_new_a_state, "what_only_it_writes"),
        (too_old_for_the_database, "has schema"),
        (says_no, "not today"),
        (hangs, f"did not answer within {CHECK_S} s"),
        (Program.remove, "No such file"),
    ],
)
def test_the_old_program_goes_on_and_says_why(
    daemon: Installed, second: Program, damage: Callable[[Program], None], why: str
) -> None:
    damage(second)
    refuses(daemon, second, second.python, why)


def test_a_program_that_is_none_of_ours_is_refused(daemon: Installed, tmp_path: Path) -> None:
    other = tmp_path / "python3"
    other.write_text("#!/bin/sh\necho another program >&2; exit 3\n")
    other.chmod(0o755)
    done = daemon.run(daemon.program, "daemon", "upgrade", "--to", str(other))
    assert done.returncode != 0
    assert "another program" in done.stderr
    assert f"{other} refuses to go on" in done.stderr


def test_a_program_that_fails_after_it_took_over_executes_the_old_one_again(
    start: Callable[..., Installed], first: Program, second: Program
) -> None:
    second.change(
        "keeper/carried.py",
        ("    keeper.viewers.resume(", "    1 / 0\n    keeper.viewers.resume("),
    )
    daemon = start(first)
    record = daemon.add("echo", ["cat"], tty=True)
    hub = daemon.hub_pid()
    before = times_executed(daemon.keeper_pid)
    refuses(daemon, second, "ZeroDivisionError", "the program before goes on")
    assert times_executed(daemon.keeper_pid) != before
    assert arguments(daemon.keeper_pid)[0] == first.python
    assert daemon.hub_pid() == hub
    assert daemon.call("ProcessGet", process="home/echo")["process"]["pid"] == record["pid"]
    daemon.call("ProcessType", process="home/echo", text="x\n")
    os.kill(hub, signal.SIGKILL)
    assert daemon.call("ProcessGet", process="home/echo")["process"]["pid"] == record["pid"]
