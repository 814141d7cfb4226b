"""A Procfile and a package.json as templates of ours; and the YAML that every importer writes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wezparallel.errors import RequestError
from wezparallel.frontends.cli.importers import package_json, procfile
from wezparallel.frontends.cli.importers.writing import Template, literal, tiled
from wezparallel.hub.workspaces.source import Source
from wezparallel.hub.workspaces.templates import compile_template
from wezparallel.hub.workspaces.yaml_lines import Mapping, Scalar, load


def opened(source: str) -> dict[str, object]:
    compiled = compile_template(source, "t.yaml", "/project", "/bin/sh", "/home/me")
    return {one.name: one for one in compiled.settings}


def test_a_procfile_is_shown_side_by_side() -> None:
    found = procfile.read("web: serve -p $PORT\n# no\nworker: work ${X}\nrelease: migrate\n\nnonsense\n", "Procfile")
    assert [(note.line, note.key) for note in found.notes] == [(4, "release"), (6, "nonsense"), (1, "PORT")]
    settings = opened(found.source)
    assert [(name, one.pane, one.auto_start) for name, one in settings.items()] == [  # type: ignore[attr-defined]
        ("web", True, True), ("worker", True, True), ("release", False, False),
    ]  # fmt: skip
    assert settings["worker"].argv[2] == "exec work ${X}"  # type: ignore[attr-defined]


def test_the_variables_beside_a_procfile_are_read() -> None:
    assert "env_file: .env\n" in procfile.read("web: x\n", "Procfile", frozenset({".env"})).source


def test_scripts_that_serve_or_watch_are_panes_and_the_others_wait_to_be_started() -> None:
    scripts = {
        "dev": "vite",
        "build": "tsc",
        "prebuild": "x",
        "test:watch": "vitest",
        "prepare": "husky",
        "lint": "x",
    }
    text = json.dumps({"name": "x", "packageManager": "pnpm@9", "scripts": scripts}, indent=1)
    found = package_json.read(text, "package.json")
    assert [(note.line, note.key) for note in found.notes] == [(7, "scripts.prebuild"), (9, "scripts.prepare")]
    settings = opened(found.source)
    assert [(name, one.argv, one.pane, one.auto_start) for name, one in settings.items()] == [  # type: ignore[attr-defined]
        ("dev", ["pnpm", "run", "dev"], True, True), ("test-watch", ["pnpm", "run", "test:watch"], True, True),
        ("build", ["pnpm", "run", "build"], False, False), ("lint", ["pnpm", "run", "lint"], False, False),
    ]  # fmt: skip


def test_the_lock_file_says_who_runs_scripts() -> None:
    found = package_json.read('{"scripts": {"dev": "x"}}', "package.json", frozenset({"yarn.lock"}))
    assert "[yarn, run, dev]" in found.source


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"scripts": []}', '{"scripts": 3}', "# only\n", "\0"])
def test_nothing_to_import_is_told(text: str) -> None:
    for read in (procfile.read, package_json.read):
        with pytest.raises(RequestError):
            read(text, "file")


@given(st.text(max_size=60).filter(lambda text: text.isprintable() or "\n" in text))
def test_any_text_is_written_so_that_it_is_read_again(text: str) -> None:
    if any(not char.isprintable() and char != "\n" for char in text):
        return
    template = Template("x", top={"description": text}, panes={"a": {"command": ["x", text], "title": text}})
    tree = load(Source("t.yaml", template.text()))
    assert isinstance(tree, Mapping)
    top = {key.text: value for key, value in tree.entries}
    assert isinstance(top["description"], Scalar)
    assert top["description"].text == text


@given(st.text("${}aA_ ", max_size=20))
def test_a_literal_text_has_no_variable_of_ours(text: str) -> None:
    template = Template("x", panes={"a": {"command": ["x", literal(text)]}})
    assert opened(template.text())["a"].argv == ["x", text]  # type: ignore[attr-defined]


@pytest.mark.parametrize("count", range(1, 30))
def test_a_tiled_picture_shows_each_pane_once(count: int) -> None:
    names = [f"p{number}" for number in range(count)]
    rows = tiled(names)
    assert len({len(row) for row in rows}) == 1
    assert list(dict.fromkeys(name for row in rows for name in row)) == names
