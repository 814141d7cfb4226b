"""Globs: what they name, what leads there."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.hub.workspaces.test_templates import failure
from wezparallel.hub.pool.globs import Glob, alternatives, globs
from wezparallel.protocol.process import ProcessSettings


@pytest.mark.parametrize(
    ("pattern", "takes", "leaves"),
    [
        ("*.py", ["a.py", ".py"], ["a/b.py", "a.pyc"]),
        ("**/*.py", ["a.py", "a/b.py", "a/b/c.py"], ["a.pyc", "a/b"]),
        ("src/**/*.py", ["src/a.py", "src/x/y/a.py"], ["a.py", "tests/a.py", "xsrc/a.py"]),
        ("src/**", ["src/a", "src/a/b"], ["a"]),
        ("src", ["src", "src/a/b"], ["srcs", "a/src"]),
        ("./src/", ["src/a"], ["a"]),
        ("a?c.[ch]", ["abc.c", "abc.h"], ["ac.c", "abc.d", "a/c.c"]),
        ("*/x", ["a/x", "a/x/y"], ["x", "a/b/x"]),
        ("**/conf/*", ["conf/a", "x/conf/a"], ["conf", "x/conf/a/b"]),
        ("[*]", ["*"], ["a"]),
    ],
)
def test_a_glob_names_these_files_and_not_those(pattern: str, takes: list[str], leaves: list[str]) -> None:
    glob = Glob(pattern)
    assert [path for path in takes if not glob.matches(path)] == []
    assert [path for path in leaves if glob.matches(path)] == []
    for path in takes:
        parts = path.split("/")
        assert all(glob.enters("/".join(parts[:end])) for end in range(len(parts)))


def test_folders_that_lead_nowhere_are_not_entered() -> None:
    assert not Glob("*.py").enters("src")
    assert not Glob("src/*.py").enters("src/deep")
    assert not Glob("src/**/*.py").enters("docs")
    assert Glob("src/**/*.py").enters("src/a/b/c")


def test_braces_are_either() -> None:
    assert alternatives("*.{js,ts}") == ["*.js", "*.ts"]
    assert alternatives("{a,b}/{c,d}") == ["a/c", "a/d", "b/c", "b/d"]
    assert alternatives("{a}{") == ["{a}{"]
    assert len(alternatives("{a,b}" * 20)) == 64


def test_a_folder_with_signs_in_its_name_is_taken_literally() -> None:
    (glob,) = globs(["*.py"], "a[1]*")
    assert glob.matches("a[1]*/x.py")
    assert not glob.matches("a1b/x.py")


@pytest.mark.parametrize("glob", ["/etc/*", "../x", "a/../b", "", " ", "a\0b", "x" * 1001])
def test_a_glob_that_leads_out_is_refused(glob: str) -> None:
    with pytest.raises(ValidationError, match="a glob is"):
        ProcessSettings(name="p", argv=["x"], cwd="/", watch=[glob])


def test_a_template_says_where_the_wrong_glob_stands() -> None:
    told = failure("panes:\n  api:\n    command: x\n    watch: [src/*.py, ../lib/*.py]\n")
    assert "leads out of the process's folder" in told.message
    assert told.data["line"] == 4
