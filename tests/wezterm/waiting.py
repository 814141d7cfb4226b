"""The bounded wait for what WezTerm tells nobody: its lists, texts, windows and pictures."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class FailedError(Exception):
    """A command that ended badly: its exit code and what it said."""

    def __init__(self, argv: list[str], code: int, err: str) -> None:
        super().__init__(f"{argv} ended with {code}: {err.strip()}")
        self.code = code
        self.err = err


def wait_for(condition: Callable[[], T], what: str, timeout_s: float = 15) -> T:
    """Ask a condition again and again until it gives something true, and return that; fail after a time.

    An assertion or a command of the condition that fails counts as "not yet".
    """
    deadline = time.monotonic() + timeout_s
    while True:
        last: object
        try:
            value = condition()
            if value:
                return value
            last = value
        except (AssertionError, FailedError) as error:
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_s} s in vain for {what}; last: {last!r}")
        select.select([], [], [], 0.005)
