"""What commands mean, and what they are called."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wezparallel.hub.workspaces import commands
from wezparallel.hub.workspaces.commands import derived_name, from_list, from_text, is_simple


@pytest.mark.parametrize(
    "text",
    [
        "npm run dev", "./run.sh --flag=x", "echo 'a; b | c'", 'grep "a|b" file', r"echo a\;b", "ls *.py",
        "echo $HOME", "tail -F logs/app.log", "~/bin/x", "echo \"it's\"", r"echo 'a\' b",
    ],
)  # fmt: skip
def test_one_program_with_arguments_is_simple(text: str) -> None:
    assert is_simple(text)
    assert from_text(text, "/bin/sh").argv == ["/bin/sh", "-c", f"exec {text}"]


@pytest.mark.parametrize(
    "text",
    [
        "a; b", "a | b", "echo (a)", "echo x)", "a && b", "a &", "a > b",
        "(a)", "a\nb", "FOO=1 a", "cd x", "! a", "if a", "-x", "$CMD x",
        "echo $(a)", "echo `a`", "echo $'it\\'s' ; b", "echo 'open", 'echo "open', "time a", ". ./env", "", "{ a",
        r"echo \' ; rm \'", "'quoted program' x",
    ],
)  # fmt: skip
def test_anything_else_stays_with_the_shell(text: str) -> None:
    assert not is_simple(text)
    if text:
        assert from_text(text, "/bin/sh").argv == ["/bin/sh", "-c", text]


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet="abx '\"\\;|&$()`{}=~*", max_size=16))
def test_exec_never_changes_what_a_simple_command_prints(tail: str) -> None:
    text = f"echo {tail}".strip()
    if not is_simple(text) or "$$" in text:  # a pid is never the same
        return
    plain, replaced = (
        subprocess.run(
            ["/bin/sh", "-c", line], capture_output=True, check=False, env={"PATH": "/usr/bin:/bin"}, cwd="/"
        )
        for line in (f"/bin/{text}", f"exec /bin/{text}")
    )
    assert (plain.returncode, plain.stdout) == (replaced.returncode, replaced.stdout)


def test_the_word_shell_is_the_users_shell() -> None:
    command = from_text(" shell ", "/bin/zsh")
    assert (command.argv, command.text, command.is_shell) == (["/bin/zsh"], "shell", True)


@pytest.mark.parametrize(
    ("text", "argv"),
    [
        ("claude", ["claude"]),
        ("claude-code", ["claude"]),
        ("claude --resume 'a b'", ["claude", "--resume", "a b"]),
        ("claude-code --model $MODEL", ["/bin/sh", "-c", "exec claude --model $MODEL"]),
        ("claude && ls", ["/bin/sh", "-c", "claude && ls"]),
    ],
)
def test_claude_is_an_agent_and_started_without_a_shell_where_that_is_the_same(text: str, argv: list[str]) -> None:
    command = from_text(text, "/bin/sh")
    assert (command.argv, command.agent, command.text) == (argv, "claude_code", text)


def test_a_program_whose_name_only_begins_like_claude_is_no_agent() -> None:
    assert from_text("claudette", "/bin/sh").agent is None
    assert from_list(["claudette"]).agent is None


def test_the_pseudo_flags_become_variables() -> None:
    command = from_text("claude-code --workspace=main --priority high --mode= --room r -- --mode x", "/bin/sh")
    assert command.argv == ["claude", "--", "--mode", "x"]
    assert command.env == {
        "CLAUDE_WORKSPACE": "main", "CLAUDE_PRIORITY": "high", "CLAUDE_MODE": "", "CLAUDE_ROOM": "r",
    }  # fmt: skip
    command = from_list(["claude", "--room", "a", "--", "--mode", "x"])
    assert (command.argv, command.env) == (["claude", "--", "--mode", "x"], {"CLAUDE_ROOM": "a"})
    assert from_list(["claude", "--room"]).env == {"CLAUDE_ROOM": ""}


def test_a_list_is_argv_as_it_is() -> None:
    command = from_list(["printf", "%s", "a; b"])
    assert (command.argv, command.text, command.agent) == (["printf", "%s", "a; b"], "printf %s 'a; b'", None)


def test_kinds_of_agents_have_aliases() -> None:
    assert [commands.agent_kind(one) for one in ("claude", "claude-code", "claude_code", "codex", "x")] == [
        "claude_code", "claude_code", "claude_code", "codex", None,
    ]  # fmt: skip
    assert commands.from_agent("codex").argv == ["codex"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("claude", "claude"), ("claude-code -x", "claude"), ("npm run dev", "dev"), ("npm test -- --watch", "test"),
        ("npm", "npm"), ("FOO=1 npm start", "start"), ("python -m http.server", "http.server"),
        ("uv run pytest", "pytest"), ("python manage.py runserver", "manage"), ("./bin/server.sh -v", "server"),
        ("/usr/bin/tail -F x", "tail"),
        ("shell", "shell"), ("sh -c 'a b'", "a"), ("echo 'open", "echo"), ("FOO=1", "pane"), ("'' x", "pane"),
        ("日本語 x", "日本語"), ("; x", "pane"), ("a\u200bb", "ab"),
    ],
)  # fmt: skip
def test_a_name_is_the_first_word_that_says_something(text: str, name: str) -> None:
    assert derived_name(text, set()) == name


def test_a_taken_name_gets_a_number() -> None:
    assert derived_name("npm run dev", {"dev", "dev_2"}) == "dev-3"
