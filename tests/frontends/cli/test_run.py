"""`run`: where it puts a command, what it calls it, how it ends."""

from __future__ import annotations

import json

import pytest

from tests.support.commandline import CommandLine
from tests.support.daemon import Daemon
from wezparallel.frontends.cli.run import process_name, program

pytestmark = pytest.mark.one_daemon


@pytest.mark.parametrize(
    ("argv", "name"), [(["npm", "run"], "npm"), (["/usr/bin/x.py"], "x"), ([".hidden"], ".hidden"), (["./"], ".")]
)
def test_a_command_is_named_for_its_program(argv: list[str], name: str) -> None:
    assert process_name(argv) == name


def test_a_path_is_meant_from_here_and_a_bare_name_from_the_path() -> None:
    assert program("./go", "/srv") == "/srv/go"
    assert program("/bin/go", "/srv") == "/bin/go"
    assert program("go", "/srv") == "go"


def test_outside_a_workspace_it_joins_home_and_keeps_the_folder_and_the_environment(
    real: CommandLine, daemon: Daemon
) -> None:
    real.environment["FROM_THE_CALLER"] = "yes"
    real("run", "--", "sh", "-c", "echo $FROM_THE_CALLER $PWD; exec sleep 1000")
    record = daemon.call("ProcessGet", process="home/sh")["process"]
    assert record["cwd"] == str(real.cwd)
    assert record["restart"] == "never"
    with real.terminal("logs", "-f", "sh") as terminal:
        terminal.wait_for("yes " + str(real.cwd)[:40])


def test_inside_a_workspace_it_joins_that_one(real: CommandLine, daemon: Daemon) -> None:
    (real.cwd / "wezparallel.yaml").write_text("panes:\n  a: sleep 1000\n")
    real("up", "--trust")
    assert json.loads(real("run", "--json", "--", "sleep", "1000").out)["process"]["process_id"] == "shop/sleep"


def test_a_taken_name_gets_a_number(real: CommandLine, daemon: Daemon) -> None:
    names = [json.loads(real("run", "--json", "--", "sleep", "1000").out)["process"]["name"] for _ in range(2)]
    assert names == ["sleep", "sleep-2"]


def test_on_a_terminal_it_shows_the_program_and_ends_with_its_code(real: CommandLine, daemon: Daemon) -> None:
    shown = real.on_terminal("run", "--", "sh", "-c", "test -t 1 && echo on a terminal; exit 7")
    assert "on a terminal" in shown.text
    assert shown.code == 7


def test_a_program_begins_in_the_size_and_the_terminal_of_who_ran_it(real: CommandLine, daemon: Daemon) -> None:
    real.environment |= {"TERM": "linux", "COLORTERM": "", "TERM_PROGRAM": "some terminal"}
    words = ("sh", "-c", 'stty size; echo "$TERM,$COLORTERM,$TERM_PROGRAM"')
    with real.terminal("run", "--", *words, columns=111, rows=37) as terminal:
        terminal.wait()
    assert "37 111" in terminal.text
    assert "linux,,some terminal" in terminal.text
    assert "37 111" in str(daemon.call("LogRead", process="home/sh"))  # not only by a redraw for the viewer
    written = [one.read_bytes() for one in (daemon.home / "state" / "wezterm-parallel").glob("state.db*")]
    assert written
    assert not any(b"TERM_PROGRAM" in data.replace(b"$TERM_PROGRAM", b"") for data in written)
    assert not any(b"term_program" in data for data in written)


def test_what_nobody_looks_at_begins_in_a_usual_terminal(real: CommandLine, daemon: Daemon) -> None:
    real.environment["TERM"] = "linux"
    with real.terminal("run", "-d", "--", "sh", "-c", "stty size; echo $TERM", columns=111, rows=37) as terminal:
        terminal.wait()
    daemon.call("ProcessWait", process="home/sh", **{"for": "exited"})
    text = str(daemon.call("LogRead", process="home/sh"))
    assert "24 80" in text
    assert "xterm-256color" in text


def test_a_program_that_does_not_exist_leaves_nothing_behind(real: CommandLine, daemon: Daemon) -> None:
    done = real("run", "--", "no-such-program")
    assert done.code == 1
    assert "no-such-program" in done.err
    assert not daemon.call("ProcessList")["processes"]


@pytest.mark.parametrize("name", ["a/b", "", "a" * 65, "a\nb"])
def test_a_name_that_nobody_can_have_is_refused(name: str, real: CommandLine) -> None:
    done = real("run", "--name", name, "--", "true")
    assert done.code == 2
    assert "a name has 1 to 64 printable characters" in done.err


def test_it_needs_a_command(real: CommandLine) -> None:
    assert real("run").code == 2


SAYS = """\
kind: process
description: Says it
variables: [{ name: what, required: true, description: What to say., example: hello }]
command: [sh, -c, 'echo "$0 $*"; exec sleep 1000', "{{what}}"]
"""


def test_a_template_of_one_process_is_shown_accepted_and_run_with_its_values(
    real: CommandLine, daemon: Daemon
) -> None:
    (real.cwd / ".wezparallel").mkdir()
    (real.cwd / ".wezparallel" / "says.yaml").write_text(SAYS)
    assert "run --template" in next(line for line in real("template", "list").out.splitlines() if "says" in line)
    shown = real("template", "show", "says").out
    assert "{{what}}  needs a value" in shown
    assert "start it: wezparallel run --template says" in shown
    (real.cwd / "below").mkdir()
    words = ("run", "--template", "says", "--var", "what=a b")
    refused = real(*words)
    assert refused.code != 0
    assert "was not accepted yet" in refused.err
    real(*words, "--trust", "--", "c", cwd=real.cwd / "below")
    record = daemon.call("ProcessGet", process="home/says")["process"]
    assert record["argv"][3:] == ["a b", "c"]
    assert record["cwd"] == str(real.cwd / "below")
    missing = real("run", "--template", "says")
    assert "says.yaml:3:21: Required variable 'what' is missing" in missing.err
    assert "What to say. Give it with `--var what=hello`" in missing.err


def test_a_value_without_a_template_is_refused(real: CommandLine) -> None:
    assert "--var is a value for --template" in real("run", "--var", "a=b", "--", "true").err
