"""Several terminals on one process: the last typist leads, and only the leader's size and reports count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from tests.support.handing import HandedTerminal
from tests.support.viewing import HeldKeeper, cat, shell
from tests.support.waiting import until
from wezparallel.wire import hello

SIZES = "stty raw -echo; trap 'stty size' WINCH; echo ready; while :; do sleep 0.02; done"
ATTRIBUTES = b"\x1b[?62;22c"

Open = Callable[..., HandedTerminal]


@pytest.fixture
def terminal(held: HeldKeeper) -> Iterator[Open]:
    """Open terminals on `w/sh`, closed afterwards."""
    with ExitStack() as stack:
        yield lambda *arguments, **options: stack.enter_context(
            closing(HandedTerminal(held, "w/sh", *arguments, **options))
        )


def ready(held: HeldKeeper) -> None:
    until(lambda: b"ready" in held.log("w/sh"), 10, "the program")


def test_several_terminals_type_and_see_everything(held: HeldKeeper, terminal: Open) -> None:
    cat(held)
    ready(held)
    panes = [terminal() for _ in range(3)]
    for number, pane in enumerate(panes):
        pane.type(b"from %d;" % number)
        for other in panes:
            other.expect(b"from %d;" % number)
    assert held.log("w/sh") == b"readyfrom 0;from 1;from 2;"


def test_the_first_one_leads_until_another_one_types(held: HeldKeeper, terminal: Open) -> None:
    shell(held, SIZES)
    ready(held)
    first = terminal(30, 100)
    first.expect(b"30 100")
    second = terminal(40, 110)
    second.has(41, 111)  # a follower's sizes are its own
    second.type(b"x")
    first.expect(b"41 111")
    second.expect(b"41 111")
    second.has(42, 112)
    first.expect(b"42 112")
    assert b"40 110" not in held.log("w/sh")


def test_the_one_that_typed_last_before_takes_the_lead_when_the_leader_leaves(
    held: HeldKeeper, terminal: Open
) -> None:
    shell(held, SIZES)
    ready(held)
    panes = [terminal(30 + number, 100) for number in range(3)]
    watcher = terminal(50, 150, flags=hello.READ_ONLY, offset=0)
    watcher.expect(b"30 100")
    for number in (1, 2):
        panes[number].type(b"x")
        watcher.expect(b"%d 100" % (30 + number))
    panes[2].talk.close()
    watcher.expect(b"31 100")
    panes[1].ask_back()
    watcher.expect(b"30 100")


def test_a_terminal_that_comes_back_leads_again_if_nobody_typed_meanwhile(held: HeldKeeper, terminal: Open) -> None:
    shell(held, SIZES)
    ready(held)
    first, second = terminal(30, 100), terminal(31, 100)
    second.type(b"x")
    first.expect(b"31 100")
    second.ask_back()
    first.expect(b"30 100")
    second.hand_over()
    first.expect(b"31 100")


def test_a_read_only_terminal_never_resizes_and_types_nothing(held: HeldKeeper, terminal: Open) -> None:
    shell(held, f"printf '\\033[?1049h'; {SIZES}")
    ready(held)
    watcher = terminal(50, 150, flags=hello.READ_ONLY)
    watcher.expect(b"24 80")  # the redraw that it needs is asked for in the program's own size
    watcher.has(60, 160)
    watcher.type(b"x")
    typist = terminal(30, 100)
    watcher.expect(b"30 100")
    typist.talk.close()
    watcher.has(61, 161)
    held.hub.sync()
    sizes = held.log("w/sh").split(b"ready\n")[1].split(b"\n")
    assert not [size for size in sizes if size.startswith((b"5", b"6", b"49"))]


@pytest.mark.parametrize("report", [ATTRIBUTES, b"\x1b[12;40R", b"\x1b[I", b"\x1b[<0;3;4M", b"\x1b]11;rgb:0/0/0\x07"])
def test_only_the_leaders_reports_pass(held: HeldKeeper, terminal: Open, report: bytes) -> None:
    cat(held)
    ready(held)
    first, second = terminal(), terminal()
    for at in range(len(report)):
        second.type(report[at : at + 1])  # as a slow line brings it
    first.type(report)
    first.expect(report)
    second.type(report + b"typed")
    first.expect(b"typed")
    second.type(report)
    first.expect(report)
    assert held.log("w/sh") == b"ready" + report + b"typed" + report


def test_the_escape_key_of_a_follower_is_a_key_after_a_moment(held: HeldKeeper, terminal: Open) -> None:
    cat(held)
    ready(held)
    first, second = terminal(), terminal()
    second.type(b"\x1b")
    first.expect(b"\x1b")
    second.type(ATTRIBUTES)  # it leads now
    first.expect(ATTRIBUTES)


def test_a_followers_detach_key_works(held: HeldKeeper, terminal: Open) -> None:
    cat(held)
    ready(held)
    first, second = terminal(), terminal()
    second.type(b"\x1c\x1c")
    second.returned()
    assert second.attributes == second.before
    first.type(b"on")
    first.expect(b"on")
    assert held.log("w/sh") == b"readyon"


def test_a_run_begins_in_the_last_typists_size(held: HeldKeeper, terminal: Open) -> None:
    run = shell(held, "stty raw -echo; printf ready; head -c 1; exit 3")
    ready(held)
    first, second = terminal(30, 100), terminal(31, 101)
    second.type(b"x")
    held.hub.exited(str(run["run_id"]))
    for pane in (first, second):
        pane.returned()
    shell(held, "echo size $(stty size); read x")
    for pane in (first, second):
        pane.hand_over()
        pane.expect(b"size 31 101")
