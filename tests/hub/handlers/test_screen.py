"""The screen of a process, drawn by a program beside the hub; and that its recording ends in the same one."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.errors import RequestError
from wezparallel.wire import screenshot
from wezparallel.wire.emulator import Terminal

pytestmark = pytest.mark.one_daemon

DRAWS = (
    r"printf 'first\r\n\033[2J\033[5;10H\033[1;31mr\303\251d\033[0m \344\270\255\033[7;1H\033[44mblue\033[K\033[0m'; "
    r"sleep 0.3; printf '\033[5Axyz\033[2;4r\033[4;1H\n\n\033[r\033[?25l'"
)
EDITS = (
    r"printf 'below\r\n\033[?1049h\033[H\033[2Jabove\033[3;3H\033(0lqk\033(B'; sleep 0.3; "
    r"printf '\033]0;a title\007\033[3;4H\033[@\033[7mx\033[0m'"
)
COUNTS = r"for n in $(seq 5000); do printf '\033[3%dmline %d\033[0m\n' $((n % 8)) $n; done"
SPINS = r"for n in $(seq 300); do printf '\r\033[K%d %% \033[3%dm#\033[0m' $n $((n % 8)); done"


def add(daemon: Daemon, process: str, script: str, **fields: Any) -> None:
    fields = {"tty": True, "restart": "never"} | fields
    daemon.call("ProcessAdd", id=process, command="sh", args=["-c", f"{script}; echo; echo the end; exec sleep 1000"],
                **fields)  # fmt: skip


def screen(daemon: Daemon, process: str, **fields: Any) -> dict[str, Any]:
    return daemon.call("ProcessScreen", process=process, **fields)


def ended(daemon: Daemon, process: str) -> dict[str, Any]:
    """Wait until all that it draws is drawn; return its screen."""
    until(lambda: "the end" in screen(daemon, process, format="text")["text"], 20, "the end")
    return screen(daemon, process)


def replayed(daemon: Daemon, process: str) -> Terminal:
    """Play the recording as a player does."""
    text, cursor = "", None
    while True:
        page = daemon.call("LogExport", process=process, cursor=cursor)
        text += page["text"]
        cursor = page["next"]
        if cursor is None:
            break
    head, *events = map(json.loads, text.split("\n")[:-1])
    terminal = Terminal(head["height"], head["width"])
    for _, code, data in events:
        if code == "o":
            terminal.feed(data.encode())
        elif code == "r":
            columns, _, rows = data.partition("x")
            terminal.resize(int(rows), int(columns))
    return terminal


@pytest.mark.parametrize("script", [DRAWS, EDITS, COUNTS, SPINS], ids=["draws", "edits", "counts", "spins"])
@pytest.mark.parametrize("tty", [True, False], ids=["tty", "pipes"])
def test_a_recording_ends_in_the_screen_that_is_shown(daemon: Daemon, script: str, tty: bool) -> None:
    add(daemon, "it", script, tty=tty)
    seen = ended(daemon, "it")
    played = replayed(daemon, "it")
    assert seen["lines"] == screenshot.lines(played)
    assert (seen["rows"], seen["columns"]) == (played.rows, played.columns)
    assert seen["cursor"] == {
        "row": played.cursor[0], "column": played.cursor[1], "visible": played.cursor_visible
    }  # fmt: skip
    assert (seen["alternate"], seen["title"]) == (played.alternate, played.title)
    assert seen["whole"]


def test_each_format_shows_the_same(daemon: Daemon) -> None:
    add(daemon, "it", DRAWS)
    lines = ended(daemon, "it")["lines"]
    rows = ["".join(span["text"] for span in line).rstrip() for line in lines]
    assert screen(daemon, "it", format="text")["text"].rstrip("\n") == "\n".join(rows).rstrip("\n")
    assert "\x1b[0;1;31mréd" in screen(daemon, "it", format="ansi")["text"]
    picture = screen(daemon, "it", format="svg")
    assert picture["text"].startswith("<svg")
    assert picture["lines"] is None


def test_a_picture_that_is_known_is_not_drawn_again(daemon: Daemon) -> None:
    add(daemon, "it", "read line; echo more")
    until(lambda: screen(daemon, "it")["run_id"], 10, "a run")
    before = screen(daemon, "it")
    again = screen(daemon, "it", seen=before["offset"])
    assert (again["lines"], again["offset"]) == (None, before["offset"])
    daemon.call("ProcessType", process="it", text="x", enter=True)
    until(lambda: screen(daemon, "it", seen=before["offset"])["lines"], 10, "what was typed")


def test_a_log_in_memory_has_a_screen_too(daemon: Daemon) -> None:
    add(daemon, "it", DRAWS, log="memory")
    assert "réd 中" in "".join(span["text"] for span in ended(daemon, "it")["lines"][4])
    assert ended(daemon, "it")["lines"] == screenshot.lines(replayed(daemon, "it"))


def test_what_is_not_kept_has_none(daemon: Daemon) -> None:
    add(daemon, "it", DRAWS, log="off")
    with pytest.raises(RequestError, match="not kept"):
        screen(daemon, "it")


def test_who_has_not_run_has_none(daemon: Daemon) -> None:
    daemon.call("ProcessAdd", id="first", command="sleep", args=["1000"])
    daemon.call("ProcessAdd", id="it", command="true", depends_on={"first": "exited_ok"})
    with pytest.raises(RequestError, match="has no screen") as refused:
        screen(daemon, "it")
    assert refused.value.code == "log.expired"
    with pytest.raises(RequestError, match="no process"):
        screen(daemon, "nobody")


def test_who_is_removed_and_made_again_has_a_screen_of_its_own(daemon: Daemon) -> None:
    for word in ("first", "then"):
        add(daemon, "it", f"echo {word}")
        assert ended(daemon, "it")["lines"][0][0]["text"] == word
        daemon.call("ProcessRemove", process="it")


def drawing_programs(daemon: Daemon) -> list[int]:
    hub = daemon.hub_pid()
    children = [int(pid) for pid in Path(f"/proc/{hub}/task/{hub}/children").read_text().split()]
    return [pid for pid in children if b"wezparallel.hub.screens" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_the_program_that_draws_is_one_and_may_die(daemon: Daemon) -> None:
    add(daemon, "it", DRAWS)
    seen = ended(daemon, "it")["lines"]
    (pid,) = drawing_programs(daemon)
    os.kill(pid, signal.SIGKILL)
    assert screen(daemon, "it")["lines"] == seen
    assert drawing_programs(daemon) not in ([], [pid])


def test_many_may_ask_at_once(daemon: Daemon) -> None:
    for number in range(6):
        add(daemon, f"p{number}", f"echo number {number}")
        ended(daemon, f"p{number}")
    found: dict[str, str] = {}

    def ask(process: str) -> None:
        found[process] = screen(daemon, process)["lines"][0][0]["text"]

    threads = [threading.Thread(target=ask, args=(f"p{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {f"p{number}": f"number {number}" for number in range(6)}
