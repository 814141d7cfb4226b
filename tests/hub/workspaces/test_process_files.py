"""Templates of one process: variables, what is filled in where, and errors that point at it."""

from __future__ import annotations

from pathlib import Path

import pytest

from wezparallel.errors import RequestError
from wezparallel.hub.workspaces import discovery, process_files
from wezparallel.hub.workspaces.process_files import ProcessFile
from wezparallel.hub.workspaces.source import Source, fold
from wezparallel.hub.workspaces.templates import Given, compile_process, compile_template
from wezparallel.protocol.process import ProcessSettings

SERVER = """\
kind: process
description: A server
category: web
tags: [node]
variables:
  - { name: port, description: Port., default_value: 3000, var_type: number, validation: { min: 1, max: 65535 } }
  - { name: file, required: true, example: api.js }
  - { name: extra, required: false }
command: node
args: ["{{file}}", "--port={{ port }}", "{{extra}}"]
env: { PORT: "{{port}}", EXTRA: "{{extra}}", TWICE: "${port}" }
ready: "{{port}}"
"""


def parse(text: str) -> ProcessFile:
    return process_files.parse(Source("/shop/server.yaml", text, "server.yaml"), "server")


def made(text: str, **values: str) -> ProcessSettings:
    file = parse(text)
    given = Given(variables=values, process_templates={fold(file.name): (file.key, file.definition(values))})
    return compile_process(Source("server.yaml", "{}"), "api", file.name, ("/shop", "/bin/sh", "/home/me"), given)


def failure(text: str, **values: str) -> RequestError:
    with pytest.raises(RequestError) as caught:
        made(text, **values)
    return caught.value


def test_values_and_defaults_are_filled_in_and_what_has_none_is_left_out() -> None:
    settings = made(SERVER, file="my api.js")
    assert settings.argv == ["node", "my api.js", "--port=3000"]
    assert settings.env == {"PORT": "3000", "TWICE": "3000"}
    assert settings.ready is not None
    assert settings.ready.tcp == "3000"
    settings = made(SERVER, file="x", port="80", extra="-v")
    assert settings.argv == ["node", "x", "--port=80", "-v"]
    assert settings.env["EXTRA"] == "-v"


def test_a_file_says_what_it_is_and_which_values_it_needs() -> None:
    file = parse(SERVER)
    assert (file.name, file.description, file.category, file.tags) == ("server", "A server", "web", ["node"])
    assert [(one.name, one.default, one.required, one.type) for one in file.variables.values()] == [
        ("port", "3000", True, "number"), ("file", None, True, "string"), ("extra", None, False, "string"),
    ]  # fmt: skip
    assert file.missing({}) == ["file"]
    assert file.missing({"file": ""}) == []


def test_a_value_that_is_needed_and_not_there_is_told_in_the_seeds_words_with_line_and_column() -> None:
    error = failure(SERVER)
    assert error.code == "template.variable_unset"
    assert error.message.startswith("server.yaml:7:13: Required variable 'file' is missing\n")
    assert "--var file=api.js" in error.message
    assert error.data["name"] == "file"


def test_variables_can_be_a_map_of_defaults_and_what_is_not_declared_needs_a_value() -> None:
    text = "kind: process\nvariables: { a: 1, b: { default: x }, c: }\ncommand: [p, '{{a}}', '{{b}}', '{{d-e}}']\n"
    assert made(text, c="", d_e="4").argv == ["p", "1", "x", "4"]
    assert failure(text, c="").message.startswith("server.yaml:3:33: Required variable 'd-e' is missing")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"port": "x"}, "is not a number from 1 up to 65535"), ({"port": "0"}, "is not a number from 1 up to 65535"),
        ({"port": "nan"}, "is not a number"),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_refused_where_the_variable_is_declared(values: dict[str, str], told: str) -> None:
    error = failure(SERVER, file="x", **values)
    assert error.code == "template.syntax"
    assert error.message.startswith(f"server.yaml:6:13: the value '{values['port']}' of 'port' is not a number")


def test_nothing_in_a_value_is_read_as_anything_but_the_value() -> None:
    nasty = "a; rm -rf ~ $HOME ${HOME} $$ `x` {{port}} 'q\" #"
    settings = made(SERVER + "title: 'x{{file}}'\n", file=nasty)
    assert settings.argv[1] == nasty
    assert settings.title == "x" + nasty
    line = "kind: process\ncommand: tail -F 'logs/{{a}}' --x={{b}}\nenv: { A: 'p$$${{a}}', B: '$${{b}}' }\n"
    settings = made(line, a=nasty, b="{HOME}")
    assert settings.argv == ["tail", "-F", f"logs/{nasty}", "--x={HOME}"]
    assert settings.env == {"A": f"p$${nasty}", "B": "${HOME}"}
    assert settings.env_expand == []
    settings = made("kind: process\ncommand: [x, '${{b}}']\nenv: { A: '${{b}}' }\n", b="{HOME}")
    assert (settings.argv, settings.env, settings.env_expand) == (["x", "${HOME}"], {"A": "${HOME}"}, [])


@pytest.mark.parametrize("line", ["echo {{a}} | wc", "echo $X {{a}}", "cd {{a}}", "ls *.{{a}}", "{ {{a}}; }"])
def test_a_line_for_a_shell_has_no_placeholder(line: str) -> None:
    for text in (f"kind: process\ncommand: '{line}'\n", f"kind: process\ncommand: x\nhealth: {{ exec: '{line}' }}\n"):
        with pytest.raises(RequestError) as caught:
            parse(text)
        assert "a line that a shell reads cannot have a placeholder in it" in caught.value.message
        assert caught.value.data["column"] == text.split("\n")[caught.value.data["line"] - 1].index("{{a}}") + 1


def test_a_line_without_a_placeholder_is_the_shells_and_four_braces_are_two() -> None:
    assert made("kind: process\ncommand: docker ps --format '{{.Names}}' | wc\n").argv == [
        "/bin/sh", "-c", "docker ps --format '{{.Names}}' | wc",
    ]  # fmt: skip
    assert made("kind: process\ncommand: [x, '{{{{end}}}}']\n").argv == ["x", "{{end}}"]


def test_a_command_and_a_folder_are_checked_with_seed_001s_words() -> None:
    text = "kind: process\ncommand: '{{program}}'\nargs: ['{{program}}']\ncwd: 'packages/{{folder}}'\n"
    assert made(text, program="a", folder="b").cwd == "/shop/packages/b"
    error = failure(text, program="a|b", folder="x")
    assert (error.code, error.data["line"], error.data["column"]) == ("process.bad_command", 2, 11)
    assert "Dangerous characters in command" in error.message
    error = failure(text, program="a", folder="../../etc")
    assert (error.code, error.data["line"], error.data["column"]) == ("process.bad_directory", 4, 16)
    assert "Path traversal detected" in error.message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("command: x\ncommnd: y\n", "3:1: a process template has no key 'commnd'"),
        ("description: x\n", "1:1: a process template needs `command`"),
        ("command: x\nargs: [{{a}}]\n", "3:9: a key is a word, not a list or a map"),
        ("command: x\nvariables: [{ name: a }, { name: a }]\n", "3:21: the variable 'a' is declared twice"),
        ("command: x\nvariables: [{ name: a, type: number, default: q }]\n", "3:38: the default of 'a' is not a"),
        ("command: x\nvariables: [{ default: q }]\n", "3:13: a variable needs its `name`"),
        ("command: x\nvariables: [{ name: a b }]\n", "3:21: 'a b' is not the name of a variable"),
        ("command: x\nvariables: [{ name: a, kind: b }]\n", "the variable 'a' has no key 'kind'"),
        ("command: x\nreplicas: 2\n", "3:1: a process template has no key 'replicas'"),
        ("command: x\ncwd: a\ndefault_cwd: b\n", "`default_cwd` means the same as `cwd`"),
    ],
)
def test_mistakes_are_told_with_line_and_column(text: str, told: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse("kind: process\n" + text)
    assert caught.value.code == "template.syntax"
    assert told in caught.value.message


def test_a_value_that_nothing_asks_for_is_told_with_the_nearest() -> None:
    with pytest.raises(RequestError) as caught:
        parse(SERVER).check_given({"prot": "1"})
    assert "has no variable 'prot'; did you mean 'port'?" in caught.value.message
    parse("kind: process\ncommand: [x, '${A}']\n").check_given({"A": "1"})


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("kind: process\n", True), ("# x\n'kind': \"process\" # y\ncommand: x\n", True),
        ('{"kind": "process", "command": "x"}', True), ('{\n "command": "x", "env": {"kind": "process"}\n}', False),
        ("env:\n  kind: process\n", False), ("kind: processes\n", False), ("panes: [x]\n", False), ("{", False),
    ],
)  # fmt: skip
def test_a_text_says_what_it_is_a_template_of(text: str, is_one: bool) -> None:
    assert process_files.is_process(text) is is_one


@pytest.mark.parametrize(
    "text",
    ["# x\ncommand: y\n", "---\ncommand: y\n", "  command: y\n", '{"command": "y"}', '\n{\n"command": "y"\n}\n'],
)
def test_a_text_can_be_told_what_it_is(text: str) -> None:
    told = process_files.with_kind(text)
    assert process_files.is_process(told)
    assert made(told).command == "exec y" or made(told).command == "y"
    assert process_files.with_kind(told) == told


def test_a_hash_is_of_what_runs_and_not_of_what_is_said_about_it() -> None:
    assert parse(SERVER).digest == parse(SERVER.replace("A server", "Another").replace("[node]", "[a]")).digest
    for before, after in (("node\n", "deno\n"), ("EXTRA", "name"), ("3000", "3001"), ("--port", "--p")):
        assert before in SERVER
        assert parse(SERVER).digest != parse(SERVER.replace(before, after)).digest


def test_a_workspaces_process_can_begin_with_one() -> None:
    file = parse(SERVER)
    text = (
        "variables: { BASE: 80 }\nprocesses:\n"
        "  a: { template: server, variables: { file: a.js, port: '${BASE}80' } }\n"
        "  b: { template: server, variables: { file: b.js }, env: { X: 1 } }\n"
    )
    given = Given(process_file={"server": file}.get)
    done = compile_template(text, "/shop/wezparallel.yaml", "/shop", "/bin/sh", "/home/me", given)
    assert [one.argv for one in done.settings] == [
        ["node", "a.js", "--port=8080"], ["node", "b.js", "--port=3000"],
    ]  # fmt: skip
    assert done.settings[1].env == {"PORT": "3000", "TWICE": "3000", "X": "1"}
    assert done.notes == []
    assert "/shop/server.yaml" in done.files
    other = Given(process_file={"server": parse(SERVER.replace("node\n", "deno\n"))}.get)
    changed = compile_template(text, "/shop/wezparallel.yaml", "/shop", "/bin/sh", "/home/me", other)
    assert changed.digest != done.digest
    with pytest.raises(RequestError) as caught:
        compile_template(text.replace("file: b.js", ""), "/shop/w.yaml", "/shop", "/bin/sh", "/home/me", given)
    assert caught.value.message.startswith("server.yaml:7:13: Required variable 'file' is missing")


def test_a_workspace_cannot_be_opened_from_one() -> None:
    with pytest.raises(RequestError) as caught:
        compile_template("kind: process\npanes: [x]\n", "/shop/w.yaml", "/shop", "/bin/sh", "/home/me")
    assert "w.yaml:1:1: this is a template of one process" in caught.value.message
    assert compile_template("kind: workspace\npanes: [x]\n", "w.yaml", "/", "/bin/sh", "/home/me").settings


def test_both_kinds_are_found_in_the_same_places_and_hide_only_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    user, folder = tmp_path / "config" / "wezterm-parallel" / "templates", tmp_path / "shop" / ".wezparallel"
    for place, name, text in (
        (user, "one", "kind: process\ncommand: a\n"), (user, "two", "panes: [x]\n"),
        (folder, "one", "panes: [x]\n"), (folder, "two", "kind: process\ncommand: a\n"),
    ):  # fmt: skip
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.yaml").write_text(text)
    root = str(tmp_path / "shop")
    assert discovery.find("one", root) == str(folder / "one.yaml")
    assert discovery.find("one", root, "process") == str(user / "one.yaml")
    assert discovery.find("two", root) == str(user / "two.yaml")
    assert discovery.find("two", root, "process") == str(folder / "two.yaml")
    assert discovery.own_template(root) == str(folder / "one.yaml")  # the only one that can be opened
    assert [one.name for one in discovery.candidates(root, "process")] == ["two", "one"]
    (user / "three.yaml").write_text("kind: process\ncommand: a\n")
    with pytest.raises(RequestError) as caught:
        discovery.find("three", root)
    assert (caught.value.code, "run --template" in caught.value.message) == ("template.not_found", True)
