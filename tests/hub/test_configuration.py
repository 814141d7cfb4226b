"""Reading the configuration: order of layers, origins, other programs' names, and everything that can be wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from wezparallel.hub import config_files, configuration, foreign_settings, options
from wezparallel.hub.configuration import Configuration, Origin, merge
from wezparallel.hub.settings import Settings

SEED = Path(__file__).parents[1] / "compat" / "seed_002_config.yaml"


def read(text: str, **environment: str) -> Configuration:
    return configuration.read(text, "/x/config.yaml", environment)


def only(problems: tuple[configuration.Problem, ...]) -> configuration.Problem:
    assert len(problems) == 1, [one.message for one in problems]
    return problems[0]


# The seed's file


def test_the_seeds_file_loads_without_a_word() -> None:
    found = read(SEED.read_text())
    assert (found.errors, found.warnings, found.notes) == ((), (), ())
    assert {name: len(config_files.plain(node)["panes"]) for name, node in found.templates.items()} == {
        "default": 3, "web_dev": 4,
    }  # fmt: skip
    kind = found.settings.kind("claude_code")
    assert (kind.max_instances, kind.restart_policy, kind.health_check_interval, kind.timeout) == (
        16,
        "always",
        10,
        30,
    )
    assert kind.environment == {"CLAUDE_API_KEY": "${CLAUDE_API_KEY}"}
    assert found.settings.communication.message_timeout == 5000
    assert found.settings.ui.show_process_status is True
    assert len(found.settings.ui.keybindings) == 3


def test_the_seeds_other_options_stand_in_workspaces() -> None:
    text = SEED.read_text().replace(
        "workspaces:\n", "workspaces:\n  default_layout: three_pane\n  max_workspaces: 4\n  auto_save_interval: 30\n"
    )
    found = read(text)
    assert (found.errors, found.warnings, found.notes) == ((), (), ())
    assert found.settings.workspaces.max_workspaces == 4


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("workspaces.max_workspaces", 8), ("workspaces.auto_save_interval", 30), ("workspaces.max_processes", 100),
        ("processes.claude_code.max_instances", 16), ("processes.claude_code.health_check_interval", 10),
        ("processes.claude_code.timeout", 30), ("communication.message_timeout", 5000), ("supervision.stop_grace", 5),
        ("logs.lines", 100), ("logs.buffer_lines", 10_000), ("logs.keep_days", 30), ("web.port", 12700),
        ("web.max_devices", 50), ("communication.socket_path", "/tmp/wezterm-parallel.sock"),
        ("framework.log_level", "info"), ("workspaces.default_layout", "three_pane"),
    ],
)  # fmt: skip
def test_a_default_is_what_the_seeds_say(option: str, value: object) -> None:
    path = tuple(option.split("."))
    assert options.default(path) == value
    assert Configuration().origin(path) == Origin("default")


# Which layer holds

_SAID = ("flag", "environment", "file")


@given(st.sets(st.sampled_from(_SAID)))
def test_flags_go_before_the_environment_before_the_file_before_the_default(said: set[str]) -> None:
    values = {"flag": 3, "environment": 4, "file": 5, "default": 8}
    environment = {
        **({"WEZPARALLEL_SET": '["workspaces.max_workspaces=3"]'} if "flag" in said else {}),
        **({"WEZPARALLEL_WORKSPACES_MAX_WORKSPACES": "4"} if "environment" in said else {}),
    }
    found = read("workspaces: { max_workspaces: 5 }\n" if "file" in said else "", **environment)
    strongest = next((layer for layer in _SAID if layer in said), "default")
    assert found.settings.workspaces.max_workspaces == values[strongest]
    assert found.origin(("workspaces", "max_workspaces")).kind == strongest


_LAYERS = st.lists(
    st.dictionaries(
        st.tuples(st.sampled_from("ab"), st.sampled_from("cde")), st.tuples(st.integers(), st.just(Origin("file")))
    ),
    max_size=4,
)


@given(_LAYERS)
def test_what_several_layers_say_is_what_the_last_one_said(layers: list[configuration.Layer]) -> None:
    merged = merge(*layers)
    assert merged.keys() == {path for layer in layers for path in layer}
    for path, value in merged.items():
        assert value == next(layer[path] for layer in reversed(layers) if path in layer)


@given(st.integers(1, 1000), st.sampled_from(["error", "warn", "debug"]), st.floats(1, 86400))
def test_a_file_says_what_its_values_say(count: int, level: str, interval: float) -> None:
    sections = {
        "framework": {"log_level": level}, "workspaces": {"max_workspaces": count, "auto_save_interval": interval},
    }  # fmt: skip
    found = read(yaml.safe_dump(sections))
    assert found.errors == ()
    assert found.settings.framework.log_level == level
    assert found.settings.workspaces.max_workspaces == count
    assert found.settings.workspaces.auto_save_interval == interval


@given(st.text(max_size=200))
def test_no_text_is_more_than_an_error(text: str) -> None:
    for name in ("config.yaml", "config.toml"):
        found = configuration.read(text, f"/x/{name}", {})
        if found.errors:
            assert found.settings == Settings()


def test_a_value_knows_its_line_and_its_variable() -> None:
    found = read(
        "ui:\n  theme: light\n  keybindings:\n    kill_process: ctrl+k\n",
        WEZPARALLEL_PROCESSES_CODEX_TIMEOUT="2m", CLAUDE_CODE_BINARY="/opt/claude",
    )  # fmt: skip
    assert found.origin(("ui", "theme")) == Origin("file", "/x/config.yaml:2")
    assert found.origin(("ui", "keybindings", "kill_process")) == Origin("file", "/x/config.yaml:4")
    assert found.origin(("processes", "codex", "timeout")).where == "WEZPARALLEL_PROCESSES_CODEX_TIMEOUT"
    assert found.settings.kind("codex").timeout == 120
    assert found.settings.kind("claude_code").command == "/opt/claude"
    assert found.settings.kind("claude_code").max_instances == 16


# Variables of other programs


@pytest.mark.parametrize(
    ("name", "text", "option", "value"),
    [
        ("RUST_LOG", "debug", "framework.log_level", "debug"),
        ("RUST_LOG", "hyper=warn,error", "framework.log_level", "error"),
        ("RUST_LOG", "wezterm_parallel=trace,info", "framework.log_level", "trace"),
        ("WEZTERM_MULTI_DEV_LOG_LEVEL", "WARN", "framework.log_level", "warn"),
        ("WEZTERM_MULTI_DEV_SOCKET_PATH", "/tmp/other.sock", "communication.socket_path", "/tmp/other.sock"),
        ("WEZTERM_MULTI_DEV_MAX_WORKSPACES", "3", "workspaces.max_workspaces", 3),
        ("WEZTERM_MULTI_DEV_MAX_PROCESSES", "50", "workspaces.max_processes", 50),
        ("VANTAGE_AUTO_EXPORT_INTERVAL", "60", "workspaces.auto_save_interval", 60),
    ],
)
def test_a_variable_of_another_program_is_heard(name: str, text: str, option: str, value: object) -> None:
    found = read("", **{name: text})
    assert found.origin(tuple(option.split("."))) == Origin("environment", name)
    section, field = option.split(".")
    assert getattr(getattr(found.settings, section), field) == value


def test_our_own_variable_goes_before_another_programs() -> None:
    found = read("", RUST_LOG="trace", WEZTERM_MULTI_DEV_LOG_LEVEL="debug", WEZPARALLEL_FRAMEWORK_LOG_LEVEL="error")
    assert found.settings.framework.log_level == "error"
    found = read("", RUST_LOG="trace", WEZTERM_MULTI_DEV_LOG_LEVEL="debug")
    assert found.settings.framework.log_level == "debug"


def test_a_rust_log_for_other_programs_says_nothing() -> None:
    found = read("", RUST_LOG="hyper=debug")
    assert (found.errors, found.settings.framework.log_level) == ((), "info")


# What is wrong


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("workspaces:\n  max_workspaces: lots\n", (2, 19), "cannot be 'lots': it should be a valid integer"),
        ("workspaces:\n  max_workspaces: 0\n", (2, 19), "greater than or equal to 1"),
        ("workspaces:\n  max_workspaces: true\n", (2, 19), "cannot be 'true'"),
        ("workspaces:\n  max_workspaces: [1]\n", (2, 19), "has to be one value, not a list"),
        ("workspaces:\n  max_workspaces: 1.5\n", (2, 19), "cannot be '1.5'"),
        ("workspaces:\n  auto_save_interval: .nan\n", (2, 23), "cannot be '.nan'"),
        ("framework:\n  log_level: loud\n", (2, 14), "Known are: debug, error, info, trace, warn"),
        ("framework: 3\n", (1, 12), "`framework` has to be a map of options"),
        ("processes:\n  claude_code: 3\n", (2, 16), "`processes.claude_code` has to be a map"),
        ("processes:\n  x:\n    restart_policy: sometimes\n", (3, 21), "'always', 'on_failure' or 'never'"),
        ("processes:\n  x:\n    environment: [A]\n", (3, 18), "has to be a map"),
        ("processes:\n  x:\n    environment: { A: [1] }\n", (3, 23), "has to be one value"),
        ("processes:\n  x:\n    environment: { 'A=B': 1 }\n", (3, 20), "is not the name of a variable"),
        ("communication:\n  socket_path: here.sock\n", (2, 16), "has to be an absolute path"),
        ("communication:\n  socket_path: ${NOWHERE}/a\n", (2, 16), "the variable NOWHERE is not set"),
        ("communication:\n  protocol: tcp\n", (2, 13), "'unix_socket'"),
        ("workspaces:\n  templates: [a]\n", (2, 14), "has to be a map of names"),
        ("ui: [a\n", (2, 1), "this is not YAML"),
        ("ui:\n\ttheme: dark\n", (2, 1), "indented with spaces"),
        ("- ui\n", (1, 1), "a configuration is a map of sections"),
        ("ui: {}\nui: {}\n", (2, 1), "stands here a second time"),
        ("ui: {}\n---\nui: {}\n", (2, 1), "a configuration is one document"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_nothing_of_the_file_holds(
    text: str, place: tuple[int, int], said: str
) -> None:
    found = read("web: { port: 9 }\n" + text if not text.startswith("-") else text)
    shift = 0 if text.startswith("-") else 1
    error = only(found.errors)
    assert (error.line, error.column) == (place[0] + shift, place[1])
    assert said in error.message
    assert error.message.startswith(f"/x/config.yaml:{place[0] + shift}:{place[1]}: ")
    assert "│" in error.message
    assert found.settings == Settings()


def test_several_errors_are_all_told() -> None:
    found = read("workspaces:\n  max_workspaces: a\nlogs:\n  keep_days: 0\n")
    assert [error.line for error in found.errors] == [2, 4]


@pytest.mark.parametrize(
    ("text", "option", "near"),
    [
        ("workspaces:\n  max_workspace: 3\n", "workspaces.max_workspace", "max_workspaces"),
        ("workspace_s: {}\n", "workspace_s", "workspaces"),
        (
            "processes:\n  claude_code:\n    max_instanzes: 3\n",
            "processes.claude_code.max_instanzes",
            "max_instances",
        ),
    ],
)
def test_an_unknown_key_is_a_warning_with_the_nearest_name(text: str, option: str, near: str) -> None:
    found = read(text)
    warning = only(found.warnings)
    assert f"`{option}` is no option" in warning.message
    assert f"Did you mean '{near}'?" in warning.message
    assert found.errors == ()


def test_a_wrong_variable_is_an_error_and_the_file_holds() -> None:
    found = read("web: { port: 9 }\n", WEZPARALLEL_WORKSPACES_MAX_WORKSPACES="many")
    assert only(found.errors).message.startswith("WEZPARALLEL_WORKSPACES_MAX_WORKSPACES: ")
    assert found.settings.web.port == 9


def test_an_unknown_variable_of_a_section_is_a_warning() -> None:
    found = read("", WEZPARALLEL_WORKSPACES_MAX_WORKSPACE="3", WEZPARALLEL_RUNTIME_DIR="/x")
    assert "did you mean WEZPARALLEL_WORKSPACES_MAX_WORKSPACES?" in only(found.warnings).message


@pytest.mark.parametrize("word", ["nothing.like=3", "workspaces.max_workspaces", "processes.x.environment=A"])
def test_a_flag_that_says_no_option_is_an_error(word: str) -> None:
    assert "--set" in only(read("", WEZPARALLEL_SET=f'["{word}"]').errors).message


def test_no_secret_of_the_file_is_drawn() -> None:
    text = "processes:\n  x:\n    environment:\n      A_TOKEN: hush-hush\n      B: {}\nui: [\n"
    for broken in (text, text.replace("ui: [\n", ""), text.replace("A_TOKEN: hush-hush", "A_TOKEN: [hush-hush]")):
        found = read(broken)
        assert found.errors
        assert all("hush" not in error.message for error in found.errors)


# Words that mean the same


@pytest.mark.parametrize(
    ("text", "value"),
    [("30", 30.0), ("30s", 30.0), ("2m", 120.0), ("500ms", 0.5), ("'45'", 45.0), ("1 h", 3600.0)],
)
def test_a_time_may_have_its_unit(text: str, value: float) -> None:
    assert read(f"processes:\n  x:\n    timeout: {text}\n").settings.kind("x").timeout == value


def test_names_with_a_dash_are_those_with_an_underscore() -> None:
    found = read("processes:\n  claude-code:\n    restart-policy: on-failure\n")
    assert (found.errors, found.warnings) == ((), ())
    assert found.settings.kind("claude_code").restart_policy == "on_failure"


def test_a_heading_without_a_value_says_nothing() -> None:
    found = read("# all\nframework:\n  # log_level: debug\nprocesses:\n  claude_code:\nui:\n  theme:\n")
    assert (found.errors, found.warnings, found.settings) == ((), (), Settings())


def test_references_are_the_daemons_variables_and_have_defaults() -> None:
    found = read("communication:\n  socket_path: ${BASE}/${NAME:-w}.sock$$\n", BASE="/run/me")
    assert found.settings.communication.socket_path == "/run/me/w.sock$"


def test_a_path_may_begin_with_the_home_folder() -> None:
    found = read("processes: { claude_code: { command: ~/bin/claude } }\ncommunication: { socket_path: ~/w.sock }\n")
    assert found.settings.kind("claude_code").command == os.path.expanduser("~/bin/claude")
    assert found.settings.communication.socket_path == os.path.expanduser("~/w.sock")


# Other programs' files


def test_a_foreign_option_is_what_it_is_called_here() -> None:
    found = read(
        "server: { port: 8080, max_connections: 100 }\nprocess_management: { auto_restart: false }\n"
        "workspace: { max_workspaces: 3 }\ndashboard: { theme: nord, panels: [a] }\n"
        "ui: { theme: { background: '#1e1e2e' } }\n"
    )
    assert (found.errors, found.warnings) == ((), ())
    assert found.settings.web.port == 8080
    assert found.settings.workspaces.max_workspaces == 3
    assert found.settings.kind("claude_code").restart_policy == "never"
    assert found.settings.ui.theme == "nord"
    notes = "\n".join(note.message for note in found.notes)
    assert "`server.port` is `web.port` here" in notes
    assert "`server.max_connections` has no meaning here: any number of clients may connect" in notes
    assert "`dashboard.panels` has no meaning here" in notes


@pytest.mark.parametrize("name", [*foreign_settings.MEANT, *foreign_settings.MEANINGLESS])
def test_every_foreign_option_is_known_or_means_something_here(name: str) -> None:
    value = "1"
    meant = foreign_settings.MEANT.get(name)
    if meant is not None:
        option = options.find(tuple(meant.option.split(".")))
        assert option is not None
        value = "{ A: b }" if option.is_map else "/x" if meant.option.endswith("_path") else "info"
        value = value if option.is_map or option.words or meant.option.endswith(("_path", "theme")) else "1"
        value = "true" if meant.convert else value
    keys = name.replace("*", "background").split(".")
    found = read("".join(f"{'  ' * depth}{key}:{'' if depth < len(keys) - 1 else ' ' + value}\n"
                         for depth, key in enumerate(keys)))  # fmt: skip
    assert (found.errors, found.warnings) == ((), ())
    assert found.notes


def test_our_own_option_goes_before_a_foreign_one() -> None:
    for text in ("server: { port: 1 }\nweb: { port: 2 }\n", "web: { port: 2 }\nserver: { port: 1 }\n"):
        assert read(text).settings.web.port == 2


# TOML, and finding the file


def test_toml_says_the_same_and_knows_its_lines() -> None:
    text = "[workspaces]\nmax_workspaces = 3\n\n[processes.claude_code.environment]\nA = 'b'\n\n[ui]\ntheme = 3\n"
    found = configuration.read(text, "/x/config.toml", {})
    assert (found.errors, found.settings.workspaces.max_workspaces) == ((), 3)
    assert found.origin(("workspaces", "max_workspaces")).where == "/x/config.toml:2"
    assert found.origin(("processes", "claude_code", "environment", "A")).where == "/x/config.toml:5"
    assert found.settings.ui.theme == "3"


def test_wrong_toml_is_said_with_its_place() -> None:
    error = only(configuration.read("[ui]\ntheme = \n", "/x/config.toml", {}).errors)
    assert (error.line, error.column) == (2, 9)
    assert "this is not TOML: Invalid value" in error.message
