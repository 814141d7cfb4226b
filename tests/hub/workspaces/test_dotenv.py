"""Files of variables, as docker compose reads them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wezparallel.errors import RequestError
from wezparallel.hub.workspaces import dotenv
from wezparallel.hub.workspaces.source import Source


def read(text: str, **environment: str) -> dict[str, str]:
    return dotenv.read(Source("/p/.env", text, ".env"), environment)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A=1", {"A": "1"}),
        ("A = 1 ", {"A": "1"}),
        ("A: 1", {"A": "1"}),
        ("export A=1\nexport\tB=2", {"A": "1", "B": "2"}),
        ("# c\n\n  # d\nA=1 # e\nB=x#y\nC=#z", {"A": "1", "B": "x#y", "C": ""}),
        ("A=\nB=''\nC=\"\"", {"A": "", "B": "", "C": ""}),
        ("A='x # $B ${B} \\n'", {"A": "x # $B ${B} \\n"}),
        ('A="x # \\n \\t \\" \\\\ \\$B \\q"', {"A": 'x # \n \t " \\ $B \\q'}),
        ("A='one\ntwo'\nB=\"three\nfour\" # five\nC=6", {"A": "one\ntwo", "B": "three\nfour", "C": "6"}),
        ('A=x\nB=$A-${A}\nC="${A}"', {"A": "x", "B": "x-x", "C": "x"}),
        ("A=${N:-d} ${E:-d} ${E-d} ${N-d} ${E:+y} ${N+y} ${E+y}", {"A": "d d  d   y"}),
        ("A=$HOST/${NOWHERE}", {"A": "h/"}),
        ("HOST\nNOWHERE\nA=1", {"HOST": "h", "A": "1"}),
        ("\ufeffA=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("A=a b c", {"A": "a b c"}),
        ("A=$5 a$ $", {"A": "$5 a$ $"}),
        ("A.B-C=1", {"A.B-C": "1"}),
        ("A=x=y", {"A": "x=y"}),
        ("", {}),
    ],
)
def test_what_docker_compose_reads(text: str, found: dict[str, str]) -> None:
    assert read(text, HOST="h", E="") == found


@pytest.mark.parametrize(
    ("text", "place", "sentence"),
    [
        ("A=1\n=2", "2:1", "this is not `NAME=value`"),
        ("  1A=2", "1:3", "this is not `NAME=value`"),
        ("A b", "1:1", "after 'A' stands no `=`"),
        ("A='x", "1:1", "the value of 'A' has no second '"),
        ('B=1\nA="x\\"', "2:1", "the value of 'A' has no second \""),
        ("A='x' y", "1:6", "after the value of 'A' stands something else"),
    ],
)
def test_what_it_does_not_is_told_with_its_place(text: str, place: str, sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        read(text)
    assert caught.value.message.startswith(f".env:{place}: {sentence}")
    assert caught.value.data["excerpt"] == ""  # a secret may stand there


@settings(deadline=None)
@given(st.text("AB=:\n '\"\\#${}-x\t", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    failed: RequestError | None = None
    try:
        found = read(text)
    except RequestError as error:
        failed = error
    if failed is None:
        assert all(found)
    else:
        assert failed.code == "template.syntax"
