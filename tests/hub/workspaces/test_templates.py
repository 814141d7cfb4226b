"""Templates to settings, plan and picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from wezparallel import paths
from wezparallel.errors import RequestError
from wezparallel.hub.workspaces.templates import Compiled, compile_template
from wezparallel.protocol.process import ProcessSettings

ROOT = "/home/u/shop"
FULL = """\
name: web_dev
description: Front end and back end
root: app
env: { NODE_ENV: development, VERSION: 1.10, DEBUG: true, EMPTY: '', GONE: }
layout:
  areas: |
    coder  coder  server
    coder  coder  tests
    log    log    log
  columns: [2, 2, 3]
  rows: [4, 4, 2]
panes:
  coder:  { agent: claude_code, title: Coder }
  server: { command: npm run dev, focus: true, cwd: web, env: { NODE_ENV: test, DEBUG: null } }
  tests:  npm test -- --watch
  log:    { command: tail -F logs/app.log | cat, restart: always, on_close: ask }
processes:
  db:     { command: [postgres, -D, .pg], on-close: keep }
"""


def compiled(source: str, path: str = f"{ROOT}/wezparallel.yaml") -> Compiled:
    return compile_template(source, path, ROOT, "/bin/zsh", "/home/u")


def one(pane: str, *, kind: str = "panes") -> ProcessSettings:
    """Return the settings of a template with a single process, `{name: value}`."""
    return compiled(f"{kind}: {pane}").settings[0]


def failure(source: str, code: str = "template.syntax") -> RequestError:
    with pytest.raises(RequestError) as caught:
        compiled(source)
    assert caught.value.code == code
    assert caught.value.message.startswith("wezparallel.yaml:")
    return caught.value


def test_three_words_are_a_whole_template() -> None:
    template = compiled("panes: [claude, npm run dev, shell]\n")
    assert [(p.name, p.argv, p.restart, p.tty, p.pane) for p in template.settings] == [
        ("claude", ["claude"], "on_failure", True, True),
        ("dev", ["/bin/zsh", "-c", "exec npm run dev"], "never", True, True),
        ("shell", ["/bin/zsh"], "never", True, True),
    ]
    assert (template.name, template.root, template.focus) == ("shop", ROOT, "claude")
    assert template.picture.split("\n")[0].startswith("┌ claude ─")


def test_a_full_template_compiles_to_settings_in_the_order_of_the_file() -> None:
    template = compiled(FULL)
    assert (template.name, template.description, template.root) == (
        "web_dev",
        "Front end and back end",
        f"{ROOT}/app",
    )
    by_name = {p.name: p for p in template.settings}
    assert list(by_name) == ["coder", "server", "tests", "log", "db"]
    assert by_name["coder"].argv == ["claude"]
    assert by_name["server"].cwd == f"{ROOT}/app/web"
    assert by_name["tests"].argv == ["/bin/zsh", "-c", "exec npm test -- --watch"]
    assert by_name["log"].argv == ["/bin/zsh", "-c", "tail -F logs/app.log | cat"]
    assert by_name["log"].restart == "always"
    db = by_name["db"]
    assert (db.argv, db.command, db.tty, db.pane, db.restart) == (
        ["postgres", "-D", ".pg"], "postgres -D .pg", False, False, "on_failure",
    )  # fmt: skip


def test_variables_stay_as_they_were_written_and_the_nearer_ones_win() -> None:
    by_name = {p.name: p for p in compiled(FULL).settings}
    everywhere = {"NODE_ENV": "development", "VERSION": "1.10", "DEBUG": "true", "EMPTY": "", "GONE": None}
    assert by_name["db"].env == everywhere
    assert by_name["server"].env == {**everywhere, "NODE_ENV": "test", "DEBUG": None}
    assert one("{a: {command: x, environment: {A: 1}}}").env == {"A": "1"}


def test_the_plan_names_processes_with_their_workspace() -> None:
    plan = compiled(FULL).plan_for("shop-2")
    (tab,) = plan.tabs
    assert (tab.title, tab.first) == ("shop-2", "coder")
    assert [(p.pane, p.process_id, p.title, p.focus) for p in tab.panes] == [
        ("coder", "shop-2/coder", "Coder", False), ("log", "shop-2/log", "log", False),
        ("server", "shop-2/server", "server", True), ("tests", "shop-2/tests", "tests", False),
    ]  # fmt: skip
    assert [(s.of, s.pane, s.direction) for s in tab.splits] == [
        ("coder", "log", "down"), ("coder", "server", "right"), ("server", "tests", "down"),
    ]  # fmt: skip
    bare = compiled(FULL).plan.tabs[0]
    assert (bare.title, bare.panes[0].process_id) == ("web_dev", "coder")


def test_without_panes_there_is_no_tab_and_no_picture() -> None:
    template = compiled("processes: { db: postgres }")
    assert (template.plan.tabs, template.picture, template.focus) == ([], "", None)


def test_a_drawing_can_have_any_width() -> None:
    assert len(compiled("panes: [shell]").draw(30).split("\n")[0]) == 30


def test_only_the_focused_pane_has_the_focus() -> None:
    assert [p.name for p in compiled(FULL).settings if p.focus] == ["server"]
    assert [p.name for p in compiled("panes: { a: x, b: y }").settings if p.focus] == ["a"]


def test_a_template_is_called_like_its_file_and_wezparallel_yaml_like_its_folder() -> None:
    assert compiled("panes: [shell]", "/etc/web-dev.yml").name == "web-dev"
    assert compiled("panes: [shell]", "detected").name == "shop"
    assert compile_template("panes: [x]", "detected", "/", "/bin/sh", "/").name == "workspace"


def test_errors_name_the_file_as_a_person_would() -> None:
    for path, root, home, shown in [
        ("/home/u/shop/.wezparallel/x.yaml", ROOT, "/home/u", ".wezparallel/x.yaml"),
        ("/home/u/.config/x.yaml", ROOT, "/home/u", "~/.config/x.yaml"),
        ("/etc/x.yaml", "/", "/", "/etc/x.yaml"),
    ]:
        with pytest.raises(RequestError) as caught:
            compile_template("pane: [x]", path, root, "/bin/sh", home)
        assert caught.value.message.startswith(f"{shown}:1:1: ")
        assert caught.value.data["file"] == path


def test_names_from_commands_are_made_unique() -> None:
    assert [p.name for p in compiled("panes: [claude, claude, claude-code]").settings] == [
        "claude", "claude-2", "claude-3",
    ]  # fmt: skip


def test_names_from_commands_do_not_take_those_of_processes() -> None:
    assert "is the name of another process" in failure("panes: [dev]\nprocesses: { dev: x }").message


def test_a_pane_without_a_command_is_a_shell_that_is_stopped_as_one() -> None:
    for written in ("{a: }", "{a: {}}", "{a: {title: x}}", "{a: shell}", "{a: {command: shell}}", "{a: {command: }}"):
        pane = one(written)
        assert (pane.argv, pane.stop.signal, pane.stop.kill, pane.restart) == (
            ["/bin/zsh"],
            "SIGHUP",
            "group",
            "never",
        )


def test_a_process_without_a_pane_needs_a_command() -> None:
    for written in ("{a: }", "{a: {}}"):
        assert "process 'a' has no command" in failure(f"processes: {written}").message


def test_an_agent_has_its_own_defaults() -> None:
    agent = one("{a: {agent: claude}}")
    assert (agent.agent, agent.argv, agent.restart, agent.log_cap_bytes) == (
        "claude_code", ["claude"], "on_failure", 64 << 20,
    )  # fmt: skip
    assert one("{a: claude --resume}").agent == "claude_code"
    assert one("{a: x}").log_cap_bytes == 256 << 20
    told = one("{a: {agent: codex, command: codex --full, may: [type, others]}}")
    assert (told.agent, told.argv, told.may) == ("codex", ["/bin/zsh", "-c", "exec codex --full"], ["type", "others"])
    assert one("{a: claude --workspace=main}").env == {"CLAUDE_WORKSPACE": "main"}


def test_an_unknown_kind_of_agent_is_refused_with_those_that_are_known() -> None:
    assert failure("panes: {a: {agent: gpt}}").message.endswith("Known are: claude_code, codex.")


def test_numbers_and_booleans_can_be_commands() -> None:
    assert one("{a: true}").command == "true"
    assert one("{a: [sleep, 5]}").argv == ["sleep", "5"]


@pytest.mark.parametrize(
    ("written", "field", "value"),
    [
        ("restart: on-failure", "restart", "on_failure"), ("backoff: 2m", "backoff_s", 120.0),
        ("backoff_s: 0.5", "backoff_s", 0.5), ("log_cap: 1 GB", "log_cap_bytes", 1 << 30),
        ("log: off", "log", "off"), ("log: memory", "log", "memory"), ("log: disk", "log", "disk"),
        ("log-cap: 64MiB", "log_cap_bytes", 64 << 20), ("log_cap_bytes: 2097152", "log_cap_bytes", 2 << 20),
        ("auto_start: false", "auto_start", False), ("title: 'a b'", "title", "a b"), ("cwd: ~", "cwd", ROOT),
        ("cwd: '~'", "cwd", "/home/u"), ("cwd: ~/x", "cwd", "/home/u/x"), ("cwd: /srv/../opt", "cwd", "/opt"),
        ("cwd: ../other/", "cwd", "/home/u/other"), ("tty: true", "tty", True),
        ("term: vt220", "term", "vt220"),
    ],
)  # fmt: skip
def test_what_a_pane_can_be_told(written: str, field: str, value: object) -> None:
    assert getattr(one(f"{{a: {{command: x, {written}}}}}"), field) == value


def test_a_process_without_a_pane_can_have_a_terminal() -> None:
    assert one("{a: {command: x, tty: true}}", kind="processes").tty is True


@pytest.mark.parametrize(
    ("written", "signal", "grace", "kill"),
    [
        ("int", "SIGINT", 5.0, "tree"), ("SIGQUIT", "SIGQUIT", 5.0, "tree"),
        ("{signal: hup, grace: 500ms, kill: group}", "SIGHUP", 0.5, "group"),
        ("{grace_s: 10}", "SIGTERM", 10.0, "tree"),
    ],
)  # fmt: skip
def test_how_a_process_is_stopped(written: str, signal: str, grace: float, kill: str) -> None:
    stop = one(f"{{a: {{command: x, stop: {written}}}}}").stop
    assert (stop.signal, stop.grace_s, stop.kill) == (signal, grace, kill)


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("comand: x", "pane 'a' has no key 'comand'"),
        ("restart: allways", "`restart` cannot be 'allways'"),
        ("restart: [x]", "`restart` has to be one value"),
        ("focus: yes", "`focus` has to be true or false"),
        ("tty: false", "a pane is a terminal"),
        ("term: ../x", "is no TERM"),
        ("backoff: soon", "`backoff` has to be a time"),
        ("backoff: 2h", "`backoff` has to be a time up to one hour"),
        ("backoff: 1, backoff_s: 2", "'backoff_s' means the same as 'backoff'"),
        ("log_cap: 1 KB", "at least 1 MB"),
        ("log: tape", "`log` cannot be"),
        ("log_cap: 1 TB", "at least 1 MB"),
        ("stop: {signal: x}", "'x' is not a signal"),
        ("stop: [x]", "`stop` has to be a map"),
        ("stop: {sig: x}", "`stop` has no key 'sig'"),
        ("on_close: never", "`on_close` cannot be 'never'"),
        ("env: [x]", "`env` has to be a map of variables"),
        ("env: {'A=B': x}", "'A=B' is not the name of a variable"),
        ("env: {'': x}", "'' is not the name of a variable"),
        ('env: {"A\\0": x}', "'A·' is not the name of a variable"),
        ("env: {A: [x]}", "the variable 'A' has to be one value"),
        ("env: {A: '${B'}", "'${B' is no variable"),
        ("cwd: '${B%x}'", "'${B%x}' is no variable"),
        ("title: [x]", "`title` has to be one value"),
        ('title: "a\\eb"', "`title` contains a control character"),
        ("may: x", "`may` has to be a list"),
        ("agent: [x]", "`agent` has to be one value"),
        ("env: {A: b}, environment: {A: b}", "'environment' means the same as 'env'"),
        ("on_close: keep, on-close: keep", "'on-close' is the same key as 'on_close'"),
    ],
)
def test_a_wrong_value_is_told_with_its_place(written: str, sentence: str) -> None:
    assert sentence in failure(f"panes:\n  a: {{ command: x, {written} }}").message
    assert failure(f"panes:\n  a: {{ command: x, {written} }}").data["line"] == 2


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("''", "the command is empty"), ("' '", "the command is empty"), ("[]", "begins with a program"),
        ("['']", "begins with a program"), ("[[x]]", "a command's list has to be one value"), ("{a: b}", "one value"),
        ('"a\\0b"', "contains a control character"), ("['${A']", "'${A' is no variable"),
    ],
)  # fmt: skip
def test_a_wrong_command_is_told(command: str, sentence: str) -> None:
    assert sentence in failure(f"panes: {{a: {{command: {command}}}}}").message


def test_an_unknown_key_is_refused_with_the_nearest() -> None:
    error = failure("panes: [shell]\ndescripton: x")
    assert error.message.startswith("wezparallel.yaml:2:1: a template has no key 'descripton'\n")
    assert "Did you mean 'description'? Known are: auto_start_processes, description, env, " in error.message
    assert "Did you mean" not in failure("qqq: x").message


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("x", "a template has to be a map"),
        ("[claude]", "a template is a map, not a list"),
        ("name: x", "there is nothing to open"),
        ("panes: []", "there is nothing to open"),
        ("panes: {}", "there is nothing to open"),
        ("panes: claude", "`panes` has to be a list of commands or a map of names"),
        ("panes: [~]", "the command is empty"),
        ("processes: [x]", "`processes` has to be a map of names"),
        ("panes: {a-b: x, a_b: y}", "'a_b' is the name of another process already"),
        ("panes: {a: x}\nprocesses: {a: x}", "'a' is the name of another process already"),
        ("panes: {a: x, a: y}", "the key 'a' stands here a second time"),
        ("panes: {a: {focus: true}, b: {focus: true}}", "only one pane can have the focus"),
        ("processes: {a: {command: x, focus: true}}", "'a' has no pane to focus"),
        ("name: a/b\npanes: [x]", "'a/b' cannot be a name"),
        ("processes: {" + ", ".join(f"p{n}: x" for n in range(201)) + "}", "at most 200 processes"),
        ("panes: [" + "x, " * 201 + "]", "at most 200 processes"),
        ("panes: [" + "x, " * 65 + "]", "a tab has at most 64 panes"),
    ],
)
def test_a_wrong_template_is_told(source: str, sentence: str) -> None:
    assert sentence in failure(source).message


@pytest.mark.parametrize("name", ["a/b", "a b", "", "..", "x" * 65, '"a\\tb"', '"a\\u200bb"'])
def test_names_that_nothing_else_could_carry_are_refused(name: str) -> None:
    assert "cannot be a name" in failure(f"panes: {{{name or repr('')}: x}}").message


def test_a_name_that_looks_like_an_option_is_refused() -> None:
    assert "looks like an option" in failure("panes: {-a: x}").message


def test_wide_names_compile_and_are_drawn() -> None:
    template = compiled("layout: |\n  日本語 b\npanes: {日本語: vim, b: x}")
    assert template.plan_for("w").tabs[0].first == "日本語"
    assert "┌ 日本語 ─" in template.picture


def test_composed_and_decomposed_names_are_one() -> None:
    template = compiled("layout: cafe\u0301\npanes: {caf\u00e9: x}")
    assert template.settings[0].name == "caf\u00e9"
    assert "is the name of another" in failure("panes: {cafe\u0301: x, caf\u00e9: y}").message


@pytest.mark.parametrize(
    "name", ["basic", "default", "web_dev", "parallel_dev", "claude_dev", "rust_dev", "research"]
)
def test_every_built_in_compiles_and_says_what_it_is(name: str) -> None:
    path = Path(paths.share_dir("config/templates")) / f"{name}.yaml"
    template = compile_template(path.read_text(), str(path), ROOT, "/bin/sh", "/home/u")
    assert template.name == name
    assert template.description
    assert template.layout is not None


def test_the_built_in_basic_is_one_shell() -> None:
    path = Path(paths.share_dir("config/templates")) / "basic.yaml"
    (shell,) = compile_template(path.read_text(), str(path), ROOT, "/bin/sh", "/home/u").settings
    assert (shell.name, shell.argv) == ("shell", ["/bin/sh"])
