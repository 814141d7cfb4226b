"""What keys and clicks do, beside a hub that is told what to answer."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import anyio
import pytest
from textual.pilot import Pilot

from tests.frontends.tui.worlds import PICTURE, at, picture
from tests.support.scripted_hub import ScriptedHub, process, workspace
from wezparallel.errors import RequestError
from wezparallel.frontends.tui.app import Dashboard
from wezparallel.frontends.tui.widgets.board import Board
from wezparallel.frontends.tui.widgets.peek import Peek

PROCESSES = [
    process("shop/server", run_id="r-1"), process("shop/tests", state="stopped", pid=None),
    process("api/coder", notified={"text": "Bash: npm publish", "at": at(240), "run_id": None}),
    process("api/db", state="failed", pid=None, ended_at=at(9)),
]  # fmt: skip


@pytest.fixture
def hub() -> Iterator[ScriptedHub]:
    folder = tempfile.mkdtemp(prefix="wz", dir="/tmp")

    def named(fields: dict[str, Any]) -> dict[str, Any]:
        return {"process": next(one for one in PROCESSES if one["process_id"] == fields["process"])}

    snapshot = {"workspaces": [workspace("shop"), workspace("api")], "processes": PROCESSES}
    answers = {
        "Subscribe": {"epoch": "e", "seq": 1, "snapshot": snapshot}, "ProcessScreen": dict(PICTURE),
        **dict.fromkeys(("ProcessGet", "ProcessStart", "ProcessRestart", "ProcessStop"), named),
        "ProcessList": {"processes": PROCESSES}, "WorkspaceList": {"workspaces": snapshot["workspaces"]},
        "ProcessType": lambda fields: {"process_id": fields["process"], "bytes": 1},
    }  # fmt: skip
    with ScriptedHub(folder + "/hub.sock", answers) as scripted:
        yield scripted
    shutil.rmtree(folder, ignore_errors=True)


Work = Callable[[Pilot[None], Dashboard], Awaitable[None]]


def run(hub: ScriptedHub, work: Work, size: tuple[int, int] = (100, 30), **options: Any) -> None:
    app = Dashboard(hub.path, **options)

    async def main() -> None:
        with anyio.fail_after(30):
            async with app.run_test(size=size, notifications=True) as pilot:
                while not app.world.is_known or not app.query_one(Board).rows:
                    await pilot.pause(0.01)
                await work(pilot, app)

    anyio.run(main)


async def asked_for(pilot: Pilot[None], hub: ScriptedHub, name: str) -> dict[str, Any]:
    while not hub.asked(name):
        await pilot.pause(0.01)
    return hub.asked(name)[-1]


def test_the_cursor_begins_with_the_neediest_and_goes_on_over_headings(hub: ScriptedHub) -> None:
    async def work(pilot: Pilot[None], app: Dashboard) -> None:
        went = [app.selected]
        for key in ("j", "down", "j", "j", "k", "g", "G", "left", "h", "right"):
            await pilot.press(key)
            went.append(app.selected)
            (marked,) = (line for line in picture(app).splitlines() if "▸" in line)
            assert app.selected.rpartition("/")[2] in marked
        assert went == [
            "api/coder", "api/db", "shop/server", "shop/tests", "shop/tests", "shop/server", "api/coder",
            "shop/tests", "shop/server", "api/coder", "shop/server",
        ]  # fmt: skip

    run(hub, work)


def test_a_restart_asks_first_and_what_does_not_run_is_started_at_once(hub: ScriptedHub) -> None:
    async def work(pilot: Pilot[None], app: Dashboard) -> None:
        await pilot.press("r")
        assert "Restart api/coder?" in picture(app)
        await pilot.press("n")
        assert hub.asked("ProcessRestart") == []
        await pilot.press("r", "y")
        assert (await asked_for(pilot, hub, "ProcessRestart"))["process"] == "api/coder"
        await pilot.press("G", "r")
        assert (await asked_for(pilot, hub, "ProcessStart"))["process"] == "shop/tests"

    run(hub, work)


def test_a_stop_names_the_run_that_was_looked_at(hub: ScriptedHub) -> None:
    async def work(pilot: Pilot[None], app: Dashboard) -> None:
        app.choose("shop/server")
        await pilot.press("s", "escape")
        await pilot.press("s", "enter")
        fields = await asked_for(pilot, hub, "ProcessStop")
        assert (fields["process"], fields["run_id"]) == ("shop/server", "r-1")
        assert len(hub.asked("ProcessStop")) == 1
        await pilot.press("G", "s")
        assert len(app.screen_stack) == 1

    run(hub, work)


def test_an_answer_is_typed_with_enter_and_no_key_of_it_means_anything_else(hub: ScriptedHub) -> None:
    async def work(pilot: Pilot[None], app: Dashboard) -> None:
        await pilot.press("a")
        assert "Bash: npm publish" in picture(app)
        await pilot.press("y", "e", "s", "slash", "q", "enter")
        fields = await asked_for(pilot, hub, "ProcessType")
        assert (fields["process"], fields["text"], fields["enter"]) == ("api/coder", "yes/q", True)
        assert app.query_one(Board).rows
        await pilot.press("a", "x", "escape")
        assert len(hub.asked("ProcessType")) == 1

    run(hub, work)


def test_next_goes_round_those_who_need_somebody_and_takes_away_a_filter(hub: ScriptedHub) -> None:
    async def work(pilot: Pilot[None], app: Dashboard) -> None:
        await pilot.press("slash", *"serv", "enter")
        assert app.selected == "shop/server"
        assert "api" not in "".join(row.key for row in app.query_one(Board).rows)
        went = []
        for _ in range(3):
            await pilot.press("n")
            went.append(app.selected)
        assert went == ["api/coder", "api/db", "api/coder"]

    run(hub, work)


def test_a_filter_works_while_it_is_typed_and_escape_shows_all_again(hub: ScriptedHub) -> None:
    async def work(pilot: Pilot[None], app: Dashboard) -> None:
        await pilot.press("slash", *"stop")
        assert [row.key for row in app.query_one(Board).rows] == ["shop", "shop/tests"]
        await pilot.press("escape")
        assert len(app.query_one(Board).rows) == 6
        await pilot.press("slash", *"nothing such", "enter")
        assert "Nothing has 'nothing such' in it; esc shows all." in picture(app)

    run(hub, work)


def test_one_workspace_may_be_wanted_from_the_start(hub: ScriptedHub) -> None:
    async def work(_pilot: Pilot[None], app: Dashboard) -> None:
        assert [row.key for row in app.query_one(Board).rows] == ["shop", "shop/server", "shop/tests"]

    run(hub, work, wanted="shop/")


def test_clicks_choose_in_the_list_and_among_those_who_wait_and_press_keys_below(hub: ScriptedHub) -> None:
    async def work(pilot: Pilot[None], app: Dashboard) -> None:
        await pilot.click("#board", offset=(10, 4))
        assert app.selected == "shop/server"
        await pilot.click("#waiting", offset=(10, 2))
        assert app.selected == "api/db"
        await pilot.click("#keys", offset=(picture(app).splitlines()[-1].index("? help"), 0))
        assert "quit; all goes on running" in picture(app)

    run(hub, work)


def test_the_lower_box_shows_the_screen_of_the_one_under_the_cursor(hub: ScriptedHub) -> None:
    async def work(pilot: Pilot[None], app: Dashboard) -> None:
        while "Do you want to proceed?" not in picture(app):
            await pilot.pause(0.01)
        await pilot.press("G")
        while hub.asked("ProcessScreen")[-1]["process"] != "shop/tests":
            await pilot.pause(0.01)
        assert hub.asked("ProcessScreen")[0].get("seen") is None
        assert app.query_one(Peek).process_id in ("api/coder", "shop/tests")

    run(hub, work)


def test_a_process_without_a_screen_says_why(hub: ScriptedHub) -> None:
    def refuse(_: object) -> dict[str, Any]:
        raise RequestError("log.expired", "it has not run yet")

    hub.answers["ProcessScreen"] = refuse

    async def work(pilot: Pilot[None], app: Dashboard) -> None:
        while "it has not run yet" not in picture(app):
            await pilot.pause(0.01)

    run(hub, work)


def test_a_new_workspace_begins_with_a_choice_of_templates(hub: ScriptedHub) -> None:
    def template(name: str, description: str) -> dict[str, Any]:
        return {"name": name, "description": description, "path": "/t", "origin": "built_in", "processes": 1}

    found = [template("basic", "One shell"), template("web_dev", "A web project, " + "long " * 20)]
    hub.answers["TemplateList"] = {"templates": found}

    async def work(pilot: Pilot[None], app: Dashboard) -> None:
        await pilot.press("t")
        while "One shell" not in picture(app):
            await pilot.pause(0.01)
        (line,) = (line for line in picture(app).splitlines() if "web_dev" in line)
        assert line.rstrip(" │").endswith("…")
        await pilot.press("j", "escape")
        assert len(app.screen_stack) == 1

    run(hub, work)


def test_what_the_hub_refuses_is_said(hub: ScriptedHub) -> None:
    def refuse(_: object) -> dict[str, Any]:
        raise RequestError("process.no_binary", "there is no program 'npm'")

    hub.answers["ProcessStart"] = refuse

    async def work(pilot: Pilot[None], app: Dashboard) -> None:
        await pilot.press("G", "r")
        while "there is no program 'npm'" not in picture(app):
            await pilot.pause(0.01)

    run(hub, work)


def test_a_hub_that_is_away_is_said_and_what_was_known_stays(hub: ScriptedHub) -> None:
    async def work(pilot: Pilot[None], app: Dashboard) -> None:
        hub.close()
        while "hub away" not in picture(app):
            await pilot.pause(0.01)
        assert "coder" in picture(app)
        assert app.query_one(Board).faded

    run(hub, work)


def test_a_name_with_brackets_is_nothing_but_a_name(hub: ScriptedHub) -> None:
    async def work(pilot: Pilot[None], app: Dashboard) -> None:
        app.world.snapshot([workspace("[b]")], [process("[b]/[red]x")])
        app.draw()
        app.peek.show("[b]/[red]x", dict(PICTURE))
        await pilot.pause()
        assert picture(app).count("[red]x") == 2
        await pilot.press("a")
        assert "╭─ [b]/[red]x ─" in picture(app)
        await pilot.press("escape", "s")
        assert "Stop [b]/[red]x and everything below it?" in picture(app)

    run(hub, work)


def test_who_asks_is_told_whole_at_once(hub: ScriptedHub) -> None:
    async def work(pilot: Pilot[None], app: Dashboard) -> None:
        app.world.snapshot([workspace("shop")], [process("shop/server")])
        app.draw()
        await pilot.pause()
        assert "needs you ─" not in picture(app)
        data = {"process_id": "shop/server", "text": "which database?"}
        app.world.happened({"seq": 3, "at": at(0), "name": "process.notified", "data": data})
        app.draw()
        await pilot.pause()
        (line,) = (line for line in picture(app).splitlines() if "! shop/server" in line)
        assert "which database?" in line

    run(hub, work)


def test_the_theme_goes_round(hub: ScriptedHub) -> None:
    async def work(pilot: Pilot[None], app: Dashboard) -> None:
        looks = []
        for _ in range(3):
            await pilot.press("T")
            looks.append(app.look)
        assert looks == ["light", "16", "dark"]
        assert app.theme == "wezparallel-dark"

    run(hub, work, look="dark")


def test_a_storm_of_events_costs_a_list_and_not_a_request_each(hub: ScriptedHub) -> None:
    data = {"workspace": "shop", "state": "running"}
    hub.events = [
        {"seq": number, "at": at(0), "name": "process.running", "data": {**data, "process_id": f"shop/p{number}"}}
        for number in range(2, 42)
    ]

    async def work(pilot: Pilot[None], app: Dashboard) -> None:
        await asked_for(pilot, hub, "ProcessList")
        while app.world.is_stale:
            await pilot.pause(0.01)
        assert len(hub.asked("ProcessList")) == 1
        assert hub.asked("ProcessGet") == []

    run(hub, work)


@pytest.mark.parametrize(
    ("origin", "asked", "look"), [("file", "", "light"), ("default", "", "dark"), ("file", "16", "16")]
)
def test_the_configured_theme_is_taken_unless_another_was_asked_for(
    hub: ScriptedHub, monkeypatch: pytest.MonkeyPatch, origin: str, asked: str, look: str
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    option = {
        "option": "ui.theme", "value": "light", "default": "dark", "origin": origin, "where": "", "unit": "",
        "text": "",
    }  # fmt: skip
    others: dict[str, list[str]] = {"templates": [], "errors": [], "warnings": [], "notes": []}
    hub.answers["ConfigGet"] = {"path": None, "values": [option], **others}

    async def work(pilot: Pilot[None], app: Dashboard) -> None:
        if not asked:
            await asked_for(pilot, hub, "ConfigGet")
        await pilot.pause(0.05)
        assert app.look == look

    run(hub, work, look=asked)
