"""Templates with what lies around them: other templates, files of variables, the settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from wezparallel.errors import RequestError
from wezparallel.hub.settings import Settings
from wezparallel.hub.workspaces import discovery
from wezparallel.hub.workspaces.compiling import compile_with
from wezparallel.hub.workspaces.templates import Compiled


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder, beside a user's configuration."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "shop"
    (folder / ".wezparallel").mkdir(parents=True)
    return folder


def compiled(root: Path, path: Path | str, settings: Settings | None = None, **of: dict[str, str]) -> Compiled:
    return compile_with(
        discovery.read(str(path)), str(path), str(root), shell="/bin/sh", settings=settings or Settings(), **of
    )


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_template_begins_with_a_built_in_of_its_own_name(root: Path) -> None:
    path = put(root / ".wezparallel" / "web_dev.yaml", "extends: web_dev\npanes: { tests: { command: pytest } }\n")
    template = compiled(root, path)
    assert [one.command for one in template.settings] == ["claude", "npm run dev", "pytest", "shell"]
    assert list(template.files)[1].endswith("config/templates/web_dev.yaml")


def test_a_template_begins_with_the_users_own_and_that_with_a_built_in(root: Path, tmp_path: Path) -> None:
    put(
        tmp_path / "config/wezterm-parallel/templates/web-dev.yaml", "extends: web_dev\nvariables: { SERVER: mine }\n"
    )
    path = put(root / "wezparallel.yaml", "extends: web_dev\n")
    assert compiled(root, path).settings[1].command == "mine"


def test_a_path_is_relative_to_the_file_that_names_it(root: Path, tmp_path: Path) -> None:
    put(tmp_path / "common" / "base.yaml", "extends: ./more.yaml\npanes: { a: x }")
    put(tmp_path / "common" / "more.yaml", "panes: { b: y }")
    path = put(root / "wezparallel.yaml", "extends: ../common/base.yaml\n")
    assert [one.name for one in compiled(root, path).settings] == ["b", "a"]
    home = put(root / "other.yaml", "extends: ~/common/more.yaml\n")
    assert [one.name for one in compiled(root, home).settings] == ["b"]


def test_circles_by_path_and_by_name_are_refused(root: Path) -> None:
    one = put(root / ".wezparallel" / "one.yaml", "extends: two\n")
    put(root / ".wezparallel" / "two.yaml", "extends: ./one.yaml\n")
    own = put(root / ".wezparallel" / "mine.yaml", "extends: mine\n")
    for path in (one, own):
        with pytest.raises(RequestError) as caught:
            compiled(root, path)
        assert "extends itself" in caught.value.message


def test_what_is_not_there_is_told_where_it_is_named(root: Path) -> None:
    for written, sentence in [
        ("wep_dev", "1:10: there is no template 'wep_dev'"), ("./x.yaml", f"1:10: there is no file {root}/x.yaml")
    ]:  # fmt: skip
        path = put(root / "wezparallel.yaml", f"extends: {written}\n")
        with pytest.raises(RequestError) as caught:
            compiled(root, path)
        assert caught.value.code == "template.not_found"
        assert caught.value.message.startswith(f"wezparallel.yaml:{sentence}")
    assert "id you mean 'web_dev'" in str(_message(root, "extends: wep_dev\n"))


def _message(root: Path, text: str) -> str:
    with pytest.raises(RequestError) as caught:
        compiled(root, put(root / "wezparallel.yaml", text))
    return caught.value.message


def test_a_file_of_variables_is_read_from_the_root(root: Path) -> None:
    put(root / ".env", "PORT=8080\nTOKEN=s3cret\n")
    path = put(root / "wezparallel.yaml", "env_file: .env\nenv: { T: '${TOKEN}' }\npanes: { a: 'serve ${PORT}' }\n")
    (one,) = compiled(root, path).settings
    assert (one.command, one.env, one.env_files) == ("serve 8080", {"T": "${TOKEN}"}, [str(root / ".env")])
    (root / ".env").unlink()
    assert "there is no file" in _message(root, path.read_text())


def test_what_a_file_of_variables_puts_into_commands_is_part_of_the_digest(root: Path) -> None:
    path = put(root / "wezparallel.yaml", "env_file: .env\nenv: { T: '${TOKEN}' }\npanes: { a: 'serve ${PORT}' }\n")
    digests = []
    for text in ("PORT=1\nTOKEN=a", "PORT=1\nTOKEN=b", "PORT=2\nTOKEN=b"):
        put(root / ".env", text)
        digests.append(compiled(root, path).digest)
    assert digests[0] == digests[1] != digests[2]
    assert (
        compiled(root, path, variables={"PORT": "9"}).digest == compiled(root, path, variables={"PORT": "8"}).digest
    )


def test_the_settings_say_the_default_layout_and_what_an_agent_is_called(root: Path) -> None:
    path = put(root / "wezparallel.yaml", "panes: [claude-code --room=a, x, y]\n")
    settings = Settings.model_validate({"processes": {"claude_code": {"command": "/opt/claude-code"}}})
    assert [split.direction for split in compiled(root, path).plan.tabs[0].splits] == ["right", "right"]
    assert compiled(root, path, settings).settings[0].argv == ["claude", "--room=a"]
    settings = Settings.model_validate({"workspaces": {"default_layout": "three_pane_vertical"}})
    assert [split.direction for split in compiled(root, path, settings).plan.tabs[0].splits] == ["down", "down"]
