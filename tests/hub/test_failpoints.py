"""A failpoint kills once, and only where it was armed."""

from __future__ import annotations

import signal
import subprocess
import sys

PROGRAM = "from wezparallel.hub.failpoints import failpoint; failpoint('other'); failpoint('stored'); print('lived')"


def run(**env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, check=False)


def test_an_armed_failpoint_kills_once(tmp_path):
    (tmp_path / "stored").touch()
    assert run(WEZPARALLEL_FAILPOINTS=str(tmp_path)).returncode == -signal.SIGKILL
    assert run(WEZPARALLEL_FAILPOINTS=str(tmp_path)).stdout == "lived\n"


def test_without_the_variable_nothing_happens(tmp_path):
    (tmp_path / "stored").touch()
    assert run().stdout == "lived\n"
    assert (tmp_path / "stored").exists()
