"""YAML with its marks, within bounds."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from wezparallel.errors import RequestError
from wezparallel.hub.workspaces import yaml_lines
from wezparallel.hub.workspaces.source import Mark, Source
from wezparallel.hub.workspaces.yaml_lines import Mapping, Node, Scalar, Sequence, load


@pytest.fixture(params=["libyaml", "python"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers have to behave alike."""
    monkeypatch.setattr(
        yaml_lines,
        "Parser",
        getattr(yaml, "CSafeLoader", yaml.SafeLoader) if request.param == "libyaml" else yaml.SafeLoader,
    )


def plain(node: Node) -> object:
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key.text: plain(value) for key, value in node.entries}


def value(text: str) -> object:
    return plain(load(Source("t.yaml", text)))


def failure(text: str) -> RequestError:
    with pytest.raises(RequestError) as caught:
        load(Source("t.yaml", text))
    assert caught.value.code == "template.syntax"
    return caught.value


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("true", True), ("True", True), ("FALSE", False), ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"),
        ("y", "y"), ("null", None), ("~", None), ("", None), ("''", ""), ("'true'", "true"), ('"5"', "5"),
        ("5", 5), ("-5", -5), ("012", 12), ("0o17", 15), ("0x1F", 31), ("1:30", "1:30"), ("1_000", "1_000"),
        ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), (".inf", float("inf")), ("-.INF", float("-inf")),
        ("2026-11-24", "2026-11-24"), ("!!str 5", "5"), ("=", "="), ("9" * 30, float("9" * 30)),
    ],
)  # fmt: skip
def test_scalars_mean_what_yaml_1_2_says(written: str, meant: object) -> None:
    got = value(f"- {written}\n- x")
    assert isinstance(got, list)
    assert got[0] == meant
    assert type(got[0]) is type(meant)


def test_not_a_number_is_a_number() -> None:
    got = value("[.nan]")
    assert isinstance(got, list)
    assert isinstance(got[0], float)
    assert got[0] != got[0]


def test_marks_count_lines_and_columns_from_one() -> None:
    tree = load(Source("t.yaml", "a: 1\nb:\n  - longer\n  - |\n    x\n"))
    assert isinstance(tree, Mapping)
    items = tree.entries[1][1]
    assert isinstance(items, Sequence)
    assert tree.entries[1][0].mark == Mark(2, 1, 1)
    assert items.items[0].mark == Mark(3, 5, 6)
    block = items.items[1]
    assert isinstance(block, Scalar)
    assert (block.style, block.text, block.mark.line) == ("|", "x\n", 4)


def test_aliases_are_what_they_name() -> None:
    assert value("a: &x [1, 2]\nb: *x\nc: &y word\nd: *y") == {"a": [1, 2], "b": [1, 2], "c": "word", "d": "word"}


def test_a_bomb_of_aliases_is_refused_before_it_is_walked() -> None:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    error = failure("\n".join(lines))
    assert error.message.startswith("t.yaml:5:10: with all its aliases this has more than 20000 values")


def test_an_alias_inside_its_own_anchor_is_refused() -> None:
    assert "'*a' contains itself" in failure("a: &a [*a]").message


def test_an_alias_of_nothing_is_refused() -> None:
    assert failure("a: *b").message.startswith("t.yaml:1:4: there is no anchor '&b' above")


def test_too_many_values_are_refused() -> None:
    assert "more than 20000 values" in failure("[" + "x," * 20_001 + "]").message


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused(opening: str) -> None:
    # The scanner in Python looks ahead 1,024 characters for every level of them; once is enough.
    message = failure(opening * (300 if yaml_lines.Parser is yaml.SafeLoader else 100_000)).message
    assert "nested more than 64 deep" in message or "nesting depth" in message


def test_nesting_up_to_the_limit_is_read() -> None:
    value("[" * 64 + "]" * 64)
    assert failure("[" * 65 + "]" * 65).message.startswith("t.yaml:1:65: this is nested more than 64 deep")


@pytest.mark.parametrize("text", ["x" * (512 * 1024 + 1), "ü" * (256 * 1024 + 1)])
def test_a_file_over_the_limit_is_refused(text: str) -> None:
    assert "larger than 512 KiB" in failure(text).message


def test_a_key_that_stands_twice_is_refused_and_both_lines_are_named() -> None:
    error = failure("a: 1\nb: 2\n'a': 3")
    assert error.message.startswith("t.yaml:3:1: the key 'a' stands here a second time")
    assert "line 1 already" in error.message


def test_keys_are_words() -> None:
    assert "a key is a word" in failure("? [a]\n: b").message


def test_tags_are_refused() -> None:
    assert "tags such as '!!python/object:os.system'" in failure("a: !!python/object:os.system [x]").message
    assert "tags such as '!x'" in failure("a: !x y").message


def test_a_second_document_is_refused() -> None:
    assert failure("a: 1\n---\nb: 1").message.startswith("t.yaml:2:1: a template is one document")


@pytest.mark.parametrize("text", ["", "# only this\n", "---\n", "null"])
def test_an_empty_file_says_what_the_shortest_template_is(text: str) -> None:
    assert failure(text).message.endswith("The shortest one is: panes: [shell]")


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("a: \x1b", "t.yaml:1:4: the character U+001B"),
        ("a: 1\nb: \ud800", "t.yaml:2:4: the character U+D800"),
        ("a\x00", "t.yaml:1:2: the character U+0000"),
    ],
)
def test_characters_that_yaml_forbids_are_named(text: str, start: str) -> None:
    assert failure(text).message.startswith(start)


def test_a_byte_order_mark_is_passed_over() -> None:
    assert value("\ufeffa: 1") == {"a": 1}


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a:\n\tb: 1", "YAML is indented with spaces. Put spaces in the place of this tab."),
        ("a: b: c", "A value with `: ` in it needs quotes around it."),
        ("a: @x", "A value that begins with such a sign needs quotes around it."),
        ("a: [1\nb: 2", ""),
        ("a: 'x", ""),
        ("%YAML 9.9\n---\na: 1", ""),
    ],
)
def test_what_is_no_yaml_is_told_with_a_hint_for_the_common_cases(text: str, hint: str) -> None:
    error = failure(text)
    assert "this is not YAML" in error.message
    assert error.data["hint"] == hint


def test_an_error_without_a_place_points_at_the_start() -> None:
    error = yaml_lines._explained(Source("t.yaml", "x"), yaml.MarkedYAMLError(problem="something"))
    assert str(error).startswith("t.yaml:1:1: this is not YAML: something")


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    failed: RequestError | None = None
    try:
        load(Source("t.yaml", text))
    except RequestError as error:
        failed = error
    assert failed is None or failed.message.startswith("t.yaml:")
