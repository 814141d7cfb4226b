"""A template is drawn from what is found in a folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from wezparallel.hub.workspaces.detect import detect
from wezparallel.hub.workspaces.templates import Compiled, compile_template


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder of programs, the only one on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project folder."""
    folder = tmp_path / "shop"
    folder.mkdir()
    return folder


def install(programs: Path, name: str) -> None:
    (programs / name).write_text("#!/bin/sh\n")
    (programs / name).chmod(0o755)


def drawn(root: Path, programs: Path) -> tuple[Compiled, list[str]]:
    source, found = detect(str(root), str(programs))
    assert detect(str(root), str(programs)) == (source, found)
    return compile_template(source, "detected", str(root), "/bin/sh", "/"), found


def commands(root: Path, programs: Path) -> dict[str, str]:
    return {one.name: one.command for one in drawn(root, programs)[0].settings}


def test_an_empty_folder_gets_a_shell(root: Path, programs: Path) -> None:
    template, found = drawn(root, programs)
    assert [one.argv for one in template.settings] == [["/bin/sh"]]
    assert found == []
    assert template.name == "shop"


def test_the_picture_of_the_screens_is_drawn(root: Path, programs: Path) -> None:
    install(programs, "claude")
    (root / "package.json").write_text(json.dumps({"scripts": {"dev": "vite", "test": "vitest"}}))
    (root / ".git").mkdir()
    source, found = detect(str(root), str(programs))
    assert found == ["package.json (dev, test)", "git", "claude"]
    assert source == (
        "# Drawn from package.json (dev, test), git and claude.\n"
        "layout: |\n"
        "  coder  server\n"
        "  coder  tests\n"
        "panes:\n"
        "  coder: { agent: claude_code, focus: true }\n"
        "  server: npm run dev\n"
        "  tests: npm test\n"
    )
    assert drawn(root, programs)[0].draw(41).split("\n") == [
        "┌ coder ────────────┬ server ───────────┐",
        "│ claude            │ npm run dev       │",
        "│                   ├ tests ────────────┤",
        "│                   │ npm test          │",
        "└───────────────────┴───────────────────┘",
    ]


def test_an_agent_alone_gets_a_shell_beside_it(root: Path, programs: Path) -> None:
    install(programs, "claude")
    assert commands(root, programs) == {"coder": "claude", "shell": "shell"}


@pytest.mark.parametrize(
    ("lock", "manager"),
    [("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lock", "bun"), ("bun.lockb", "bun"), ("x", "npm")],
)
def test_the_lock_file_names_the_package_manager(root: Path, programs: Path, lock: str, manager: str) -> None:
    (root / lock).touch()
    (root / "package.json").write_text('{"scripts": {"start": "x", "test": "y"}}')
    assert commands(root, programs) == {"server": f"{manager} start", "tests": f"{manager} test"}


@pytest.mark.parametrize(("named", "manager"), [("pnpm@9.1.0", "pnpm"), ("left@1", "npm")])
def test_the_package_itself_can_name_its_manager(root: Path, programs: Path, named: str, manager: str) -> None:
    (root / "package.json").write_text(json.dumps({"packageManager": named, "scripts": {"serve": "x"}}))
    assert commands(root, programs) == {"server": f"{manager} run serve"}


def test_the_test_script_that_npm_writes_itself_is_no_test(root: Path, programs: Path) -> None:
    (root / "package.json").write_text('{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}')
    template, found = drawn(root, programs)
    assert [one.name for one in template.settings] == ["shell"]
    assert found == ["package.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"scripts": 5}', '{"scripts": {"dev": 5}}', "[" * 100_000])
def test_a_broken_package_file_is_passed_over(root: Path, programs: Path, text: str) -> None:
    (root / "package.json").write_text(text)
    assert commands(root, programs) == {"shell": "shell"}


def test_a_procfile_leads_and_its_release_is_left_out(root: Path, programs: Path) -> None:
    (root / "Procfile").write_text(
        'web: bundle exec rails server -p $PORT\n# a comment: no\nworker:   bin/work "a: b" \nrelease: x\nbad\n'
        "empty:\nweb: again\nsteer: \x1b[2J\n-x: y\n"
    )
    (root / "package.json").write_text('{"scripts": {"dev": "x", "test": "y"}}')
    template, found = drawn(root, programs)
    assert {one.name: one.command for one in template.settings} == {
        "web": "bundle exec rails server -p $PORT", "worker": 'bin/work "a: b"', "tests": "npm test",
    }  # fmt: skip
    assert found == ["Procfile (web, worker)", "package.json (test)"]


def test_a_procfile_for_development_comes_before_the_other(root: Path, programs: Path) -> None:
    (root / "Procfile").write_text("web: a\n")
    (root / "Procfile.dev").write_text("css: b\njs: c\n")
    assert commands(root, programs) == {"css": "b", "js": "c"}


def test_a_procfile_without_a_process_is_not_named(root: Path, programs: Path) -> None:
    (root / "Procfile").write_text("release: x\n")
    assert drawn(root, programs)[1] == []


def test_a_long_procfile_gives_no_more_panes_than_can_be_read(root: Path, programs: Path) -> None:
    install(programs, "claude")
    (root / "Procfile").write_text("".join(f"p{number}: x\n" for number in range(50)))
    assert len(commands(root, programs)) == 7


@pytest.mark.parametrize(
    ("files", "panes", "found"),
    [
        ({"pyproject.toml": "[tool.pytest.ini_options]"}, {"tests": "pytest"}, ["pyproject.toml (pytest)"]),
        ({"pyproject.toml": "pytest", "uv.lock": ""}, {"tests": "uv run pytest"}, ["pyproject.toml (pytest)"]),
        (
            {"pyproject.toml": "pytest", "poetry.lock": ""}, {"tests": "poetry run pytest"},
            ["pyproject.toml (pytest)"],
        ),
        ({"pyproject.toml": "[project]"}, {"shell": "shell"}, ["pyproject.toml"]),
        ({"conftest.py": ""}, {"tests": "pytest"}, ["pytest"]),
        ({"manage.py": ""}, {"server": "python manage.py runserver"}, ["manage.py"]),
        ({"Cargo.toml": "x"}, {"tests": "cargo test"}, ["Cargo.toml"]),
        ({"go.mod": "x"}, {"tests": "go test ./..."}, ["go.mod"]),
        ({"go.mod": "x", "main.go": ""}, {"server": "go run .", "tests": "go test ./..."}, ["go.mod"]),
        (
            {"Makefile": "CC := x\ndev: a\n\techo\ntest :\n"}, {"server": "make dev", "tests": "make test"},
            ["Makefile (dev, test)"],
        ),
        ({"Makefile": "all:\n"}, {"shell": "shell"}, []),
        ({"Makefile": "run:\n", "manage.py": ""}, {"server": "python manage.py runserver"}, ["manage.py"]),
        ({"compose.yaml": ""}, {"services": "docker compose up"}, ["compose.yaml"]),
        ({"docker-compose.yml": ""}, {"services": "docker compose up"}, ["docker-compose.yml"]),
        ({"Cargo.toml": "x", "Makefile": "check:\n"}, {"tests": "cargo test"}, ["Cargo.toml"]),
    ],
)  # fmt: skip
def test_each_kind_of_project_gives_its_panes(
    root: Path, programs: Path, files: dict[str, str], panes: dict[str, str], found: list[str]
) -> None:
    for name, text in files.items():
        (root / name).write_text(text)
    template, said = drawn(root, programs)
    assert {one.name: one.command for one in template.settings} == panes
    assert said == found


@pytest.mark.parametrize(("program", "command"), [("bacon", "bacon"), ("cargo-watch", "cargo watch -x test")])
def test_rust_tests_are_watched_where_something_can(root: Path, programs: Path, program: str, command: str) -> None:
    install(programs, program)
    (root / "Cargo.toml").touch()
    assert commands(root, programs) == {"tests": command}


def test_an_agent_does_not_take_the_name_of_a_process(root: Path, programs: Path) -> None:
    install(programs, "claude")
    (root / "Procfile").write_text("coder: x\nclaude: y\n")
    assert commands(root, programs) == {"agent": "claude", "coder": "x", "claude": "y"}


def test_words_that_yaml_would_take_for_something_else_are_quoted(root: Path, programs: Path) -> None:
    (root / "Procfile").write_text("true: null\n5: a # b\nx: [a]\n")
    assert commands(root, programs) == {"true": "null", "5": "a # b", "x": "[a]"}


def test_several_panes_without_an_agent_stand_beside_the_first(root: Path, programs: Path) -> None:
    (root / "Procfile").write_text("a: 1\nb: 2\nc: 3\n")
    layout = drawn(root, programs)[0].layout
    assert layout is not None
    assert [(cut.of, cut.pane, cut.direction) for cut in layout.splits] == [("a", "b", "right"), ("b", "c", "down")]


def test_what_cannot_be_read_is_passed_over(root: Path, programs: Path) -> None:
    os.mkfifo(root / "Procfile")
    (root / "Makefile").mkdir()
    (root / "package.json").write_bytes(b"\xff\xfe")
    assert commands(root, programs) == {"shell": "shell"}


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="a regular file that fails when it is read")
def test_a_file_that_fails_while_it_is_read_is_passed_over(root: Path, programs: Path) -> None:
    (root / "Procfile").symlink_to("/proc/self/mem")
    assert commands(root, programs) == {"shell": "shell"}
