"""Connecting once more with a keeper that comes back."""

from __future__ import annotations

import os
import time

import pytest

from wezparallel.client.link import again
from wezparallel.errors import LinkError


@pytest.mark.parametrize("signals", [0, 1, 3])
def test_a_signal_meanwhile_makes_it_try_no_more_often_and_is_not_taken(signals: int) -> None:
    reads, writes = os.pipe()
    os.write(writes, bytes(signals))
    until = time.monotonic() + 0.3
    tries = 0

    def connect() -> str:
        nonlocal tries
        tries += 1
        if time.monotonic() < until:
            raise LinkError("not yet")
        return "there"

    try:
        assert again(connect, reads) == "there"
        os.write(writes, b"x")
        assert len(os.read(reads, 100)) == signals + 1
    finally:
        os.close(reads)
        os.close(writes)
    assert 2 <= tries < 12
