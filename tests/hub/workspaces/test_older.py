"""The seeds' ways to write a template."""

from __future__ import annotations

import pytest

from wezparallel.errors import RequestError
from wezparallel.hub.workspaces.templates import Compiled, Given, compile_template

ROOT = "/home/u/shop"

# Seed 002 §4.1, its two templates.
DEFAULT = """\
layout: "three_pane_horizontal"
auto_start_processes: true
panes:
  - { position: "left", command: "claude-code --workspace=main" }
  - { position: "center", command: "claude-code --workspace=test" }
  - { position: "right", command: "htop" }
"""
WEB_DEV = """\
layout: "four_pane_grid"
auto_start_processes: true
panes:
  - { position: "top-left", command: "claude-code --workspace=frontend" }
  - { position: "top-right", command: "claude-code --workspace=backend" }
  - { position: "bottom-left", command: "npm run dev" }
  - { position: "bottom-right", command: "tail -f logs/app.log" }
"""
# In the shape of the seed project's layouts/*.yaml.
GRID = """\
name: claude-dev
description: Claude and two helpers
version: "1.0"
author: somebody
created: 2025-01-01
layout:
  type: dynamic
  description: One large, two small
  panes:
    - id: claude-main
      position: { row: 0, col: 0, span_rows: 2, span_cols: 1 }
      size: 0.6
      title: Claude
      command: claude-code --workspace=main
      working_directory: ./src
      description: The agent
      environment: { CLAUDE_MODE: development }
    - id: terminal
      position: { row: 0, col: 1, span_rows: 1, span_cols: 1 }
      size: 0.2
      command: "${TERMINAL_COMMAND:-bash}"
    - id: monitor
      position: { row: 1, col: 1 }
      size: 0.2
      title: Monitor
workspace:
  name: claude-dev
  description: Not this one
  auto_start: true
  processes:
    - { name: monitor, command: htop, auto_start: false }
    - name: api
      command: npm run api
      auto_start: false
      working_directory: api
      environment: { PORT: 3000 }
      description: The back end
    - { name: db, command: postgres }
suggested_keybindings:
  - { key: CTRL+SHIFT+1, action: focus_pane, target: claude-main, description: Claude }
options: { sync_enabled: false, notifications: { pane_created: true } }
usage_examples: [one]
related_templates: [web-dev]
changelog: [{ version: 1.0 }]
"""


def compiled(source: str, default_layout: str | None = None) -> Compiled:
    given = Given(default_layout=default_layout)
    return compile_template(source, f"{ROOT}/wezparallel.yaml", ROOT, "/bin/sh", "/home/u", given)


def failure(source: str, code: str = "template.layout") -> RequestError:
    with pytest.raises(RequestError) as caught:
        compiled(source)
    assert caught.value.code == code
    return caught.value


def cuts(template: Compiled) -> list[tuple[str, str, str, float]]:
    return [(s.of, s.pane, s.direction, round(s.share, 3)) for s in template.plan.tabs[0].splits]


def test_seed_002s_default_has_three_panes_side_by_side_and_two_are_agents() -> None:
    template = compiled(DEFAULT)
    assert cuts(template) == [("main", "test", "right", 0.667), ("test", "htop", "right", 0.5)]
    assert [(one.name, one.agent, one.argv, one.env) for one in template.settings] == [
        ("main", "claude_code", ["claude"], {"CLAUDE_WORKSPACE": "main"}),
        ("test", "claude_code", ["claude"], {"CLAUDE_WORKSPACE": "test"}),
        ("htop", None, ["/bin/sh", "-c", "exec htop"], {}),
    ]
    assert all(one.auto_start for one in template.settings)
    assert template.notes == []


def test_seed_002s_web_dev_is_a_grid_of_four() -> None:
    template = compiled(WEB_DEV)
    assert template.tabs[0].layout.panes == ("frontend", "backend", "dev", "tail")
    assert cuts(template) == [
        ("frontend", "backend", "right", 0.5), ("frontend", "dev", "down", 0.5), ("backend", "tail", "down", 0.5),
    ]  # fmt: skip
    assert template.settings[3].command == "tail -f logs/app.log"


def test_a_program_that_is_called_claude_code_keeps_its_flags() -> None:
    given = Given(programs={"claude_code": "/opt/bin/claude-code"})
    main = compile_template(DEFAULT, "x", ROOT, "/bin/sh", "/home/u", given).settings[0]
    assert (main.argv, main.env, main.agent) == (["claude", "--workspace=main"], {}, "claude_code")


def test_processes_start_with_the_workspace_unless_the_template_or_they_say_no() -> None:
    off = compiled(
        "auto_start_processes: false\npanes: { a: x, b: { command: y, auto_start: true } }\nprocesses: {c: z}"
    )
    assert [one.auto_start for one in off.settings] == [False, True, False]


def test_a_grid_file_brings_up_what_it_says() -> None:
    template = compiled(GRID)
    assert (template.name, template.description) == ("claude-dev", "Claude and two helpers")
    assert cuts(template) == [("claude-main", "terminal", "right", 0.4), ("terminal", "monitor", "down", 0.5)]
    by_name = {one.name: one for one in template.settings}
    assert list(by_name) == ["claude-main", "terminal", "monitor", "api", "db"]
    agent = by_name["claude-main"]
    assert (agent.agent, agent.cwd, agent.title) == ("claude_code", f"{ROOT}/src", "Claude")
    assert agent.env == {"CLAUDE_WORKSPACE": "main", "CLAUDE_MODE": "development"}
    assert by_name["terminal"].command == "bash"
    monitor, api, db = by_name["monitor"], by_name["api"], by_name["db"]
    assert (monitor.command, monitor.auto_start, monitor.pane, monitor.title) == ("htop", False, True, "Monitor")
    assert (api.cwd, api.env, api.auto_start, api.pane) == (f"{ROOT}/api", {"PORT": "3000"}, False, False)
    assert (db.auto_start, db.restart) == (True, "on_failure")


def test_what_has_no_meaning_here_is_said_and_passed_over() -> None:
    notes = compiled(GRID).notes
    assert [note.split(" ")[2] for note in notes] == [
        "'suggested_keybindings'", "'options'", "'usage_examples'", "'related_templates'", "'changelog'",
    ]  # fmt: skip
    assert notes[1] == "line 41: 'options' has no meaning here and is passed over"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("row: 1, col: 1", "row: 0, col: 1", "'monitor' lies over 'terminal'"),
        ("row: 1, col: 1", "row: 2, col: 1", "the picture has a gap"),
        ("row: 1, col: 1", "row: 99, col: 1", "`row` has to be a whole number from 0 to 63"),
        ("row: 1, col: 1", "row: 1, column: 1", "`position` has no key 'column'"),
        ("      position: { row: 1, col: 1 }\n", "", "the pane 'monitor' has no `position`"),
        ("- id: terminal", "- title: terminal", "a pane of a grid needs `id`, its name"),
        ("size: 0.6", "size: large", "`size` has to be the pane's share"),
        ("id: monitor", "id: terminal", "lies over"),
        ("id: monitor", "id: 'a b'", "'a b' cannot be a name"),
        ("name: api", "nam: api", "a process of a workspace has no key 'nam'"),
        ("name: db, ", "", "a process of a workspace needs `name`"),
        ("command: postgres", "description: x", "process 'db' has no command"),
        ("type: dynamic", "tipe: dynamic", "`layout` has no key 'tipe'"),
        ("usage_examples:", "usage:", "a template has no key 'usage'"),
    ],
)
def test_a_wrong_grid_is_told_with_its_place(old: str, new: str, sentence: str) -> None:
    assert old in GRID
    with pytest.raises(RequestError) as caught:
        compiled(GRID.replace(old, new))
    if sentence != "lies over":
        assert sentence in caught.value.message
    assert caught.value.data["line"] > 1


def test_rows_and_columns_may_count_from_one() -> None:
    one_based = GRID.replace("row: 0, col: 0", "row: 1, col: 1").replace("row: 1, col: 1 }", "row: 2, col: 2 }")
    assert cuts(compiled(one_based.replace("row: 0, col: 1", "row: 1, col: 2"))) == cuts(compiled(GRID))


def test_without_all_sizes_the_cells_of_a_grid_are_alike() -> None:
    assert cuts(compiled(GRID.replace("      size: 0.6\n", "")))[0][3] == 0.5


def test_a_workspace_belongs_to_a_grid() -> None:
    assert "`workspace` belongs to a layout" in failure("workspace: {}\npanes: [x]", "template.syntax").message
    both = GRID + "panes: { a: x }\n"
    assert "the panes stand in `layout` already" in failure(both, "template.syntax").message
    assert "has to be a list" in failure("layout: { panes: {} }", "template.syntax").message
    wrong = "layout: {panes: [{id: a, position: {row: 0, col: 0}}]}\nworkspace: {processes: {a: x}}"
    assert "`processes` of a workspace has to be a list" in failure(wrong, "template.syntax").message


@pytest.mark.parametrize(
    ("layout", "panes", "found"),
    [
        ("single", "a", []),
        ("two_pane_horizontal", "a b", [("a", "b", "right", 0.5)]),
        ("two-pane-vertical", "a b", [("a", "b", "down", 0.5)]),
        ("three_pane", "a b c", [("a", "b", "right", 0.667), ("b", "c", "right", 0.5)]),
        ("ThreePaneVertical", "a b c", [("a", "b", "down", 0.667), ("b", "c", "down", 0.5)]),
        ("{ type: two_pane_vertical, rows: [7, 3] }", "a b", [("a", "b", "down", 0.3)]),
    ],
)
def test_a_layout_can_be_named(layout: str, panes: str, found: list[tuple[str, str, str, float]]) -> None:
    named = ", ".join(f"{pane}: x" for pane in panes.split())
    assert cuts(compiled(f"layout: {layout}\npanes: {{ {named} }}")) == found


def test_positions_go_before_the_order_of_the_file() -> None:
    template = compiled(
        "layout: four_pane_grid\n"
        "panes: { a: { command: x, position: bottom-right }, b: x, c: x, d: { position: top_right } }"
    )
    assert template.plan.tabs[0].first == "b"
    assert template.picture.index("d") < template.picture.index("c") < template.picture.index(" a ")


def test_positions_without_a_layout_find_one_that_has_them() -> None:
    assert cuts(compiled("panes: [{ position: top, command: x }, { position: bottom, command: y }]")) == [
        ("x", "y", "down", 0.5)
    ]
    error = failure("panes: [{ position: top, command: x }, { position: left, command: y }]")
    assert "no layout has these positions" in error.message


@pytest.mark.parametrize(
    ("source", "place", "sentence"),
    [
        ("layout: three_pane\npanes: { a: x, b: y }", "1:9",
         "has 3 places (left, center, right), and there are 2 panes"),
        ("layout: single\npanes: { a: { position: left } }", "2:25", "'single' has no place 'left'"),
        (
            "layout: two_pane\npanes: { a: { position: left }, b: { position: left } }", "2:25",
            "two panes are at 'left'",
        ),
        ("layout: a\npanes: { a: { position: left } }", "2:25", "`position` belongs to a layout that is only named"),
    ],
)  # fmt: skip
def test_a_wrong_position_is_told_with_its_place(source: str, place: str, sentence: str) -> None:
    message = failure(source).message
    assert message.startswith(f"wezparallel.yaml:{place}: ")
    assert sentence in message.split("\n", maxsplit=1)[0]


def test_a_pane_of_a_list_is_called_as_it_says_else_like_its_command() -> None:
    template = compiled("panes: [{ name: web, command: npm start }, { id: db }, { agent: claude }, npm test, {}]")
    assert [one.name for one in template.settings] == ["web", "db", "claude", "test", "shell"]
    error = failure("panes: [{ name: web }, { name: web }]", "template.syntax")
    assert error.message.startswith("wezparallel.yaml:1:17: two panes are called 'web'")


def test_the_default_layout_is_for_templates_that_draw_none_and_have_as_many_panes() -> None:
    assert cuts(compiled("panes: [x, y, z]", "three_pane")) == [("x", "y", "right", 0.667), ("y", "z", "right", 0.5)]
    assert cuts(compiled("panes: [x, y, z]")) == [("x", "y", "right", 0.5), ("y", "z", "down", 0.5)]
    assert cuts(compiled("panes: [w, x, y, z]", "three_pane")) == cuts(compiled("panes: [w, x, y, z]"))
    assert cuts(compiled("layout: [x, y, z]\npanes: {x: x, y: x, z: x}", "three_pane"))[0][2] == "down"
    assert cuts(compiled("panes: [x]", "nonsense")) == []
