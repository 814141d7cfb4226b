"""`config`, with a daemon and without one."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from tests.support.commandline import CommandLine
from tests.support.configured import write_config
from tests.support.daemon import Daemon
from tests.support.waiting import until

SEED = Path(__file__).parents[2] / "compat" / "seed_002_config.yaml"


def file_of(wezparallel: CommandLine) -> Path:
    return Path(wezparallel.environment["HOME"]) / ".config" / "wezterm-parallel" / "config.yaml"


def write(wezparallel: CommandLine, text: str) -> Path:
    path = file_of(wezparallel)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_without_a_daemon_the_files_are_shown_with_origins_and_without_secrets(wezparallel: CommandLine) -> None:
    write(
        wezparallel, "processes:\n  claude_code:\n    environment: { A_KEY: hush, URL: 'x://me:hush@h' }\nwebb: {}\n"
    )
    wezparallel.environment["WEZPARALLEL_LOGS_KEEP_DAYS"] = "2"
    done = wezparallel("config", "show", "--origin")
    assert done.code == 0
    assert "hush" not in done.out + done.err
    assert "~/.config/wezterm-parallel/config.yaml:3" in done.out
    assert "WEZPARALLEL_LOGS_KEEP_DAYS" in done.out
    rows = {line.split()[0]: line.split()[1:] for line in done.out.splitlines() if "." in line}
    assert rows["workspaces.max_workspaces"] == ["8", "workspaces", "default"]
    assert rows["logs.keep_days"][:2] == ["2", "days"]
    assert "Did you mean 'web'?" in done.err
    assert not Path(wezparallel.environment["XDG_STATE_HOME"]).exists()


def test_with_a_daemon_its_own_environment_counts(real: CommandLine, daemon: Daemon) -> None:
    real.environment["WEZPARALLEL_LOGS_KEEP_DAYS"] = "2"
    held = json.loads(real("config", "show", "--json").out)
    assert {value["option"]: value["value"] for value in held["values"]}["logs.keep_days"] == 30
    write_config(daemon.home, "web: { port: 9 }\n")
    assert real("config", "reload").out == "Changed: web.port.\n"
    assert real("config", "reload").out == "Nothing has changed.\n"
    write_config(daemon.home, "logs: { lines: 2 }\n")
    real("config", "reload")
    daemon.call("ProcessAdd", id="counts", command="seq", args=["5"], restart="never")
    until(lambda: daemon.call("ProcessGet", process="counts")["process"]["state"] == "exited", 10, "its end")
    assert real("logs", "counts").out == "4\n5\n"
    write_config(daemon.home, "web: { port: x }\n")
    done = real("config", "reload")
    assert done.code == 2
    assert ":1:14: `web.port` cannot be 'x'" in done.err
    assert "✗" not in done.err
    checks = {one["subject"]: one for one in json.loads(real("doctor", "--json").out)["checks"]}
    assert checks["config"]["level"] == "fix"
    assert "web.port" in real("status").out


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (SEED.read_text(), 0, ["is right: 17 options, 2 templates."]),
        ("webb: {}\nserver: { port: 1 }\n", 0, ["warning  ", "note  ", "is right: 1 option."]),
        ("web: { port: x }\n", 1, ["error  ", "is wrong: 1 error."]),
    ],
)
def test_check_says_what_there_is_to_say(wezparallel: CommandLine, text: str, code: int, said: list[str]) -> None:
    path = write(wezparallel, text)
    done = wezparallel("config", "check", str(path))
    assert (done.code, done.err) == (code, "")
    assert all(words in done.out for words in said)


def test_check_reads_stdin_and_the_users_own_file(wezparallel: CommandLine) -> None:
    assert "There is no file" in wezparallel("config", "check").out
    write(wezparallel, "web: { port: x }\n")
    done = wezparallel("config", "check", "--json")
    assert (done.code, json.loads(done.out)["errors"][0]["line"]) == (1, 1)
    assert wezparallel("config", "check", "-", stdin="web: { port: 1 }\n").out == "stdin is right: 1 option.\n"


def test_the_schema_is_the_one_that_is_shipped(wezparallel: CommandLine) -> None:
    shipped = Path(__file__).parents[3] / "config" / "schema" / "config.schema.json"
    assert json.loads(wezparallel("config", "schema").out) == json.loads(shipped.read_text())


def test_edit_makes_the_file_and_checks_what_was_written(wezparallel: CommandLine, tmp_path: Path) -> None:
    editor = tmp_path / "an editor"
    editor.write_text('#!/bin/sh\ncp "$1" "$HOME/seen"; sed -i "s/# port: 12700/port: 9/" "$1"\n')
    editor.chmod(0o755)
    wezparallel.environment["VISUAL"] = f"'{editor}'"
    done = wezparallel("config", "edit")
    assert (done.code, done.out) == (0, "~/.config/wezterm-parallel/config.yaml is right: 1 option.\n")
    assert "# max_workspaces: 8" in (Path(wezparallel.environment["HOME"]) / "seen").read_text()
    assert stat.S_IMODE(os.stat(file_of(wezparallel)).st_mode) == 0o600


def test_edit_asks_again_after_a_mistake_and_reloads_what_is_right(real: CommandLine, daemon: Daemon) -> None:
    write_config(daemon.home, "web: { port: 1 }\n")
    editor = daemon.home / "editor"
    editor.write_text(
        f'#!/bin/sh\nif [ -e {daemon.home}/again ]; then echo "web: {{ port: 3 }}" > "$1"; '
        f'else touch {daemon.home}/again; echo "web: {{ port: x }}" > "$1"; fi\n'
    )
    editor.chmod(0o755)
    real.environment["EDITOR"] = str(editor)
    seen = real.on_terminal("config", "edit", keys={"Edit it again? [Y/n]": "\r"})
    assert seen.code == 0
    assert "cannot be 'x'" in seen.text
    assert "Changed: web.port." in seen.text


def test_an_editor_that_fails_is_said(wezparallel: CommandLine) -> None:
    wezparallel.environment["VISUAL"] = "/no/such/editor"
    assert "cannot be run" in wezparallel("config", "edit").err


def test_the_daemon_starts_with_the_named_file_and_flags(wezparallel: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("web: { port: 9 }\nlogs: { keep_days: 3 }\n")
    try:
        done = wezparallel("daemon", "start", "--config", str(tmp_path / "mine.yaml"), "--set", "web.port=10")
        assert (done.code, done.err) == (0, "")
        rows = {line.split()[0]: line for line in wezparallel("config", "show", "--origin").out.splitlines() if line}
        assert rows["web.port"].split()[1:] == ["10", "--set", "web.port"]
        assert rows["logs.keep_days"].split()[1:3] == ["3", "days"]
        other = wezparallel("daemon", "start", "--config", str(tmp_path / "other.yaml"))
        assert other.code == 4
        assert "was started with" in other.err
    finally:
        wezparallel("daemon", "stop", "--all", "--yes")
