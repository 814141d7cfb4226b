"""The view commands."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.views import add, event, requests, snapshot, views
from tests.support.waiting import until
from wezparallel.errors import RequestError


@pytest.fixture
def mux(tmp_path: Path) -> str:
    """A socket of a GUI, as far as anybody can see."""
    path = tmp_path / "mux"
    path.touch()
    return str(path)


def notified(daemon: Daemon, process_id: str) -> Any:
    return daemon.call("ProcessGet", process=process_id)["process"]["notified"]


def test_panes_are_bound_listed_and_asked_to_close(daemon: Daemon, mux: str) -> None:
    add(daemon, "w/a", root=str(daemon.home))
    add(daemon, "b")
    begin = daemon.call("Status")
    view = daemon.call("ViewBind", process="a", pane="7", mux=mux)["view"]
    assert view == {
        "view_id": view["view_id"], "process_id": "w/a", "pane": "7", "mux": mux, "pid": None, "size": None,
        "read_only": False, "origin": "bound",
    }  # fmt: skip
    assert event(daemon, begin, "view.bound") | {"view_id": ""} == {
        "process_id": "w/a", "workspace": "w", "view_id": "", "pane": "7", "mux": mux,
    }  # fmt: skip
    daemon.call("ViewBind", process="b", pane="8", mux=mux)
    daemon.call("ViewBind", process="b", pane="9", mux=mux)
    assert [one["pane"] for one in views(daemon)] == ["8", "9", "7"]
    assert [one["pane"] for one in views(daemon, workspace="w")] == ["7"]
    assert [one["pane"] for one in views(daemon, process="b")] == ["8", "9"]
    first = daemon.call("ViewList", limit=2)
    rest = daemon.call("ViewList", limit=2, after=first["next"])
    assert [one["pane"] for page in (first, rest) for one in page["views"]] == ["8", "9", "7"]
    assert rest["next"] is None
    closed = daemon.call("ViewClose", process="b", pane="9", mux=mux)["views"]
    assert [one["pane"] for one in closed] == ["9"]
    assert [one["pane"] for one in requests(daemon, "close_view", mux)] == ["9"]
    assert daemon.call("ViewClose", process="b", pane="1", mux=mux)["views"] == []
    daemon.call("ProcessRemove", process="b")
    until(lambda: [one["pane"] for one in views(daemon)] == ["7"], 5, "the views of what is gone")


def test_where_no_gui_is_known_it_says_what_else_shows_it(daemon: Daemon) -> None:
    add(daemon, "a")
    for command in ("ViewOpen", "ViewFocus"):
        with pytest.raises(RequestError) as refused:
            daemon.call(command, process="a")
        assert refused.value.code == "process.bad_state"
        assert "wezparallel attach a" in refused.value.message


def test_open_answers_with_the_view_that_came(daemon: Daemon, mux: str) -> None:
    add(daemon, "a")
    reply = daemon.call("ViewOpen", process="a", mux=mux, where="window")
    assert (reply["view"], reply["mux"]) == (None, mux)
    (request,) = requests(daemon, "open", mux)
    assert (request["id"], request["process_id"], request["where"]) == (reply["request"], "a", "window")
    with daemon.client() as client, daemon.client() as other:
        stream = other.subscribe(["view.bound"])
        # Both on their way at once: the view comes while the answer waits for it.
        answers: list[dict[str, Any]] = []
        thread = threading.Thread(
            target=lambda: answers.append(client.call("ViewOpen", {"process": "a", "mux": mux, "wait_s": 20}))
        )
        thread.start()
        until(lambda: len(requests(daemon, "open", mux)) == 2, 10, "the request")
        bound = daemon.call("ViewBind", process="a", pane="7", mux=mux)["view"]
        thread.join(20)
        assert stream.next(10) is not None
    assert answers[0]["view"] == bound


def test_focus_goes_where_it_is_shown_and_is_the_focus_of_its_workspace(daemon: Daemon, mux: str) -> None:
    add(daemon, "w/a", root=str(daemon.home))
    add(daemon, "w/b")
    add(daemon, "loose")
    other = mux + "2"
    Path(other).touch()
    daemon.call("ViewBind", process="w/a", pane="7", mux=mux)
    daemon.call("Ping", mux=other)
    assert daemon.call("ViewFocus", process="w/a")["mux"] == mux
    assert daemon.call("WorkspaceGet", name="w")["workspace"]["focus"] == "w/a"
    assert daemon.call("ViewFocus", process="w/b")["mux"] == other
    assert daemon.call("ViewFocus", process="loose")["mux"] == other
    assert [one["process_id"] for one in requests(daemon, "focus", other)] == ["w/b", "loose"]


def test_a_person_who_looks_is_told_to_whoever_listens(daemon: Daemon, mux: str) -> None:
    add(daemon, "a")
    daemon.call("ProcessNotify", process="a", text="done")
    assert notified(daemon, "a")["text"] == "done"
    assert daemon.call("ViewSee", process="a", mux=mux) == {"process_id": "a"}
    assert notified(daemon, "a") is None


def test_several_are_typed_into_together(daemon: Daemon) -> None:
    source = (
        "layout: |\n  a b c\npanes: { a: cat, b: cat, c: { direct: true, command: cat } }\nprocesses: { d: cat }\n"
    )
    daemon.call("WorkspaceCreate", name="w", root=str(daemon.home), source=source)
    assert daemon.call("ViewSync", workspace="w", on=True) == {"processes": ["w/a", "w/b"], "on": True}

    def together() -> set[str]:
        return {
            one["id"] for workspace in snapshot(daemon)["workspaces"] for one in workspace["processes"]
            if one.get("synced")
        }  # fmt: skip

    until(lambda: together() == {"w/a", "w/b"}, 5, "the snapshot")
    before = daemon.kill_hub()
    until(lambda: daemon.hub_pid() != before, 10, "the next hub")
    until(lambda: together() == {"w/a", "w/b"}, 5, "the next hub's snapshot")  # the keeper told it
    assert daemon.call("ViewSync", processes=["w/a"], on=False)["processes"] == ["w/a"]
    until(lambda: together() == set(), 5, "the end of it")
    for fields in (
        {"workspace": "w", "processes": ["w/a"]},
        {},
        {"processes": ["w/a"]},
        {"processes": ["w/a", "w/d"]},
    ):
        with pytest.raises(RequestError) as refused:
            daemon.call("ViewSync", on=True, **fields)
        assert refused.value.code in {"command.bad_value", "process.bad_state"}


def test_a_switch_asks_the_gui_that_spoke_last_and_says_which(daemon: Daemon, mux: str) -> None:
    add(daemon, "w/a", root=str(daemon.home))
    assert daemon.call("WorkspaceSwitch", name="w")["mux"] is None
    until(lambda: len(requests(daemon, "switch", None)) == 1, 5, "the request to any GUI")
    daemon.call("Ping", mux=mux)
    assert daemon.call("WorkspaceSwitch", name="w", focus="a")["mux"] == mux
    (request,) = requests(daemon, "switch", mux)
    assert (request["workspace"], request["focus"]) == ("w", "w/a")
