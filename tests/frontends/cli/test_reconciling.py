"""`up` again after an edit, with the real daemon."""

from __future__ import annotations

import json

import pytest

from tests.support.commandline import CommandLine
from tests.support.daemon import Daemon
from wezparallel.frontends.cli.reconciling import difference

pytestmark = pytest.mark.one_daemon

BEFORE = "layout: |\n  server log\npanes:\n  server: sleep 1000\n  log: sleep 1001\n"
AFTER = "layout: |\n  server worker\npanes:\n  server: sleep 2000\n  worker: sleep 2001\n"


@pytest.fixture
def shop(real: CommandLine) -> CommandLine:
    write(real, BEFORE)
    done = real("up", "--trust")
    assert done.code == 0, done.err
    return real


def write(real: CommandLine, text: str) -> None:
    (real.cwd / "wezparallel.yaml").write_text(text)


def pids(daemon: Daemon) -> dict[str, int]:
    return {one["name"]: one["pid"] for one in daemon.call("ProcessList")["processes"]}


def test_an_untouched_file_changes_nothing_and_says_so(shop: CommandLine, daemon: Daemon) -> None:
    before = pids(daemon)
    done = shop("up")
    assert (done.code, done.out.splitlines()[0]) == (0, "shop: nothing changed in wezparallel.yaml")
    assert pids(daemon) == before


def test_an_edit_is_drawn_and_without_a_terminal_nothing_is_restarted(shop: CommandLine, daemon: Daemon) -> None:
    before = pids(daemon)
    write(shop, AFTER)
    done = shop("up", "--trust")
    lines = done.out.splitlines()
    assert lines[0] == "shop: wezparallel.yaml changed"
    drawn = [" ".join(line.split()) for line in lines[1:4]]
    assert drawn[0].startswith("~ server sleep 1000 → sleep 2000 needs a restart (running")
    assert drawn[1:] == ["+ worker sleep 2001", "− log removed from the file; it keeps running until you stop it"]
    assert "wezparallel restart shop/server" in done.err
    after = pids(daemon)
    assert (after["server"], after["log"]) == (before["server"], before["log"])
    assert after["worker"]
    listed = shop("ps").out
    assert "no longer in its template" in listed
    assert "changed since it was started" in listed
    assert "1 not in its template" in shop("ls").out

    again = shop("up")  # said once; what still runs with earlier settings is said each time
    assert again.out.splitlines()[0] == "shop: nothing changed in wezparallel.yaml"
    assert "still runs as it was before an edit: wezparallel restart shop/server" in again.err
    assert shop("restart", "server").code == 0
    assert "changed since it was started" not in shop("ps").out


def test_what_failed_and_has_left_the_template_makes_no_failure_of_up(shop: CommandLine) -> None:
    broken = "{ bad: { command: exit 3, restart: never }, after: { command: x, depends_on: { bad: exited_ok } } }"
    write(shop, f"{BEFORE}processes: {broken}\n")
    assert shop("up", "--trust").code == 1
    write(shop, BEFORE)
    done = shop("up")
    assert "removed from the file" in done.out
    assert (done.code, done.err) == (0, "")


def test_on_a_terminal_it_asks_before_it_restarts(shop: CommandLine, daemon: Daemon) -> None:
    for number, (answer, restarts) in enumerate((("y", True), ("", False), ("n", False))):
        before = pids(daemon)
        write(shop, AFTER.replace("2000", f"300{number}"))
        shown = shop.on_terminal("up", "-d", "--trust", keys={"Restart server? [y/N]": answer + "\r"})
        assert shown.code == 0, shown.text
        assert "nothing changed" not in shown.text
        assert (pids(daemon)["server"] != before["server"]) is restarts


def test_yes_restarts_what_changed_but_no_agent_and_no_restart_asks_none(real: CommandLine, daemon: Daemon) -> None:
    text = "panes:\n  coder: {{agent: claude_code, command: sleep {0}}}\n  server: sleep {0}\n"
    write(real, text.format(1000))
    real("up", "--trust")
    before = pids(daemon)
    write(real, text.format(2000))
    shown = real.on_terminal("up", "-d", "--trust", "--no-restart")
    assert "Restart" not in shown.text
    assert pids(daemon) == before
    write(real, text.format(3000))
    done = real("up", "--trust", "--yes")
    assert "coder goes on as it is; when it suits: wezparallel restart shop/coder" in done.err
    after = pids(daemon)
    assert (after["coder"] == before["coder"], after["server"] == before["server"]) == (True, False)


def test_a_new_pane_that_it_goes_to_begins_in_this_terminal(shop: CommandLine, daemon: Daemon) -> None:
    size = "{command: 'stty size; exec sleep 2002', focus: true}"
    write(shop, "layout: |\n  server size\npanes:\n  server: sleep 1000\n  size: " + size + "\n")
    with shop.terminal("up", "--trust", columns=111, rows=37) as terminal:
        terminal.wait_for("37 111")
    assert "37 111" in str(daemon.call("LogRead", process="shop/size"))  # not only by a redraw for the viewer


def test_a_file_that_is_broken_or_gone_is_said_and_what_runs_runs_on(shop: CommandLine, daemon: Daemon) -> None:
    before = pids(daemon)
    write(shop, "panes: {server: [}\n")
    done = shop("up")
    assert (done.code, done.err.startswith("wezparallel.yaml:1:")) == (6, True)
    (shop.cwd / "wezparallel.yaml").unlink()
    done = shop("up")
    assert (done.code, "is opened as it was" in done.err) == (0, True)
    assert pids(daemon) == before
    write(shop, AFTER)
    document = json.loads(shop("up", "--trust", "--json").out)
    assert {one["name"]: one["kind"] for one in document["changes"]} == {
        "server": "changed", "worker": "added", "log": "removed",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "before", "after", "said"),
    [
        ("command", "a", "b", "a → b"),
        ("env", "OLD, PORT", "NEW, PORT", "env +NEW ~PORT −OLD"),
        ("restart", "never", "always", "restart never → always"),
        ("title", None, "Server", "title none → Server"),
        ("command", "x" * 100, "y", "x" * 59 + "… → y"),
    ],
)
def test_a_difference_is_one_phrase(field: str, before: str | None, after: str | None, said: str) -> None:
    assert difference({"field": field, "before": before, "after": after}) == said
