"""`--var` and the environment that the command line hands to templates."""

from __future__ import annotations

import pytest

from wezparallel.errors import RequestError
from wezparallel.frontends.cli.given import variables


def test_variables_are_names_and_values() -> None:
    assert variables(["A=1", "B_2=x=y", "C="]) == {"A": "1", "B_2": "x=y", "C": ""}


def test_the_last_value_of_a_name_counts() -> None:
    assert variables(["A=1", "A=2"]) == {"A": "2"}


@pytest.mark.parametrize("word", ["A", "=1", "1A=x", "A-B=x", ""])
def test_anything_else_is_refused_with_an_example(word: str) -> None:
    with pytest.raises(RequestError) as caught:
        variables([word])
    assert caught.value.code == "command.bad_value"
    assert "--var PORT=8080" in caught.value.message
