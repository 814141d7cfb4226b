"""The real Claude Code, with a mock of its API, in an environment and a network of its own: found as it was left.

`CLAUDE_BIN` names the program; it is large, and nothing installs it for these tests.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pictures.held import PROGRAMS
from tests.pictures.window import Window
from tests.support.daemon import Daemon
from tests.support.waiting import until

KEY = "sk-test-not-real"
ANSWER = "The mocked answer, in bold and in code."
SCRIPT = """
ip link set lo up
"$PYTHON" "$API" "$HOME/port" >"$HOME/api.log" 2>&1 &
while [ ! -s "$HOME/port" ]; do read -r -t 0.05 _ <> <(:) || :; done
export ANTHROPIC_BASE_URL="http://127.0.0.1:$(cat "$HOME/port")"
exec "$CLAUDE" --permission-mode manual
"""

pytestmark = pytest.mark.real_claude


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """How it is started: nothing of our environment, a home of its own, no network but its own loopback."""
    binary = os.environ.get("CLAUDE_BIN", "")
    if not os.access(binary, os.X_OK):
        pytest.skip("CLAUDE_BIN does not name the real Claude Code")
    alone = ["unshare", "-r", "-n"]
    if subprocess.run([*alone, "ip", "link", "set", "lo", "up"], check=False, capture_output=True).returncode:
        pytest.skip("no network namespace can be made here")
    home = tmp_path / "claude"
    (home / "tmp").mkdir(parents=True)
    (home / "work").mkdir()
    first_run = {
        "hasCompletedOnboarding": True,
        "theme": "dark",
        "customApiKeyResponses": {"approved": [KEY], "rejected": []},
        "projects": {str(home / "work"): {"hasTrustDialogAccepted": True}},
    }
    (home / ".claude.json").write_text(json.dumps(first_run))
    variables = {
        "HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "TERM": "xterm-256color",
        "COLORTERM": "truecolor", "TMPDIR": f"{home}/tmp", "CLAUDE_CODE_TMPDIR": f"{home}/tmp",
        "ANTHROPIC_API_KEY": KEY, "DISABLE_TELEMETRY": "1", "DISABLE_ERROR_REPORTING": "1",
        "DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "PYTHON": sys.executable, "API": str(PROGRAMS / "messages_api.py"), "CLAUDE": binary,
    }  # fmt: skip
    values = [f"{name}={value}" for name, value in variables.items()]
    return ["env", "-i", *values, *alone, "bash", "-c", f"cd {home}/work; {SCRIPT}"]


def test_it_is_found_as_it_was_left_though_the_hub_was_killed(
    command: list[str], daemon: Daemon, window: Callable[..., Window]
) -> None:
    daemon.call("ProcessAdd", id="claude", command=command[0], args=command[1:], tty=True, restart="never")
    first = window()
    first.open(daemon, "claude")
    first.sees("manual")
    first.type(b"Say something")
    first.sees("Say something")
    first.type(b"\r")
    first.sees(ANSWER)
    left = first.settle(1.0)
    first.detach()
    assert first.picture.modes == ()
    hub = daemon.kill_hub()
    until(lambda: daemon.hub_pid() != hub, 10, "another hub")
    second = window()
    second.open(daemon, "claude", leads=True)
    second.becomes(left)
    second.resize(33, 101)
    second.sees("─" * 101)
    resized = second.settle(0.5)
    os.kill(daemon.hub_pid(), signal.SIGKILL)
    second.detach()
    third = window(33, 101)
    third.open(daemon, "claude")
    third.becomes(resized)
    third.paste(b"and again")
    third.sees("and again")
    assert ANSWER in third.picture.text
