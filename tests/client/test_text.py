"""Ages, sizes and cuts."""

from __future__ import annotations

import pytest

from wezparallel.client import text
from wezparallel.errors import RequestError


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0s"), (59.9, "59s"), (60, "1m"), (7199, "1h"), (86400 * 3, "3d"), (-5, "0s")]
)
def test_an_age_has_one_unit(seconds: float, words: str) -> None:
    assert text.duration(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [(None, ""), (0, "0 B"), (96 << 20, "96 MB"), (1 << 30, "1.0 GB"), (40 << 30, "40 GB"), (999 << 10, "999 KB")],
)
def test_a_size_is_short_and_unknown_is_empty(count: int | None, words: str) -> None:
    assert text.size(count) == words


def test_a_path_is_cut_in_its_middle_and_a_text_at_its_end() -> None:
    assert text.cut_middle("/home/alice/code/shop", 12) == "/ho…ode/shop"
    assert text.cut_end("npm run dev -- --host", 10) == "npm run d…"
    assert text.cut_end("short", 10) == "short"


def test_wide_characters_take_two_columns() -> None:
    assert text.width("日本") == 4
    assert text.cut_end("日本語", 5) == "日本…"


def test_control_characters_never_reach_a_terminal() -> None:
    assert text.clean("a\x1b[31mb\x9bc\n") == "a�[31mb�c�"


def test_the_home_folder_is_a_tilde() -> None:
    assert text.home("/home/alice/code", "/home/alice") == "~/code"
    assert text.home("/home/alicia", "/home/alice") == "/home/alicia"
    assert text.home("/etc", "/") == "/etc"


def test_a_moment_is_an_age_or_a_time() -> None:
    assert text.moment("90s", 1000) == 910
    assert text.moment("1.5h", 10_000) == 4600
    assert text.moment("1970-01-01T00:01:00Z", 0) == 60
    with pytest.raises(RequestError, match="neither a time"):
        text.moment("yesterday", 0)
