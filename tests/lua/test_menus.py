"""Lists, questions and the palette, in both flavours of WezTerm that people have."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lua.fake import FakeWezterm
from tests.lua.hub import Hub, process, run


def menus(wezterm: FakeWezterm, code: str, *args: Any) -> Any:
    head = "local menus, window, pane = require 'wezparallel.menus', ... local log = require('wezterm').log_info "
    return wezterm.call(head + code, wezterm.window(), wezterm.pane(), *args)


def test_a_choice_is_told_by_its_id_and_escape_does_nothing(wezterm: FakeWezterm) -> None:
    code = (
        "menus.pick(window, pane, { title = 'Which', choices = { { label = 'One', id = '1' } } }, "
        "function(_, at, id) log(id, at:pane_id()) end)"
    )
    menus(wezterm, code)
    assert wezterm.overlay is not None
    assert wezterm.overlay["description"] == "Which: Enter chooses, Esc leaves, / filters"
    wezterm.choose("1")
    menus(wezterm, code)
    wezterm.choose(None)
    assert wezterm.logs == ["info: 1 0"]


def test_what_comes_after_a_choice_is_about_the_pane_of_before(wezterm: FakeWezterm) -> None:
    other = wezterm.call("return select(2, require('wezterm').mux.spawn_window { args = { 'vi' } }):pane_id()")
    for gone in (False, True):
        code = (
            "menus.pick(window, select(3, ...), { title = 'Which', choices = { { label = 'One', id = '1' } } }, "
            "function(_, at) log(at:pane_id()) end)"
        )
        menus(wezterm, code, wezterm.pane(other))
        # WezTerm hands out an overlay's own pane, where one overlay follows another.
        wezterm.slot().overlay.pane = 99
        if gone:
            wezterm.kill_pane(other)
        wezterm.choose("1")
    assert wezterm.logs == [f"info: {other}", "info: 0"]


def ask(wezterm: FakeWezterm) -> None:
    code = "menus.ask(window, pane, { description = 'Name', initial = 'web' }, function(_, _, line) log(line) end)"
    menus(wezterm, code)


def test_a_prompt_begins_with_a_value_where_wezterm_can(each_wezterm: FakeWezterm, flavour: str) -> None:
    ask(each_wezterm)
    shown = each_wezterm.overlay
    assert shown is not None
    if flavour == "nightly":
        assert (shown["description"], shown["initial_value"]) == ("Name", "web")
    else:
        assert shown["description"] == "Name (nothing: web)"
        assert "initial_value" not in shown


def test_an_empty_line_is_an_answer_and_escape_is_none(wezterm: FakeWezterm) -> None:
    for line in ("", None, "api"):
        ask(wezterm)
        wezterm.type_line(line)
    assert wezterm.logs == ["info: ", "info: api"]


@pytest.mark.parametrize("yes", [True, False])
def test_nothing_is_done_without_a_yes(each_wezterm: FakeWezterm, flavour: str, yes: bool) -> None:
    code = "menus.confirm(window, pane, 'Delete it?', 'Delete it', function() log 'done' end)"
    menus(each_wezterm, code)
    if flavour == "nightly":
        each_wezterm.confirm(yes)
    else:
        assert each_wezterm.overlay is not None
        # The first is what Enter takes.
        assert [choice["label"] for choice in each_wezterm.overlay["choices"]] == ["No", "Delete it"]
        each_wezterm.choose("yes" if yes else "no")
    assert each_wezterm.logs == (["info: done"] if yes else [])


def test_escape_is_no_yes(wezterm: FakeWezterm) -> None:
    menus(wezterm, "menus.confirm(window, pane, 'Delete it?', 'Delete it', function() log 'done' end)")
    wezterm.choose(None)
    assert wezterm.logs == []


def test_lines_are_shown_below_the_answers_and_choosing_one_is_a_no(wezterm: FakeWezterm) -> None:
    spec = {"title": "Runs", "yes": "Run", "no": "No", "lines": ["web  npm run dev", "db   postgres"]}
    code = "local spec = select(3, ...) menus.confirm_lines(window, pane, spec, function() log 'done' end)"
    menus(wezterm, code, spec)
    assert wezterm.overlay is not None
    labels = [choice["label"] for choice in wezterm.overlay["choices"]]
    assert labels[:2] == ["No", "Run"]
    assert [choice["id"] for choice in wezterm.overlay["choices"]] == ["no", "yes", "no", "no"]
    assert "web  npm run dev" in labels[2]
    wezterm.choose("no", labels[2])
    menus(wezterm, code, spec)
    wezterm.choose("yes")
    assert wezterm.logs == ["info: done"]


def test_what_others_wrote_hides_nothing_of_itself(wezterm: FakeWezterm) -> None:
    code = (
        "menus.confirm_lines(window, pane, { title = 'of /srv/\\27[8mx', yes = 'Run', no = 'No', "
        "lines = { 'make\\27[8m; rm -rf' } }, function() end)"
    )
    menus(wezterm, code)
    assert wezterm.overlay is not None
    assert "\x1b[8m" not in str(wezterm.overlay["description"])
    shown = [one["label"] for one in wezterm.overlay["choices"]]
    assert "make [8m; rm -rf" in shown[2]
    assert "\x1b[8m" not in shown[2]


def test_a_short_failure_is_a_toast_and_a_long_one_is_drawn(wezterm: FakeWezterm) -> None:
    menus(wezterm, "menus.complain(window, pane, { code = 'a.b', message = 'it broke' })")
    assert [toast["message"] for toast in wezterm.toasts] == ["it broke"]
    assert wezterm.overlay is None
    menus(wezterm, "menus.complain(window, pane, { code = 'c.d', message = 'line 1\\n\\nline 3' })")
    assert wezterm.overlay is not None
    assert [choice["label"] for choice in wezterm.overlay["choices"]] == ["line 1", "", "line 3"]
    assert wezterm.logs == ["warn: wezparallel: it broke (a.b)", "warn: wezparallel: line 1\n\nline 3 (c.d)"]


def test_a_failure_without_a_window_is_logged(wezterm: FakeWezterm) -> None:
    wezterm.call("require('wezparallel.menus').complain(nil, nil, { code = 'a.b', message = 'it broke' })")
    assert wezterm.logs == ["warn: wezparallel: it broke (a.b)"]


def label(wezterm: FakeWezterm, one: dict[str, Any]) -> str:
    return str(wezterm.call("return require('wezparallel.choosing').process_label(...)", one))


@pytest.mark.parametrize(
    ("one", "words", "colour"),
    [
        (process("web/api", "ready"), "● ready", "Green"),
        (process("web/api", "exited", exit_code=0), "○ finished", None),
        (process("web/api", "exited", exit_code=3), "○ exited 3", "Red"),
        (process("web/api", "backoff", reason="again in 4 s"), "✗ backoff", "Red"),
        (process("web/api", "running", waits="Bash: npm publish"), "! waits", "Yellow"),
        (process("web/api", "not_started"), "◌ not started", None),
    ],
)
def test_a_state_is_a_word_and_a_symbol_before_it_is_a_colour(
    wezterm: FakeWezterm, one: dict[str, Any], words: str, colour: str | None
) -> None:
    shown = label(wezterm, one)
    assert shown.startswith("web/api ")
    assert words in shown
    assert ("AnsiColor" in shown) == (colour is not None)
    assert colour is None or f"AnsiColor={colour}" in shown


def test_the_menu_has_everything_and_does_what_is_chosen(wezterm: FakeWezterm) -> None:
    hub = Hub(wezterm)
    run(wezterm, "menus", "menu")
    assert wezterm.overlay is not None
    names = {choice["id"] for choice in wezterm.overlay["choices"]}
    assert names == {
        "attach_process", "close_views", "create_workspace", "delete_workspace", "kill_process", "next_waiting",
        "relayout", "restart_process", "restore", "show_dashboard", "show_logs", "switch_workspace", "sync_panes",
        "type_all",
    }  # fmt: skip
    wezterm.choose("next_waiting")
    assert wezterm.toasts[-1]["message"] == "Nothing waits for you"
    assert hub.requests == []


def test_every_action_but_the_menus_themselves_is_in_the_menu(wezterm: FakeWezterm) -> None:
    code = (
        "local names = {} for name in pairs(require('wezparallel.actions').ALL) do names[#names + 1] = name end "
        "for _, one in ipairs(require('wezparallel.menus').ENTRIES) do names[#names + 1] = '-' .. one.name end "
        "return names"
    )
    names = set(wezterm.call(code))
    assert {name for name in names if not name.startswith("-") and f"-{name}" not in names} == {"menu", "show_keys"}


def test_the_palette_is_made_once(wezterm: FakeWezterm) -> None:
    code = "return #require('wezparallel.menus').palette()"
    before = wezterm.fake.callbacks
    assert wezterm.call_sync(code) == wezterm.call_sync(code) == 14
    # WezTerm keeps every callback until a reload, and asks whenever the palette opens.
    assert wezterm.fake.callbacks == before
