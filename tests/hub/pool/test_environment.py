"""Whose environment a process gets, and what it never gets."""

from __future__ import annotations

import shutil

import anyio
import pytest
from structlog.testing import capture_logs

from wezparallel.hub.pool.environment import filtered, login_environment


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder whose start files the test writes."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def capture(shell: str, **options: float) -> tuple[dict[str, str], list[str]]:
    async def main() -> dict[str, str]:
        with anyio.fail_after(30):
            return await login_environment(shell, **options)

    with capture_logs() as said:
        env = anyio.run(main)
    return env, [entry["why"] for entry in said if entry["event"] == "environment.login_shell_failed"]


@pytest.mark.parametrize(
    "name",
    [
        "WEZTERM_PANE", "WEZTERM_UNIX_SOCKET", "TMUX", "TMUX_PANE", "CLAUDECODE", "CLAUDE_CODE_SSE_PORT",
        "WEZPARALLEL_RUN", "WEZPARALLEL_FAILPOINTS", "WEZPARALLEL_HUB_ARGV", "NOTIFY_SOCKET", "LISTEN_FDS",
        "LISTEN_FDNAMES", "PWD", "COLUMNS",
    ],
)  # fmt: skip
def test_what_belongs_to_another_life_is_dropped(name):
    assert filtered({name: "x", "PATH": "/bin"}) == {"PATH": "/bin"}


@pytest.mark.parametrize(
    "name",
    ["WEZPARALLEL_RUNTIME_DIR", "WEZPARALLEL_SOCKET", "CLAUDE_CODE_USE_BEDROCK", "ANTHROPIC_API_KEY", "TERM", "LANG"],
)
def test_what_the_user_set_is_kept(name):
    assert filtered({name: "x"}) == {name: "x"}


def test_the_login_shells_start_files_are_read(home, monkeypatch):
    monkeypatch.setenv("FROM_WHOEVER_STARTED_US", "x")
    monkeypatch.setenv("WEZPARALLEL_RUN", "x")
    (home / ".profile").write_text(
        "echo some noise\nexport FROM_PROFILE='two\nlines = here' WEZTERM_PANE=3\necho more\n"
    )
    env, failed = capture("/bin/sh")
    assert failed == []
    assert env["FROM_PROFILE"] == "two\nlines = here"
    assert env["HOME"] == str(home)
    assert env["SHELL"] == "/bin/sh"
    assert env["PATH"]
    assert not {"FROM_WHOEVER_STARTED_US", "WEZPARALLEL_RUN", "WEZTERM_PANE", "PWD", "TERM"} & set(env)


def test_a_start_file_that_replaces_an_interactive_shell_is_got_around(home):
    (home / ".profile").write_text("case $- in *i*) exec true;; esac\nexport FROM_PROFILE=1\n")
    env, failed = capture("/bin/sh")
    assert failed == []
    assert env["FROM_PROFILE"] == "1"


def test_a_start_file_that_leaves_a_daemon_behind_does_not_hold_us_up(home):
    (home / ".profile").write_text("sleep 1000 &\nexport FROM_PROFILE=1\n")
    env, failed = capture("/bin/sh")
    assert failed == []
    assert env["FROM_PROFILE"] == "1"


def test_start_files_that_take_too_long_are_given_up_and_said(home, monkeypatch):
    monkeypatch.setenv("OUR_OWN", "1")
    (home / ".profile").write_text("sleep 1000\n")
    env, failed = capture("/bin/sh", bound_s=0.2)
    assert env["OUR_OWN"] == "1"
    assert failed == ["its start files took more than 0.08 s"]


@pytest.mark.parametrize(
    ("shell", "why"), [("/bin/false", "it printed no environment"), ("/no/shell", "No such file or directory")]
)
def test_without_a_shell_it_is_our_own_and_said(home, monkeypatch, shell, why):
    monkeypatch.setenv("OUR_OWN", "1")
    monkeypatch.setenv("TMUX", "1")
    env, failed = capture(shell)
    assert env["OUR_OWN"] == "1"
    assert "TMUX" not in env
    assert failed == [why]


def test_bash_reads_both_kinds_of_start_files_and_may_talk(home):
    (home / ".bash_profile").write_text("echo welcome; . ~/.bashrc; export FROM_PROFILE=1\n")
    (home / ".bashrc").write_text("echo noise >&2; printf 'half a line'; read -r x; export FROM_RC=1; false\n")
    env, failed = capture("/bin/bash")
    assert failed == []
    assert (env["FROM_PROFILE"], env["FROM_RC"]) == ("1", "1")


def test_fish_is_asked_in_its_own_words(home, monkeypatch):
    shell = shutil.which("fish")
    if shell is None:
        pytest.skip("fish is not installed")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    (home / ".config" / "fish").mkdir(parents=True)
    (home / ".config" / "fish" / "config.fish").write_text(
        "echo hello\nset -gx FROM_FISH 'two words'\nno_such_thing\n"
    )
    env, failed = capture(shell)
    assert failed == []
    assert env["FROM_FISH"] == "two words"


def test_a_start_file_that_never_stops_talking_is_given_up(home, monkeypatch):
    monkeypatch.setenv("OUR_OWN", "1")
    (home / ".profile").write_text("yes we can\n")
    env, failed = capture("/bin/sh")
    assert env["OUR_OWN"] == "1"
    assert failed == ["it printed no environment"]
