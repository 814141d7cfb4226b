"""`up`, `down`, `delete` and `template` with the real daemon."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.commandline import CommandLine
from tests.support.daemon import Daemon
from wezparallel.frontends.cli.up import project_root, template_name

pytestmark = pytest.mark.one_daemon

TWO = "layout: |\n  a  b\npanes:\n  a: sleep 1000\n  b: sleep 1000\n"


def test_up_opens_what_the_folder_says_and_tells_how_each_process_came_up(real: CommandLine) -> None:
    (real.cwd / "wezparallel.yaml").write_text(TWO)
    done = real("up", "--trust")
    assert done.code == 0, done.err
    assert "● a  running" in done.out
    assert "shop  2 of 2 up" in done.out


def test_up_again_opens_the_same_workspace(real: CommandLine, daemon: Daemon) -> None:
    (real.cwd / "wezparallel.yaml").write_text(TWO)
    real("up", "--trust")
    pids = {one["pid"] for one in daemon.call("ProcessList")["processes"]}
    assert json.loads(real("up", "--trust", "--json").out)["workspace"]["name"] == "shop"
    assert {one["pid"] for one in daemon.call("ProcessList")["processes"]} == pids


def test_up_from_a_folder_below_means_the_project(real: CommandLine) -> None:
    (real.cwd / "wezparallel.yaml").write_text(TWO)
    (real.cwd / "src" / "deep").mkdir(parents=True)
    document = json.loads(real("up", "--trust", "--json", cwd=real.cwd / "src" / "deep").out)
    assert document["workspace"]["root"] == str(real.cwd)


def test_up_without_a_terminal_opens_what_it_found_and_writes_nothing(real: CommandLine) -> None:
    done = real("up", "--trust")
    assert done.code == 0
    assert "No wezparallel.yaml here." in done.out
    assert not (real.cwd / "wezparallel.yaml").exists()


def test_up_on_a_terminal_asks_and_no_changes_nothing(real: CommandLine, daemon: Daemon) -> None:
    shown = real.on_terminal("up", keys={"[n]o": "n\r"})
    assert "Nothing was written or opened." in shown.text
    assert not (real.cwd / "wezparallel.yaml").exists()
    assert not daemon.call("WorkspaceList")["workspaces"]


def test_up_on_a_terminal_writes_opens_and_attaches_after_yes(real: CommandLine, daemon: Daemon) -> None:
    with real.terminal("up") as terminal:
        terminal.wait_for("[n]o")
        terminal.type("\r")
        terminal.wait_for("attached to shop/")
        assert (real.cwd / "wezparallel.yaml").exists()


def test_the_focused_pane_begins_in_the_terminal_of_who_opened_it(real: CommandLine, daemon: Daemon) -> None:
    real.environment |= {"TERM": "linux"}
    (real.cwd / "wezparallel.yaml").write_text(
        "panes:\n  a: &a { command: sh -c 'stty size; echo $TERM; exec sleep 1000' }\n  b: *a\n"
    )

    def seen(name: str) -> list[str]:
        chunks = daemon.call("LogRead", process=name, lines=2)["chunks"]
        return "".join(chunk["text"] for chunk in chunks).splitlines()

    for words, size in (("up", "--trust"), (37, 111)), (("open", "shop"), (38, 112)):
        with real.terminal(*words, rows=size[0], columns=size[1]) as terminal:
            terminal.wait_for(f"{size[0]} {size[1]}")
        assert seen("shop/a") == [f"{size[0]} {size[1]}", "linux"]
        assert seen("shop/b") == ["24 80", "xterm-256color"]
        daemon.call("WorkspaceClose", name="shop")


def test_up_says_what_is_wrong_with_a_template_and_where(real: CommandLine) -> None:
    (real.cwd / "wezparallel.yaml").write_text("pans: [shell]\n")
    done = real("up", "--trust")
    assert done.code == 6
    assert done.err.startswith("wezparallel.yaml:1:1: ")


def test_a_process_that_cannot_start_is_told_and_up_ends_with_1(real: CommandLine) -> None:
    (real.cwd / "wezparallel.yaml").write_text("panes:\n  a: [sleep, '1000']\n  b: [no-such-program]\n")
    done = real("up", "--trust")
    assert done.code == 1
    assert "✗ b  failed" in done.out
    assert "why: wezparallel logs shop/b" in done.err


def test_another_template_for_an_open_workspace_is_refused(real: CommandLine) -> None:
    (real.cwd / "wezparallel.yaml").write_text(TWO)
    real("up", "--trust")
    done = real("up", "--trust", "basic")
    assert done.code == 4
    assert "wezparallel delete shop" in done.err


def test_a_second_folder_of_the_same_name_gets_another_one_said_aloud(real: CommandLine) -> None:
    (real.cwd / "wezparallel.yaml").write_text(TWO)
    real("up", "--trust")
    other = real.cwd.parent / "other" / "shop"
    other.mkdir(parents=True)
    shutil.copy(real.cwd / "wezparallel.yaml", other)
    done = real("up", "--trust", "--name", "shop", cwd=other)
    assert "shop-2" in done.out
    assert "the name shop is taken" in done.err


def test_down_keeps_a_workspace_and_up_by_its_name_opens_it_again(real: CommandLine, daemon: Daemon) -> None:
    (real.cwd / "wezparallel.yaml").write_text(TWO)
    real("up", "--trust")
    done = real("down")
    assert "shop is closed, 2 processes stopped" in done.out
    assert {one["state"] for one in daemon.call("ProcessList")["processes"]} == {"stopped"}
    assert real("up", "--trust", "shop", cwd=Path("/")).code == 0
    assert {one["state"] for one in daemon.call("ProcessList")["processes"]} == {"running"}


def test_delete_forgets_a_workspace(real: CommandLine, daemon: Daemon) -> None:
    (real.cwd / "wezparallel.yaml").write_text(TWO)
    real("up", "--trust")
    assert real("delete", "shop", "--yes").code == 0
    assert not daemon.call("WorkspaceList")["workspaces"]
    assert real("delete", "shop", "--yes").code == 3


def test_template_show_draws_the_picture_that_up_opens(real: CommandLine) -> None:
    (real.cwd / "wezparallel.yaml").write_text(TWO)
    done = real("template", "show")
    assert "┌ a ─" in done.out
    assert "sleep 1000" in done.out


def test_template_list_names_what_is_built_in(real: CommandLine) -> None:
    done = real("template")
    assert "basic" in done.out
    assert "built-in" in done.out


def test_template_check_names_the_file_that_it_was_given(real: CommandLine) -> None:
    (real.cwd / "mine.yaml").write_text("layout: |\n  a b\n  b a\npanes: {a: x, b: y}\n")
    done = real("template", "check", "mine.yaml")
    assert done.code == 6
    assert done.err.startswith("mine.yaml:")
    (real.cwd / "mine.yaml").write_text(TWO)
    assert "2 panes" in real("template", "check", "mine.yaml").out


def test_a_project_begins_at_a_template_or_a_repository_but_not_at_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".git").mkdir()
    (tmp_path / "code" / "src").mkdir(parents=True)
    assert project_root(str(tmp_path / "code" / "src")) == str(tmp_path / "code" / "src")
    (tmp_path / "code" / ".git").mkdir()
    assert project_root(str(tmp_path / "code" / "src")) == str(tmp_path / "code")
    (tmp_path / "code" / "src" / "wezparallel.yaml").touch()
    assert project_root(str(tmp_path / "code" / "src")) == str(tmp_path / "code" / "src")


def test_a_template_is_a_name_or_an_absolute_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert template_name("web_dev") == "web_dev"
    assert template_name("mine.yaml") == str(tmp_path / "mine.yaml")


def test_an_edited_template_is_checked_before_it_is_opened(real: CommandLine, daemon: Daemon, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho "pans: [shell]" > "$1"\n')
    editor.chmod(0o700)
    real.environment["EDITOR"] = str(editor)
    real.environment.pop("VISUAL", None)
    shown = real.on_terminal("up", keys={"[n]o": "e\r", "Edit again? [Y/n]": "n\r"})
    assert "wezparallel.yaml:1:1: a template has no key 'pans'" in shown.text
    assert not daemon.call("WorkspaceList")["workspaces"]


def test_yes_writes_and_opens_without_asking(real: CommandLine) -> None:
    assert real("up", "--trust", "--yes").code == 0
    assert (real.cwd / "wezparallel.yaml").exists()
