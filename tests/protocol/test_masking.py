"""What is not shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wezparallel.protocol.masking import MASK, is_secret, masked, masked_arguments, masked_command, masked_text

SECRET = [
    "CLAUDE_API_KEY", "ANTHROPIC_API_KEY", "GITHUB_TOKEN", "token", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID",
    "DB_PASSWORD", "PGPASSWORD", "MYSQL_PASSWD", "NPM_AUTH", "apiKey", "api-key", "SSH_PRIVATE_KEY_FILE",
    "MY_SECRETS", "SLACK_WEBHOOK", "DISCORD_WEBHOOK_URL", "GPG_PASSPHRASE", "GOOGLE_APPLICATION_CREDENTIALS",
]  # fmt: skip
PLAIN = [
    "PATH", "HOME", "KEYBOARD", "MONKEY", "TOKENIZERS_PARALLELISM", "MAX_THINKING_TOKENS", "SSH_AUTH_SOCK", "PORT",
    "CLAUDE_CODE_MAX_OUTPUT_TOKENS", "keybindings", "AUTHOR", "max_workspaces",
]  # fmt: skip


@pytest.mark.parametrize("name", SECRET)
def test_the_name_of_a_secret_is_known(name: str) -> None:
    assert is_secret(name)
    assert masked(name, "hush") == MASK


@pytest.mark.parametrize("name", PLAIN)
def test_other_names_are_no_secrets(name: str) -> None:
    assert not is_secret(name)
    assert masked(name, "seen") == "seen"


def test_a_reference_only_says_where_the_secret_is() -> None:
    assert masked("API_KEY", "${CLAUDE_API_KEY}") == "${CLAUDE_API_KEY}"
    assert masked("API_KEY", "${CLAUDE_API_KEY:-hush}") == MASK
    assert masked("API_KEY", "") == ""


def test_a_password_in_a_url_is_covered_whatever_its_name() -> None:
    assert masked("DATABASE", "postgres://me:hush@host/db") == f"postgres://me:{MASK}@host/db"
    assert masked("DATABASE", "postgres://me@host/db") == "postgres://me@host/db"


@pytest.mark.parametrize(
    "line",
    [
        "A_TOKEN: hush", "  - A_TOKEN: hush", "  'A_TOKEN': \"hush\"", "A_TOKEN = 'hush'",
        "env: { A_TOKEN: hush, B: 1 }", "url: postgres://me:hush@host",
        "A_KEY: |\n  hush\n  hush\nB: 1", "A_KEY: >-\n\n  hush\n", "env: {B: 1, A_KEY: hush}",
        "claude_code: {environment: {A_KEY: hush}, min_idle: x}", "a: [{b: {c: {A_KEY: hush, d: 1}}}]",
    ],
)  # fmt: skip
def test_a_file_is_covered_with_its_columns_kept(line: str) -> None:
    shown = masked_text(line)
    assert "hush" not in shown
    assert [len(one) for one in shown.split("\n")] == [len(one) for one in line.split("\n")]


@pytest.mark.parametrize(
    "text",
    [
        "notifications:\n  channels:\n    a: { command: [curl, hush] }\n    b:\n      apprise:\n        - hush\n",
        "notifications:\n  channels: { a: { command: hush } }\n",
        "notifications: {\n  channels: {\n    a: { command: hush\n    }\n  }\n}\n",
        "notifications:\n  channels: ['https://hush']\n",
        "[notifications.channels.a]\ncommand = ['curl', 'hush']\nx = [\n  'hush',\n]\n",
        "notifications.channels.a.command = ['hush']\n",
    ],
)  # fmt: skip
def test_where_notifications_go_is_covered_whatever_it_is_called(text: str) -> None:
    shown = masked_text(text)
    assert "hush" not in shown
    assert [len(one) for one in shown.split("\n")] == [len(one) for one in text.split("\n")]


def test_the_channels_of_a_rule_are_names() -> None:
    text = "rules:\n  a: { on: error, channels: [phone] }\n  b:\n    channels:\n      - phone\n    on: error\n"
    assert masked_text(text) == text


@given(st.text())
def test_no_text_changes_its_shape(text: str) -> None:
    assert [len(one) for one in masked_text(text).split("\n")] == [len(one) for one in text.split("\n")]


def test_what_is_no_secret_stays() -> None:
    text = "ui:\n  theme: dark # token\n  keybindings: { kill: ctrl+k }\nA_KEY: ${A_KEY}\n"
    assert masked_text(text) == text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (["run", "--token=hush", "-v"], ["run", f"--token={MASK}", "-v"]),
        (["run", "--api-key", "hush", "x"], ["run", "--api-key", MASK, "x"]),
        (["env", "API_KEY=hush", "PORT=1"], ["env", f"API_KEY={MASK}", "PORT=1"]),
        (["psql", "postgres://me:hush@h/x"], ["psql", f"postgres://me:{MASK}@h/x"]),
        (["sh", "-c", "A_TOKEN='hush' x --password hush;"], ["sh", "-c", f"A_TOKEN='{MASK}' x --password {MASK};"]),
    ],
)
def test_a_secret_among_arguments_is_covered(said: list[str], shown: list[str]) -> None:
    assert masked_arguments(said) == shown


@pytest.mark.parametrize(
    "said",
    [
        ["ssh", "--key", "/home/me/.ssh/id", "--key", "./a", "--key", "cert.pem"], ["run", "--token", "-v"],
        ["run", "--token=$TOKEN", "--token", "${TOKEN}"], ["git", "push", "--tags", "origin"], ["keys", "a=b", ""],
        ["--max-tokens=5", "--monkey", "x", "--author=me"],
    ],
)  # fmt: skip
def test_files_references_and_other_words_are_left(said: list[str]) -> None:
    assert masked_arguments(said) == said
    assert masked_command(" ".join(said)) == " ".join(said)
