"""A template that begins with another one."""

from __future__ import annotations

import pytest

from wezparallel.errors import RequestError
from wezparallel.hub.workspaces.source import Source
from wezparallel.hub.workspaces.templates import Compiled, Given, compile_template

ROOT = "/home/u/shop"
BASE = """\
name: base
description: What all have
variables: { PORT: 80, HOST: h }
env: { A: 1, B: 2 }
layout: |
  coder server
  coder tests
panes:
  coder: { agent: claude, env: { C: 3 } }
  server: serve ${PORT}
  tests: { command: test, env: { D: 4, E: 5 }, watch: [a, b] }
"""


def compiled(source: str, **files: str) -> Compiled:
    def read(name: str, _path: str, _open: frozenset[str]) -> Source:
        if name not in files:
            raise RequestError("template.not_found", f"there is no template '{name}'; known are: {', '.join(files)}")
        return Source(f"/t/{name}.yaml", files[name], f"~/{name}.yaml")

    return compile_template(source, f"{ROOT}/wezparallel.yaml", ROOT, "/bin/sh", "/home/u", Given(reader=read))


def failure(source: str, **files: str) -> RequestError:
    with pytest.raises(RequestError) as caught:
        compiled(source, **files)
    return caught.value


def test_maps_merge_deeply_lists_replace_and_null_removes() -> None:
    template = compiled(
        """\
extends: base
variables: { PORT: 81 }
env: { B: 20, Z: 26 }
panes:
  server: { env: { S: 1 } }
  tests: { env: { D: }, watch: [c], title: T }
""",
        base=BASE,
    )
    coder, server, tests = template.settings
    assert (template.name, template.description) == ("shop", "What all have")
    assert coder.env == {"A": "1", "B": "20", "Z": "26", "C": "3"}
    assert (server.command, server.env["S"]) == ("serve 81", "1")
    assert (tests.command, tests.watch, tests.title) == ("test", ["c"], "T")
    assert (tests.env["D"], tests.env["E"]) == (None, "5")


def test_null_removes_a_pane_a_key_and_a_variable_of_the_template() -> None:
    template = compiled("extends: base\nlayout:\npanes: { tests: , server: , coder: { env: } }", base=BASE)
    assert [(one.name, one.env) for one in template.settings] == [("coder", {"A": "1", "B": "2"})]
    assert "no value" in failure("extends: base\nvariables: { PORT: }", base=BASE).message


def test_a_layout_that_brings_its_own_picture_takes_nothing_of_the_other() -> None:
    base = "layout: { areas: a b, columns: [2, 1] }\npanes: { a: x, b: y }"
    assert [
        s.share for s in (compiled("extends: base\nlayout: { columns: [3, 1] }", base=base).plan.tabs[0].splits)
    ] == [0.25]
    (split,) = compiled("extends: base\nlayout: { areas: [a, b] }", base=base).plan.tabs[0].splits
    assert (split.direction, split.share) == ("down", 0.5)
    template = compiled("extends: base\ntabs: { one: a, two: b }", base=base)
    assert [tab.title for tab in template.tabs] == ["one", "two"]
    assert len(compiled("extends: tabbed\nlayout: a b", tabbed="tabs: {t: a, u: b}\npanes: {a: x, b: y}").tabs) == 1


def test_a_pane_that_was_a_word_can_be_told_more() -> None:
    for value in ("serve", "[serve]", "{ command: serve }"):
        (one,) = compiled("extends: b\npanes: { a: { title: T } }", b=f"panes: {{ a: {value} }}").settings
        assert (one.command, one.title) == ("serve", "T")
    (one,) = compiled("extends: b\npanes: { a: other }", b="panes: { a: { command: serve, title: T } }").settings
    assert (one.command, one.title) == ("other", None)


def test_spellings_of_one_key_are_one() -> None:
    (one,) = compiled(
        "extends: b\nenvironment: { A: 2 }\npanes: { a: { working-directory: y } }",
        b="env: { A: 1, a-b: 1, a_b: 2 }\npanes: { a: { command: z, cwd: x } }",
    ).settings
    assert (one.env, one.cwd) == ({"A": "2", "a-b": "1", "a_b": "2"}, f"{ROOT}/y")


def test_a_chain_goes_on_and_the_nearest_wins() -> None:
    template = compiled(
        "extends: one\npanes: { a: { title: zero } }",
        one="extends: two\npanes: { a: { title: one, cwd: one } }",
        two="panes: { a: { command: two, title: two, cwd: two } }",
    )
    (a,) = template.settings
    assert (a.command, a.title, a.cwd) == ("two", "zero", f"{ROOT}/one")
    assert list(template.files) == [f"{ROOT}/wezparallel.yaml", "/t/one.yaml", "/t/two.yaml"]


def test_an_error_points_into_the_file_that_it_is_in() -> None:
    error = failure("extends: base\npanes: { a: { title: T } }", base="env: { X: 1 }\npanes:\n  a: { comand: x }")
    assert error.message.startswith("~/base.yaml:3:8: pane 'a' has no key 'comand'\n")
    assert (error.data["file"], error.data["line"]) == ("/t/base.yaml", 3)
    error = failure("extends: base", base="layout: a b\npanes: { a: x }")
    assert error.message.startswith("~/base.yaml:1:11: no pane is called 'b'")
    error = failure("extends: base", base="layout: |\n  a b\n  c b b\npanes: { a: x }")
    assert error.message.startswith("~/base.yaml:3:3: this row has 3 columns")
    error = failure("extends: base", base="panes: { a: 'x ${NOPE}' }")
    assert error.message.startswith("~/base.yaml:1:16: the variable 'NOPE' has no value")
    error = failure("extends: base\npanes: { b: { focus: true } }", base="panes: { a: { focus: true } }")
    assert error.message.startswith("wezparallel.yaml:2:15: only one pane can have the focus")


def test_a_template_that_is_not_there_is_told_where_it_is_named() -> None:
    error = failure("name: x\nextends: bsae", base=BASE)
    assert error.code == "template.not_found"
    assert error.message.startswith("wezparallel.yaml:2:10: there is no template 'bsae'\n")
    assert error.message.endswith("Known are: base.")


def test_circles_and_long_chains_are_refused() -> None:
    error = failure("extends: a", a="extends: b\npanes: [x]", b="extends: a")
    assert error.message.startswith("~/b.yaml:1:10: 'a' extends itself")
    assert "'wezparallel.yaml' extends 'a.yaml' extends 'b.yaml' extends 'a.yaml'" in error.message
    chain = {f"t{n}": f"extends: t{n + 1}" for n in range(20)}
    assert "more than 10 templates extend each other" in failure("extends: t0", **chain).message


def test_large_files_are_not_larger_together() -> None:
    def env(name: str) -> str:
        return "env: {" + ",".join(f"{name}{n}: 1" for n in range(6000)) + "}\npanes: [x]\n"

    error = failure("extends: a\n" + env("A"), a="extends: b\n" + env("B"), b=env("C"))
    assert "with all that it extends this has more than 20000 values" in error.message


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("extends: [a, b]", "`extends` has to be one value"),
        ("extends: a", "only a map can be extended"),
    ],
)
def test_a_wrong_extends_is_told(source: str, sentence: str) -> None:
    assert sentence in failure(source, a="[x]").message


def test_what_has_no_reader_extends_nothing() -> None:
    with pytest.raises(RequestError) as caught:
        compile_template("extends: a", "x", ROOT, "/bin/sh", "/home/u")
    assert "extends none" in caught.value.message


def test_the_digest_follows_what_is_run_in_any_file_and_nothing_else() -> None:
    def digest(source: str, base: str = BASE) -> str:
        return compiled(source, base=base).digest

    same = digest("extends: base")
    assert (
        digest("# a comment\nextends: base\ndescription: other\npanes: { coder: { title: x, focus: true } }") == same
    )
    assert digest("extends: base\ndescription: other") == same
    assert digest("extends: base", BASE.replace("serve", "rm")) != same
    assert digest("extends: base", BASE.replace("D: 4", "D: 5")) != same
    assert digest("extends: base", BASE + "# more\n") == same
    assert digest("panes: { title: x }") != digest("panes: { title: y }")
    assert digest("env: { a-b: 1, a_b: 2 }\npanes: [x]") != digest("env: { a-b: 2, a_b: 2 }\npanes: [x]")
