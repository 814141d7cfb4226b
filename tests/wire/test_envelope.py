"""Requests and replies as JSON: what is taken, what is refused and with which code."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wezparallel.errors import RequestError, WireError
from wezparallel.wire.envelope import MAX_DEPTH, Request, dump, parse_json, parse_request, reply_line


@pytest.mark.parametrize("line", [b'"Ping"', b'{"Ping":null}', b'{"Ping":{}}', b' {"Ping" : {}} '])
def test_the_three_spellings_of_a_bare_command_are_the_same(line: bytes) -> None:
    assert parse_request(line) == Request("Ping", {}, None, False)


def test_fields_and_id_are_read() -> None:
    request = parse_request(b'{"ProcessStart":{"process":"web/api"},"id":7}')
    assert request == Request("ProcessStart", {"process": "web/api"}, 7, True)


@pytest.mark.parametrize("value", [7, "seven", None, [1], {"a": 1}, 1.5, True])
def test_any_json_is_an_id_and_comes_back(value: object) -> None:
    request = parse_request(dump({"id": value, "Ping": {}}))
    assert request.has_id
    assert json.loads(reply_line("Pong", {}, request)) == {"Pong": {}, "id": value}


def test_a_reply_has_no_id_when_the_request_had_none() -> None:
    assert reply_line("Pong", {}, parse_request(b'"Ping"')) == b'{"Pong":{}}\n'
    assert reply_line("Pong", {"a": 1}) == b'{"Pong":{"a":1}}\n'


@pytest.mark.parametrize(
    "line",
    [
        b"7",
        b"null",
        b"[]",
        b"true",
        b"{}",
        b'{"id":1}',
        b'{"A":{},"B":{}}',
        b'{"Ping":7}',
        b'{"Ping":[]}',
        b'{"Ping":""}',
    ],
)
def test_json_of_another_shape_is_a_bad_value(line: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        parse_request(line)
    assert caught.value.code == "command.bad_value"


def test_a_refusal_names_the_id_that_the_request_carried() -> None:
    for line in (b'{"id":5,"A":{},"B":{}}', b'{"id":5,"A":7}'):
        with pytest.raises(RequestError) as caught:
            parse_request(line)
        assert caught.value.data["id"] == 5


@pytest.mark.parametrize(
    "line",
    [
        b"", b"junk", b'{"Ping":', b'{"Ping":{}} {}', b"NaN", b"-Infinity", b'{"id":1e999,"Ping":{}}', b"-1e999",
        b"1" * 5000, b"'Ping'", b"\xef\xbb\xbf{}", b'"a\nb"',
    ],
)  # fmt: skip
def test_what_is_not_json_is_refused(line: bytes) -> None:
    with pytest.raises(WireError) as caught:
        parse_json(line)
    assert caught.value.code == "wire.not_json"


@pytest.mark.parametrize("line", [b"\xff", b'"\xc3"', b'"\xed\xa0\x80"'])
def test_what_is_not_utf8_is_refused(line: bytes) -> None:
    with pytest.raises(WireError) as caught:
        parse_json(line)
    assert caught.value.code == "wire.not_utf8"


@pytest.mark.parametrize("line", [b"[" * 500_000, b'{"a":' * 100_000, b"[" * 65 + b"]" * 65, b'["]",' * 65])
def test_deep_json_is_refused_before_it_is_parsed(line: bytes) -> None:
    with pytest.raises(WireError, match="nested deeper"):
        parse_json(line)


def test_json_of_exactly_the_depth_passes() -> None:
    value = parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    assert json.dumps(value).count("[") == MAX_DEPTH


@pytest.mark.parametrize(
    "value", [[[]] * 100, ["[" * 100], ['\\"' + "{" * 100], ["\\", "[" * 100, "\\\\"], [{}] * 100, {"[" * 100: "}"}]
)
def test_brackets_in_strings_and_side_by_side_are_not_deep(value: object) -> None:
    assert parse_json(json.dumps(value).encode()) == value


texts = st.text(st.characters(exclude_categories=["Cs"]))
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner),
    max_leaves=20,
)


@given(json_values)
def test_values_come_back_as_they_were_sent_on_one_line(value: object) -> None:
    line = dump(value)
    assert line.count(b"\n") == 1
    assert parse_json(line) == value


def test_half_a_surrogate_is_replaced_in_a_reply() -> None:
    request = parse_request(b'{"id":"\\ud800","Ping":{}}')
    assert reply_line("Pong", {}, request) == b'{"Pong":{},"id":"?"}\n'


def code_of(line: bytes) -> str:
    """Return the code with which a line is refused; empty when it is taken."""
    try:
        parse_request(line)
    except (RequestError, WireError) as error:
        return error.code
    return ""


@given(st.binary(max_size=200))
def test_junk_is_refused_with_a_code_of_its_own(data: bytes) -> None:
    assert code_of(data) in {"", "wire.not_json", "wire.not_utf8", "command.bad_value"}


@given(st.text(st.sampled_from('[]{}",:1a\\ '), max_size=60))
def test_junk_that_is_nearly_json_is_refused_with_a_code_of_its_own(text: str) -> None:
    assert code_of(text.encode()) in {"", "wire.not_json", "command.bad_value"}
