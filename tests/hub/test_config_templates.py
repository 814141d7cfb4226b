"""Templates that stand in the configuration file."""

from __future__ import annotations

from pathlib import Path

import pytest

from wezparallel.hub import config_templates
from wezparallel.hub.config_files import plain
from wezparallel.hub.workspaces.source import Source
from wezparallel.hub.workspaces.yaml_lines import Mapping, load

SEED = (Path(__file__).parents[1] / "compat" / "seed_002_config.yaml").read_text()


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WEZPARALLEL_CONFIG", str(tmp_path / "config.yaml"))
    return tmp_path / "config.yaml"


def test_the_seeds_templates_keep_their_lines_and_columns(file: Path) -> None:
    file.write_text(SEED)
    found = config_templates.found()
    assert found == {name: f"{file}#{name}" for name in ("default", "web_dev")}
    for path in found.values():
        text = config_templates.read(path)
        assert text is not None
        tree = load(Source(path, text))
        assert isinstance(tree, Mapping)
        for key, _ in tree.entries:
            line = SEED.splitlines()[key.mark.line - 1]
            assert line[key.mark.column - 1 :].startswith(f"{key.text}:")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (
            "workspaces:\n  templates:\n    a: {panes: [\n      shell, # x\n      top]}\n    b: {panes: [c]}\n",
            ["shell", "top"],
        ),
        ("x: &p [shell]\nworkspaces:\n  templates:\n    a:\n      panes: *p\n", ["shell"]),
        ("workspaces: {templates: {a: {panes: [shell]}, b: {panes: [top]}}}\n", ["shell"]),
        (
            "workspaces:\n  templates:\n    a:\n      # first\n      panes:\n      - shell\n\n    # b\n    b: {}\n",
            ["shell"],
        ),
    ],
)
def test_a_template_means_what_it_means_in_the_file(file: Path, text: str, meant: list[str]) -> None:
    file.write_text(text)
    own = config_templates.read(f"{file}#a")
    assert own is not None
    assert plain(load(Source("a", own))) == {"panes": meant}


def test_a_toml_file_has_templates_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[workspaces.templates.a]\npanes = ['shell']\n")
    monkeypatch.setenv("WEZPARALLEL_CONFIG", str(path))
    own = config_templates.read(f"{path}#a")
    assert own is not None
    assert plain(load(Source("a", own))) == {"panes": ["shell"]}


@pytest.mark.parametrize("text", ["workspaces: [\n", "workspaces: 3\n", "workspaces: {templates: [a]}\n", ""])
def test_where_there_are_none_none_are_found(file: Path, text: str) -> None:
    file.write_text(text)
    assert config_templates.found() == {}
    assert config_templates.read(f"{file}#a") is None


def test_another_files_path_is_none_of_ours(file: Path) -> None:
    file.write_text(SEED)
    assert config_templates.read(f"{file}#none") is None
    assert config_templates.read("/elsewhere.yaml#default") is None
    assert config_templates.read(str(file)) is None
