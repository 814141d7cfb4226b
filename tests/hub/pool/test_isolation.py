"""`isolate: true`: what a program sees, and that it is found where only the user's own PATH looks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.hub.handlers.test_process import add, get, text_of
from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.hub.pool.isolation import SEED_PATH, isolated
from wezparallel.protocol.process import ProcessSettings

pytestmark = pytest.mark.one_daemon

GIVEN = {
    "HOME": "/home/u", "USER": "u", "LC_ALL": "C", "XDG_DATA_HOME": "/x", "TERM": "xterm", "PATH": "/opt/own:/bin",
    "SECRET_KEY": "s", "EDITOR": "vi", "WEZPARALLEL_SOCKET": "/s", "SSH_AUTH_SOCK": "/a", "NVM_DIR": "/n",
}  # fmt: skip


def settings(**fields: Any) -> ProcessSettings:
    """Return settings of an isolated process."""
    return ProcessSettings(**{"name": "p", "argv": ["sh"], "cwd": "/", "isolate": True} | fields)


def program(folder: Path, name: str, text: str) -> str:
    """Write a program into a new folder; return the folder."""
    folder.mkdir(parents=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)
    return str(folder)


def test_only_the_allow_list_and_what_is_configured_is_left() -> None:
    left = isolated(settings(env={"EDITOR": "ed", "MODE": "x"}), GIVEN).env
    removed = {name for name, value in left.items() if value is None}
    assert removed == {"SECRET_KEY", "NVM_DIR"}
    assert set(left) - removed == {"EDITOR", "MODE", "PATH"}
    assert (left["EDITOR"], left["MODE"], left["PATH"]) == ("ed", "x", SEED_PATH)


def test_what_is_not_isolated_stays_as_it_is() -> None:
    process = settings(isolate=False)
    assert isolated(process, GIVEN) is process


def test_a_program_of_the_users_own_is_named_by_its_whole_path(tmp_path: Path) -> None:
    own = program(tmp_path / "own", "tool", "#!/bin/sh\n")
    made = isolated(settings(argv=["tool", "-x"]), {"PATH": f"/bin:{own}"})
    assert made.argv == [f"{own}/tool", "-x"]
    assert made.env["PATH"] == f"{own}:{SEED_PATH}"
    relative = isolated(settings(argv=["./own/tool"], cwd=str(tmp_path)), {"PATH": "/bin"})
    assert relative.argv == [f"{own}/tool"]


def test_the_program_of_a_shells_line_is_found_too(tmp_path: Path) -> None:
    own = program(tmp_path / "own", "tool", "#!/bin/sh\n")
    for line in ("exec tool --x", "tool && true"):
        made = isolated(settings(argv=["/bin/sh", "-c", line]), {"PATH": f"/bin:{own}"})
        assert own in (made.env["PATH"] or "").split(":")


def test_a_configured_path_holds() -> None:
    assert isolated(settings(env={"PATH": "/a:/bin"}), GIVEN).env["PATH"] == "/a:/bin"


def test_an_isolated_process_sees_nothing_else(daemon: Daemon, tmp_path: Path) -> None:
    own = program(tmp_path / "own", "show", "#!/bin/sh\nenv\n")
    environment = {"PATH": f"{os.environ['PATH']}:{own}", "HOME": str(tmp_path), "SECRET_KEY": "s", "LC_ALL": "C"}
    daemon.call("ProcessAdd", id="w/one", command="show", isolate=True, restart="never", root=str(tmp_path),
                environment=environment, env={"MINE": "1"})  # fmt: skip
    until(lambda: get(daemon, "w/one")["state"] == "exited", 10, "the end")
    seen = dict(line.split("=", 1) for line in text_of(daemon, "w/one").splitlines())
    names = set(seen) - {"PWD", "OLDPWD", "SHLVL", "_"}  # a shell's own
    ours = {"WEZPARALLEL_RUN", "WEZPARALLEL_PROCESS", "WORKSPACE"}
    assert names == {"PATH", "HOME", "LC_ALL", "MINE"} | ours
    assert (seen["PATH"], seen["WORKSPACE"]) == (f"{own}:{SEED_PATH}", "w")


def test_ulimits_and_niceness_reach_a_process_and_too_much_is_refused(daemon: Daemon) -> None:
    add(daemon, "one", "ulimit -n; nice", restart="never", limits={"ulimits": {"nofile": 77}, "nice": 3})
    until(lambda: get(daemon, "one")["state"] == "exited", 10, "the end")
    own = os.getpriority(os.PRIO_PROCESS, daemon.call("Status")["keeper_pid"])
    assert text_of(daemon, "one").split() == ["77", str(min(own + 3, 19))]
    refused = add(daemon, "two", "true", restart="never", limits={"ulimits": {"nofile": 1 << 40}})
    assert (refused["now"], refused["error"]["code"]) == ("refused", "process.limit")
    assert "is possible" in refused["error"]["message"]
