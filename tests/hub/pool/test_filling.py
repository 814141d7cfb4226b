"""What is filled in at each start and stored nowhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wezparallel.errors import RequestError
from wezparallel.hub.pool.filling import fill, filled, read_file
from wezparallel.protocol.process import ProcessSettings

pytestmark = pytest.mark.anyio


def settings(**of: object) -> ProcessSettings:
    return ProcessSettings.model_validate({"name": "a", "argv": ["claude"], "cwd": "/", **of})


def test_references_are_filled_in_and_other_dollars_stay() -> None:
    told = settings(env={"A": "${T}!", "B": "${T}", "C": None}, env_expand=["A"])
    done, note = fill(told, {"T": "s3cret"}, 1)
    assert done.env == {"A": "s3cret!", "B": "${T}", "C": None}
    assert note == ""
    assert told.env["A"] == "${T}!"


def test_a_variable_that_wants_what_is_unset_is_left_out_and_said() -> None:
    done, note = fill(settings(env={"A": "${T}", "B": "${U:-u}", "C": "c"}, env_expand=["A", "B"]), {}, 1)
    assert done.env == {"B": "u", "C": "c"}
    assert note == "A was left out: T is not set"


def test_files_of_variables_lie_between_the_environment_and_env(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\nB=file\nC=${HOME}/x\n")
    (tmp_path / "more.env").write_text("B=more\nD=$A\n")
    told = settings(
        env={"A": "env", "E": "${B}"},
        env_expand=["E"],
        env_files=[str(tmp_path / ".env"), str(tmp_path / "more.env")],
    )
    done, note = fill(told, {"A": "given", "HOME": "/home/u"}, 1)
    assert done.env == {"A": "env", "B": "more", "C": "/home/u/x", "D": "file", "E": "more"}
    assert note == ""
    (tmp_path / ".env").write_text("A=new\n")
    assert fill(told, {}, 2)[0].env["D"] == "new"


def test_a_file_that_is_gone_or_broken_by_now_is_left_out_and_said(tmp_path: Path) -> None:
    (tmp_path / "broken").write_text("A=1\nB s3cret\n")
    told = settings(env_files=[str(tmp_path / "gone"), str(tmp_path / "broken")])
    done, note = fill(told, {}, 1)
    assert done.env == {}
    assert "broken was left out: " in note
    assert ":2:1: after 'B' stands no `=`" in note
    assert "s3cret" not in note


def test_a_prompt_is_told_at_the_first_run_only() -> None:
    told = settings(agent="claude_code", prompt="Read it's TODO.md")
    assert fill(told, {}, 1)[0].argv == ["claude", "Read it's TODO.md"]
    assert fill(told, {}, 2)[0].argv == ["claude"]
    in_shell = settings(argv=["/bin/sh", "-c", "exec claude --x"], agent="claude_code", prompt="Read it's")
    assert fill(in_shell, {}, 1)[0].argv == ["/bin/sh", "-c", "exec claude --x 'Read it'\"'\"'s'"]
    assert fill(settings(prompt="--help"), {}, 1)[0].argv == ["claude", "--", "--help"]


async def test_what_has_nothing_to_fill_in_comes_back_itself() -> None:
    told = settings(env={"A": "${X}"})
    assert (await filled(told, {}, 1))[0] is told
    done, _ = await filled(settings(env_files=["/nowhere/.env"], env={"A": "1"}), {}, 1)
    assert done.env == {"A": "1"}


def test_only_regular_files_of_a_bounded_size_are_read(tmp_path: Path) -> None:
    assert read_file(str(tmp_path / "none")) is None
    assert read_file(str(tmp_path / "file" / "below")) is None
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"#" * (256 * 1024 + 1))
    (tmp_path / "latin").write_bytes(b"A=\xe9\n")
    for name, why in [
        ("pipe", "not a regular file"),
        ("large", "larger than 256 KiB"),
        ("latin", "not UTF-8"),
        (".", ""),
    ]:
        with pytest.raises(RequestError) as caught:
            read_file(str(tmp_path / name))
        assert caught.value.code == "template.not_found"
        assert why in caught.value.message
