"""`${NAME}` in a template: where its value comes from, and where it must not go."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wezparallel.errors import RequestError
from wezparallel.hub.workspaces import variables
from wezparallel.hub.workspaces.templates import Compiled, Given, compile_template

ROOT = "/home/u/shop"


def compiled(source: str, env_files: dict[str, str] | None = None, **of: dict[str, str]) -> Compiled:
    files = {f"{ROOT}/{name}": text for name, text in (env_files or {}).items()}
    given_ = Given(variables=of.get("var", {}), environment=of.get("env", {}), env_file=files.get)
    return compile_template(source, f"{ROOT}/wezparallel.yaml", ROOT, "/bin/sh", "/home/u", given_)


def command(source: str, **of: dict[str, str]) -> str:
    return compiled(source, **of).settings[0].command


def failure(source: str, **of: dict[str, str]) -> RequestError:
    with pytest.raises(RequestError) as caught:
        compiled(source, **of)
    return caught.value


def test_the_command_line_comes_first_then_the_template_then_files_then_the_environment() -> None:
    def port(source: str, file: str, var: dict[str, str]) -> str:
        text = f"{source}env_file: .env\npanes: {{ a: 'serve ${{PORT}}' }}"
        return compiled(text, {".env": file}, var=var, env={"PORT": "4"}).settings[0].command

    assert port("variables: { PORT: 2 }\n", "PORT=3", {"PORT": "1"}) == "serve 1"
    assert port("variables: { PORT: 2 }\n", "PORT=3", {}) == "serve 2"
    assert port("", "PORT=3", {}) == "serve 3"
    assert port("", "", {}) == "serve 4"


def test_variables_stand_in_every_text() -> None:
    template = compiled(
        """\
name: "n-${X}"
description: about ${X}
root: dir-${X}
layout: { areas: a b, columns: ["${N}", 1] }
panes:
  a: { command: [run, "${X}"], title: "t ${X}", cwd: "c/${X}", replicas: "${N}", focus: "${YES}" }
  b: { agent: claude, prompt: "do ${X}", worktree: "agent/${X}", ready: { http: "http://h:${N}/" }, watch: "${X}/**" }
processes:
  c: { command: x, depends_on: ["${B}"], stop: "${SIGNAL}", log_cap: "${SIZE}", limits: { nice: "${N}" } }
""",
        var={"X": "x", "N": "1", "YES": "true", "B": "b", "SIGNAL": "INT", "SIZE": "2 MB"},
    )
    a, b, c = template.settings
    assert (template.name, template.description, template.root) == ("n-x", "about x", f"{ROOT}/dir-x")
    assert (a.argv, a.title, a.cwd, a.focus) == (["run", "x"], "t x", f"{ROOT}/dir-x/c/x", True)
    assert (b.prompt, b.worktree, b.watch, b.ready and b.ready.http) == ("do x", "agent/x", ["x/**"], "http://h:1/")
    assert (c.depends_on, c.stop.signal, c.log_cap_bytes, c.limits.nice) == ({"b": "started"}, "SIGINT", 2 << 20, 1)


def test_variables_that_are_made_of_each_other_are_said_to_be_so() -> None:
    error = failure('variables: { A: "${B}", B: "${A}" }\npanes: { x: "e ${A}" }')
    assert "the variable 'A' has no value" in error.message
    assert "What it is here is made of itself." in error.message
    assert "Did you mean" not in error.message


def test_a_default_is_for_what_is_unset_or_empty() -> None:
    assert command("panes: { a: 'e ${A:-vi} ${B:-x} ${C:-y}' }", env={"B": "", "C": "c"}) == "e vi x c"
    assert command("panes: { a: 'e ${A:-${B:-${C:-deep}}}' }") == "e deep"
    assert command("panes: { a: 'e ${A:-}' }") == "e"


def test_two_dollars_are_one_and_the_shells_own_forms_stay_in_a_command() -> None:
    assert command("panes: { a: 'echo $$HOME $HOME $(id) $1 $${X} ${#x} ${x%.*}' }") == (
        "echo $HOME $HOME $(id) $1 ${X} ${#x} ${x%.*}"
    )
    assert compiled("panes: { a: { command: x, title: 'US$$ 5 and $6' } }").settings[0].title == "US$ 5 and $6"


def test_what_has_no_value_is_told_with_line_and_column_and_the_nearest_name() -> None:
    error = failure("variables: { PORT: 1 }\npanes:\n  a: serve --port ${PROT}\n")
    assert error.code == "template.variable_unset"
    assert error.message.split("\n")[:6] == [
        "wezparallel.yaml:3:19: the variable 'PROT' has no value",
        "",
        "    1 │ variables: { PORT: 1 }",
        "    2 │ panes:",
        "    3 │   a: serve --port ${PROT}",
        "      │                   ^^^^^^^",
    ]
    assert "Did you mean 'PORT'? " in error.message
    assert "`$${PROT}` leaves it to the shell" in error.message
    assert (error.data["name"], error.data["nearest"], error.data["known"]) == ("PROT", "PORT", ["PORT", "REPLICA"])


def test_names_of_the_environment_are_not_listed_in_errors() -> None:
    error = failure("panes: { a: '${TOKE}' }", env={"TOKEN": "s3cret"})
    assert "TOKEN" not in error.message
    assert "s3cret" not in str(error.data)


def test_the_place_is_found_inside_a_block_of_text() -> None:
    error = failure("panes:\n  a:\n    command: |\n      one\n      two ${X}\n")
    assert error.message.startswith("wezparallel.yaml:5:11: the variable 'X' has no value")


@pytest.mark.parametrize(
    ("written", "place", "sentence"),
    [
        ("title: '${1X}'", "1:35", "'${1X}' is no variable"),
        ("title: '${X'", "1:35", "'${X' is no variable"),
        ("title: '${X:-y'", "1:35", "this has no `}`"),
        ("title: '${X-y}'", "1:35", "'${X-y}' is no variable"),
        ("title: '${}'", "1:35", "'${}' is no variable"),
    ],
)
def test_what_is_no_variable_is_told(written: str, place: str, sentence: str) -> None:
    message = failure(f"panes: {{ a: {{ command: x, {written} }} }}").message
    assert message.startswith(f"wezparallel.yaml:{place}: {sentence}")
    assert "`$$` is a `$`" in message


def test_a_variable_may_name_others_and_its_own_name_means_what_is_farther_away() -> None:
    source = (
        "variables: { HOST: '${NAME}.local', NAME: web, PATH_: 'bin:${PATH_}' }\npanes: { a: 'x ${HOST} ${PATH_}' }"
    )
    assert command(source, env={"PATH_": "/usr"}) == "x web.local bin:/usr"


def test_variables_that_go_round_in_a_circle_have_no_value() -> None:
    error = failure("variables:\n  A: ${B}\n  B: ${A}\npanes: { a: 'x ${A}' }")
    assert error.message.startswith("wezparallel.yaml:3:6: the variable 'A' has no value")


def test_a_bomb_of_variables_is_refused_before_it_grows() -> None:
    names = "\n".join(f"  V{n}: ${{V{n - 1}}}${{V{n - 1}}}${{V{n - 1}}}${{V{n - 1}}}" for n in range(1, 12))
    error = failure(f"variables:\n  V0: lol\n{names}\npanes: {{ a: 'x ${{V11}}' }}")
    assert "these variables name each other too often" in error.message
    long = "x" * 3000
    error = failure(f"variables: {{ A: {long} }}\npanes: {{ a: {{ command: x, title: '{'${A}' * 30}' }} }}")
    assert "with its variables this is longer than 64 KiB" in error.message
    deep = "".join("${A:-" for _ in range(30)) + "x" + "}" * 30
    assert "too often" in failure(f"panes: {{ a: {{ command: x, title: '{deep}' }} }}").message


def test_values_of_the_environment_never_come_into_env() -> None:
    (one,) = compiled(
        """\
variables: { URL: "https://${HOST}", PORT: 80, KEY: "${TOKEN}" }
env_file: .env
env: { A: "${TOKEN}", B: "${URL}:${PORT}", C: "${PORT} $$5", D: "${KEY:-none}", E: "${NOWHERE:-${PORT}}", F: "${F_}" }
panes: { a: x }
""",
        {".env": "F_=from the file"},
        env={"TOKEN": "s3cret", "HOST": "h"},
    ).settings
    assert one.env == {
        "A": "${TOKEN}", "B": "https://${HOST}:80", "C": "80 $5", "D": "${TOKEN:-none}", "E": "${NOWHERE:-80}",
        "F": "${F_}",
    }  # fmt: skip
    assert one.env_expand == ["A", "B", "D", "E", "F"]
    assert "s3cret" not in one.model_dump_json()
    assert "from the file" not in one.model_dump_json()


def test_a_literal_beside_a_reference_survives_both_ways() -> None:
    (one,) = compiled("variables: { P: 'a$$b' }\nenv: { A: 'x$$y ${T} ${P}' }\npanes: { a: x }").settings
    assert variables.fill(one.env["A"] or "", {"T": "t"}.get) == "x$y t a$b"
    (one,) = compiled("env: { A: 'x$$y ${T}' }\npanes: { a: x }", var={"T": "$$ ${HOME}"}).settings
    assert one.env == {"A": "x$y $$ ${HOME}"}  # what the command line gives is meant as it is
    assert one.env_expand == []


def test_a_nearer_variable_of_env_takes_the_place_of_one_that_is_filled_in() -> None:
    one, two = compiled("env: { A: '${T}' }\npanes: { a: { command: x, env: { A: 1 } }, b: x }").settings
    assert (one.env, one.env_expand) == ({"A": "1"}, [])
    assert (two.env, two.env_expand) == ({"A": "${T}"}, ["A"])


def test_what_the_command_line_gives_and_nobody_uses_is_noted() -> None:
    assert compiled("variables: { PORT: 1 }\npanes: [x]", var={"PROT": "2"}).notes == [
        "nothing uses the variable PROT; did you mean PORT?"
    ]
    assert compiled("panes: ['x ${A}']", var={"A": "2"}).notes == []


@pytest.mark.parametrize("name", ["1A", "A-B", "''", "A B"])
def test_a_variable_has_the_name_of_one(name: str) -> None:
    assert "is not the name of a variable" in failure(f"variables: {{ {name}: x }}\npanes: [x]").message
    assert "has to be one value" in failure("variables: { A: [x] }\npanes: [x]").message


def test_a_file_of_variables_has_to_be_there_unless_it_may_be_missing() -> None:
    error = failure("env_file: [.env]\npanes: [x]")
    assert error.code == "template.not_found"
    assert error.message.startswith(f"wezparallel.yaml:1:12: there is no file {ROOT}/.env")
    for written in (".env?", "[.env?]", "[{ path: .env, required: false }]"):
        assert compiled(f"env_file: {written}\npanes: [x]").settings[0].env_files == [f"{ROOT}/.env"]


def test_files_of_variables_are_relative_to_the_root_and_a_process_may_have_its_own() -> None:
    source = "root: app\nenv_file: .env\npanes: { a: { command: x, env_file: [~/b.env, sub/c.env] } }"
    assert compiled(source, {"app/.env": ""}).settings[0].env_files == [
        f"{ROOT}/app/.env", "/home/u/b.env", f"{ROOT}/app/sub/c.env",
    ]  # fmt: skip


def test_an_error_in_a_file_of_variables_names_its_line_and_shows_nothing_of_it() -> None:
    with pytest.raises(RequestError) as caught:
        compiled("env_file: .env\npanes: [x]", {".env": "A=1\nSECRET s3cret\n"})
    assert caught.value.message.startswith(".env:2:1: after 'SECRET' stands no `=`")
    assert "s3cret" not in caught.value.message


TEXTS = st.text("ab $\\{}'\"#:-\n", max_size=40)


@settings(deadline=None)
@given(TEXTS)
def test_a_text_that_is_meant_as_it_is_comes_back_as_it_is(text: str) -> None:
    assert variables.fill(variables.literal_sign(text), lambda _: None) == text
    assert "".join(map(str, variables.parse(variables.literal(text)))) == text


@settings(deadline=None)
@given(TEXTS)
def test_any_text_is_filled_in_or_refused_with_its_place(text: str) -> None:
    for in_shell in (True, False):
        failed: variables.FormError | None = None
        try:
            pieces = list(variables.parse(text, in_shell=in_shell))
        except variables.FormError as error:
            failed = error
        if failed is not None:
            assert failed.raw in text
        else:
            assert all(isinstance(piece, str) or piece.raw in text for piece in pieces)


def test_built_ins_take_variables() -> None:
    text = (Path("config/templates") / "parallel_dev.yaml").read_text()
    agents = [one.name for one in compiled(text, var={"AGENTS": "5"}).settings if one.agent]
    assert agents == [f"coder-{n}" for n in range(1, 6)]
