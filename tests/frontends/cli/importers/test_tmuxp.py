"""tmuxp's sessions as templates of ours."""

from __future__ import annotations

import contextlib

import pytest

from wezparallel.errors import RequestError
from wezparallel.frontends.cli.importers import tmux_layouts, tmuxp
from wezparallel.hub.workspaces.templates import compile_template


def read(text: str) -> tuple[str, list[tuple[int, str]]]:
    found = tmuxp.read(text, "s.yaml", "/project")
    return found.source, [(note.line, note.key) for note in found.notes]


def opened(text: str) -> dict[str, object]:
    compiled = compile_template(read(text)[0], "t.yaml", "/project", "/bin/sh", "/home/me")
    return {one.name: one for one in compiled.settings}


def test_a_window_becomes_a_tab_and_a_pane_ends_as_a_shell() -> None:
    source, notes = read(
        "session_name: my work\nwindows:\n"
        "- window_name: code\n  layout: main-vertical\n  panes:\n  - vim\n  - [git status, git log]\n  - \n"
        "- window_name: logs\n  panes: [tail -f x]\n"
    )
    assert notes == []
    assert source == (
        "# Imported from s.yaml, a session of tmuxp.\nname: my-work\ndescription: my work\n"
        "tabs:\n  code:\n    layout: |\n      vim    git\n      vim    shell\n  logs:\n    layout: |\n      tail\n"
        "panes:\n"
        '  vim:\n    command: |-\n      vim\n      exec "$SHELL"\n    stop: SIGHUP\n'
        '  git:\n    command: |-\n      git status\n      git log\n      exec "$SHELL"\n    stop: SIGHUP\n'
        "  shell: shell\n"
        '  tail:\n    command: |-\n      tail -f x\n      exec "$SHELL"\n    stop: SIGHUP\n'
    )


def test_folders_environment_and_focus_go_down_from_session_to_pane() -> None:
    text = (
        "start_directory: /srv\nenvironment: { A: session, P: $HOME/x }\nshell_command_before: cd lib\nwindows:\n"
        "- start_directory: log\n  environment: { B: window }\n  panes:\n"
        "  - ls\n  - { shell_command: pwd, start_directory: ./here, environment: { B: pane }, focus: true }\n"
    )
    source, notes = read(text)
    assert notes == []
    assert 'root: /srv\nenv: { A: session, P: "${HOME}/x" }\n' in source
    assert "cwd: log\n    env: { B: window }\n" in source
    assert "cwd: /project/here\n    env: { B: pane }\n    focus: true\n" in source
    assert source.count("cd lib\n") == 2


def test_each_key_without_a_meaning_is_named_with_its_line() -> None:
    _, notes = read(
        "session_name: x\nbefore_script: ./b.sh\nwindows:\n- options:\n    automatic-rename: on\n"
        "  suppress_history: false\n  panes:\n  - shell_command: ls\n    sleep_before: 2\n"
        "  - shell_command:\n    - cmd: ls\n      enter: false\n    - cmd: pwd\n      sleep_after: 1\n  nonsense: 1\n"
    )
    assert notes == [
        (2, "before_script"), (5, "windows[0].options.automatic-rename"), (6, "windows[0].suppress_history"),
        (9, "windows[0].panes[0].sleep_before"), (11, "windows[0].panes[1].shell_command[0].enter"),
        (14, "windows[0].panes[1].shell_command[1].sleep_after"), (15, "windows[0].nonsense"),
    ]  # fmt: skip


def test_what_a_shell_reads_is_left_to_it() -> None:
    panes = opened("windows:\n- panes:\n  - 'echo ${A} $B $$ $${C}'\n")
    assert panes["echo"].argv[2].splitlines()[0] == "echo ${A} $B $$ $${C}"  # type: ignore[attr-defined]


def test_a_quote_that_is_not_closed_leaves_a_shell_and_is_told() -> None:
    source, notes = read('windows:\n- panes:\n  - echo "x\n  - ls\n')
    assert "  echo: shell\n" in source
    assert notes == [(3, "windows[0].panes[0]")]


def test_a_main_pane_may_have_a_share_but_no_number_of_rows() -> None:
    text = "windows:\n- layout: main-horizontal\n  options: { main-pane-height: %s }\n  panes: [a, b, c]\n"
    assert "rows: [60, 40]" in read(text % "60%")[0]
    source, notes = read(text % "30")
    assert "rows:" not in source
    assert notes == [(3, "windows[0].options.main-pane-height")]


def test_a_layout_that_tmux_printed_is_drawn_with_its_sizes() -> None:
    line = "159x48,0,0{79x48,0,0,1,79x48,80,0[79x23,80,0,2,79x24,80,24,3]}"
    tab = tmux_layouts.raw(f"{tmux_layouts.checksum(line):04x},{line}", "t", ["a", "b", "c"])
    assert (tab.rows, tab.column_weights, tab.row_weights) == ([["a", "b"], ["a", "c"]], [80, 80], [24, 25])


def test_the_checksum_is_that_of_tmux() -> None:
    assert tmux_layouts.checksum("159x48,0,0{79x48,0,0,79x48,80,0}") == 0xBB62


@pytest.mark.parametrize(
    "line", ["bb63,159x48,0,0{79x48,0,0,79x48,80,0}", "bb62,159x48", "nonsense", "0000,1x1,0,0{"]
)
def test_a_layout_that_is_none_is_tiled_and_told(line: str) -> None:
    source, notes = read(f"windows:\n- layout: '{line}'\n  panes: [a, b]\n")
    assert notes == [(2, "windows[0].layout")]
    assert "layout: |" in source


@pytest.mark.parametrize("count", range(1, 14))
@pytest.mark.parametrize("layout", tmux_layouts.NAMED)
def test_every_named_layout_compiles_for_any_number_of_panes(layout: str, count: int) -> None:
    text = f"windows:\n- layout: {layout}\n  panes: [{', '.join(f'p{at}' for at in range(count))}]\n"
    assert len(opened(text)) == count


@pytest.mark.parametrize(
    "text", ["", "[]", "windows", "a: b", "windows: 3", "{", "windows: [1, 2]", "windows:\n- panes: {a: b}\n", "- x",
             "a: &a\n  <<: *a\nwindows: [*a]", "windows: &w [*w]", "? [a]\n: b\nwindows: []"],
)  # fmt: skip
def test_nonsense_is_refused_or_noted_and_never_a_bug(text: str) -> None:
    with contextlib.suppress(RequestError):
        read(text)


def test_a_bomb_of_aliases_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    with pytest.raises(RequestError, match="too large"):
        read("\n".join(lines) + "\nwindows: *a7\n")


def test_the_folder_that_it_is_loaded_in_is_the_project() -> None:
    assert "root: test\n" in read("start_directory: $PWD/test\nwindows: [{panes: [ls]}]\n")[0]
