"""The page that compares us with others names tests that exist, and others by their own pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "compared.md").read_text()
ROWS = [
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith(("| |", "| **"))
]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", PAGE)))
THEIRS = (
    "https://f1bonacc1.github.io/process-compose/", "http://supervisord.org/", "https://pm2.keymetrics.io/docs/",
    "https://tmuxp.git-pull.com/",
)  # fmt: skip


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_a_named_test_exists(path: str, name: str) -> None:
    assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(), re.MULTILINE)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_cell_is_shown(row: list[str]) -> None:
    assert len(row) == 2 + len(THEIRS)
    assert row[1] == "no" or "::test_" in row[1]
    for cell, page in zip(row[2:], THEIRS, strict=True):
        assert cell == "?" or all(url.startswith(page) for url in re.findall(r"\]\(([^)]*)\)", cell) or [""])
