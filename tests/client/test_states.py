"""What is said of a process."""

from __future__ import annotations

from typing import get_args

import pytest

from tests.support.scripted_hub import process
from wezparallel.client import states
from wezparallel.protocol.process import State


@pytest.mark.parametrize("state", get_args(State))
def test_every_state_has_a_symbol(state: str) -> None:
    assert states.look(process(state=state))[0] != "?"


def test_a_failed_exit_is_red_and_its_word_says_the_code() -> None:
    one = process(state="exited", exit_code=3, pid=None)
    assert states.look(one) == ("✗", "bad")
    assert states.word(one) == "exited 3"
    assert states.why(one, 0) == "npm run dev"


def test_a_clean_end_needs_no_words() -> None:
    assert states.why(process(state="exited", exit_code=0), 0) == "npm run dev"
    assert states.why(process(state="stopped", signal=15), 0) == "npm run dev"


def test_a_killed_process_says_so() -> None:
    assert states.why(process(state="stopped", signal=9), 0) == "ended by SIGKILL"


def test_backoff_says_how_it_ended_and_when_it_comes_back() -> None:
    one = process(state="backoff", exit_code=1, next_start_at="1970-01-01T00:00:10.000Z")
    assert states.why(one, 6) == "exited 1, again in 4 s"


def test_a_reason_of_the_hub_stands_before_our_own() -> None:
    one = process(state="failed", exit_code=1, reason="exited 1, 10 times in 10 min; given up.")
    assert states.why(one, 0) == "exited 1, 10 times in 10 min; given up"


def test_what_waits_says_for_what() -> None:
    assert states.word(process(state="not_started", waits_for="viewer")) == "waits for viewer"


def test_a_spare_is_marked_and_needs_nobody() -> None:
    spare = process(state="ready", spare=True, name="slow.1")
    assert (states.word(spare), states.look(spare)) == ("spare", ("◇", "dim"))
    assert states.word(process(state="starting", spare=True)) == "spare, starting"
    assert max([spare, process(state="stopped")], key=states.need) is spare
    failed = process(state="failed", spare=True, exit_code=1)
    assert (states.word(failed), states.look(failed)) == ("failed", ("✗", "bad"))
    assert states.why(failed, 0) == "exited 1, a spare"


def test_the_neediest_comes_first() -> None:
    all_ = [process(state=state) for state in ("stopped", "running", "unhealthy", "failed", "backoff")]
    assert [one["state"] for one in sorted(all_, key=states.need)] == [
        "failed", "backoff", "unhealthy", "running", "stopped",
    ]  # fmt: skip


def test_the_program_of_a_shell_line_is_its_first_word() -> None:
    assert states.program(process(command="npm run dev", argv=["/bin/bash", "-c", "npm run dev"])) == "npm"
    assert states.program(process(command="", argv=["/usr/bin/vim", "x"])) == "vim"


def test_what_does_not_run_uses_no_memory() -> None:
    assert states.memory(process(pid=None)) is None
