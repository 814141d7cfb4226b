"""The stand-in is as strict as the real one: what fails there fails here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lua.conftest import EMPTY
from tests.lua.fake import FakeWezterm
from tests.lua.lua_process import HELD, LuaFaultError, really

HEAD = "local wezterm = require 'wezterm' local act = wezterm.action local mux = wezterm.mux;\n"
Make = Callable[..., FakeWezterm]


def fails(wezterm: FakeWezterm, code: str, match: str, *, sync: bool = False) -> None:
    with pytest.raises(LuaFaultError, match=match):
        (wezterm.call_sync if sync else wezterm.call)(HEAD + code)


@pytest.mark.parametrize(
    ("code", "match"),
    [
        ("wezterm.socket()", "wezterm has no socket"),
        ("wezterm.GLOBAL.x = function() end", "cannot store a function"),
        ("mux.all_panes()", "wezterm.mux has no all_panes"),
        ("mux.get_pane(0):kill()", "MuxPane has no method kill"),
        ("mux.get_pane(99)", "pane id 99 not found"),
        ("act.MakeCoffee()", "`MakeCoffee` is not a valid KeyAssignment"),
        ("act.CloseCurrentPane{}", "missing field `confirm`"),
        ("act.CloseCurrentPane{confirm=true, now=true}", "`now` is not a valid"),
        ("act.InputSelector{choices={{label=1}}, action=act.Nop}", "has no label"),
        ("act.InputSelector{choices={{label='a', id=1}}, action=act.Nop}", "id of choice 1 must be a string"),
        ("mux.get_pane(0):split{args={'a'}, colour='red'}", "unknown field `colour`"),
        ("mux.get_pane(0).pane_id()", "must be called with a colon"),
        ("wezterm.json_encode{1, a=2}", "Unexpected key a"),
        ("wezterm.format{{Tekst='x'}}", "invalid FormatItem"),
        ("wezterm.run_child_process{'a', 1}", "every argument must be a string"),
        ("io.popen('ls')", "freezes the GUI"),
        ("return debug.getinfo(1)", "attempt to index a nil value"),
        ("made_a_global = 1", "a global was made"),
        ("wezterm.config_builder().colour = 1", "`colour` is not a valid Config field"),
        ("wezterm.config_builder().keys = {{key='a', action='Jump'}}", "`Jump` is not a valid"),
        ("wezterm.config_builder().keys = {{key='a', mods='HYPER', action='Nop'}}", "invalid modifier"),
    ],
)
def test_what_does_not_exist_raises(wezterm: FakeWezterm, code: str, match: str) -> None:
    fails(wezterm, code, match)


@pytest.mark.parametrize(
    "code",
    [
        "wezterm.run_child_process{'true'}", "wezterm.background_child_process{'true'}", "wezterm.read_dir('/')",
        "wezterm.sleep_ms(1)", "mux.spawn_window{}", "mux.get_pane(0):split{}",
        "wezterm.gui.gui_windows()[1]:active_pane()", "wezterm.gui.gui_windows()[1]:is_focused()",
    ],
)  # fmt: skip
def test_async_functions_fail_outside_a_coroutine(wezterm: FakeWezterm, code: str) -> None:
    fails(wezterm, code, "attempt to yield from outside a coroutine", sync=True)


@pytest.mark.parametrize(
    "call", ["wezterm.sleep_ms(1)", "pcall(wezterm.sleep_ms, 1)", "wezterm.run_child_process{'true'}"]
)
def test_the_body_of_a_required_module_cannot_yield(wezterm: FakeWezterm, home: Path, call: str) -> None:
    (home / ".wezterm/yields.lua").write_text(f"local wezterm = require 'wezterm' return {{ {call} }}")
    code = "local ok, fault = pcall(require, 'yields') return ok and tostring(require('yields')[2]) or fault"
    assert "yield across a C-call boundary" in wezterm.call(code)


def test_yields_pass_through_pcall_but_not_through_sort_and_gsub(wezterm: FakeWezterm) -> None:
    wezterm.answer = lambda _argv: (True, "out", "")
    child = "wezterm.run_child_process{'x'}"
    assert wezterm.call(HEAD + f"local _, ok, out = pcall(function() return {child} end) return ok, out") == (
        True,
        "out",
    )
    fails(wezterm, f"table.sort({{2, 1}}, function() return {child} end)", "C-call boundary")
    fails(wezterm, f"('a'):gsub('a', function() {child} end)", "C-call boundary")


def test_handlers_run_in_order_and_false_ends_the_chain(wezterm: FakeWezterm) -> None:
    wezterm.call(
        HEAD
        + """for number, verdict in ipairs { true, false, true } do
          wezterm.on('mine', function() wezterm.sleep_ms(5) wezterm.log_info(number) return verdict end)
        end"""
    )
    wezterm.emit("mine")
    wezterm.advance(1)
    assert wezterm.logs == ["info: 1", "info: 2"]


def test_only_the_first_handler_of_a_sync_event_is_asked(wezterm: FakeWezterm) -> None:
    wezterm.call(HEAD + "for n = 1, 2 do wezterm.on('format-tab-title', function() return 'title ' .. n end) end")
    assert wezterm.emit_sync("format-tab-title") == "title 1"


def test_an_event_of_a_window_runs_once_and_waits_once(wezterm: FakeWezterm) -> None:
    wezterm.answer = lambda _argv: HELD
    wezterm.call(HEAD + "wezterm.on('slow', function() wezterm.run_child_process{'x'} end)")
    for _ in range(4):
        wezterm.perform({"EmitEvent": "slow"})
    wezterm.finish_child(True)
    wezterm.finish_child(True)
    assert len(wezterm.children) == 2


def test_a_status_tick_ends_when_nobody_sets_a_status(wezterm: FakeWezterm) -> None:
    wezterm.call(
        HEAD
        + """local left = 3
        wezterm.on('update-status', function(window)
          wezterm.log_info 'tick'
          left = left - 1
          if left > 0 then window:set_right_status('s') end
        end)"""
    )
    wezterm.call("local window = ... window:set_right_status('x')", wezterm.window())
    wezterm.advance(60)
    assert len(wezterm.logs) == 3


def test_user_variables_of_hidden_panes_are_kept_and_not_told(wezterm: FakeWezterm) -> None:
    hidden = wezterm.call(
        HEAD
        + """wezterm.on('user-var-changed', function(_, _, name, value) wezterm.log_info(name, value) end)
        local _, pane = mux.spawn_window{args={'x'}, workspace='other'} return pane:pane_id()"""
    )
    wezterm.set_user_var(hidden, "a", "1")
    wezterm.set_user_var(0, "b", "2")
    assert wezterm.logs == ["info: b 2"]
    assert wezterm.call(HEAD + "return mux.get_pane(...):get_user_vars()", hidden) == {"a": "1"}


def test_json_drops_null_and_writes_null_for_a_table_met_twice(wezterm: FakeWezterm) -> None:
    assert wezterm.call(HEAD + 'return wezterm.json_parse(\'{"a":null,"b":[1,2.5]}\')') == {"b": [1, 2.5]}
    assert wezterm.call(HEAD + "local t = {1} return wezterm.json_encode{a=t, b=t}") in (
        '{"a":[1],"b":null}', '{"a":null,"b":[1]}',
    )  # fmt: skip
    assert wezterm.call(HEAD + "return wezterm.json_encode{}") == "{}"
    assert wezterm.call(HEAD + "return math.type(wezterm.json_parse('[1]')[1])") == "integer"


def test_global_gives_copies_and_outlives_a_reload_while_modules_do_not(wezterm: FakeWezterm, home: Path) -> None:
    (home / ".wezterm/counts.lua").write_text("return { n = 0 }")
    wezterm.call(HEAD + "wezterm.GLOBAL.x = { n = 1 } require('counts').n = 5")
    wezterm.reload()
    assert wezterm.call(HEAD + "return wezterm.GLOBAL.x.n + require('counts').n") == 1
    fails(wezterm, "wezterm.GLOBAL.x.n = 2", "replaced as a whole")


def test_timers_of_an_older_configuration_are_dropped(wezterm: FakeWezterm) -> None:
    wezterm.call(HEAD + "wezterm.time.call_after(5, function() wezterm.log_info 'rang' end)")
    wezterm.reload()
    wezterm.advance(10)
    assert wezterm.logs == []


def test_four_panes_have_the_sizes_that_the_real_one_gave(wezterm: FakeWezterm) -> None:
    wezterm.call(
        HEAD
        + """local tab, first = mux.spawn_window{args={'a'}, width=120, height=30, workspace='w'}
        local side = first:split{args={'b'}, direction='Right', size=0.3}
        first:split{args={'c'}, direction='Bottom', size=0.2}
        side:split{args={'d'}, direction='Bottom', size=0.5}"""
    )
    (tab,) = wezterm.tabs("w")
    places = [(place["width"], place["height"]) for place in wezterm.places(tab)]
    assert places == [(83, 23), (83, 6), (36, 14), (36, 15)]


def test_three_columns_lose_their_ratios_in_a_resize_as_the_real_ones_do(wezterm: FakeWezterm) -> None:
    wezterm.resize(120, 30)
    wezterm.call(
        HEAD
        + """mux.get_pane(0):split{args={'b'}, size=0.3}
        mux.get_pane(0):split{args={'c'}, size=0.5}"""
    )
    (tab,) = wezterm.tabs("default")
    assert [place["width"] for place in wezterm.places(tab)] == [41, 41, 36]
    wezterm.resize(88, 30)
    assert [place["width"] for place in wezterm.places(tab)] == [25, 41, 20]


def test_a_split_without_room_fails_and_leaves_a_pane_in_no_tab(wezterm: FakeWezterm) -> None:
    fails(wezterm, "mux.get_pane(0):split{args={'b'}, size=79}", "No space for split")
    assert list(wezterm.world.orphans.values()) == [1]
    fails(wezterm, "mux.get_tab(0):set_zoomed(true) mux.get_pane(0):split{args={'b'}}", "cannot split while zoomed")


def test_without_args_the_environment_is_dropped(wezterm: FakeWezterm) -> None:
    wezterm.call(
        HEAD
        + """local env = { A = '1' }
        mux.get_pane(0):split{set_environment_variables=env}
        mux.get_pane(0):split{args={'x'}, set_environment_variables=env}"""
    )
    assert dict(wezterm.world.panes[1].env.items()) == {}
    assert dict(wezterm.world.panes[2].env.items()) == {"A": "1"}


def test_a_workspace_ends_with_its_last_pane_and_the_window_goes_to_another(wezterm: FakeWezterm) -> None:
    pane = wezterm.call(HEAD + "local _, p = mux.spawn_window{args={'x'}, workspace='w'} return p:pane_id()")
    wezterm.perform({"SwitchToWorkspace": {"name": "w"}})
    assert (wezterm.workspace, wezterm.workspaces) == ("w", ["default", "w"])
    wezterm.kill_pane(pane)
    assert (wezterm.workspace, wezterm.workspaces) == ("default", ["default"])


def test_closing_a_pane_by_action_closes_the_active_one_whatever_pane_is_named(wezterm: FakeWezterm) -> None:
    wezterm.call(
        HEAD
        + """local window = ...
        mux.get_pane(0):split{args={'b'}}
        window:perform_action(act.CloseCurrentPane{confirm=false}, mux.get_pane(0))""",
        wezterm.window(),
    )
    assert [place["pane"] for place in wezterm.places(wezterm.tabs("default")[0])] == [0]


def test_panes_are_closed_by_the_cli_which_must_not_start_a_server(wezterm: FakeWezterm) -> None:
    wezterm.call(HEAD + "mux.get_pane(0):split{args={'b'}}")
    program = "wezterm.executable_dir .. '/wezterm', 'cli'"
    run = f"return (wezterm.run_child_process{{{program}, %s'kill-pane', '--pane-id', '1'}})"
    assert wezterm.call(HEAD + run % "") is False
    assert wezterm.call(HEAD + run % "'--no-auto-start', ") is True
    assert wezterm.world.panes[1] is None


def test_two_objects_of_one_pane_are_not_equal(wezterm: FakeWezterm) -> None:
    assert wezterm.call(HEAD + "return mux.get_pane(0) == mux.get_pane(0)") is False


@pytest.mark.parametrize(("name", "stable", "nightly"), [("prompt", False, True), ("initial_value", False, True)])
def test_what_only_nightlies_take(each_wezterm: FakeWezterm, name: str, stable: bool, nightly: bool) -> None:
    code = f"return (pcall(act.PromptInputLine, {{action=act.EmitEvent 'x', {name}='y'}}))"
    wanted = stable if each_wezterm.fake.flavour == "stable" else nightly
    assert each_wezterm.call(HEAD + code) is wanted
    assert each_wezterm.call(HEAD + "return wezterm.has_action 'Confirmation'") is wanted
    assert each_wezterm.call(HEAD + "return wezterm.serde ~= nil") is wanted


def test_the_mux_server_has_no_gui(make: Make) -> None:
    server = make(gui=False)
    server.load(EMPTY)
    assert server.call(HEAD + "return wezterm.gui == nil") is True


def test_keys_added_in_place_are_checked_when_the_configuration_is_done(make: Make) -> None:
    with pytest.raises(LuaFaultError, match="Jump"):
        make().load(
            HEAD + "local c = wezterm.config_builder() c.keys = {} c.keys[1] = {key='a', action='Jump'} return c"
        )


def test_a_person_answers_selector_and_prompt(wezterm: FakeWezterm) -> None:
    wezterm.call(
        HEAD
        + """local window, pane = ...
        window:perform_action(act.InputSelector{choices={{id='1', label='one'}}, action=wezterm.action_callback(
          function(w, p, id, label)
            wezterm.log_info(id, label)
            w:perform_action(act.PromptInputLine{action=wezterm.action_callback(function(_, _, line)
              wezterm.log_info(line)
            end)}, p)
          end)}, pane)""",
        wezterm.window(),
        wezterm.pane(),
    )
    with pytest.raises(LuaFaultError, match="no choice '2'"):
        wezterm.choose("2")
    wezterm.choose("1")
    wezterm.type_line("hello")
    assert wezterm.logs == ["info: 1 one", "info: hello"]


def test_children_can_really_run_be_held_or_fail_to_start(wezterm: FakeWezterm) -> None:
    wezterm.answer = really
    assert wezterm.call(HEAD + "return wezterm.run_child_process{'echo', 'hi'}") == (True, "hi\n", "")
    fails(wezterm, "wezterm.run_child_process{'/nonexistent/program'}", "No such file")
    wezterm.answer = lambda _argv: HELD
    wezterm.start(HEAD + "local _, out = wezterm.run_child_process{'x'} wezterm.log_info(out)")
    assert wezterm.logs == []
    wezterm.finish_child(True, "late")
    assert wezterm.logs == ["info: late"]
