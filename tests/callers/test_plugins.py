"""Only a person's WezTerm is the plugin's: nobody else draws toasts and requests to a socket by naming it."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.callers.conftest import Probe, prepare, told
from tests.support.daemon import Daemon
from tests.support.fake_gui import FakeGui
from tests.support.views import snapshot


@pytest.fixture
def guis(daemon: Daemon) -> Iterator[tuple[FakeGui, FakeGui]]:
    """Two that are there; the person's has spoken."""
    folder = Path(tempfile.mkdtemp(prefix="wzg-", dir="/tmp"))
    first, second = (FakeGui(folder / name, daemon.env) for name in "ab")
    daemon.call("Ping", mux=first.mux)
    try:
        yield first, second
    finally:
        first.end()
        second.end()
        shutil.rmtree(folder, ignore_errors=True)


def goes_to(daemon: Daemon) -> str:
    """Return which GUI is asked."""
    return str(daemon.call("ViewFocus", process="other/cat")["mux"])


@pytest.mark.parametrize("way", ["plain", "bare daemon", "forged", "passed"])
def test_an_agent_that_says_it_is_the_plugin_is_answered_and_not_believed(
    probe: Probe, daemon: Daemon, guis: tuple[FakeGui, FakeGui], way: str
) -> None:
    real, forged = guis
    answers = probe("work/bot", way, [{"Ping": {"mux": forged.mux}}], private=False, agent="claude_code")
    assert set(answers["Ping"]) == {"Pong"}
    assert goes_to(daemon) == real.mux
    assert snapshot(daemon)["gui"] == real.mux
    log = (daemon.home / "state" / "wezterm-parallel" / "hub.log").read_text()
    assert log.count(f"gui.not_heard' mux='{forged.mux}' role='agent'") == 1


@pytest.mark.parametrize("way", ["gone", "bare daemon"])
def test_who_cannot_be_told_is_no_plugin_by_any_command(
    probe: Probe, daemon: Daemon, guis: tuple[FakeGui, FakeGui], way: str
) -> None:
    real, forged = guis
    daemon.call("WorkspaceCreate", name="known", root=str(daemon.home), source="panes: [cat]")
    requests = [{"Ping": {"mux": forged.mux}}, {"WorkspaceSwitch": {"name": "known", "mux": forged.mux}}]
    answers = probe("work/shell", way, requests, private=False)
    daemon.call("WorkspaceDelete", name="known")
    assert set(answers["Ping"]) == {"Pong"}
    assert goes_to(daemon) == real.mux


def test_what_an_agent_may_say_of_panes_makes_it_no_plugin(
    daemon: Daemon, guis: tuple[FakeGui, FakeGui], tmp_path: Path
) -> None:
    real, forged = guis
    requests = [{"ViewSee": {"process": "other/cat", "mux": forged.mux}}]
    argv = [sys.executable, *prepare(daemon, tmp_path / "out", "plain", requests, private=False)]
    source = yaml.safe_dump({"panes": {"bot": {"command": argv, "agent": "codex", "may": ["ViewSee"]}}})
    daemon.call("WorkspaceCreate", name="trusting", source=source, root=str(tmp_path))
    answers = told(daemon, tmp_path / "out", "trusting/bot")
    daemon.call("WorkspaceDelete", name="trusting")
    assert set(answers["ViewSee"]) == {"ViewSeen"}
    assert goes_to(daemon) == real.mux


@pytest.mark.parametrize("way", ["plain", "daemon"])
def test_a_persons_wezterm_is_heard_wherever_it_was_started(
    probe: Probe, daemon: Daemon, guis: tuple[FakeGui, FakeGui], way: str
) -> None:
    _, started_here = guis
    probe("work/shell", way, [{"Ping": {"mux": started_here.mux}}], private=False, tty=True)
    assert goes_to(daemon) == started_here.mux


def test_the_same_words_are_heard_of_a_person_after_an_agent_said_them(
    probe: Probe, daemon: Daemon, guis: tuple[FakeGui, FakeGui]
) -> None:
    first, second = guis
    with daemon.client() as client:
        for one in (second, first, second):
            client.call("Ping", {"mux": one.mux})
            assert client.call("ViewFocus", {"process": "other/cat"})["mux"] == one.mux
    daemon.call("Ping", mux=first.mux)
    probe("work/bot", "plain", [{"Ping": {"mux": second.mux}}], private=False, agent="claude_code")
    assert goes_to(daemon) == first.mux
    daemon.call("Ping", mux=second.mux)
    assert goes_to(daemon) == second.mux
