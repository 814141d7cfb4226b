"""A process keeps the environment that it was started with; `--refresh-env` renews it; nobody writes it down."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.commandline import CommandLine
from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.errors import RequestError

pytestmark = pytest.mark.one_daemon

SECRET = "s3cr3t-of-this-shell"
SOURCE = "processes:\n  shop: {{command: [sh, -c, {script}]}}\n"
SCRIPT = 'echo "$TOKEN" > {file}.part; mv {file}.part {file}; exec sleep 1000'

Shell = Callable[[str], CommandLine]


@pytest.fixture
def shell(daemon: Daemon) -> Shell:
    """A person's shell that has a token, in a project whose process writes its token to a file."""
    folder = daemon.home / "shop"
    folder.mkdir()
    file = daemon.home / "token"
    source = SOURCE.format(script="'" + SCRIPT.format(file=file) + "'")
    (folder / "wezparallel.yaml").write_text(source)
    return lambda token: CommandLine({**daemon.env, "TOKEN": token}, folder)


def seen(daemon: Daemon) -> str:
    """Return the token that the present run was started with."""
    file = daemon.home / "token"
    until(file.exists, 15, "the token")
    token = file.read_text().strip()
    file.unlink()
    return token


def test_a_restart_keeps_the_environment_until_it_is_renewed(daemon: Daemon, shell: Shell) -> None:
    assert shell("one")("up", "--trust").code == 0
    assert seen(daemon) == "one"
    assert shell("two")("restart", "shop/shop").code == 0
    assert seen(daemon) == "one"
    assert shell("two")("restart", "--refresh-env", "shop/shop").code == 0
    assert seen(daemon) == "two"
    daemon.call("ProcessRestart", process="shop/shop")
    assert seen(daemon) == "two"
    shell("three")("stop", "shop/shop")
    assert shell("three")("start", "shop/shop").code == 0
    assert seen(daemon) == "two"
    shell("three")("stop", "shop/shop")
    assert shell("three")("start", "--refresh-env", "shop/shop").code == 0
    assert seen(daemon) == "three"


def test_up_renews_only_what_was_closed_or_if_it_is_told(daemon: Daemon, shell: Shell) -> None:
    shell("one")("up", "--trust")
    assert seen(daemon) == "one"
    shell("two")("stop", "shop/shop")
    assert shell("two")("up", "--trust").code == 0
    assert seen(daemon) == "one"
    assert shell("three")("up", "--trust", "--refresh-env").code == 0
    daemon.kill_hub()
    daemon.call("ProcessRestart", process="shop/shop")
    assert seen(daemon) == "three"
    shell("four")("down")
    assert shell("four")("up", "--trust").code == 0
    assert seen(daemon) == "four"


def test_a_renewed_environment_outlives_the_hub_and_an_upgrade_and_is_never_written_down(
    daemon: Daemon, shell: Shell
) -> None:
    shell("one")("up", "--trust")
    assert seen(daemon) == "one"
    assert shell(SECRET)("restart", "--refresh-env", "shop/shop").code == 0
    assert seen(daemon) == SECRET
    daemon.arm("stored")
    daemon.call(
        "ProcessRestart", process="shop/shop", key="k", environment={"PATH": os.environ["PATH"], "TOKEN": SECRET}
    )
    assert seen(daemon) == SECRET
    argv = [sys.executable, "-m", "wezparallel.keeper", "--foreground"]
    daemon.call("DaemonUpgrade", argv=argv)
    daemon.call("ProcessRestart", process="shop/shop")
    assert seen(daemon) == SECRET
    daemon.kill_hub()
    daemon.call("ProcessRestart", process="shop/shop")
    assert seen(daemon) == SECRET
    with pytest.raises(RequestError) as refusal:
        daemon.call("ProcessRestart", process="shop/shop", environment={"TOKEN": [SECRET]})
    assert SECRET not in refusal.value.message
    with pytest.raises(RequestError) as refusal:
        daemon.call("ProcessStart", process="shop/none", environment={"TOKEN": SECRET})
    assert SECRET not in str(refusal.value.to_json())
    daemon.call("Subscribe", events=["*"], since=0)
    assert not [file for file in files(daemon) if SECRET.encode() in file.read_bytes()]
    assert any(b"shop/shop" in file.read_bytes() for file in files(daemon))


def files(daemon: Daemon) -> list[Path]:
    """Return every file that the daemon has written."""
    folders = [daemon.home / "state", daemon.home / "config", Path(daemon.runtime)]
    found = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    return [*found, daemon.home / "keeper.err"]
