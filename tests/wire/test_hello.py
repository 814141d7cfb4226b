"""The first frames of the private links: frozen, so their bytes are tested too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wezparallel.errors import WireError
from wezparallel.wire import hello
from wezparallel.wire.hello import (
    MAX_VERSION,
    MIN_VERSION,
    Viewer,
    Welcome,
    client_hello,
    pack_strings,
    parse_client_hello,
    parse_server_hello,
    parse_strings,
    parse_viewer,
    parse_welcome,
    server_hello,
)

TERMIOS = (1, 2, 3, 4, 5, 6, b"c" * 32)
texts = st.lists(st.text(max_size=20).filter(lambda text: text.encode("utf-8", "replace") == _utf8(text)), max_size=9)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return b"\xff"


def viewer(**changes: object) -> Viewer:
    fields = {
        "flags": hello.READ_ONLY,
        "size": (24, 80, 640, 480),
        "offset": hello.FROM_END,
        "parent": (42, 4711),
        "termios": TERMIOS,
        "strings": ["web/api", "xterm"],
    }
    return Viewer(**(fields | changes))  # type: ignore[arg-type]


def test_the_bytes_of_a_client_hello_never_change() -> None:
    assert client_hello(hello.ROLE_HUB, b"body") == b"WZPK\x01" + b"\x00\x01\x00\x01" + b"body"
    assert server_hello(1, b"body") == b"\x00\x01body"


def test_a_hello_comes_back_as_it_was_packed() -> None:
    assert parse_client_hello(client_hello(hello.ROLE_FRAMES, b"x")) == (hello.ROLE_FRAMES, MAX_VERSION, b"x")
    assert parse_server_hello(server_hello(1, b"y")) == (1, b"y")


@pytest.mark.parametrize(("low", "high"), [(1, 1), (1, 9), (0, 1), (0, 60000)])
def test_the_highest_common_version_is_agreed_on(low: int, high: int) -> None:
    payload = b"WZPK\x01" + low.to_bytes(2, "big") + high.to_bytes(2, "big")
    assert parse_client_hello(payload)[1] == MAX_VERSION


@pytest.mark.parametrize(("low", "high"), [(0, 0), (MAX_VERSION + 1, MAX_VERSION + 5), (5, 3)])
def test_without_a_common_version_a_client_is_refused_and_told_ours(low: int, high: int) -> None:
    payload = b"WZPK\x01" + low.to_bytes(2, "big") + high.to_bytes(2, "big")
    with pytest.raises(WireError) as caught:
        parse_client_hello(payload)
    assert caught.value.code == "wire.version"
    assert caught.value.data == {"min": MIN_VERSION, "max": MAX_VERSION}


@pytest.mark.parametrize("payload", [b"", b"WZPK\x01", b"HTTP/1.1 200 OK"])
def test_what_is_no_hello_is_refused(payload: bytes) -> None:
    with pytest.raises(WireError) as caught:
        parse_client_hello(payload)
    assert caught.value.code == "wire.version"


def test_a_short_answer_is_refused() -> None:
    with pytest.raises(WireError):
        parse_server_hello(b"\x00")


def test_a_viewer_comes_back_as_it_was_packed() -> None:
    packed = viewer().pack()
    got = parse_viewer(packed + b"what a later version adds")
    for name in Viewer.__slots__:
        assert getattr(got, name) == getattr(viewer(), name)


def test_a_viewer_without_a_terminal_has_no_termios() -> None:
    assert parse_viewer(viewer(termios=None).pack()).termios is None


def test_a_short_viewer_is_refused_wherever_it_ends() -> None:
    packed = viewer().pack()
    for end in range(len(packed)):
        with pytest.raises(WireError):
            parse_viewer(packed[:end])


def test_a_welcome_comes_back_as_it_was_packed() -> None:
    welcome = Welcome(hello.RUNNING | hello.IS_TTY, 10, 1 << 40, b"\x1b[?25l", ["/folder", "ab" * 16, ""])
    got = parse_welcome(welcome.pack() + b"what a later version adds")
    for name in Welcome.__slots__:
        assert getattr(got, name) == getattr(welcome, name)


def test_a_short_welcome_is_refused_wherever_it_ends() -> None:
    packed = Welcome(0, 0, 0, b"m", ["a"]).pack()
    for end in range(len(packed)):
        with pytest.raises(WireError):
            parse_welcome(packed[:end])


@given(texts)
def test_strings_come_back_as_they_were_packed(strings: list[str]) -> None:
    assert parse_strings(pack_strings(strings)) == (strings, len(pack_strings(strings)))


def test_strings_that_are_no_utf8_come_back_too() -> None:
    odd = b"/home/\xff".decode("utf-8", "surrogateescape")
    assert parse_strings(pack_strings([odd]))[0] == [odd]


def test_a_string_that_is_too_long_is_cut() -> None:
    assert parse_strings(pack_strings(["x" * 70_000, "y"]))[0] == ["x" * 65_535, "y"]


@given(st.binary(max_size=200))
def test_junk_is_refused_and_breaks_nothing(data: bytes) -> None:
    for parse in (parse_client_hello, parse_server_hello, parse_viewer, parse_welcome):
        try:
            parse(data)
        except WireError:
            continue
