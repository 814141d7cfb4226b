"""Pages that are made from the code say what the code says."""

from __future__ import annotations

from scripts import reference


def test_the_made_pages_are_fresh() -> None:
    assert reference.main(["--check"]) == 0
