"""The same is typed into several processes; one that cannot take it keeps it from no other."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.errors import RequestError

pytestmark = pytest.mark.one_daemon


@pytest.fixture
def cats(daemon: Daemon) -> Daemon:
    for name in ("a", "b"):
        daemon.call("ProcessAdd", id=name, command="cat", tty=False)
    daemon.call("ProcessAdd", id="idle", command="cat", auto_start=False)
    return daemon


def log_of(daemon: Daemon, process: str) -> str:
    return "".join(entry["text"] for entry in daemon.call("LogRead", process=process, lines=100)["chunks"])


def type_many(daemon: Daemon, *processes: str, **fields: Any) -> dict[str, Any]:
    return daemon.call("ProcessTypeMany", processes=list(processes), **fields)


def test_a_line_comes_to_all_that_run_and_the_others_are_told(cats: Daemon) -> None:
    typed = type_many(cats, "a", "idle", "b", "nobody", "a", text="hello\n")
    assert (typed["processes"], typed["bytes"]) == (["a", "b"], 6)
    assert [(one["process_id"], one["error"]["code"]) for one in typed["refused"]] == [
        ("idle", "process.not_running"),
        ("nobody", "process.not_found"),
    ]
    for name in ("a", "b"):
        until(lambda name=name: log_of(cats, name) == "hello\n", 10, "the line to come back")  # type: ignore[misc]


def test_where_nobody_can_take_it_it_says_why(cats: Daemon) -> None:
    with pytest.raises(RequestError) as found:
        type_many(cats, "idle", "nobody", text="x")
    assert found.value.code == "process.not_running"
    with pytest.raises(RequestError, match=r"ProcessTypeMany\.text is not base64"):
        type_many(cats, "a", text="#", encoding="base64")


def test_a_repetition_with_the_same_key_types_nothing(cats: Daemon) -> None:
    first = type_many(cats, "a", "b", text="once\n", key="k-1")
    cats.arm("answered")
    assert type_many(cats, "a", "b", text="once\n", key="k-1") == first
    second = type_many(cats, "a", "b", text="twice\n", key="k-2")
    assert type_many(cats, "a", "b", text="twice\n", key="k-2") == second
    for name in ("a", "b"):
        until(lambda name=name: log_of(cats, name) == "once\ntwice\n", 10, "both lines")  # type: ignore[misc]
