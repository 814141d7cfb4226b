"""The detach key in what a terminal types."""

from __future__ import annotations

import pytest

from wezparallel.keeper.detach_key import DetachKey

KEYS = b"\x1c\x1c"


@pytest.mark.parametrize(
    ("parts", "passed"),
    [
        ([b"ab\x1c\x1ccd"], b"ab"),
        ([b"a\x1c", b"\x1c"], b"a"),
        ([b"\x1b[92;5u\x1b[92;5:3u", b"\x1b[92;5:1u"], b""),
        ([b"\x1b[9", b"2;69u\x1b[92;133u"], b""),
        ([b"\x1b[27;5;92~\x1c"], b""),
        ([b"\x1cx\x1c\x1c"], b"\x1cx"),
    ],
)
def test_it_is_found_however_it_is_encoded_or_cut(parts: list[bytes], passed: bytes) -> None:
    key = DetachKey(KEYS)
    results = [key.feed(part) for part in parts]
    assert b"".join(data for data, _ in results) == passed
    assert [detached for _, detached in results] == [False] * (len(parts) - 1) + [True]


def test_one_press_is_held_until_something_follows() -> None:
    key = DetachKey(KEYS)
    assert key.feed(b"a\x1c") == (b"a", False)
    assert key.held
    assert key.feed(b"b") == (b"\x1cb", False)
    assert not key.held


def test_one_press_is_released_when_nothing_follows() -> None:
    key = DetachKey(KEYS)
    key.feed(b"\x1c")
    assert key.release() == b"\x1c"
    assert key.feed(b"\x1c") == (b"", False)


def test_escape_and_other_keys_are_never_held() -> None:
    key = DetachKey(KEYS)
    for data in (b"\x1b", b"\x1b[", b"[A", b"\x1b[1;5A", b"\x1b[97;5u", b"\x1bOP", "é".encode()):
        assert key.feed(data) == (data, False)


def test_without_a_key_everything_passes() -> None:
    assert DetachKey(b"").feed(KEYS + KEYS) == (KEYS + KEYS, False)


def test_a_sequence_of_different_keys_is_told_from_its_beginning_alone() -> None:
    key = DetachKey(b"\x01\x04")
    assert key.feed(b"\x01d\x01\x01") == (b"\x01d\x01", False)
    assert key.feed(b"\x04") == (b"", True)
