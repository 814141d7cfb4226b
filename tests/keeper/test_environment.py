"""What a child finds in its environment: the terminal that shows it, an SSH agent that stays, nobody else's pane."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.viewing import HeldKeeper, Pane, held_keeper
from tests.support.waiting import until
from wezparallel.keeper.environment import is_known

ENV_ID = "e" * 32


@pytest.fixture
def held(tmp_path: Path) -> Iterator[HeldKeeper]:
    with held_keeper(tmp_path) as keeper:
        yield keeper


def shown(held: HeldKeeper, names: str, **fields: object) -> str:
    """Start a child that prints these variables; return what it printed."""
    script = "".join(f'echo "{name}=${name}"; ' for name in names.split())
    run = held.hub.spawn(["/bin/sh", "-c", script], process_id="w/e", **{"tty": True, **fields})
    held.hub.exited(str(run["run_id"]))
    return held.log("w/e").decode().replace("\r", "").rpartition("\0")[2]


def put(held: HeldKeeper, **environment: str) -> str:
    held.hub.call("env_put", env_id=ENV_ID, env={"PATH": os.environ["PATH"], **environment})
    return ENV_ID


def test_without_a_viewer_the_terminal_is_the_usual_one(held: HeldKeeper) -> None:
    env_id = put(held, TERM="dumb", WEZTERM_PANE="3", WEZTERM_UNIX_SOCKET="/x", COLUMNS="7")
    told = shown(held, "TERM COLORTERM WEZTERM_PANE WEZTERM_UNIX_SOCKET COLUMNS", env_id=env_id)
    assert told == "TERM=xterm-256color\nCOLORTERM=truecolor\nWEZTERM_PANE=\nWEZTERM_UNIX_SOCKET=\nCOLUMNS=\n"


def test_what_the_definition_asks_for_wins(held: HeldKeeper) -> None:
    env = {"WEZTERM_PANE": "5", "WEZTERM_UNIX_SOCKET": "/asked/for"}
    told = shown(held, "TERM WEZTERM_PANE WEZTERM_UNIX_SOCKET", term="vt100", env=env)
    assert told == "TERM=vt100\nWEZTERM_PANE=\nWEZTERM_UNIX_SOCKET=/asked/for\n"


@pytest.mark.parametrize(
    ("term", "expected"),
    [("xterm", "xterm"), ("dumb", "dumb"), ("no-such-terminal", "xterm-256color"), ("", "xterm-256color"),
     ("../../etc/passwd", "xterm-256color")],
)  # fmt: skip
def test_the_first_viewers_terminal_counts_if_this_machine_knows_it(
    held: HeldKeeper, pane: Pane, term: str, expected: str
) -> None:
    held.hub.call("reserve", process_id="w/e")
    pane.attach(held, "w/e", TERM=term, COLORTERM="", TERM_PROGRAM="mine")
    held.hub.wait_for(lambda event: event["m"] == "viewer")
    env_id = put(held, TERM="vt220", COLORTERM="truecolor", TERM_PROGRAM="callers", TERM_PROGRAM_VERSION="1")
    told = shown(held, "TERM COLORTERM TERM_PROGRAM TERM_PROGRAM_VERSION", env_id=env_id)
    assert told == f"TERM={expected}\nCOLORTERM=\nTERM_PROGRAM=mine\nTERM_PROGRAM_VERSION=\n"


def test_terminals_are_looked_up_where_the_child_would(tmp_path: Path) -> None:
    (tmp_path / ".terminfo" / "o").mkdir(parents=True)
    (tmp_path / ".terminfo" / "o" / "of-mine").touch()
    (tmp_path / "other" / "6f").mkdir(parents=True)
    (tmp_path / "other" / "6f" / "of-another").touch()
    assert is_known("of-mine", {"HOME": str(tmp_path)})
    assert is_known("of-another", {"TERMINFO_DIRS": f":{tmp_path}/other"})
    assert not is_known("of-another", {"HOME": str(tmp_path)})


def agent(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    return sock


def test_the_ssh_agent_is_a_link_that_each_attach_points_to_its_own(held: HeldKeeper, pane: Pane) -> None:
    folder = Path(held.runtime)
    first, second = folder / "first", folder / "second"
    with agent(first), agent(second):
        env_id = put(held, SSH_AUTH_SOCK=str(first))
        script = 'echo "<$SSH_AUTH_SOCK>"; read x'
        held.hub.spawn(["/bin/sh", "-c", script], process_id="w/e", tty=True, env_id=env_id)
        until(lambda: b">" in held.log("w/e"), 10, "the name")
        link = held.log("w/e").partition(b"<")[2].partition(b">")[0].decode()
        assert Path(link).parent == folder / "ssh-agent"
        assert os.readlink(link) == str(first)
        pane.attach(held, "w/e", SSH_AUTH_SOCK=str(second))
        pane.expect(b">")
        assert os.readlink(link) == str(second)
        # From inside the held shell: its own link is no agent, and not where the link may point.
        other = Pane()
        try:
            other.attach(held, "w/e", SSH_AUTH_SOCK=link)
            other.expect(b">")
        finally:
            other.close()
        assert os.readlink(link) == str(second)
        pane.type(b"\r")
        held.hub.wait_for(lambda event: event["m"] == "exited")
        # A restart finds an agent there that is alive, and leaves it.
        held.hub.spawn(["/bin/sh", "-c", script], process_id="w/e", tty=True, env_id=env_id)
        assert os.readlink(link) == str(second)


def test_a_child_of_a_held_shell_gets_that_shells_agent_and_no_chain_of_links(held: HeldKeeper) -> None:
    folder = Path(held.runtime)
    with agent(folder / "agent"):
        held.hub.spawn(["/bin/true"], process_id="w/outer", env_id=put(held, SSH_AUTH_SOCK=str(folder / "agent")))
        outer = folder / "ssh-agent" / "w%2Fouter"
        inner = {"SSH_AUTH_SOCK": str(outer)}
        held.hub.call("env_put", env_id="f" * 32, env={"PATH": os.environ["PATH"], **inner})
        held.hub.spawn(["/bin/true"], process_id="w/inner", env_id="f" * 32)
        assert os.readlink(folder / "ssh-agent" / "w%2Finner") == str(folder / "agent")


def test_a_caller_without_an_agent_gets_none(held: HeldKeeper) -> None:
    assert shown(held, "SSH_AUTH_SOCK", env_id=put(held)) == "SSH_AUTH_SOCK=\n"
    assert not (Path(held.runtime) / "ssh-agent").exists()


def test_a_removed_process_leaves_no_link(held: HeldKeeper) -> None:
    env_id = put(held, SSH_AUTH_SOCK="/nowhere/agent")
    run = held.hub.spawn(["/bin/true"], process_id="w/e", env_id=env_id)
    held.hub.exited(str(run["run_id"]))
    link = Path(held.runtime) / "ssh-agent" / "w%2Fe"
    assert link.is_symlink()
    held.hub.call("forget", process_id="w/e")
    assert not link.is_symlink()
