"""Calls of `wezterm cli`: what is passed, what is not, and what becomes of a failure."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.frontends.wezterm.conftest import Fake
from wezparallel.errors import RequestError
from wezparallel.frontends.wezterm.cli import Wezterm, find_program, scrubbed


def test_the_socket_is_named_and_nothing_is_started(wezterm: Wezterm, fake: Fake) -> None:
    assert [pane.window_id for pane in wezterm.panes()] == [7]
    call = fake.calls[0]
    assert call["words"] == ["list", "--format", "json"]
    assert call["env"]["WEZTERM_UNIX_SOCKET"] == wezterm.socket


def test_a_pane_sees_no_secret_of_the_callers_shell(fake: Fake) -> None:
    environment = {**fake.environment(), "API_TOKEN": "s3cret", "VIRTUAL_ENV": "/v", "LC_ALL": "C", "TMUX": "x"}
    Wezterm(str(fake.folder / "sock"), environment).spawn(["sh"], cwd="/", pane=1)
    seen = fake.calls[0]["env"]
    assert not {"API_TOKEN", "VIRTUAL_ENV", "TMUX", "WEZTERM_PANE"} & set(seen)
    assert seen["LC_ALL"] == "C"
    assert seen["PATH"] == environment["PATH"]


def test_the_places_of_an_instance_of_its_own_reach_its_panes() -> None:
    given = {"WEZPARALLEL_RUNTIME_DIR": "/r", "XDG_STATE_HOME": "/s", "WEZPARALLEL_KEY": "k"}
    assert scrubbed(given) == {"WEZPARALLEL_RUNTIME_DIR": "/r", "XDG_STATE_HOME": "/s"}


def test_the_program_beside_the_running_gui_goes_before_the_path(fake: Fake, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "wezterm").symlink_to(fake.folder / "wezterm")
    assert find_program({**fake.environment(), "PATH": str(other)}) == str(fake.folder / "wezterm")
    assert find_program({"PATH": str(other)}) == str(other / "wezterm")
    assert find_program({"PATH": str(other), "WEZTERM_EXECUTABLE_DIR": "/nowhere"}) == str(other / "wezterm")


def test_without_a_program_the_sentence_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="add the folder of WezTerm's programs") as raised:
        Wezterm("/sock", {"PATH": str(tmp_path)})
    assert raised.value.code == "process.no_binary"


def test_a_tab_is_made_beside_a_pane_in_a_window_or_in_a_new_one(wezterm: Wezterm, fake: Fake) -> None:
    wezterm.spawn(["a", "b"], cwd="/x", pane=1)
    wezterm.spawn(["a"], cwd="/x", window=7)
    wezterm.spawn(["a"], cwd="/x", workspace="shop")
    assert [one["words"] for one in fake.calls] == [
        ["spawn", "--pane-id", "1", "--cwd", "/x", "--", "a", "b"],
        ["spawn", "--window-id", "7", "--cwd", "/x", "--", "a"],
        ["spawn", "--new-window", "--workspace", "shop", "--cwd", "/x", "--", "a"],
    ]


def test_a_refusal_is_told_in_wezterms_own_words(wezterm: Wezterm, fake: Fake) -> None:
    fake.fail("activate-pane")
    with pytest.raises(RequestError) as raised:
        wezterm.activate(1)
    assert raised.value.message == "WezTerm refused `wezterm activate-pane`: no activate-pane today"


def test_a_wezterm_that_hangs_is_given_up(fake: Fake) -> None:
    (fake.folder / "slow-list").touch()
    with pytest.raises(RequestError, match="did not answer `wezterm list` within"):
        Wezterm(str(fake.folder / "sock"), fake.environment(), patience_s=0.2).panes()


def test_a_list_that_is_not_understood_is_no_traceback(wezterm: Wezterm, fake: Fake) -> None:
    (fake.folder / "panes").write_text('[{"pane_id": 1}]')
    with pytest.raises(RequestError, match="is not understood"):
        wezterm.panes()


def test_two_never_build_at_a_time(fake: Fake) -> None:
    socket, environment = str(fake.folder / "sock"), fake.environment()
    entered = threading.Event()

    def enter() -> None:
        with Wezterm(socket, environment):
            entered.set()

    with Wezterm(socket, environment):
        second = threading.Thread(target=enter)
        second.start()
        assert not entered.wait(0.2)
    assert entered.wait(10)
    second.join()


def test_the_version_is_what_the_program_says(wezterm: Wezterm) -> None:
    assert wezterm.version() == "20240203-110809-5046fc22"


def test_nothing_is_read_from_the_terminal(wezterm: Wezterm) -> None:
    read, write = os.pipe()
    try:
        assert wezterm.panes()
    finally:
        os.close(read)
        os.close(write)
