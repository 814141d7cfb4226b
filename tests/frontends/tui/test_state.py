"""What is known, and which rows it makes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.frontends.tui.worlds import NOW, at, world
from tests.support.scripted_hub import process, workspace
from wezparallel.frontends.tui import state
from wezparallel.frontends.tui.state import World


def event(name: str, process_id: str = "shop/server", **data: Any) -> dict[str, Any]:
    return {"seq": 1, "at": at(0), "name": name, "data": {"process_id": process_id, "workspace": "shop", **data}}


@pytest.fixture
def shop() -> World:
    made = World()
    made.snapshot([workspace("shop")], [process("shop/server"), process("shop/tests"), process("shop/coder")])
    return made


def test_a_change_is_seen_at_once_and_its_record_is_wanted(shop: World) -> None:
    shop.happened(event("process.exited", state="exited", exit_code=1, pid=4711))
    changed = shop.processes["shop/server"]
    assert (changed["state"], changed["exit_code"], changed["pid"], changed["ended_at"]) == ("exited", 1, None, at(0))
    assert shop.stale == {"shop/server"}
    shop.one_process(process("shop/server", state="running"))
    assert not shop.is_stale


def test_a_new_run_has_no_end(shop: World) -> None:
    shop.happened(event("process.backoff", state="backoff", exit_code=1, next_start_at=at(-4), reason="exited 1"))
    assert shop.processes["shop/server"]["next_start_at"] == at(-4)
    shop.happened(event("process.starting", state="starting"))
    shop.happened(event("process.running", state="running", pid=12))
    now = shop.processes["shop/server"]
    assert (now["pid"], now["exit_code"], now["next_start_at"], now["reason"]) == (12, None, None, None)


def test_a_notice_comes_and_goes(shop: World) -> None:
    shop.happened(event("process.notified", text="Bash: npm publish"))
    assert [one["process_id"] for one in state.waiting(shop)] == ["shop/server"]
    assert shop.processes["shop/server"]["state"] == "running"
    shop.happened(event("process.notified", text=None))
    assert state.waiting(shop) == []


def test_what_was_removed_is_gone_and_what_was_added_is_asked_for(shop: World) -> None:
    shop.happened(event("process.removed"))
    assert "shop/server" not in shop.processes
    assert "shop/server" not in shop.stale
    shop.happened(event("process.added", "shop/new"))
    assert "shop/new" not in shop.processes
    assert (shop.stale, shop.workspaces_are_stale) == ({"shop/new"}, True)


def test_a_view_changes_a_record_and_figures_are_for_all(shop: World) -> None:
    shop.happened(event("view.bound", "shop/tests"))
    assert shop.stale == {"shop/tests"}
    shop.happened({"seq": 2, "at": at(0), "name": "metric.sampled", "data": {"processes": 3}})
    assert shop.figures_are_stale
    shop.sampled()
    assert list(shop.usage["shop/server"]) == [0.5]


def test_the_past_of_what_is_gone_is_forgotten(shop: World) -> None:
    shop.sampled()
    shop.all_processes([process("shop/server")])
    assert set(shop.usage) == {"shop/server"}


def test_the_neediest_workspace_and_process_come_first_and_closed_ones_last(shop: World) -> None:
    shop.snapshot(
        [workspace("a", open=False), workspace("b"), workspace("c")],
        [
            process("b/one"), process("c/quiet", state="stopped", pid=None), process("loose", state="ready"),
            process("c/bad", state="failed", pid=None), process("a/old", state="failed", pid=None),
        ],
    )  # fmt: skip
    keys = [row.key for row in state.rows(shop)]
    assert keys == ["c", "c/bad", "c/quiet", "b", "b/one", state.NOWHERE, "loose", "a", "a/old"]


def test_rows_stand_still_under_the_cursor_and_what_is_new_goes_behind(shop: World) -> None:
    before = [row.key for row in state.rows(shop)]
    shop.happened(event("process.notified", text="look"))
    shop.one_process(process("shop/another", state="failed", pid=None))
    assert [row.key for row in state.rows(shop, "", before)] == [*before, "shop/another"]
    assert state.rows(shop)[1].key == "shop/server"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("tests", ["shop", "shop/tests"]), ("SHOP runn", ["shop", "shop/coder", "shop/server", "shop/tests"]),
     ("npm", ["shop", "shop/coder", "shop/server", "shop/tests"]), ("nothing such", [])],
)  # fmt: skip
def test_a_filter_keeps_what_has_all_words(shop: World, wanted: str, found: list[str]) -> None:
    assert [row.key for row in state.rows(shop, wanted)] == found


def test_who_asks_longest_comes_first_and_what_was_given_up_after_all_who_ask() -> None:
    names = [one["process_id"] for one in state.waiting(world(20))]
    assert names[:2] == ["api/tests", "api/server"]
    made = world(200)
    made.one_process(process("shop/long-gone", state="failed", pid=None, ended_at=at(90_000)))
    asking = [bool(one.get("notified")) for one in state.waiting(made)]
    assert asking == sorted(asking, reverse=True)


def test_the_first_line_says_who_needs_you_or_that_nobody_does(shop: World) -> None:
    assert state.counts(World()) == [("nothing runs", "dim")]
    assert state.counts(shop) == [("3 run, none needs you", "good")]
    shop.happened(event("process.notified", text="look"))
    shop.happened(event("process.failed", "shop/tests", state="failed"))
    assert state.counts(shop) == [("1 waits", "needs"), ("1 fails", "bad")]


def test_unknown_figures_are_left_out(shop: World) -> None:
    assert state.figures(shop) == ["cpu 2 %", "mem 288 MB"]
    shop.snapshot([], [process("shop/server", cpu_percent=None, memory_bytes=None)])
    assert state.figures(shop) == []


def test_what_grows_old_says_since_when() -> None:
    made = World()
    assert state.freshness(made, NOW) == ("connecting", "dim")
    made.snapshot([], [])
    assert state.freshness(made, NOW) == ("live", "good")
    made.away_since = NOW - 3
    assert state.freshness(made, NOW) == ("hub away 3 s", "bad")
    made.is_stopped = True
    assert state.freshness(made, NOW) == ("daemon stopped", "bad")
