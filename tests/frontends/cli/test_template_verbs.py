"""`template new | import | save | trust | delete | check` and the question that `up` asks, with the real daemon."""

from __future__ import annotations

import json
import shutil
import subprocess

from tests.support.commandline import CommandLine
from tests.support.daemon import Daemon

TWO = "layout: |\n  a  b\npanes:\n  a: sleep 1000\n  b: sleep 1000\n"


def test_up_shows_what_a_folder_brought_and_runs_it_after_a_yes(real: CommandLine, daemon: Daemon) -> None:
    (real.cwd / "wezparallel.yaml").write_text(TWO)
    shown = real.on_terminal("up", "--detach", keys={"[y/N]": "y\r"})
    assert "came with its folder. It runs:" in shown.text
    assert "a  sleep 1000" in shown.text
    assert shown.code == 0
    assert real("up").code == 0  # and asks no more


def test_no_runs_nothing(real: CommandLine, daemon: Daemon) -> None:
    (real.cwd / "wezparallel.yaml").write_text(TWO)
    shown = real.on_terminal("up", keys={"[y/N]": "\r"})
    assert "Nothing was opened." in shown.text
    assert shown.code == 4
    assert daemon.call("ProcessList")["processes"] == []


def test_a_change_shows_as_a_difference(real: CommandLine) -> None:
    (real.cwd / "wezparallel.yaml").write_text(TWO)
    real("up", "--trust")
    real("delete", "shop", "--yes")
    (real.cwd / "wezparallel.yaml").write_text(TWO.replace("b: sleep 1000", "b: sleep 2000"))
    shown = real.on_terminal("up", keys={"[y/N]": "n\r"})
    assert "- b  sleep 1000" in shown.text
    assert "+ b  sleep 2000" in shown.text
    assert "a  sleep 1000" not in shown.text


def test_without_a_terminal_it_is_refused_with_its_commands_and_what_to_say(real: CommandLine) -> None:
    (real.cwd / "wezparallel.yaml").write_text(TWO)
    done = real("up")
    assert done.code == 4
    assert "a  sleep 1000" in done.err
    assert "--trust" in done.err
    assert json.loads(real("up", "--json").err)["Error"]["code"] == "template.untrusted"


def test_trust_accepts_ahead_of_up(real: CommandLine) -> None:
    (real.cwd / "wezparallel.yaml").write_text(TWO)
    assert real("template", "trust").code == 2
    assert "is accepted" in real("template", "trust", "--yes").out
    assert "accepted already" in real("template", "trust").out
    assert real("up").code == 0


def test_new_writes_what_was_found_and_it_is_trusted_as_written(real: CommandLine) -> None:
    (real.cwd / "Makefile").write_text("run:\n\tsleep 1000\n")
    done = real("template", "new")
    assert done.code == 0, done.err
    assert "make run" in (real.cwd / "wezparallel.yaml").read_text()
    assert "not accepted" not in real("template", "list").out
    again = real("template", "new")
    assert (again.code, "already" in again.err) == (4, True)


def test_new_with_a_name_copies_a_built_in_into_the_users_folder(real: CommandLine, daemon: Daemon) -> None:
    done = real("template", "new", "mine", "--from", "basic")
    assert done.code == 0, done.err
    path = daemon.home / "config" / "wezterm-parallel" / "templates" / "mine.yaml"
    assert path.exists()
    assert real("template", "new", "mine", "--from", "web_dev").code == 2
    assert real("template", "new", "mine", "--from", "web_dev", "--force").code == 0
    assert real("template", "delete", "mine").code == 2
    assert real("template", "delete", "mine", "--yes").code == 0
    assert not path.exists()


def test_check_tells_of_each_file_what_is_wrong_with_it(real: CommandLine) -> None:
    (real.cwd / "good.yaml").write_text(TWO)
    (real.cwd / "bad.yaml").write_text("panes:\n  a: { comand: x }\n")
    done = real("template", "check", "good.yaml", "bad.yaml")
    assert done.code == 6
    assert "good.yaml is right: 2 panes" in done.out
    assert done.err.startswith("bad.yaml:2:8: ")
    assert "^^^^^^" in done.err


def test_import_writes_a_template_that_opens_and_lists_what_has_no_meaning(real: CommandLine, daemon: Daemon) -> None:
    (real.cwd / "session.yaml").write_text(
        "session_name: x\nwindows:\n- window_name: w\n  window_index: 3\n  panes:\n  - sleep 1000\n  - shell\n"
    )
    done = real("template", "import", "session.yaml")
    assert done.code == 0, done.err
    assert "session.yaml:4: windows[0].window_index: tabs stand in the order of the file" in done.err
    assert real("up", "--detach").code == 0
    assert {one["state"] for one in daemon.call("ProcessList")["processes"]} == {"running"}


def test_import_replaces_no_file_unasked_and_can_write_to_stdout(real: CommandLine) -> None:
    (real.cwd / "Procfile").write_text("web: sleep 1000\n")
    (real.cwd / "wezparallel.yaml").write_text(TWO)
    done = real("template", "import")
    assert (done.code, (real.cwd / "wezparallel.yaml").read_text()) == (4, TWO)
    assert "web:" in real("template", "import", "-o", "-").out
    assert real("template", "import", "--force").code == 0
    assert "web:" in (real.cwd / "wezparallel.yaml").read_text()


def test_save_writes_the_workspace_as_a_template_that_opens_the_same(real: CommandLine, daemon: Daemon) -> None:
    text = (
        "layout:\n  areas: |\n    a  a  b\n    c  d  b\n  columns: [1, 1, 2]\n"
        "panes:\n  a: sleep 1000\n  b: { command: [sleep, '1000'], cwd: src, env: { A: b, API_TOKEN: secret } }\n"
        "  c: shell\n  d: 'sleep 1000; true'\nprocesses:\n  e: { command: 'sleep 1000', restart: always }\n"
    )
    (real.cwd / "src").mkdir()
    (real.cwd / "wezparallel.yaml").write_text(text)
    real("up", "--trust")
    done = real("template", "save", "mine")
    assert done.code == 0, done.err
    assert "API_TOKEN is not written down" in done.err
    before, after = (
        daemon.call("TemplateGet", root=str(real.cwd), name=name, environment={"API_TOKEN": "secret"})
        for name in (None, "mine")
    )
    assert "secret" not in after["source"]
    assert after["picture"] == before["picture"]
    for old, new in zip(before["settings"], after["settings"], strict=True):
        same = ("name", "argv", "cwd", "restart", "tty", "pane", "stop", "agent")
        assert {key: old[key] for key in same} == {key: new[key] for key in same}
    assert real("template", "save", "mine").code == 0  # the same again
    daemon.call("TemplateUpdate", name="mine", source=TWO)
    assert real("template", "save", "mine").code == 2
    assert real("template", "save", "mine", "--force").code == 0


def test_delete_removes_worktrees_only_when_nothing_would_be_lost(real: CommandLine, daemon: Daemon) -> None:
    def git(*words: str) -> None:
        who = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
        subprocess.run(["git", *who, "-C", str(real.cwd), *words], check=True, capture_output=True, timeout=30)

    shutil.rmtree(real.cwd / ".git")
    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "first")
    (real.cwd / "wezparallel.yaml").write_text("panes:\n  a: { command: sleep 1000, worktree: agent }\n")
    assert real("up", "--trust").code == 0
    tree = real.cwd.parent / "shop.worktrees" / "agent"
    (tree / "new").write_text("work\n")
    refused = real("delete", "shop", "--worktrees", "--yes")
    assert refused.code == 4
    assert "1 file with changes" in refused.err
    assert daemon.call("WorkspaceList")["workspaces"]
    (tree / "new").unlink()
    done = real("delete", "shop", "--worktrees", "--yes")
    assert done.code == 0, done.err
    assert "the branch agent stays" in done.out
    assert not tree.exists()
