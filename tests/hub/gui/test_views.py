"""Which pane shows what, as the keeper and the plugin tell it."""

from __future__ import annotations

import os
import subprocess
from typing import Any

from wezparallel.hub.comms.callers import start_time
from wezparallel.hub.gui.views import Views, is_alive


def told(viewer_id: int, process_id: str = "a", pane: str = "", mux: str = "/m", **more: Any) -> dict[str, Any]:
    """Return what the keeper tells of a viewer."""
    return {
        "viewer_id": viewer_id, "process_id": process_id, "pane": pane, "mux": mux if pane else "", "pid": None,
        "size": [24, 80], "read_only": False, "kind": "terminal", "parent_pid": 1, "parent_start": 1,
    } | more  # fmt: skip


def shown(views: Views) -> list[tuple[str, str, str | None]]:
    return [(view.view_id, view.process_id, view.pane) for view in views]


def test_who_only_reads_is_no_view() -> None:
    views = Views()
    assert views.attached(told(1, kind="frames")) is None
    assert views.gone(1) is None
    assert shown(views) == []


def test_a_client_in_a_bound_pane_takes_its_place_and_is_no_news() -> None:
    views = Views()
    _, news = views.bind("a", "/m", "7", None)
    assert news
    came = views.attached(told(3, pane="7"))
    assert came is not None
    assert not came[1]
    assert shown(views) == [("v-3", "a", "7")]
    assert views.bind("a", "/m", "7", None) == (came[0], False)
    assert views.bind("a", "/m", "8", None)[1]


def test_a_pane_shows_one_thing() -> None:
    views = Views()
    views.bind("a", "/m", "7", None)
    view, news = views.bind("b", "/m", "7", None)
    assert news
    assert shown(views) == [(view.view_id, "b", "7")]
    came = views.attached(told(4, "c", "7"))
    assert came is not None
    assert came[1]
    assert shown(views) == [("v-4", "c", "7")]


def test_the_same_pane_number_of_another_gui_is_another_pane() -> None:
    views = Views()
    views.attached(told(1, pane="7", mux="/m"))
    views.attached(told(2, pane="7", mux="/n"))
    assert len(shown(views)) == 2
    assert [(view["pane"], view["mux"]) for view in views.panes()["a"]] == [("7", "/m"), ("7", "/n")]
    assert list(views.muxes()) == ["/n", "/m"]


def test_a_keeper_of_before_tells_less() -> None:
    views = Views()
    message = {"viewer_id": 1, "process_id": "a", "pid": 5, "size": [24, 80], "pane": "7", "read_only": False}
    came = views.attached(message)
    assert came is not None
    assert came[0].place is None  # which GUI is not known
    assert not came[0].parent_lives()


def test_a_bound_view_ends_with_its_program() -> None:
    views = Views()
    program = subprocess.Popen(["sleep", "1000"])
    views.bind("a", "/m", "7", program.pid)
    views.bind("b", "/m", "8", None)
    assert views.ended(bool) == []
    program.kill()
    os.waitid(os.P_PID, program.pid, os.WEXITED | os.WNOWAIT)
    assert [view.pane for view in views.ended(bool)] == ["7"]  # a zombie is nobody
    program.wait()
    assert [view.pane for view in views.ended(bool)] == ["7"]
    assert views.drop(views.ended(bool)[0])
    assert views.ended(bool) == []


def test_a_bound_view_without_a_program_ends_with_its_gui() -> None:
    views = Views()
    views.bind("a", "/m", "7", None)
    views.bind("b", "/n", "7", None)
    views.bind("c", "/n", "8", os.getpid())
    assert [view.process_id for view in views.ended(lambda mux: mux == "/m")] == ["b"]


def test_a_pid_that_was_given_anew_is_another_program() -> None:
    start = start_time(os.getpid())
    assert is_alive(os.getpid(), start)
    assert is_alive(os.getpid(), 0)
    assert not is_alive(os.getpid(), start + 1)
    assert not is_alive(0, 0)
